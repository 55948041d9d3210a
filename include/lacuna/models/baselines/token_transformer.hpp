/// A Transformer behind learned tokens, whose first outputs are a sequence of any length in a few vectors.  (as in LNLN:
/// Zhang, Wang & Yu, NeurIPS 2024)
#pragma once

#include "lacuna/nn/linear.hpp"
#include "lacuna/nn/norm.hpp"
#include "lacuna/ops/attention.hpp"
#include "lacuna/ops/manipulation.hpp"

namespace lacuna::models {

/// x ← x + A(norm x, norm k, norm v), x ← x + W₂ gelu(W₁ norm x); keys and values from x or from another sequence.
template <class T = float, class D = Cpu>
struct TokenLayer {
  index_t heads = 1;
  LayerNorm<T, D> norm_q, norm_k, norm_v, norm;
  Linear<T, D> q, k, v, out, in_1, in_2;

  TokenLayer() = default;
  TokenLayer(index_t width, index_t num_heads, index_t head, Random& random)
      : heads(num_heads),
        norm_q({.num_features = width}),
        norm_k({.num_features = width}),
        norm_v({.num_features = width}),
        norm({.num_features = width}) {
    const auto layer = [&](index_t in, index_t to, bool bias) {
      return Linear<T, D>({.in_features = in, .out_features = to, .bias = bias}, random);
    };
    const index_t inner = num_heads * head;
    q = layer(width, inner, false), k = layer(width, inner, false), v = layer(width, inner, false);
    out = layer(inner, width, true), in_1 = layer(width, width, true), in_2 = layer(width, width, true);
  }
  Variable<T, 3, D> operator()(const Variable<T, 3, D>& x, const Variable<T, 3, D>& from,
                               const Mask<2, D>& present) const {
    const auto seen =
        attention(q(norm_q(x)), k(norm_k(from)), v(norm_v(from)), present, {.num_heads = heads, .need_weights = false});
    const auto y = x + out(seen.output);
    return y + in_2(in_1(norm(y), Activation::gelu));
  }
  static void reflect(auto& self, auto&& visit) {
    visit("0.norm_q", self.norm_q), visit("0.norm_k", self.norm_k), visit("0.norm_v", self.norm_v);
    visit("0.fn.to_q", self.q), visit("0.fn.to_k", self.k), visit("0.fn.to_v", self.v);
    visit("0.fn.to_out.0", self.out);
    visit("1.norm", self.norm);
    visit("1.fn.net.0", self.in_1), visit("1.fn.net.3", self.in_2);
  }
};

/// V: `tokens` learned tokens in front (or none), positions added, layers.
template <class T = float, class D = Cpu>
struct TokenTransformer {
  struct Options {
    index_t frames, tokens, layers, width, num_heads, head_width;
  };
  Parameter<T, 3, D> positions, tokens;  ///< (1, frames + tokens, D), (1, tokens, D) or undefined
  std::vector<TokenLayer<T, D>> layers;

  TokenTransformer() = default;
  TokenTransformer(const Options& o, Random& random)
      : positions(init::normal<T, 3, D>({1, o.frames + o.tokens, o.width}, 1.0, random)) {
    if (o.tokens > 0) tokens = Parameter<T, 3, D>(init::normal<T, 3, D>({1, o.tokens, o.width}, 1.0, random));
    for (index_t i = 0; i < o.layers; ++i) layers.emplace_back(o.width, o.num_heads, o.head_width, random);
  }
  /// The sequence after its positions, and after every layer.
  std::vector<Variable<T, 3, D>> stack(Variable<T, 3, D> x, Mask<2, D> present = {}) const {
    const index_t batch = x.extent(0), width = x.extent(2);
    const Variable<T, 3, D>&p = positions, &extra = tokens;
    if (extra.defined()) {
      const index_t count = extra.extent(1), frames = x.extent(1);
      if (present.defined()) {
        const auto all = present.to_vector();
        std::vector<std::uint8_t> longer(std::size_t(batch * (count + frames)), 1);
        for (index_t b = 0; b < batch; ++b)
          std::copy_n(all.begin() + b * frames, frames, longer.begin() + b * (count + frames) + count);
        present = Mask<2, D>::from({batch, count + frames}, longer);
      }
      x = concat({expand(extra, {batch, count, width}), x}, 1);
    }
    if (x.extent(1) > p.extent(1))
      throw ShapeError(
          detail::cat("token Transformer: ", x.extent(1), " frames and tokens, there are ", p.extent(1), " positions"));
    std::vector<Variable<T, 3, D>> all{x + slice(p, 1, 0, x.extent(1))};
    for (const auto& layer : layers) all.push_back(layer(all.back(), all.back(), present));
    return all;
  }
  Variable<T, 3, D> operator()(const Variable<T, 3, D>& x, const Mask<2, D>& present = {}) const {
    return stack(x, present).back();
  }
  static void reflect(auto& self, auto&& visit) {
    visit("pos_embedding", self.positions);
    visit("extra_token", self.tokens);
    visit("encoder.layers", self.layers);
  }
};

}  // namespace lacuna::models
