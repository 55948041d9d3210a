/// Scaled dot-product attention with key mask, causal order, additive bias and dropout on the weights, and its
/// gradient.
///
/// Policy: one head of one sample at a time, parallel over these. Absent keys are never read: when the present ones are
/// not a prefix, they are gathered first. Weights are kept where the caller wants them and computed again by the
/// backward pass where not; dropout is drawn again from its counter. A query that may see no key gets weights 0,
/// output 0, and passes no gradient.
#pragma once

#include <cstring>

#include "lacuna/core/gradient_slot.hpp"
#include "lacuna/core/precompile.hpp"
#include "lacuna/core/tensor.hpp"
#include "lacuna/kernels/cpu/drop.hpp"
#include "lacuna/kernels/cpu/gemm.hpp"
#include "lacuna/kernels/cpu/narrow.hpp"
#include "lacuna/kernels/cpu/reduce.hpp"
#include "lacuna/kernels/cpu/softmax.hpp"

namespace lacuna {

/// Sizes of one attention call. query (B or 1, Q, heads · key_size), key (B, K, heads · key_size),
/// value (B, K, heads · value_size), weights (B, heads, Q, K), output (B, Q, heads · value_size).
struct AttentionSizes {
  index_t batch, queries, keys, heads, key_size, value_size;
  double scale;
  bool shared_query;                               ///< one query block for the whole batch
  const std::uint8_t* present;                     ///< (B, K), 1 = present; null = all present
  bool causal;                                     ///< query i sees keys 0..i
  index_t query_stride, key_stride, value_stride;  ///< numbers from frame to frame: more than a frame when packed
};

/// What may change the weights. bias: added to the scaled scores, element (b, h, i, j) at Σ index · stride (0 =
/// broadcast). factors: (B, heads, Q, K), multiplied onto the weights; or, when `drop`, drawn from `keep`.
template <class T>
struct AttentionExtras {
  const T* bias = nullptr;
  index_t bias_stride[4] = {};
  const T* factors = nullptr;
  bool drop = false;
  functors::Keep keep = {};
  /// Of a device that takes groups (kernels/groups.hpp): weights of one group, 0 for no groups, and from stream to
  /// stream.
  index_t group = 0;
  std::uint64_t group_step = 0;
};

/// What a call leaves for its backward, or for whoever asked for it.
template <class T>
struct AttentionKept {
  T* weights = nullptr;     ///< (B, heads, Q, K); null: computed again, on devices that can
  T* statistics = nullptr;  ///< (B, heads, 2, Q): largest score, and one over the sum; null: there is no backward

  AttentionKept of_head(const AttentionSizes& s, index_t b, index_t h) const {
    const index_t head = b * s.heads + h;
    return {weights ? weights + head * s.queries * s.keys : nullptr,
            statistics ? statistics + head * 2 * s.queries : nullptr};
  }
};

namespace cpu {

struct Attention {
  /// Whether weights that were not kept can be computed again.
  static constexpr bool attention_recomputes = true;

  template <class T>
  static void attention(const AttentionSizes& s, const AttentionExtras<T>& extras, const T* query, const T* key,
                        const T* value, AttentionKept<T> kept, T* y);

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
  /// Memory that a thread keeps from head to head.
  template <class T>
  struct Buffer {
    Array<T> numbers;
    T* take(index_t n) {
      if (numbers.size() < n) numbers = Array<T>(Shape{n});
      return numbers.data();
    }
  };
  template <class T>
  struct Scratch {
    Buffer<index_t> index;
    Buffer<T> key, value, score, dropped, gradient, factor, rows, room;
  };
  /// The keys that a sample has: `count` of them, all at the front or listed in `index`.
  template <class T>
  struct View {
    index_t count;
    const index_t* index;
    const T *key, *value;
    index_t key_stride, value_stride;
    index_t at(index_t j) const { return index ? index[j] : j; }
  };

  /// A vector of queries should be worth filling.
  static bool is_narrow(const AttentionSizes& s) {
    return s.queries >= 4 && s.key_size > 0 && s.value_size > 0 && s.key_size <= Narrow::widest &&
           s.value_size <= Narrow::widest;
  }

  template <class T, class F>
  static void for_heads(const AttentionSizes& s, F&& f) {
    const double work = double(s.queries) * double(s.keys) * double(s.key_size + s.value_size + 16);
    const index_t heads = s.batch * s.heads, least = 1 + index_t(1048576 / (work + 1)), share = (heads + 31) / 32;
    parallel_for(heads, least > share ? least : share, [&](index_t begin, index_t end) {
      Scratch<T> scratch;
      for (index_t i = begin; i < end; ++i) f(i / s.heads, i % s.heads, scratch);
    });
  }

  template <class T>
  static View<T> visible(const AttentionSizes& s, index_t b, index_t h, const T* key, const T* value,
                         Scratch<T>& scratch) {
    View<T> view{s.keys,
                 nullptr,
                 key + b * s.keys * s.key_stride + h * s.key_size,
                 value + b * s.keys * s.value_stride + h * s.value_size,
                 s.key_stride,
                 s.value_stride};
    if (!s.present) return view;
    index_t* const index = scratch.index.take(s.keys);
    view.count = 0;
    for (index_t j = 0; j < s.keys; ++j)
      if (s.present[b * s.keys + j]) index[view.count++] = j;
    if (view.count > 0 && index[view.count - 1] != view.count - 1) view.index = index;
    return view;
  }
  /// Keys and values side by side, for matrix products.
  template <class T>
  static void gather(const AttentionSizes& s, View<T>& view, Scratch<T>& scratch) {
    if (!view.index) return;
    const auto copy = [&](Buffer<T>& buffer, const T*& from, index_t& stride, index_t width) {
      T* const to = buffer.take(view.count * width);
      for (index_t j = 0; j < view.count; ++j)
        for (index_t c = 0; c < width; ++c) to[j * width + c] = from[view.index[j] * stride + c];
      from = to;
      stride = width;
    };
    copy(scratch.key, view.key, view.key_stride, s.key_size);
    copy(scratch.value, view.value, view.value_stride, s.value_size);
  }

  template <class T>
  static const T* bias_of(const AttentionExtras<T>& extras, index_t b, index_t h) {
    return extras.bias + b * extras.bias_stride[0] + h * extras.bias_stride[1];
  }
  template <class T>
  static NarrowHead<T> narrow_head(const AttentionSizes& s, const AttentionExtras<T>& extras, index_t b, index_t h,
                                   const T* query, const View<T>& view, const T* factor) {
    return {s.queries,
            s.keys,
            s.key_size,
            s.value_size,
            T(s.scale),
            s.causal,
            view.count,
            view.index,
            query,
            view.key,
            view.value,
            s.query_stride,
            s.key_stride,
            s.value_stride,
            extras.bias ? bias_of(extras, b, h) : nullptr,
            extras.bias_stride[2],
            extras.bias_stride[3],
            factor};
  }

  /// The factors of one head, (Q, K): given, drawn, or null for none.
  template <class T>
  static const T* factors(const AttentionSizes& s, const AttentionExtras<T>& extras, index_t b, index_t h,
                          Scratch<T>& scratch) {
    const index_t count = s.queries * s.keys, first = (b * s.heads + h) * count;
    if (!extras.factors && !extras.drop) return nullptr;
    T* const row = scratch.factor.take(count + 64);
    for (index_t j = count; j < count + 64; ++j) row[j] = T(0);
    if (extras.factors) {
      std::memcpy(row, extras.factors + first, std::size_t(count) * sizeof(T));
      return row;
    }
    drop_factors(extras.keep, first, count, row);  // the same elements as dropout over an array (B, heads, Q, K)
    return row;
  }
  /// The weights after dropout.
  template <class T>
  static Operand<T> dropped(const AttentionSizes& s, const T* factor, const View<T>& view, Operand<T> weights,
                            Scratch<T>& scratch) {
    if (!factor) return weights;
    T* const result = scratch.dropped.take(s.queries * view.count);
    for (index_t i = 0; i < s.queries; ++i)
      for (index_t j = 0; j < view.count; ++j)
        result[i * view.count + j] = weights.data[i * weights.stride + j] * factor[i * s.keys + view.at(j)];
    return {result, view.count};
  }

  template <class T>
  static void narrow_gradient(const AttentionSizes& s, const NarrowHead<T>& head, const View<T>& view, index_t b,
                              index_t h, const T* statistics, const T* y, const T* g, GradientSlot<T> dq,
                              GradientSlot<T> dkey, GradientSlot<T> dvalue, T* dscore, Scratch<T>& scratch) {
    const index_t width = Narrow::padded<T>(view.count), dv = s.heads * s.value_size;
    T* const to_key = dkey ? scratch.key.take(s.key_size * width) : nullptr;
    T* const to_value = dvalue ? scratch.value.take(s.value_size * width) : nullptr;
    Narrow::backward(head, statistics, y, g, dv, dq.data, dq.fresh, to_key, to_value, dscore,
                     scratch.room.take(Narrow::backward_room(head)));
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

  /// Whether the bias leaves query i any of its `seen` first keys.
  template <class T>
  static bool allows(const AttentionExtras<T>& extras, const View<T>& view, index_t b, index_t h, index_t i,
                     index_t seen) {
    if (!extras.bias) return true;
    const T* const bias = bias_of(extras, b, h) + i * extras.bias_stride[2];
    for (index_t j = 0; j < seen; ++j)
      if (bias[view.at(j) * extras.bias_stride[3]] != -std::numeric_limits<T>::infinity()) return true;
    return false;
  }

  /// Weights of the visible keys, one row per query; in `kept` as well, over all keys, unless that is null.
  template <class T>
  static Operand<T> wide_weights(const AttentionSizes& s, const AttentionExtras<T>& extras, const View<T>& view,
                                 index_t b, index_t h, const T* query, T* kept, Scratch<T>& scratch) {
    const bool in_place = kept && !view.index;
    const index_t stride = in_place ? s.keys : view.count;
    T* const score = in_place ? kept : scratch.score.take(s.queries * view.count);
    Gemm::gemm_serial<T>(s.queries, view.count, s.key_size, {query, s.query_stride}, {view.key, view.key_stride, true},
                         T(0), score, stride);
    index_t seen = s.causal ? 0 : view.count;
    for (index_t i = 0; i < s.queries; ++i) {
      while (s.causal && seen < view.count && view.at(seen) <= i) ++seen;
      T* const row = score + i * stride;
      for (index_t j = 0; j < seen; ++j) row[j] *= T(s.scale);
      if (extras.bias) {
        const T* bias = bias_of(extras, b, h) + i * extras.bias_stride[2];
        for (index_t j = 0; j < seen; ++j) row[j] += bias[view.at(j) * extras.bias_stride[3]];
      }
      if (seen > 0 && !softmax_run(row, seen) && allows(extras, view, b, h, i, seen))
        std::fill(row, row + seen, std::numeric_limits<T>::quiet_NaN());  // scores, not the bias, are −∞
      for (index_t j = seen; j < stride; ++j) row[j] = T(0);
      if (!kept || in_place) continue;
      for (index_t j = 0; j < s.keys; ++j) kept[i * s.keys + j] = T(0);
      for (index_t j = 0; j < view.count; ++j) kept[i * s.keys + view.index[j]] = row[j];
    }
    return {score, stride};
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

template <class T>
void Attention::attention_gradient(const AttentionSizes& s, const AttentionExtras<T>& extras, const T* query,
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

#define LACUNA_DETAIL_ATTENTION(T)                                                                                 \
  LACUNA_PRECOMPILE(template void Attention::attention(const AttentionSizes&, const AttentionExtras<T>&, const T*, \
                                                       const T*, const T*, AttentionKept<T>, T*))                  \
  LACUNA_PRECOMPILE(template void Attention::attention_gradient(                                                   \
      const AttentionSizes&, const AttentionExtras<T>&, const T*, const T*, const T*, AttentionKept<T>, const T*,  \
      const T*, GradientSlot<T>, GradientSlot<T>, GradientSlot<T>, T*))
LACUNA_DETAIL_ATTENTION(float)
LACUNA_DETAIL_ATTENTION(double)
#undef LACUNA_DETAIL_ATTENTION

}  // namespace cpu
}  // namespace lacuna
