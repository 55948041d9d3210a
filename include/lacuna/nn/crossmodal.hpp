/// The crossmodal Transformer: one sequence asks another through all its layers.  (MulT: Tsai et al., ACL 2019; the same
/// block in DMD, TFR-Net, DiCMoR, IMDer)
///
///   x ← √d x + pos(x),  k ← √d k + pos(k)                        without k: self-attention
///   layer  u = norm₀ k,  q = norm₀ x                             one norm for both; k stays as it was embedded
///          x ← x + W_o attention(q, u, u) + b_o,  x ← x + W₂ relu(W₁ norm₁ x),  W₁ (4d, d)
///   y = norm x                                                   (B, T, d)
///
/// It differs from CrossAttentionEncoder (cross_attention.hpp) in that norm, in the factor √d and in its positions: row p
/// of the table holds sin(p r_i), then cos(p r_i), r_i = 10000^(−i/(d/2−1)), a last column of 0 for an odd d, and row 0 is
/// zero. Frame t has row t + 1 where it is present, row 0 where not; without a mask it counts as present where the first
/// number of x is not 0, as the authors' code has it, which takes that for padding.
///
/// x (B, T, d), k (B, K, d), present masks (B, T), (B, K) or undefined: keys that are absent are not seen, a query that
/// sees none gets b_o; queries at absent frames are computed like any other. `causal`: query i sees key j for
/// j − i ≤ |K − T|, as the authors mask. Start: all matrices uniform in ±√(6/(in + out)), W_q, W_k, W_v as one; biases 0.
#pragma once

#include <limits>

#include "lacuna/nn/linear.hpp"
#include "lacuna/nn/norm.hpp"
#include "lacuna/ops/attention.hpp"
#include "lacuna/ops/slice.hpp"

namespace lacuna {

struct CrossmodalOptions {
  index_t embed_dim, num_heads, layers;
  bool positions = true, causal = false;
  double attention_dropout = 0, hidden_dropout = 0, dropout = 0, embedding_dropout = 0;
};

namespace detail {

/// Uniform in ±√(6/(in + out)), bias 0.  (Glorot & Bengio 2010)
template <class T, class D>
Linear<T, D> xavier_linear(index_t in, index_t out, Random& random) {
  Linear<T, D> layer({.in_features = in, .out_features = out}, random);
  layer.weight = Parameter<T, 2, D>(init::uniform<T, 2, D>({out, in}, std::sqrt(6.0 / double(in + out)), random));
  layer.bias = Parameter<T, 1, D>(Tensor<T, 1, D>::zeros({out}));
  return layer;
}

/// pos(x), see above: a constant.
template <class T, class D>
Tensor<T, 3, D> crossmodal_positions(const Variable<T, 3, D>& x, const Mask<2, D>& present) {
  const index_t batch = x.extent(0), frames = x.extent(1), width = x.extent(2), half = width / 2;
  std::vector<std::uint8_t> there;
  if (present.defined()) {
    there = present.to_vector();
  } else {
    const std::vector<T> numbers = x.value().to_vector();
    for (index_t row = 0; row < batch * frames; ++row)
      there.push_back(width > 0 && numbers[std::size_t(row * width)] != T(0));
  }
  List<T> table(std::size_t(batch * frames * width), T(0));
  for (index_t row = 0; row < batch * frames; ++row) {
    if (!there[std::size_t(row)]) continue;
    for (index_t i = 0; i < half; ++i) {
      const double rate = half > 1 ? std::pow(10000.0, -double(i) / double(half - 1)) : 1.0;
      const double angle = double(row % frames + 1) * rate;
      table[std::size_t(row * width + i)] = T(std::sin(angle));
      table[std::size_t(row * width + half + i)] = T(std::cos(angle));
    }
  }
  return Tensor<T, 3, D>::from({batch, frames, width}, table);
}

}  // namespace detail

template <class T = float, class D = Cpu>
struct CrossmodalLayer {
  AttentionOptions options;
  double dropout = 0, hidden_dropout = 0;
  Parameter<T, 2, D> in_weight;  ///< (3d, d): rows of the queries, keys, values
  Parameter<T, 1, D> in_bias;
  Linear<T, D> output, fc1, fc2;
  LayerNorm<T, D> norm0, norm1;

  CrossmodalLayer() = default;
  CrossmodalLayer(const CrossmodalOptions& o, Random& random)
      : options{.num_heads = o.num_heads, .dropout = o.attention_dropout, .need_weights = false},
        dropout(o.dropout),
        hidden_dropout(o.hidden_dropout),
        in_weight(
            init::uniform<T, 2, D>({3 * o.embed_dim, o.embed_dim}, std::sqrt(6.0 / double(4 * o.embed_dim)), random)),
        in_bias(Tensor<T, 1, D>::zeros({3 * o.embed_dim})),
        output(detail::xavier_linear<T, D>(o.embed_dim, o.embed_dim, random)),
        fc1(detail::xavier_linear<T, D>(o.embed_dim, 4 * o.embed_dim, random)),
        fc2(detail::xavier_linear<T, D>(4 * o.embed_dim, o.embed_dim, random)),
        norm0({.num_features = o.embed_dim}),
        norm1({.num_features = o.embed_dim}) {}

  /// key undefined: self-attention, causal with `causal`. bias (1, 1, T, K) of the scores, or undefined.
  Variable<T, 3, D> operator()(const Variable<T, 3, D>& x, const Variable<T, 3, D>& key, const Mask<2, D>& present,
                               const Variable<T, 4, D>& bias, bool causal, const Context& context) const {
    AttentionOptions o = options;
    o.causal = causal;
    const auto q = norm0(x);
    Variable<T, 3, D> seen;
    if (!key.defined()) {
      seen = attention_packed(linear<T, 3, D>(q, in_weight, in_bias), present, o, bias, context).output;
    } else {
      const index_t d = in_weight.extent(1);
      const Variable<T, 2, D>& w = in_weight;
      const Variable<T, 1, D>& b = in_bias;
      const auto u = norm0(key);
      const auto part = [&](const Variable<T, 3, D>& of, index_t i) {
        return linear<T, 3, D>(of, slice(w, 0, i * d, d), slice(b, 0, i * d, d));
      };
      seen = attention(part(q, 0), part(u, 1), part(u, 2), present, o, bias, context).output;
    }
    const auto y = add_dropout(x, output(seen), dropout, context);
    const auto h = linear_relu_dropout<T, 3, D>(norm1(y), fc1.weight, fc1.bias, hidden_dropout, context);
    return add_dropout(y, fc2(h), dropout, context);
  }
  static void reflect(auto& self, auto&& visit) {
    visit("self_attn.in_proj_weight", self.in_weight);
    visit("self_attn.in_proj_bias", self.in_bias);
    visit("self_attn.out_proj", self.output);
    visit("fc1", self.fc1);
    visit("fc2", self.fc2);
    visit("layer_norms.0", self.norm0);
    visit("layer_norms.1", self.norm1);
  }
};

template <class T = float, class D = Cpu>
struct CrossmodalTransformer {
  CrossmodalOptions options{};
  std::vector<CrossmodalLayer<T, D>> layers;
  LayerNorm<T, D> norm;

  CrossmodalTransformer() = default;
  CrossmodalTransformer(const CrossmodalOptions& o, Random& random) : options(o), norm({.num_features = o.embed_dim}) {
    if (o.num_heads < 1 || o.embed_dim < 1 || o.layers < 1 || o.embed_dim % o.num_heads)
      throw OptionError(detail::cat("crossmodal Transformer: ", o.layers, " layers of embed_dim ", o.embed_dim,
                                    " with ", o.num_heads, " heads: embed_dim must divide into the heads"));
    for (index_t i = 0; i < o.layers; ++i) layers.emplace_back(o, random);
  }

  /// Self-attention.
  Variable<T, 3, D> operator()(const Variable<T, 3, D>& x, const Mask<2, D>& present = {},
                               const Context& context = {}) const {
    return run(x, present, {}, present, context);
  }
  /// x asks `key`.
  Variable<T, 3, D> operator()(const Variable<T, 3, D>& x, const Mask<2, D>& present, const Variable<T, 3, D>& key,
                               const Mask<2, D>& key_present, const Context& context = {}) const {
    return run(x, present, key, key_present, context);
  }
  static void reflect(auto& self, auto&& visit) {
    visit("layers", self.layers);
    visit("layer_norm", self.norm);
  }

 private:
  Variable<T, 3, D> run(const Variable<T, 3, D>& x, const Mask<2, D>& present, const Variable<T, 3, D>& key,
                        const Mask<2, D>& key_present, const Context& context) const {
    detail::expect_made("crossmodal Transformer", layers);
    auto y = embedded(x, present, context);
    const auto k = key.defined() ? embedded(key, key_present, context) : key;
    const index_t queries = x.extent(1), keys = key.defined() ? key.extent(1) : queries;
    const bool square = queries == keys;
    const auto bias = options.causal && !square ? reach(queries, keys) : Variable<T, 4, D>();
    for (const auto& layer : layers) y = layer(y, k, key_present, bias, options.causal && square, context);
    return norm(y);
  }
  Variable<T, 3, D> embedded(const Variable<T, 3, D>& x, const Mask<2, D>& present, const Context& context) const {
    auto y = scale(x, std::sqrt(double(options.embed_dim)));
    if (options.positions) y = y + Variable<T, 3, D>(detail::crossmodal_positions(x, present));
    return dropout(y, options.embedding_dropout, context);
  }
  /// −∞ for the keys that query i may not see.
  static Variable<T, 4, D> reach(index_t queries, index_t keys) {
    const index_t most = std::abs(keys - queries);
    List<T> bias(std::size_t(queries * keys), T(0));
    for (index_t i = 0; i < queries; ++i)
      for (index_t j = 0; j < keys; ++j)
        if (j - i > most) bias[std::size_t(i * keys + j)] = -std::numeric_limits<T>::infinity();
    return Variable<T, 4, D>(Tensor<T, 4, D>::from({1, 1, queries, keys}, bias));
  }
};

}  // namespace lacuna
