/// Products of the vectors of several modalities, sample by sample. Policy: parallel over samples.
#pragma once

#include "lacuna/core/gradient_slot.hpp"
#include "lacuna/core/threads.hpp"
#include "lacuna/kernels/cpu/lanes.hpp"

namespace lacuna::cpu {

struct Fusion {
  /// y (rows, n + 1) = [1; x]
  template <class T>
  static void prepend_one(index_t rows, index_t n, const T* x, T* y) {
    parallel_for(rows, detail::row_grain(n), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) {
        y[i * (n + 1)] = T(1);
        for (index_t j = 0; j < n; ++j) y[i * (n + 1) + 1 + j] = x[i * n + j];
      }
    });
  }
  /// y (rows, m, n) = a (rows, m) times b (rows, n)
  template <class T>
  static void outer(index_t rows, index_t m, index_t n, const T* a, const T* b, T* y) {
    parallel_for(rows, detail::row_grain(m * n), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i)
        for (index_t j = 0; j < m; ++j)
          for (index_t k = 0; k < n; ++k) y[(i * m + j) * n + k] = a[i * m + j] * b[i * n + k];
    });
  }
  template <class T>
  static void outer_gradient(index_t rows, index_t m, index_t n, const T* a, const T* b, const T* dy,
                             GradientSlot<T> da, GradientSlot<T> db) {
    parallel_for(rows, detail::row_grain(m * n), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) {
        const T *g = dy + i * m * n, *left = a + i * m, *right = b + i * n;
        if (da)
          for (index_t j = 0; j < m; ++j)
            da.put(i * m + j, lane_sum<T>(n, [=](index_t k) { return g[j * n + k] * right[k]; }));
        if (db)
          for (index_t k = 0; k < n; ++k)
            db.put(i * n + k, lane_sum<T>(m, [=](index_t j) { return g[j * n + k] * left[j]; }));
      }
    });
  }
};

}  // namespace lacuna::cpu
