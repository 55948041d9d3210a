/// Two products with a narrow side, as attention heads of few features need: Eigen's blocked kernel packs more than it
/// multiplies there. Policy: the narrow matrix is turned into planes (columns × rows), so that every inner loop runs
/// along contiguous memory; orders of summation depend on the sizes alone; one thread. The third product of attention,
/// weights times values, is a sum along the row, where Eigen was faster at every width.
#pragma once

#include <vector>

#include "lacuna/kernels/cpu/gemm.hpp"

namespace lacuna::cpu {

struct Narrow {
  static constexpr index_t widest = 16;  ///< above, Eigen is faster

  /// y (m, n) = a (m, c) bᵀ, b (n, c)
  template <class T>
  static void scores(index_t m, index_t n, index_t c, const T* a, index_t lda, const T* b, index_t ldb, T* y,
                     index_t ldy, std::vector<T>& planes) {
    if (m == 0 || n == 0) return;
    if (c > widest) return Gemm::gemm_serial<T>(m, n, c, {a, lda}, {b, ldb, true}, T(0), y, ldy);
    const T* const plane = to_planes(n, c, b, ldb, planes);
    for (index_t i = 0; i < m; ++i) {
      T* const row = y + i * ldy;
      const T* const left = a + i * lda;
      index_t k = 0;
      if (c < 4) {
        for (index_t j = 0; j < n; ++j) row[j] = T(0);
      } else {
        const T *p0 = plane, *p1 = plane + n, *p2 = plane + 2 * n, *p3 = plane + 3 * n;
        for (index_t j = 0; j < n; ++j) row[j] = left[0] * p0[j] + left[1] * p1[j] + left[2] * p2[j] + left[3] * p3[j];
        k = 4;
      }
      for (; k + 4 <= c; k += 4) {
        const T *p0 = plane + k * n, *p1 = p0 + n, *p2 = p1 + n, *p3 = p2 + n;
        for (index_t j = 0; j < n; ++j)
          row[j] += left[k] * p0[j] + left[k + 1] * p1[j] + left[k + 2] * p2[j] + left[k + 3] * p3[j];
      }
      for (; k < c; ++k) {
        const T* p = plane + k * n;
        for (index_t j = 0; j < n; ++j) row[j] += left[k] * p[j];
      }
    }
  }

  /// y (n, c) = beta y + wᵀ a, w (m, n), a (m, c)
  template <class T>
  static void share(index_t m, index_t n, index_t c, const T* w, index_t ldw, const T* a, index_t lda, T beta, T* y,
                    index_t ldy, std::vector<T>& planes) {
    if (n == 0 || c == 0) return;
    if (c > widest) return Gemm::gemm_serial<T>(n, c, m, {w, ldw, true}, {a, lda}, beta, y, ldy);
    planes.assign(std::size_t(c * n), T(0));
    for (index_t k = 0; k < c; ++k) {
      T* const p = planes.data() + k * n;
      index_t i = 0;
      for (; i + 4 <= m; i += 4) {
        const T *w0 = w + i * ldw, *w1 = w0 + ldw, *w2 = w1 + ldw, *w3 = w2 + ldw;
        const T a0 = a[i * lda + k], a1 = a[(i + 1) * lda + k], a2 = a[(i + 2) * lda + k], a3 = a[(i + 3) * lda + k];
        for (index_t j = 0; j < n; ++j) p[j] += a0 * w0[j] + a1 * w1[j] + a2 * w2[j] + a3 * w3[j];
      }
      for (; i < m; ++i) {
        const T* const row = w + i * ldw;
        const T factor = a[i * lda + k];
        for (index_t j = 0; j < n; ++j) p[j] += factor * row[j];
      }
    }
    for (index_t j = 0; j < n; ++j)
      for (index_t k = 0; k < c; ++k) {
        T& to = y[j * ldy + k];
        to = (beta == T(0) ? T(0) : beta * to) + planes[std::size_t(k * n + j)];
      }
  }

 private:
  template <class T>
  static const T* to_planes(index_t n, index_t c, const T* b, index_t ldb, std::vector<T>& planes) {
    if (index_t(planes.size()) < n * c) planes.resize(std::size_t(n * c));
    for (index_t j = 0; j < n; ++j)
      for (index_t k = 0; k < c; ++k) planes[std::size_t(k * n + j)] = b[j * ldb + k];
    return planes.data();
  }
};

}  // namespace lacuna::cpu
