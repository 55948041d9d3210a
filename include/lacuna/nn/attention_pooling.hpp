/// Attention with projected keys and raw values: the two stages of Unified Modality Cross-Attention.
/// (Weng et al., arXiv 2410.15029; formulas as in the authors' code)
///
/// Of a single frame the weight is 1 whatever query and key say: it is taken as it is, neither is computed, and neither
/// gets a gradient, which would be 0.
#pragma once

#include "lacuna/nn/linear.hpp"
#include "lacuna/ops/attention.hpp"
#include "lacuna/ops/mask.hpp"
#include "lacuna/ops/shape.hpp"

namespace lacuna {

/// Options of both stages.
struct UmcaOptions {
  index_t embed_dim;     ///< size of the frames
  double scale = 0.3;    ///< of the scores; a constant, not 1/√embed_dim
  double dropout = 0.5;  ///< of the frames before, and of the result after
};

namespace detail {

/// What any query finds in sequences of one frame: the frame where it is present, 0 elsewhere. x (B, 1, embed_dim) →
/// (B, queries, embed_dim), weights (B, 1, queries, 1).
template <class T, class D>
Attended<T, D> attend_to_one(const Variable<T, 3, D>& x, const Mask<2, D>& present, index_t queries) {
  const index_t batch = x.extent(0), width = x.extent(2);
  auto frame = reshape(x, std::array<index_t, 2>{batch, width});
  Variable<T, 2, D> weight(Tensor<T, 2, D>::full({batch, 1}, T(1)));
  if (present.defined()) {
    expect_shape("attention", "present", present.shape(), Shape{batch, 1});
    const Tensor<std::uint8_t, 1, D> flags = present.reshape(std::array<index_t, 1>{batch});
    frame = apply_mask(frame, flags);
    weight = apply_mask(weight, flags);
  }
  const auto many = std::size_t(queries);
  return {
      stack(List<Variable<T, 2, D>>(many, frame), 1),
      stack(List<Variable<T, 2, D>>(many, weight), 1).value().reshape(std::array<index_t, 4>{batch, 1, queries, 1})};
}

}  // namespace detail

/// Stage 1, pooling by a learnable query c:
///   x' = dropout(x),  k_t = tanh(K x'_t + k₀),  a = softmax_t(scale ⟨c, k_t⟩),  p = dropout(Σ_t a_t x'_t).
/// x (B, T, embed_dim), present (B, T) → p (B, embed_dim). No frame present: 0. Start: c ~ N(0, 2/(embed_dim + 1)).
template <class T = float, class D = Cpu>
struct AttentionPooling {
  UmcaOptions options;
  Parameter<T, 2, D> query;  ///< (1, embed_dim)
  Linear<T, D> key;

  AttentionPooling() = default;
  AttentionPooling(UmcaOptions o, Random& random)
      : options(o),
        query(init::normal<T, 2, D>({1, o.embed_dim}, std::sqrt(2.0 / (double(o.embed_dim) + 1.0)), random)),
        key({.in_features = o.embed_dim, .out_features = o.embed_dim}, random) {}

  struct Result {
    Variable<T, 2, D> pooled;  ///< (B, embed_dim)
    Tensor<T, 4, D> weights;   ///< (B, 1, 1, T)
  };
  Result operator()(const Variable<T, 3, D>& x, const Mask<2, D>& present, const Context& context) const {
    const auto frames = dropout(x, options.dropout, context);
    const auto pool = [&](const Attended<T, D>& found) -> Result {
      const auto pooled = reshape(found.output, std::array<index_t, 2>{x.extent(0), options.embed_dim});
      return {dropout(pooled, options.dropout, context), found.weights};
    };
    if (x.extent(1) == 1) return pool(detail::attend_to_one(frames, present, 1));
    const auto shared =
        reshape(static_cast<const Variable<T, 2, D>&>(query), std::array<index_t, 3>{1, 1, options.embed_dim});
    return pool(attention(shared, key(frames, Activation::tanh), frames, present, {.scale = options.scale}));
  }
  static void reflect(auto& self, auto&& visit) {
    visit("query", self.query);
    visit("key", self.key);
  }
};

/// Stage 2, cross-attention of V given queries to the frames of one modality, one head:
///   x' = dropout(x),  k_t = tanh(K x'_t + k₀),  a_{·i} = softmax_t(scale ⟨P q_i + p₀, k_t⟩),
///   o_i = dropout(Σ_t a_ti x'_t).
/// queries (B, V, embed_dim), x (B, T, embed_dim), present (B, T) → (B, V, embed_dim). No frame present: 0.
template <class T = float, class D = Cpu>
struct ViewCrossAttention {
  UmcaOptions options;
  Linear<T, D> query, key;

  ViewCrossAttention() = default;
  ViewCrossAttention(UmcaOptions o, Random& random)
      : options(o),
        query({.in_features = o.embed_dim, .out_features = o.embed_dim}, random),
        key({.in_features = o.embed_dim, .out_features = o.embed_dim}, random) {}

  /// `keys`, where given, are used as the k_t when they are defined, and left there when they are not: for a second call
  /// on the same frames, without dropout.
  Attended<T, D> operator()(const Variable<T, 3, D>& queries, const Variable<T, 3, D>& x, const Mask<2, D>& present,
                            const Context& context, Variable<T, 3, D>* keys = nullptr) const {
    return asked(x.extent(1) == 1 ? queries : query(queries), x, present, context, keys);
  }
  /// The same behind the projection of the queries, P q_i + p₀, which a single frame does not read.
  Attended<T, D> asked(const Variable<T, 3, D>& projected, const Variable<T, 3, D>& x, const Mask<2, D>& present,
                       const Context& context, Variable<T, 3, D>* keys = nullptr) const {
    const auto frames = dropout(x, options.dropout, context);
    Variable<T, 3, D> own;
    Variable<T, 3, D>& k = keys != nullptr ? *keys : own;
    if (x.extent(1) != 1 && !k.defined()) k = key(frames, Activation::tanh);
    auto attended = x.extent(1) == 1 ? detail::attend_to_one(frames, present, projected.extent(1))
                                     : attention(projected, k, frames, present, {.scale = options.scale});
    attended.output = dropout(attended.output, options.dropout, context);
    return attended;
  }
  static void reflect(auto& self, auto&& visit) {
    visit("query", self.query);
    visit("key", self.key);
  }
};

}  // namespace lacuna
