/// Attention of any size, for what does not fit into the memory of a block.
///
/// Policy: forward, one team per query of one head: scores, softmax and the weighted sum of values in one kernel.
/// Backward, two kernels: one team per query for the gradient of the scores and of the query, one per key for those of
/// key and value, so that nothing is added by two teams. Weights that were not kept are computed again.
#pragma once

#include "lacuna/kernels/cuda/attention_head.cuh"

namespace lacuna::cuda {

template <class Run>
struct GeneralAttention {
  /// kept.weights null: the weights are in memory only as long as the call lasts. y null: nothing but the weights is
  /// wanted.
  template <class T>
  static void forward(const AttentionInput<T>& in, AttentionKept<T> kept, T* y) {
    const AttentionSizes s = in.sizes;
    const AttentionExtras<T> extras = in.extras;
    const T *const query = in.query, *const key = in.key, *const value = in.value;
    const index_t weights = s.batch * s.heads * s.queries * s.keys;
    const bool dropped = y != nullptr && (extras.factors != nullptr || extras.drop);
    const Buffer<T, Run> own(kept.weights ? 0 : weights), scratch(dropped ? weights : 0);
    T *const probability = kept.weights ? kept.weights : own.data(), *const statistics = kept.statistics;
    T* const used = dropped ? scratch.data() : probability;
    Run::rows("attention", s.batch * s.heads * s.queries, [=] LACUNA_DEVICE(index_t r, typename Run::Team team) {
      const HeadView view = HeadView::of(s, r / s.queries);
      const index_t i = r % s.queries, first = view.weight(s, i, 0);
      const T* const q = query + view.query(s, i);
      T largest = T(-INFINITY);
      int alive = 0;
      for (index_t j = team.lane(); j < s.keys; j += team.lanes()) {
        T& score = probability[first + j];
        score = T(0);
        if (!view.sees(s, i, j)) continue;
        const T* const k = key + view.key(s, j);
        T dot = T(0);
        for (index_t c = 0; c < s.key_size; ++c) dot += q[c] * k[c];
        score = finite_or_nan(dot * T(s.scale));
        if (extras.bias)
          score += extras.bias[view.b * extras.bias_stride[0] + view.h * extras.bias_stride[1] +
                               i * extras.bias_stride[2] + j * extras.bias_stride[3]];
        largest = score > largest ? score : largest;
        alive += score != T(-INFINITY);
      }
      largest = team.largest(largest);
      alive = team.sum(alive);
      T total = T(0);
      for (index_t j = team.lane(); j < s.keys; j += team.lanes()) {
        T& weight = probability[first + j];
        weight = alive > 0 && view.sees(s, i, j) ? std::exp(weight - largest) : T(0);
        total += weight;
      }
      total = team.sum(total);
      const T share = alive > 0 ? T(1) / total : T(0);
      for (index_t j = team.lane(); j < s.keys; j += team.lanes()) {
        probability[first + j] *= share;
        if (dropped) used[first + j] = probability[first + j] * weight_factor(extras, first + j);
      }
      if (statistics && team.lane() == 0) {
        T* const to = statistics + r / s.queries * 2 * s.queries + i;
        to[0] = largest > T(-INFINITY) ? largest : T(0);
        to[s.queries] = share;
      }
      if (!y) return;
      team.sync();
      T* const to = y + view.output(s, i);
      for (index_t c = team.lane(); c < s.value_size; c += team.lanes()) {
        T sum = T(0);
        for (index_t j = 0; j < s.keys; ++j)
          if (view.sees(s, i, j)) sum += used[first + j] * value[view.value(s, j) + c];
        to[c] = sum;
      }
    });
  }

  /// No query is shared in query_to. dbias_full (B, heads, Q, K), zeros at the start, receives the gradient of the
  /// scores when not null.
  template <class T>
  static void backward(const AttentionInput<T>& in, AttentionKept<T> kept, const T* dy, GradientSlot<T> query_to,
                       GradientSlot<T> dkey, GradientSlot<T> dvalue, T* dbias_full) {
    const AttentionSizes s = in.sizes;
    const AttentionExtras<T> extras = in.extras;
    const T *const query = in.query, *const key = in.key, *const value = in.value;
    const index_t weights = s.batch * s.heads * s.queries * s.keys;
    const bool dropped = extras.factors != nullptr || extras.drop;
    const Buffer<T, Run> again(kept.weights ? 0 : weights);
    if (!kept.weights) forward<T>(in, {again.data(), nullptr}, nullptr);
    const T* const probability = kept.weights ? kept.weights : again.data();
    const Buffer<T, Run> scores(weights), factored(dropped && dvalue ? weights : 0);
    T *const ds = scores.data(), *const used = factored.data();
    Run::rows("attention_gradient", s.batch * s.heads * s.queries,
              [=] LACUNA_DEVICE(index_t r, typename Run::Team team) {
                const HeadView view = HeadView::of(s, r / s.queries);
                const index_t i = r % s.queries, first = view.weight(s, i, 0);
                const T* const g = dy + view.output(s, i);
                T inner = T(0);
                for (index_t j = team.lane(); j < s.keys; j += team.lanes()) {
                  const index_t at = first + j;
                  ds[at] = T(0);
                  if (used) used[at] = T(0);
                  if (!view.sees(s, i, j)) continue;
                  const T* const v = value + view.value(s, j);
                  T dot = T(0);
                  for (index_t c = 0; c < s.value_size; ++c) dot += g[c] * v[c];
                  const T factor = dropped ? weight_factor(extras, at) : T(1);
                  ds[at] = dot * factor;
                  if (used) used[at] = probability[at] * factor;
                  inner += probability[at] * ds[at];
                }
                inner = team.sum(inner);
                for (index_t j = team.lane(); j < s.keys; j += team.lanes()) {
                  if (!view.sees(s, i, j)) continue;
                  const T slope = probability[first + j] * (ds[first + j] - inner);
                  if (dbias_full) dbias_full[first + j] = slope;
                  ds[first + j] = slope * T(s.scale);
                }
                team.sync();
                if (!query_to) return;
                const index_t to = view.query_share(s, i);
                for (index_t c = team.lane(); c < s.key_size; c += team.lanes()) {
                  T sum = T(0);
                  for (index_t j = 0; j < s.keys; ++j)
                    if (view.sees(s, i, j)) sum += ds[first + j] * key[view.key(s, j) + c];
                  query_to.put(to + c, sum);
                }
              });
    if (dkey || dvalue) {
      const T* const applied = dropped ? used : probability;
      Run::rows("attention_gradient", s.batch * s.heads * s.keys,
                [=] LACUNA_DEVICE(index_t r, typename Run::Team team) {
                  const HeadView view = HeadView::of(s, r / s.keys);
                  const index_t j = r % s.keys, earliest = s.causal ? j : 0;
                  const bool here = view.present(s, j);
                  if (dvalue)
                    for (index_t c = team.lane(); c < s.value_size; c += team.lanes()) {
                      T sum = T(0);
                      if (here)
                        for (index_t i = earliest; i < s.queries; ++i)
                          sum += applied[view.weight(s, i, j)] * dy[view.output(s, i) + c];
                      dvalue.put(view.value(s, j) + c, sum);
                    }
                  if (dkey)
                    for (index_t c = team.lane(); c < s.key_size; c += team.lanes()) {
                      T sum = T(0);
                      if (here)
                        for (index_t i = earliest; i < s.queries; ++i)
                          sum += ds[view.weight(s, i, j)] * query[view.query(s, i) + c];
                      dkey.put(view.key(s, j) + c, sum);
                    }
                });
    }
  }
};

}  // namespace lacuna::cuda
