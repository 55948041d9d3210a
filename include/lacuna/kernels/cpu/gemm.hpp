/// Matrix product, C = beta C + op(A) op(B), all row-major, through Eigen's blocked kernel.
///
/// Policy: one entry point, so that the four layouts share one micro-kernel; C is cut into tiles whose borders depend on the
/// sizes alone, each tile is one sequential product over the whole depth: the same bits with any number of threads.
#pragma once

#include <Eigen/Core>
#include <cstring>

#include "lacuna/core/threads.hpp"

namespace lacuna::cpu {

/// A row-major matrix operand: element (i, j) is data[i * stride + j], or data[j * stride + i] when transposed.
template <class T>
struct Operand {
  const T* data;
  index_t stride;
  bool transposed = false;

  Operand rows_from(index_t i) const { return {data + (transposed ? i : i * stride), stride, transposed}; }
  Operand columns_from(index_t j) const { return {data + (transposed ? j * stride : j), stride, transposed}; }
};

struct Gemm {
  /// One tile on the calling thread.
  template <class T>
  static void gemm_serial(index_t m, index_t n, index_t k, Operand<T> a, Operand<T> b, T beta, T* c, index_t ldc);

  /// All of C, tiles in parallel. `finish(row, rows, column, columns)` runs on each tile while it is in cache.
  template <class T, class Finish>
  static void gemm(index_t m, index_t n, index_t k, Operand<T> a, Operand<T> b, T beta, T* c, index_t ldc,
                   Finish&& finish) {
    if (m == 0 || n == 0) return;
    const bool by_rows = m >= n;
    const index_t length = by_rows ? m : n;
    const bool small = double(m) * double(n) * double(k > 0 ? k : 1) < 32768.0;
    // about eight tiles, none thinner than 32: enough for the threads, few enough that packing stays cheap
    index_t grain = small ? length : (length + 7) / 8;
    grain = (grain + 31) / 32 * 32;
    parallel_for(length, grain, [&](index_t begin, index_t end) {
      const index_t count = end - begin;
      if (by_rows) {
        gemm_serial(count, n, k, a.rows_from(begin), b, beta, c + begin * ldc, ldc);
        finish(begin, count, index_t(0), n);
      } else {
        gemm_serial(m, count, k, a, b.columns_from(begin), beta, c + begin, ldc);
        finish(index_t(0), m, begin, count);
      }
    });
  }
  template <class T>
  static void gemm(index_t m, index_t n, index_t k, Operand<T> a, Operand<T> b, T beta, T* c, index_t ldc) {
    gemm(m, n, k, a, b, beta, c, ldc, [](index_t, index_t, index_t, index_t) {});
  }

 private:
  /// C += A B. Seen column-major, row-major C is its transpose: C' = B' A'.
  template <class T, bool TransposeA, bool TransposeB>
  static void product(index_t m, index_t n, index_t k, Operand<T> a, Operand<T> b, T* c, index_t ldc) {
    using Index = Eigen::Index;
    constexpr int left_order = TransposeB ? Eigen::RowMajor : Eigen::ColMajor;
    constexpr int right_order = TransposeA ? Eigen::RowMajor : Eigen::ColMajor;
    using Blocking =
        Eigen::internal::gemm_blocking_space<Eigen::ColMajor, T, T, Eigen::Dynamic, Eigen::Dynamic, Eigen::Dynamic>;
    using Product = Eigen::internal::general_matrix_matrix_product<Index, T, left_order, false, T, right_order, false,
                                                                   Eigen::ColMajor, 1>;
    Blocking blocking(Index(n), Index(m), Index(k), 1, true);
    Product::run(Index(n), Index(m), Index(k), b.data, Index(b.stride), a.data, Index(a.stride), c, 1, Index(ldc), T(1),
                 blocking, nullptr);
  }
};

template <class T>
void Gemm::gemm_serial(index_t m, index_t n, index_t k, Operand<T> a, Operand<T> b, T beta, T* c, index_t ldc) {
  if (m == 0 || n == 0) return;  // there may be no memory to point to
  for (index_t i = 0; i < m; ++i) {
    T* row = c + i * ldc;
    if (beta == T(0)) {
      std::memset(row, 0, std::size_t(n) * sizeof(T));
    } else if (beta != T(1)) {
      for (index_t j = 0; j < n; ++j) row[j] *= beta;
    }
  }
  if (k == 0) return;
  if (a.transposed) {
    b.transposed ? product<T, true, true>(m, n, k, a, b, c, ldc) : product<T, true, false>(m, n, k, a, b, c, ldc);
  } else {
    b.transposed ? product<T, false, true>(m, n, k, a, b, c, ldc) : product<T, false, false>(m, n, k, a, b, c, ldc);
  }
}

}  // namespace lacuna::cpu
