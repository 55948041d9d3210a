/// The matrix product against plain sums in double, in all layouts, around every border of its panels and blocks.
#include "lacuna/kernels/cpu/gemm.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace {

using namespace lacuna;

template <class T>
std::vector<T> waves(index_t count, double step) {
  std::vector<T> x(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = T(std::sin(step * double(i + 1)));
  return x;
}

/// Largest error over that of a sum of k products; infinite when anything beside the result was written.
template <class T>
double error_of(index_t m, index_t n, index_t k, bool transposed_a, bool transposed_b, T beta) {
  const index_t lda = (transposed_a ? m : k) + 3, ldb = (transposed_b ? k : n) + 2, ldc = n + 1;
  const auto a = waves<T>((transposed_a ? k : m) * lda, 1.3), b = waves<T>((transposed_b ? n : k) * ldb, 0.7);
  std::vector<T> c(std::size_t(m * ldc), T(0.25));
  cpu::Gemm::gemm<T>(m, n, k, {a.data(), lda, transposed_a}, {b.data(), ldb, transposed_b}, beta, c.data(), ldc);
  double worst = 0;
  for (index_t i = 0; i < m; ++i) {
    for (index_t j = 0; j < n; ++j) {
      double sum = double(beta) * 0.25;
      for (index_t p = 0; p < k; ++p)
        sum += double(a[std::size_t(transposed_a ? p * lda + i : i * lda + p)]) *
               double(b[std::size_t(transposed_b ? j * ldb + p : p * ldb + j)]);
      worst = std::max(worst, std::abs(sum - double(c[std::size_t(i * ldc + j)])));
    }
    if (c[std::size_t(i * ldc + n)] != T(0.25)) return INFINITY;
  }
  return worst / (double(std::numeric_limits<T>::epsilon()) * double(k + 1));
}

}  // namespace

TEST_CASE_TEMPLATE("gemm: every layout, every border", T, float, double) {
  for (const index_t m : {1, 2, 4, 5, 8, 9, 14, 15, 29, 171})
    for (const index_t n : {1, 7, 8, 15, 16, 17, 33, 40})
      for (const index_t k : {0, 1, 5, 16, 40, 257})
        for (const bool transposed_a : {false, true})
          for (const bool transposed_b : {false, true})
            for (const T beta : {T(0), T(1), T(0.5)}) {
              CAPTURE(m);
              CAPTURE(n);
              CAPTURE(k);
              REQUIRE(error_of<T>(m, n, k, transposed_a, transposed_b, beta) < 4);
            }
  CHECK(error_of<T>(3, 1100, 300, false, false, T(0)) < 4);
  CHECK(error_of<T>(600, 530, 520, true, true, T(1)) < 4);
}

TEST_CASE_TEMPLATE("gemm: the same bits on any thread, and old numbers under beta = 0 do not matter", T, float,
                   double) {
  for (const auto [m, n, k] : {std::array<index_t, 3>{300, 130, 65}, {40, 700, 300}, {7, 2000, 256}}) {
    const auto a = waves<T>(m * k, 1.3), b = waves<T>(n * k, 0.7);
    const auto product = [&, m = m, n = n, k = k](int threads) {
      set_threads(threads);
      std::vector<T> c(std::size_t(m * n), std::numeric_limits<T>::quiet_NaN());
      cpu::Gemm::gemm<T>(m, n, k, {a.data(), k}, {b.data(), k, true}, T(0), c.data(), n);
      return c;
    };
    const auto one = product(1);
    CHECK(one == product(2));
    CHECK(one == product(3));
    CHECK(one[0] == one[0]);
  }
  set_threads(0);
}
