/// Attention with projected keys and raw values: the two stages of Unified Modality Cross-Attention.
/// (Weng et al., arXiv 2410.15029; formulas as in the authors' code)
#pragma once

#include "lacuna/nn/linear.hpp"
#include "lacuna/ops/attention.hpp"
#include "lacuna/ops/shape.hpp"

namespace lacuna {

/// Options of both stages.
struct UmcaOptions {
  index_t width;          ///< size of the frames
  double scale = 0.3;     ///< of the scores; a constant, not 1/√width
  double dropout = 0.5;   ///< of the frames before, and of the result after
};

/// Stage 1, pooling by a learnable query c:
///   x' = dropout(x),  k_t = tanh(K x'_t + k₀),  a = softmax_t(scale ⟨c, k_t⟩),  p = dropout(Σ_t a_t x'_t).
/// x (B, T, width), present (B, T) → p (B, width). No frame present: 0. Start: c ~ N(0, 2/(width + 1)).
template <class T = float, class D = Cpu>
struct AttentionPooling {
  UmcaOptions options;
  Parameter<T, 2, D> query;  ///< (1, width)
  Linear<T, D> key;

  AttentionPooling() = default;
  AttentionPooling(UmcaOptions o, Random& random)
      : options(o),
        query(init::normal<T, 2, D>({1, o.width}, std::sqrt(2.0 / (double(o.width) + 1.0)), random)),
        key({.in = o.width, .out = o.width}, random) {}

  struct Result {
    Variable<T, 2, D> pooled;    ///< (B, width)
    Tensor<T, 4, D> weights;     ///< (B, 1, 1, T)
  };
  Result operator()(const Variable<T, 3, D>& x, const Mask<2, D>& present, const Context& context) const {
    const auto frames = dropout(x, options.dropout, context);
    const auto shared = reshape(static_cast<const Variable<T, 2, D>&>(query), std::array<index_t, 3>{1, 1, options.width});
    auto attended = attention(shared, key(frames, Activation::tanh), frames, present, {.scale = options.scale});
    const auto pooled = reshape(attended.output, std::array<index_t, 2>{x.extent(0), options.width});
    return {dropout(pooled, options.dropout, context), attended.weights};
  }
  static void reflect(auto& self, auto&& visit) {
    visit("query", self.query);
    visit("key", self.key);
  }
};

/// Stage 2, cross-attention of V given queries to the frames of one modality, one head:
///   x' = dropout(x),  k_t = tanh(K x'_t + k₀),  a_{·i} = softmax_t(scale ⟨P q_i + p₀, k_t⟩),  o_i = dropout(Σ_t a_ti x'_t).
/// queries (B, V, width), x (B, T, width), present (B, T) → (B, V, width). No frame present: 0.
template <class T = float, class D = Cpu>
struct ViewCrossAttention {
  UmcaOptions options;
  Linear<T, D> query, key;

  ViewCrossAttention() = default;
  ViewCrossAttention(UmcaOptions o, Random& random)
      : options(o), query({.in = o.width, .out = o.width}, random), key({.in = o.width, .out = o.width}, random) {}

  Attended<T, D> operator()(const Variable<T, 3, D>& queries, const Variable<T, 3, D>& x, const Mask<2, D>& present,
                            const Context& context) const {
    const auto frames = dropout(x, options.dropout, context);
    auto attended =
        attention(query(queries), key(frames, Activation::tanh), frames, present, {.scale = options.scale});
    attended.output = dropout(attended.output, options.dropout, context);
    return attended;
  }
  static void reflect(auto& self, auto&& visit) {
    visit("query", self.query);
    visit("key", self.key);
  }
};

}  // namespace lacuna
