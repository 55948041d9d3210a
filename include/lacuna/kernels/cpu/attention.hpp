/// Scaled dot-product attention with key mask, causal order, additive bias and dropout on the weights, and its
/// gradient.
///
/// Policy: one head of one sample at a time, parallel over these. Absent keys are never read: when the present ones are
/// not a prefix, they are gathered first. Weights are kept for the backward pass, dropout is drawn again from its
/// counter. A query that may see no key gets weights 0, output 0, and passes no gradient.
#pragma once

#include <vector>

#include "lacuna/core/gradient_slot.hpp"
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
};

namespace cpu {

struct Attention {
  template <class T>
  static void attention(const AttentionSizes& s, const AttentionExtras<T>& extras, const T* query, const T* key,
                        const T* value, T* probability, T* y) {
    const index_t dv = s.heads * s.value_size;
    for_heads<T>(s, [&](index_t b, index_t h, Scratch<T>& scratch) {
      const View<T> view = visible(s, b, h, key, value, scratch);
      T* const p = probability + (b * s.heads + h) * s.queries * s.keys;
      T* const score = view.index ? scratch.score.take(s.queries * view.count) : p;
      const index_t stride = view.index ? view.count : s.keys;
      const T* q = query + (s.shared_query ? 0 : b * s.queries * s.query_stride) + h * s.key_size;
      Narrow::scores(s.queries, view.count, s.key_size, q, s.query_stride, view.key, view.key_stride, score, stride,
                     scratch.planes);
      index_t seen = s.causal ? 0 : view.count;
      for (index_t i = 0; i < s.queries; ++i) {
        while (s.causal && seen < view.count && view.at(seen) <= i) ++seen;
        T* const row = score + i * stride;
        for (index_t j = 0; j < seen; ++j) row[j] *= T(s.scale);
        if (extras.bias) {
          const T* bias = bias_row(extras, b, h, i);
          for (index_t j = 0; j < seen; ++j) row[j] += bias[view.at(j) * extras.bias_stride[3]];
        }
        if (seen > 0) softmax_run(row, seen);
        for (index_t j = seen; j < view.count; ++j) row[j] = T(0);
        if (view.index) {
          for (index_t j = 0; j < s.keys; ++j) p[i * s.keys + j] = T(0);
          for (index_t j = 0; j < view.count; ++j) p[i * s.keys + view.index[j]] = row[j];
        } else {
          for (index_t j = view.count; j < s.keys; ++j) row[j] = T(0);
        }
      }
      const Operand<T> weights = dropped(s, extras, b, h, view, Operand<T>{score, stride}, scratch);
      Gemm::gemm_serial<T>(s.queries, s.value_size, view.count, weights, {view.value, view.value_stride}, T(0),
                           y + b * s.queries * dv + h * s.value_size, dv);
    });
  }

  /// dbias_full (B, heads, Q, K), zeros at the start, receives the gradient of the scores when not null.
  template <class T>
  static void attention_gradient(const AttentionSizes& s, const AttentionExtras<T>& extras, const T* query,
                                 const T* key, const T* value, const T* probability, const T* dy,
                                 GradientSlot<T> dquery, GradientSlot<T> dkey, GradientSlot<T> dvalue, T* dbias_full) {
    const index_t dv = s.heads * s.value_size, block = s.queries * s.query_stride;
    // a shared query gets one share per sample, added up in order afterwards
    std::vector<T> shares(s.shared_query && dquery ? std::size_t(s.batch * block) : 0);
    const GradientSlot<T> query_to = shares.empty() ? dquery : GradientSlot<T>{shares.data(), true};
    for_heads<T>(s, [&](index_t b, index_t h, Scratch<T>& scratch) {
      const View<T> view = visible(s, b, h, key, value, scratch);
      const index_t count = view.count;
      Operand<T> p{probability + (b * s.heads + h) * s.queries * s.keys, s.keys};
      if (view.index) {
        T* const gathered = scratch.score.take(s.queries * count);
        for (index_t i = 0; i < s.queries; ++i)
          for (index_t j = 0; j < count; ++j) gathered[i * count + j] = p.data[i * s.keys + view.index[j]];
        p = {gathered, count};
      }
      const T* const g = dy + b * s.queries * dv + h * s.value_size;
      if (dvalue) {
        const Operand<T> weights = dropped(s, extras, b, h, view, p, scratch);
        rows_gradient<T>(s, view, b, s.value_size, s.value_stride, s.queries, weights, {g, dv}, dvalue,
                         h * s.value_size, scratch);
      }
      if (!dquery && !dkey && !dbias_full) return;
      T* const ds = scratch.gradient.take(s.queries * count);
      Narrow::scores(s.queries, count, s.value_size, g, dv, view.value, view.value_stride, ds, count, scratch.planes);
      for (index_t i = 0; i < s.queries; ++i) {
        T* const row = ds + i * count;
        const T* const weight = p.data + i * p.stride;
        if (has_factors(extras)) {
          const T* factor = factor_row(s, extras, b, h, i, scratch);
          for (index_t j = 0; j < count; ++j) row[j] *= factor[view.at(j)];
        }
        const T inner = lane_sum<T>(count, [=](index_t j) { return weight[j] * row[j]; });
        for (index_t j = 0; j < count; ++j) row[j] = weight[j] * (row[j] - inner);
        if (dbias_full)
          for (index_t j = 0; j < count; ++j)
            dbias_full[((b * s.heads + h) * s.queries + i) * s.keys + view.at(j)] = row[j];
        for (index_t j = 0; j < count; ++j) row[j] *= T(s.scale);
      }
      const T* q = query + (s.shared_query ? 0 : b * block) + h * s.key_size;
      if (dquery)
        Gemm::gemm_serial<T>(s.queries, s.key_size, count, {ds, count}, {view.key, view.key_stride}, query_to.beta(),
                             query_to.data + b * block + h * s.key_size, s.query_stride);
      if (dkey) {  // queries that see nothing are not read
        const index_t blind = !s.causal ? 0 : count > 0 ? view.at(0) : s.queries;
        rows_gradient<T>(s, view, b, s.key_size, s.key_stride, s.queries - blind, {ds + blind * count, count},
                         {q + blind * s.query_stride, s.query_stride}, dkey, h * s.key_size, scratch);
      }
    });
    if (!shares.empty()) Reduce::column_sums<T>(s.batch, block, shares.data(), dquery);
  }

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
    std::vector<T> numbers;
    T* take(index_t n) {
      if (index_t(numbers.size()) < n) numbers.resize(std::size_t(n));
      return numbers.data();
    }
  };
  template <class T>
  struct Scratch {
    Buffer<index_t> index;
    Buffer<T> key, value, score, dropped, gradient, factor, rows;
    std::vector<T> planes;
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

  template <class T, class F>
  static void for_heads(const AttentionSizes& s, F&& f) {
    const double work = double(s.queries) * double(s.keys) * double(s.key_size + s.value_size + 16);
    const index_t grain = work >= 32768 ? 1 : 1 + index_t(32768 / (work + 1));
    parallel_for(s.batch * s.heads, grain, [&](index_t begin, index_t end) {
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
    if (view.count == 0 || index[view.count - 1] == view.count - 1) return view;
    view.index = index;
    const auto gather = [&](Buffer<T>& buffer, const T*& from, index_t& stride, index_t width) {
      T* const to = buffer.take(view.count * width);
      for (index_t j = 0; j < view.count; ++j)
        for (index_t c = 0; c < width; ++c) to[j * width + c] = from[index[j] * stride + c];
      from = to;
      stride = width;
    };
    gather(scratch.key, view.key, view.key_stride, s.key_size);
    gather(scratch.value, view.value, view.value_stride, s.value_size);
    return view;
  }

  template <class T>
  static const T* bias_row(const AttentionExtras<T>& extras, index_t b, index_t h, index_t i) {
    return extras.bias + b * extras.bias_stride[0] + h * extras.bias_stride[1] + i * extras.bias_stride[2];
  }

  template <class T>
  static bool has_factors(const AttentionExtras<T>& extras) {
    return extras.factors != nullptr || extras.drop;
  }
  /// The dropout factors of one query, (K).
  template <class T>
  static const T* factor_row(const AttentionSizes& s, const AttentionExtras<T>& extras, index_t b, index_t h, index_t i,
                             Scratch<T>& scratch) {
    const index_t first = ((b * s.heads + h) * s.queries + i) * s.keys;
    if (extras.factors) return extras.factors + first;
    T* const row = scratch.factor.take(s.keys);
    PhiloxLanes words;  // the same elements as dropout over an array (B, heads, Q, K)
    for (index_t j = 0; j < s.keys;) {
      const index_t at = (first + j) % 64, count = s.keys - j < 64 - at ? s.keys - j : 64 - at;
      words.fill(std::uint64_t(first + j) / 64 * 16, extras.keep.stream.id, extras.keep.stream.key);
      for (index_t l = 0; l < count; ++l)
        row[j + l] = words.word[at + l] >= extras.keep.threshold ? T(extras.keep.scale) : T(0);
      j += count;
    }
    return row;
  }
  /// The weights after dropout.
  template <class T>
  static Operand<T> dropped(const AttentionSizes& s, const AttentionExtras<T>& extras, index_t b, index_t h,
                            const View<T>& view, Operand<T> weights, Scratch<T>& scratch) {
    if (!has_factors(extras)) return weights;
    T* const result = scratch.dropped.take(s.queries * view.count);
    for (index_t i = 0; i < s.queries; ++i) {
      const T* factor = factor_row(s, extras, b, h, i, scratch);
      for (index_t j = 0; j < view.count; ++j)
        result[i * view.count + j] = weights.data[i * weights.stride + j] * factor[view.at(j)];
    }
    return {result, view.count};
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
    if (!view.index) {
      Narrow::share(queries, view.count, width, weights.data, weights.stride, rows_of.data, rows_of.stride, slot.beta(),
                    to, stride, scratch.planes);
      return;
    }
    T* const rows = scratch.rows.take(view.count * width);
    Narrow::share(queries, view.count, width, weights.data, weights.stride, rows_of.data, rows_of.stride, T(0), rows,
                  width, scratch.planes);
    for (index_t j = 0; j < view.count; ++j)
      for (index_t c = 0; c < width; ++c) to[view.index[j] * stride + c] += rows[j * width + c];
  }
};

}  // namespace cpu
}  // namespace lacuna
