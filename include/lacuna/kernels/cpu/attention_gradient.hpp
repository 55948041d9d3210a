/// The gradient of attention, one head of one sample at a time, parallel over these. Weights are taken where the forward
/// pass kept them, else computed again. A query that saw no key passes no gradient; absent keys get zeros.
#pragma once

#include "lacuna/core/gradient_slot.hpp"
#include "lacuna/core/precompile.hpp"
#include "lacuna/kernels/cpu/attention_head.hpp"
#include "lacuna/kernels/cpu/narrow_gradient.hpp"
#include "lacuna/kernels/cpu/reduce.hpp"

namespace lacuna::cpu {

struct AttentionGradient : protected AttentionHead {
  /// y: the output of the forward pass. dbias_full (B, heads, Q, K), zeros at the start, receives the gradient of the
  /// scores when not null.
  template <class T>
  static void attention_gradient(const AttentionSizes& s, const AttentionExtras<T>& extras, const T* query,
                                 const T* key, const T* value, AttentionKept<T> kept, const T* y, const T* dy,
                                 GradientSlot<T> dquery, GradientSlot<T> dkey, GradientSlot<T> dvalue, T* dbias_full);

  /// slot (extent[0..3]) (+)= the sum of full (size[0..3]) over the axes where extent is 1.
  template <class T>
  static void sum_broadcast(const index_t (&size)[4], const index_t (&extent)[4], const T* full, GradientSlot<T> slot) {
    const index_t count = extent[0] * extent[1] * extent[2] * extent[3];
    index_t stride[4] = {size[1] * size[2] * size[3], size[2] * size[3], size[3], 1};
    index_t terms = 1;
    for (int a = 0; a < 4; ++a) terms *= extent[a] == size[a] ? 1 : size[a];
    parallel_for(count, detail::row_grain(terms), [&](index_t begin, index_t end) {
      for (index_t e = begin; e < end; ++e) {
        index_t rest = e, from = 0;
        for (int a = 3; a >= 0; --a) {
          from += rest % extent[a] * stride[a];
          rest /= extent[a];
        }
        double total = 0;
        for (index_t term = 0; term < terms; ++term) {
          index_t left = term, at = from;
          for (int a = 3; a >= 0; --a) {
            if (extent[a] == size[a]) continue;
            at += left % size[a] * stride[a];
            left /= size[a];
          }
          total += double(full[at]);
        }
        slot.put(e, T(total));
      }
    });
  }

 private:
  template <class T>
  static void narrow_gradient(const AttentionSizes& s, const NarrowHead<T>& head, const View<T>& view, index_t b,
                              index_t h, const T* statistics, const T* y, const T* g, GradientSlot<T> dq,
                              GradientSlot<T> dkey, GradientSlot<T> dvalue, T* dscore, Scratch<T>& scratch) {
    const index_t width = NarrowGradient::padded<T>(view.count), dv = s.heads * s.value_size;
    T* const to_key = dkey ? scratch.key.take(s.key_size * width) : nullptr;
    T* const to_value = dvalue ? scratch.value.take(s.value_size * width) : nullptr;
    NarrowGradient::backward(head, statistics, y, g, dv, dq.data, dq.fresh, to_key, to_value, dscore,
                             scratch.room.take(NarrowGradient::backward_room(head)));
    const auto hand_back = [&](const T* plane, index_t features, index_t stride, GradientSlot<T> slot) {
      T* const to = slot.data + b * s.keys * stride + h * features;
      if (slot.fresh && view.count < s.keys)
        for (index_t j = 0; j < s.keys; ++j)
          for (index_t c = 0; c < features; ++c) to[j * stride + c] = T(0);
      for (index_t j = 0; j < view.count; ++j)
        for (index_t c = 0; c < features; ++c) {
          T& place = to[view.at(j) * stride + c];
          place = (slot.fresh ? T(0) : place) + plane[c * width + j];
        }
    };
    if (dkey) hand_back(to_key, s.key_size, s.key_stride, dkey);
    if (dvalue) hand_back(to_value, s.value_size, s.value_stride, dvalue);
  }

  template <class T>
  static void wide_gradient(const AttentionSizes& s, const AttentionExtras<T>& extras, View<T>& view, index_t b,
                            index_t h, const T* q, const T* kept, const T* factor, const T* g, GradientSlot<T> dq,
                            GradientSlot<T> dkey, GradientSlot<T> dvalue, T* dscore, Scratch<T>& scratch) {
    gather(s, view, scratch);
    const index_t count = view.count, dv = s.heads * s.value_size;
    Operand<T> p{kept, s.keys};
    if (!kept) {
      p = wide_weights<T>(s, extras, view, b, h, q, nullptr, scratch);
    } else if (view.index) {
      T* const gathered = scratch.score.take(s.queries * count);
      for (index_t i = 0; i < s.queries; ++i)
        for (index_t j = 0; j < count; ++j) gathered[i * count + j] = p.data[i * s.keys + view.index[j]];
      p = {gathered, count};
    }
    if (dvalue)
      rows_gradient<T>(s, view, b, s.value_size, s.value_stride, s.queries, dropped(s, factor, view, p, scratch),
                       {g, dv}, dvalue, h * s.value_size, scratch);
    if (!dq && !dkey && !dscore) return;
    T* const ds = scratch.gradient.take(s.queries * count);
    Gemm::gemm_serial<T>(s.queries, count, s.value_size, {g, dv}, {view.value, view.value_stride, true}, T(0), ds,
                         count);
    for (index_t i = 0; i < s.queries; ++i) {
      T* const row = ds + i * count;
      const T* const weight = p.data + i * p.stride;
      if (factor)
        for (index_t j = 0; j < count; ++j) row[j] *= factor[i * s.keys + view.at(j)];
      const T inner = lane_sum<T>(count, [=](index_t j) { return weight[j] * row[j]; });
      for (index_t j = 0; j < count; ++j) row[j] = weight[j] * (row[j] - inner);
      if (dscore)
        for (index_t j = 0; j < count; ++j) dscore[i * s.keys + view.at(j)] = row[j];
      for (index_t j = 0; j < count; ++j) row[j] *= T(s.scale);
    }
    if (dq)
      Gemm::gemm_serial<T>(s.queries, s.key_size, count, {ds, count}, {view.key, view.key_stride}, dq.beta(), dq.data,
                           s.query_stride);
    if (!dkey) return;  // queries that see nothing are not read
    const index_t blind = !s.causal ? 0 : count > 0 ? view.at(0) : s.queries;
    rows_gradient<T>(s, view, b, s.key_size, s.key_stride, s.queries - blind, {ds + blind * count, count},
                     {q + blind * s.query_stride, s.query_stride}, dkey, h * s.key_size, scratch);
  }
  /// Rows of the present keys (+)= weightsᵀ rows_of; rows of absent keys get zeros.
  template <class T>
  static void rows_gradient(const AttentionSizes& s, const View<T>& view, index_t b, index_t width, index_t stride,
                            index_t queries, Operand<T> weights, Operand<T> rows_of, GradientSlot<T> slot,
                            index_t column, Scratch<T>& scratch) {
    T* const to = slot.data + b * s.keys * stride + column;
    if (slot.fresh)
      for (index_t j = view.index ? 0 : view.count; j < s.keys; ++j)
        for (index_t c = 0; c < width; ++c) to[j * stride + c] = T(0);
    weights.transposed = true;
    if (!view.index) return Gemm::gemm_serial<T>(view.count, width, queries, weights, rows_of, slot.beta(), to, stride);
    T* const rows = scratch.rows.take(view.count * width);
    Gemm::gemm_serial<T>(view.count, width, queries, weights, rows_of, T(0), rows, width);
    for (index_t j = 0; j < view.count; ++j)
      for (index_t c = 0; c < width; ++c) to[view.index[j] * stride + c] += rows[j * width + c];
  }
};

template <class T>
void AttentionGradient::attention_gradient(const AttentionSizes& s, const AttentionExtras<T>& extras, const T* query,
                                           const T* key, const T* value, AttentionKept<T> kept, const T* y, const T* dy,
                                           GradientSlot<T> dquery, GradientSlot<T> dkey, GradientSlot<T> dvalue,
                                           T* dbias_full) {
  const index_t dv = s.heads * s.value_size, block = s.queries * s.query_stride;
  // a shared query gets one share per sample, added up in order afterwards
  const Array<T> shares(Shape{s.shared_query && dquery ? s.batch * block : 0});
  const GradientSlot<T> query_to = shares.empty() ? dquery : GradientSlot<T>{const_cast<T*>(shares.data()), true};
  for_heads<T>(s, [&](index_t b, index_t h, Scratch<T>& scratch) {
    const AttentionKept<T> own = kept.of_head(s, b, h);
    const T* const g = dy + b * s.queries * dv + h * s.value_size;
    const T* q = query + (s.shared_query ? 0 : b * block) + h * s.key_size;
    const GradientSlot<T> dq = query_to ? query_to.at(b * block + h * s.key_size) : query_to;
    T* const dscore = dbias_full ? dbias_full + (b * s.heads + h) * s.queries * s.keys : nullptr;
    const T* const factor = factors(s, extras, b, h, scratch);
    View<T> view = visible(s, b, h, key, value, scratch);
    if (is_narrow(s))
      narrow_gradient(s, narrow_head(s, extras, b, h, q, view, factor), view, b, h, own.statistics,
                      y + b * s.queries * dv + h * s.value_size, g, dq, dkey, dvalue, dscore, scratch);
    else
      wide_gradient(s, extras, view, b, h, q, own.weights, factor, g, dq, dkey, dvalue, dscore, scratch);
  });
  if (!shares.empty()) Reduce::column_sums<T>(s.batch, block, shares.data(), dquery);
}

#define LACUNA_DETAIL_ATTENTION(T)                                                                                \
  LACUNA_PRECOMPILE(template void AttentionGradient::attention_gradient(                                          \
      const AttentionSizes&, const AttentionExtras<T>&, const T*, const T*, const T*, AttentionKept<T>, const T*, \
      const T*, GradientSlot<T>, GradientSlot<T>, GradientSlot<T>, T*))
LACUNA_DETAIL_ATTENTION(float)
LACUNA_DETAIL_ATTENTION(double)
#undef LACUNA_DETAIL_ATTENTION

}  // namespace lacuna::cpu
