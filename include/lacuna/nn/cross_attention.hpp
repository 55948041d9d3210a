/// Cross-modal attention layer: one modality asks, another answers.  (MulT: Tsai et al., ACL 2019)
///   x ← x + attention(norm_q x, norm_m memory),  x ← x + feed_forward(norm₂ x);  without `norm_first` the norms
///   follow.
/// x (B, Q, embed_dim), memory (B, K, memory_dim), memory_present (B, K) → (B, Q, embed_dim). A sample whose memory is absent
/// gets from the attention its output bias only, and nothing of that memory.
///
/// ```cpp
/// CrossAttentionEncoder<float> text_sees_audio({.embed_dim = 8, .num_heads = 2, .hidden = 16, .layers = 1}, random);
/// const auto h = text_sees_audio(frames, memory, memory_present);    // (B, T, 8): as many frames as ask
/// ```
#pragma once

#include "lacuna/nn/transformer.hpp"

namespace lacuna {

template <class T = float, class D = Cpu>
struct CrossAttentionLayer {
  bool norm_first = true;
  double dropout = 0;
  LayerNorm<T, D> norm_query, norm_memory, norm2;
  MultiHeadAttention<T, D> attention;
  FeedForward<T, D> feed_forward;

  CrossAttentionLayer() = default;
  CrossAttentionLayer(const TransformerOptions& o, Random& random)
      : norm_first(o.norm_first),
        dropout(o.dropout),
        norm_query({.num_features = o.embed_dim, .epsilon = o.epsilon}),
        norm_memory({.num_features = o.memory_dim > 0 ? o.memory_dim : o.embed_dim,
                     .epsilon = o.epsilon,
                     .affine = o.norm_first}),
        norm2({.num_features = o.embed_dim, .epsilon = o.epsilon}),
        attention(detail::cross_options(o), random),
        feed_forward(o, random) {}

  Variable<T, 3, D> operator()(const Variable<T, 3, D>& x, const Variable<T, 3, D>& memory,
                               const Mask<2, D>& memory_present = {}, const Context& context = {}) const {
    const auto seen = norm_first ? norm_memory(memory) : memory;
    const auto crossed = detail::branch(norm_first, norm_query, x, dropout, context, [&](const auto& h) {
      return attention(h, seen, seen, memory_present, context).output;
    });
    return detail::branch(norm_first, norm2, crossed, dropout, context,
                          [&](const auto& h) { return feed_forward(h, context); });
  }
  static void reflect(auto& self, auto&& visit) {
    visit("norm_query", self.norm_query);
    visit("norm_memory", self.norm_memory);
    visit("attention", self.attention);
    visit("norm2", self.norm2);
    visit("feed_forward", self.feed_forward);
  }
};

/// crossmodal(x, memory, memory_present, context): layers one after another, and with `norm_first` a norm behind them.
template <class T = float, class D = Cpu>
using CrossAttentionEncoder = detail::TransformerStack<CrossAttentionLayer<T, D>, T, D>;

}  // namespace lacuna
