/// Scaled dot-product attention with key mask, causal order, additive bias and dropout on the weights, and its
/// gradient.
///
/// Policy: forward, one team per query of one head: scores, softmax and the weighted sum of values in one kernel, of
/// any head size. Backward, two kernels: one team per query for the gradient of the scores and of the query, one per
/// key for those of key and value, so that nothing is added by two teams. Absent keys and values are never read.
/// Weights are kept for the backward, dropout is drawn again from its counter. A query that may see no key gets weights
/// 0, output 0, and passes no gradient.
#pragma once

#include "lacuna/kernels/cpu/attention.hpp"
#include "lacuna/kernels/cuda/reduce.cuh"

namespace lacuna::cuda {

/// Places of one head of one sample in the arrays of a call; `keys` and `queries` are rows of the sample.
struct HeadView {
  index_t b, h, row;  ///< row: of the first query in (B, heads, Q)

  LACUNA_HD static HeadView of(const AttentionSizes& s, index_t head) {
    return {head / s.heads, head % s.heads, head * s.queries};
  }
  LACUNA_HD index_t query(const AttentionSizes& s, index_t i) const {
    return ((s.shared_query ? 0 : b * s.queries) + i) * s.query_stride + h * s.key_size;
  }
  /// As if no query were shared: where the share of this sample goes.
  LACUNA_HD index_t query_share(const AttentionSizes& s, index_t i) const {
    return (b * s.queries + i) * s.query_stride + h * s.key_size;
  }
  LACUNA_HD index_t key(const AttentionSizes& s, index_t j) const {
    return (b * s.keys + j) * s.key_stride + h * s.key_size;
  }
  LACUNA_HD index_t value(const AttentionSizes& s, index_t j) const {
    return (b * s.keys + j) * s.value_stride + h * s.value_size;
  }
  LACUNA_HD index_t output(const AttentionSizes& s, index_t i) const {
    return ((b * s.queries + i) * s.heads + h) * s.value_size;
  }
  LACUNA_HD index_t weight(const AttentionSizes& s, index_t i, index_t j) const { return (row + i) * s.keys + j; }
  LACUNA_HD bool present(const AttentionSizes& s, index_t j) const { return !s.present || s.present[b * s.keys + j]; }
  LACUNA_HD bool sees(const AttentionSizes& s, index_t i, index_t j) const {
    return (!s.causal || j <= i) && present(s, j);
  }
};

/// The dropout factor of weight number `at`.
template <class T>
LACUNA_HD T weight_factor(const AttentionExtras<T>& extras, index_t at) {
  if (extras.factors) return extras.factors[at];
  if (!extras.drop) return T(1);
  return extras.keep.keeps(at) ? T(extras.keep.scale) : T(0);
}

template <class Run>
struct Attention {
  /// Weights are always kept.
  static constexpr bool attention_recomputes = false;

  template <class T>
  static void attention(const AttentionSizes& sizes, const AttentionExtras<T>& given, const T* query, const T* key,
                        const T* value, AttentionKept<T> kept, T* y) {
    T* const probability = kept.weights;
    const AttentionSizes s = sizes;
    const AttentionExtras<T> extras = given;
    const bool dropped = extras.factors != nullptr || extras.drop;
    const Buffer<T, Run> scratch(dropped ? s.batch * s.heads * s.queries * s.keys : 0);
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
        score = dot * T(s.scale);
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

  /// dbias_full (B, heads, Q, K), zeros at the start, receives the gradient of the scores when not null.
  template <class T>
  static void attention_gradient(const AttentionSizes& sizes, const AttentionExtras<T>& given, const T* query,
                                 const T* key, const T* value, AttentionKept<T> kept, const T*, const T* dy,
                                 GradientSlot<T> dquery, GradientSlot<T> dkey, GradientSlot<T> dvalue, T* dbias_full) {
    const T* const probability = kept.weights;
    const AttentionSizes s = sizes;
    const AttentionExtras<T> extras = given;
    const index_t weights = s.batch * s.heads * s.queries * s.keys, block = s.queries * s.query_stride;
    const bool dropped = extras.factors != nullptr || extras.drop;
    // a shared query gets one share per sample, added up in order afterwards
    const Buffer<T, Run> shares(s.shared_query && dquery ? s.batch * block : 0);
    const GradientSlot<T> query_to = shares.data() ? GradientSlot<T>{shares.data(), true} : dquery;
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
    if (shares.data()) Reduce<Run>::template column_sums<T>(s.batch, block, shares.data(), dquery);
  }

  /// slot (extent[0..3]) (+)= the sum of full (size[0..3]) over the axes where extent is 1.
  template <class T>
  static void sum_broadcast(const index_t (&size)[4], const index_t (&extent)[4], const T* full, GradientSlot<T> slot) {
    Broadcast axes{};
    for (int a = 0; a < 4; ++a) axes.size[a] = size[a], axes.extent[a] = extent[a];
    Run::each("sum_broadcast", extent[0] * extent[1] * extent[2] * extent[3], [=] LACUNA_DEVICE(index_t e) {
      const index_t from = axes.start(e), terms = axes.terms();
      double total = 0;
      for (index_t term = 0; term < terms; ++term) total += double(full[from + axes.offset(term)]);
      slot.put(e, T(total));
    });
  }

  /// Sizes of an array of four axes, and of what is left when those of extent 1 are summed over.
  struct Broadcast {
    index_t size[4], extent[4];

    /// How many numbers of the array go into one number of the result.
    LACUNA_HD index_t terms() const {
      index_t product = 1;
      for (int a = 0; a < 4; ++a) product *= extent[a] == size[a] ? 1 : size[a];
      return product;
    }
    /// Place in the array of the first of them, for number e of the result.
    LACUNA_HD index_t start(index_t e) const {
      index_t at = 0, stride = 1;
      for (int a = 3; a >= 0; --a) {
        at += e % extent[a] * stride;
        e /= extent[a];
        stride *= size[a];
      }
      return at;
    }
    /// How far behind it the term-th is.
    LACUNA_HD index_t offset(index_t term) const {
      index_t at = 0, stride = 1;
      for (int a = 3; a >= 0; --a) {
        if (extent[a] != size[a]) {
          at += term % size[a] * stride;
          term /= size[a];
        }
        stride *= size[a];
      }
      return at;
    }
  };
};

}  // namespace lacuna::cuda
