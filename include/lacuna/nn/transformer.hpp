/// Transformer encoder and decoder.  (Vaswani et al. 2017; norm first: Xiong et al. 2020)
///
/// With `norm_first` every branch is x ← x + f(norm(x)), and the stack ends in a norm; otherwise x ← norm(x + f(x)).
/// present (B, T): absent frames are no keys; as queries they are computed like any other. A sample without any present
/// frame gets from its attention the output bias only. Dropout stands on the attention weights, on the hidden layer of
/// the feed-forward part, and on the result of every branch.
///
/// ```cpp
/// TransformerEncoder<float> encoder({.embed_dim = 8, .num_heads = 2, .hidden = 16, .layers = 1}, random);
/// const auto h = encoder(frames, present, Context::train(random));   // (B, T, 8) -> (B, T, 8)
/// const auto code = mean_pool(h, present);                           // (B, 8); zeros for a sample without frames
/// ```
#pragma once

#include "lacuna/nn/attention.hpp"
#include "lacuna/nn/norm.hpp"
#include "lacuna/ops/elementwise.hpp"

namespace lacuna {

struct TransformerOptions {
  index_t embed_dim, num_heads, hidden;
  index_t layers = 1;
  index_t memory_dim = 0;  ///< of what a decoder or a cross-attention layer looks at; 0 = embed_dim
  Activation activation = Activation::relu;
  bool norm_first = true;
  bool bias = true;  ///< of all linear layers; norms always have theirs
  double dropout = 0, attention_dropout = 0, hidden_dropout = 0;
  double epsilon = 1e-5;  ///< of the norms
};

/// y = W₂ dropout(activation(W₁ x + b₁)) + b₂ over the last axis.
template <class T = float, class D = Cpu>
struct FeedForward {
  Activation activation = Activation::relu;
  double hidden_dropout = 0;
  Linear<T, D> in, out;

  FeedForward() = default;
  FeedForward(const TransformerOptions& o, Random& random)
      : activation(o.activation),
        hidden_dropout(o.hidden_dropout),
        in({.in_features = o.embed_dim, .out_features = o.hidden, .bias = o.bias}, random),
        out({.in_features = o.hidden, .out_features = o.embed_dim, .bias = o.bias}, random) {}

  template <int R>
  Variable<T, R, D> operator()(const Variable<T, R, D>& x, const Context& context = {}) const {
    if (activation == Activation::relu)
      return out(linear_relu_dropout<T, R, D>(x, in.weight, in.bias, hidden_dropout, context));
    return out(dropout(in(x, activation), hidden_dropout, context));
  }
  static void reflect(auto& self, auto&& visit) {
    visit("in", self.in);
    visit("out", self.out);
  }
};

namespace detail {

/// One branch of a layer with its norm on the right side of it.
template <class T, class D, class F>
Variable<T, 3, D> branch(bool norm_first, const LayerNorm<T, D>& norm, const Variable<T, 3, D>& x, double p,
                         const Context& context, F&& f) {
  if (norm_first) return add_dropout(x, f(norm(x)), p, context);
  return norm(add_dropout(x, f(x), p, context));
}

inline MultiHeadAttentionOptions self_options(const TransformerOptions& o, bool causal) {
  return {.embed_dim = o.embed_dim,
          .num_heads = o.num_heads,
          .bias = o.bias,
          .causal = causal,
          .dropout = o.attention_dropout,
          .need_weights = false};
}
inline MultiHeadAttentionOptions cross_options(const TransformerOptions& o) {
  const index_t memory = o.memory_dim > 0 ? o.memory_dim : o.embed_dim;
  return {.embed_dim = o.embed_dim,
          .num_heads = o.num_heads,
          .key_dim = memory,
          .value_dim = memory,
          .bias = o.bias,
          .dropout = o.attention_dropout,
          .need_weights = false};
}

}  // namespace detail

/// x ← attention branch, then feed-forward branch. x (B, T, embed_dim) → same.
template <class T = float, class D = Cpu>
struct TransformerEncoderLayer {
  bool norm_first = true;
  double dropout = 0;
  LayerNorm<T, D> norm1, norm2;
  SelfAttention<T, D> attention;
  FeedForward<T, D> feed_forward;

  TransformerEncoderLayer() = default;
  TransformerEncoderLayer(const TransformerOptions& o, Random& random)
      : norm_first(o.norm_first),
        dropout(o.dropout),
        norm1({.num_features = o.embed_dim, .epsilon = o.epsilon}),
        norm2({.num_features = o.embed_dim, .epsilon = o.epsilon}),
        attention(detail::self_options(o, false), random),
        feed_forward(o, random) {}

  Variable<T, 3, D> operator()(const Variable<T, 3, D>& x, const Mask<2, D>& present = {},
                               const Context& context = {}) const {
    const auto attended = detail::branch(norm_first, norm1, x, dropout, context,
                                         [&](const auto& h) { return attention(h, present, context).output; });
    return detail::branch(norm_first, norm2, attended, dropout, context,
                          [&](const auto& h) { return feed_forward(h, context); });
  }
  static void reflect(auto& self, auto&& visit) {
    visit("norm1", self.norm1);
    visit("attention", self.attention);
    visit("norm2", self.norm2);
    visit("feed_forward", self.feed_forward);
  }
};

/// Causal self-attention, attention to `memory`, feed-forward. x (B, T, embed_dim), memory (B, K, memory_dim) → like x.
template <class T = float, class D = Cpu>
struct TransformerDecoderLayer {
  bool norm_first = true;
  double dropout = 0;
  LayerNorm<T, D> norm1, norm2, norm3;
  SelfAttention<T, D> self_attention;
  MultiHeadAttention<T, D> cross_attention;
  FeedForward<T, D> feed_forward;

  TransformerDecoderLayer() = default;
  TransformerDecoderLayer(const TransformerOptions& o, Random& random)
      : norm_first(o.norm_first),
        dropout(o.dropout),
        norm1({.num_features = o.embed_dim, .epsilon = o.epsilon}),
        norm2({.num_features = o.embed_dim, .epsilon = o.epsilon}),
        norm3({.num_features = o.embed_dim, .epsilon = o.epsilon}),
        self_attention(detail::self_options(o, true), random),
        cross_attention(detail::cross_options(o), random),
        feed_forward(o, random) {}

  /// present (B, T) of x, memory_present (B, K).
  Variable<T, 3, D> operator()(const Variable<T, 3, D>& x, const Variable<T, 3, D>& memory,
                               const Mask<2, D>& present = {}, const Mask<2, D>& memory_present = {},
                               const Context& context = {}) const {
    const auto own = detail::branch(norm_first, norm1, x, dropout, context,
                                    [&](const auto& h) { return self_attention(h, present, context).output; });
    const auto crossed = detail::branch(norm_first, norm2, own, dropout, context, [&](const auto& h) {
      return cross_attention(h, memory, memory, memory_present, context).output;
    });
    return detail::branch(norm_first, norm3, crossed, dropout, context,
                          [&](const auto& h) { return feed_forward(h, context); });
  }
  static void reflect(auto& self, auto&& visit) {
    visit("norm1", self.norm1);
    visit("self_attention", self.self_attention);
    visit("norm2", self.norm2);
    visit("cross_attention", self.cross_attention);
    visit("norm3", self.norm3);
    visit("feed_forward", self.feed_forward);
  }
};

namespace detail {

/// Layers one after another, and with `norm_first` a norm behind them.
template <class Layer, class T, class D>
struct TransformerStack {
  std::vector<Layer> layers;
  LayerNorm<T, D> norm;  ///< without parameters unless `norm_first`
  bool norm_first = true;

  TransformerStack() = default;
  TransformerStack(const TransformerOptions& o, Random& random)
      : norm({.num_features = o.embed_dim, .epsilon = o.epsilon, .affine = o.norm_first}), norm_first(o.norm_first) {
    if (o.layers < 0) throw OptionError(cat("transformer: ", o.layers, " layers"));
    for (index_t i = 0; i < o.layers; ++i) layers.emplace_back(o, random);
  }

  /// x, then whatever a layer takes besides it.
  template <class... Rest>
  requires(std::is_invocable_v<const Layer&, const Variable<T, 3, D>&, const Rest&...>) Variable<T, 3, D>
  operator()(Variable<T, 3, D> x, const Rest&... rest) const {
    if (norm_first && !norm.weight.defined()) expect_made("transformer", layers);
    for (const Layer& layer : layers) x = layer(x, rest...);
    return norm_first ? norm(x) : x;
  }
  static void reflect(auto& self, auto&& visit) {
    visit("layers", self.layers);
    visit("norm", self.norm);
  }
};

}  // namespace detail

/// encoder(x, present, context): x (B, T, embed_dim), present (B, T) → (B, T, embed_dim).
template <class T = float, class D = Cpu>
using TransformerEncoder = detail::TransformerStack<TransformerEncoderLayer<T, D>, T, D>;

/// decoder(x, memory, present, memory_present, context).
template <class T = float, class D = Cpu>
using TransformerDecoder = detail::TransformerStack<TransformerDecoderLayer<T, D>, T, D>;

}  // namespace lacuna
