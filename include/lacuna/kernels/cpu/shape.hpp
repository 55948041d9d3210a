/// Moves of data between layouts: strided copies of blocks, weighted sums of rows.
#pragma once

#include <cstring>

#include "lacuna/core/gradient_slot.hpp"
#include "lacuna/core/threads.hpp"

namespace lacuna::cpu {

struct ShapeMoves {
  /// Copies `rows` runs of `count` numbers; run i starts at i * stride on either side. The basis of concat, stack and slice.
  template <class T>
  static void copy_runs(index_t rows, index_t count, const T* from, index_t from_stride, T* to, index_t to_stride) {
    if (count == 0) return;  // there may be no memory to point to
    parallel_for(rows, detail::row_grain(count), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i)
        std::memcpy(to + i * to_stride, from + i * from_stride, std::size_t(count) * sizeof(T));
    });
  }
  /// True when all flags are set.
  static bool keeps_all(index_t rows, const std::uint8_t* keep) {
    for (index_t i = 0; i < rows; ++i)
      if (!keep[i]) return false;
    return true;
  }
  /// to (rows, count) = from where keep[i], zeros elsewhere, whatever stood there.
  template <class T>
  static void keep_rows(index_t rows, index_t count, const std::uint8_t* keep, const T* from, T* to) {
    parallel_for(rows, detail::row_grain(count), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i)
        for (index_t j = 0; j < count; ++j) to[i * count + j] = keep[i] ? from[i * count + j] : T(0);
    });
  }
  /// The same as copy_runs, added to or written into a gradient.
  template <class T>
  static void contribute_runs(index_t rows, index_t count, const T* from, index_t from_stride, GradientSlot<T> to,
                              index_t to_stride) {
    parallel_for(rows, detail::row_grain(count), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i)
        for (index_t j = 0; j < count; ++j) to.put(i * to_stride + j, from[i * from_stride + j]);
    });
  }
  /// y (B, F) = Σ_n w (B, N) x (B, N, F) over the n with include[n].
  template <class T>
  static void weighted_sum(index_t batch, index_t n, index_t features, const T* w, const T* x,
                           const std::uint8_t* include, T* y) {
    parallel_for(batch, detail::row_grain(n * features), [&](index_t begin, index_t end) {
      for (index_t b = begin; b < end; ++b) {
        T* to = y + b * features;
        for (index_t f = 0; f < features; ++f) to[f] = T(0);
        for (index_t i = 0; i < n; ++i) {
          if (!include[i]) continue;
          const T weight = w[b * n + i];
          const T* from = x + (b * n + i) * features;
          for (index_t f = 0; f < features; ++f) to[f] += weight * from[f];
        }
      }
    });
  }
  template <class T>
  static void weighted_sum_gradient(index_t batch, index_t n, index_t features, const T* w, const T* x,
                                    const std::uint8_t* include, const T* dy, GradientSlot<T> dw, GradientSlot<T> dx) {
    parallel_for(batch, detail::row_grain(n * features), [&](index_t begin, index_t end) {
      for (index_t b = begin; b < end; ++b) {
        const T* from = dy + b * features;
        for (index_t i = 0; i < n; ++i) {
          const index_t row = b * n + i;
          double inner = 0;
          if (include[i] && dw)
            for (index_t f = 0; f < features; ++f) inner += double(from[f]) * double(x[row * features + f]);
          if (dw) dw.put(row, T(inner));
          if (!dx) continue;
          const T weight = include[i] ? w[row] : T(0);
          for (index_t f = 0; f < features; ++f) dx.put(row * features + f, weight * from[f]);
        }
      }
    });
  }
};

}  // namespace lacuna::cpu
