/// Scaled dot-product attention with key mask, causal order, additive bias and dropout on the weights.
///
/// Policy: one head of one sample at a time, parallel over these. Absent keys are never read: when the present ones are
/// not a prefix, they are gathered first. Weights are kept where the caller wants them and computed again by the
/// backward pass where not; dropout is drawn again from its counter. A query that may see no key gets weights 0,
/// output 0, and passes no gradient.
#pragma once

#include "lacuna/core/precompile.hpp"
#include "lacuna/kernels/cpu/attention_gradient.hpp"
#include "lacuna/kernels/cpu/narrow.hpp"

namespace lacuna::cpu {

/// The family: the forward pass here, the way back from attention_gradient.hpp.
struct Attention : AttentionGradient {
  /// Whether weights that were not kept can be computed again.
  static constexpr bool attention_recomputes = true;

  template <class T>
  static void attention(const AttentionSizes& s, const AttentionExtras<T>& extras, const T* query, const T* key,
                        const T* value, AttentionKept<T> kept, T* y);
};

template <class T>
void Attention::attention(const AttentionSizes& s, const AttentionExtras<T>& extras, const T* query, const T* key,
                          const T* value, AttentionKept<T> kept, T* y) {
  const index_t dv = s.heads * s.value_size;
  for_heads<T>(s, [&](index_t b, index_t h, Scratch<T>& scratch) {
    const AttentionKept<T> own = kept.of_head(s, b, h);
    T* const out = y + b * s.queries * dv + h * s.value_size;
    const T* q = query + (s.shared_query ? 0 : b * s.queries * s.query_stride) + h * s.key_size;
    const T* const factor = factors(s, extras, b, h, scratch);
    View<T> view = visible(s, b, h, key, value, scratch);
    if (is_narrow(s)) {
      const NarrowHead<T> head = narrow_head(s, extras, b, h, q, view, factor);
      return Narrow::forward(head, own.weights, own.statistics, out, dv, scratch.room.take(Narrow::forward_room(head)));
    }
    gather(s, view, scratch);
    const Operand<T> plain = wide_weights(s, extras, view, b, h, q, own.weights, scratch);
    const Operand<T> weights = dropped(s, factor, view, plain, scratch);
    Gemm::gemm_serial<T>(s.queries, s.value_size, view.count, weights, {view.value, view.value_stride}, T(0), out, dv);
  });
}

#define LACUNA_DETAIL_ATTENTION(T)                                                                                 \
  LACUNA_PRECOMPILE(template void Attention::attention(const AttentionSizes&, const AttentionExtras<T>&, const T*, \
                                                       const T*, const T*, AttentionKept<T>, T*))
LACUNA_DETAIL_ATTENTION(float)
LACUNA_DETAIL_ATTENTION(double)
#undef LACUNA_DETAIL_ATTENTION

}  // namespace lacuna::cpu
