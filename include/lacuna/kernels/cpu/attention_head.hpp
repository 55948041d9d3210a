/// What both directions of attention do for one head of one sample: which keys it has, side by side where a product needs
/// that; dropout, drawn again from its counter; and the weights.
#pragma once

#include <algorithm>
#include <cstring>
#include <limits>

#include "lacuna/core/tensor.hpp"
#include "lacuna/core/threads.hpp"
#include "lacuna/kernels/attention_call.hpp"
#include "lacuna/kernels/cpu/drop.hpp"
#include "lacuna/kernels/cpu/gemm.hpp"
#include "lacuna/kernels/cpu/narrow_head.hpp"
#include "lacuna/kernels/cpu/softmax.hpp"

namespace lacuna::cpu {

struct AttentionHead {
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
    return s.queries >= 4 && s.key_size > 0 && s.value_size > 0 && s.key_size <= NarrowParts::widest &&
           s.value_size <= NarrowParts::widest;
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
};

}  // namespace lacuna::cpu
