/// y = log det A of a symmetric positive definite matrix A (n, n); dA = dy · A⁻¹. On the host, by Cholesky in double.
/// Throws ShapeError unless A is square, Error where it is not positive definite.
#pragma once

#include <cmath>

#include "lacuna/autograd/record.hpp"
#include "lacuna/kernels/cpu/elementwise.hpp"
#include "lacuna/kernels/kernels.hpp"

namespace lacuna {
namespace detail {

/// log det of the symmetric matrix (n, n); `inverse` receives A⁻¹.
inline double cholesky_log_det(index_t n, std::vector<double> a, std::vector<double>& inverse) {
  const auto at = [n](index_t i, index_t j) { return std::size_t(i * n + j); };
  double log_det = 0;
  for (index_t j = 0; j < n; ++j) {  // a ← L, lower
    for (index_t k = 0; k < j; ++k) a[at(j, j)] -= a[at(j, k)] * a[at(j, k)];
    if (!(a[at(j, j)] > 0)) throw Error(cat("log_det: the matrix is not positive definite at row ", j));
    a[at(j, j)] = std::sqrt(a[at(j, j)]);
    log_det += 2 * std::log(a[at(j, j)]);
    for (index_t i = j + 1; i < n; ++i) {
      for (index_t k = 0; k < j; ++k) a[at(i, j)] -= a[at(i, k)] * a[at(j, k)];
      a[at(i, j)] /= a[at(j, j)];
    }
  }
  inverse.assign(std::size_t(n * n), 0.0);
  for (index_t c = 0; c < n; ++c) {  // L Lᵀ x = e_c
    std::vector<double> x(std::size_t(n), 0.0);
    for (index_t i = 0; i < n; ++i) {
      double sum = i == c;
      for (index_t k = 0; k < i; ++k) sum -= a[at(i, k)] * x[std::size_t(k)];
      x[std::size_t(i)] = sum / a[at(i, i)];
    }
    for (index_t i = n - 1; i >= 0; --i) {
      for (index_t k = i + 1; k < n; ++k) x[std::size_t(i)] -= a[at(k, i)] * x[std::size_t(k)];
      x[std::size_t(i)] /= a[at(i, i)];
    }
    for (index_t i = 0; i < n; ++i) inverse[at(i, c)] = x[std::size_t(i)];
  }
  return log_det;
}

}  // namespace detail

template <class T, class D>
Variable<T, 0, D> log_det(const Variable<T, 2, D>& a) {
  const index_t n = a.extent(0);
  detail::expect_shape("log_det", "a", a.shape(), Shape{n, n});
  const std::vector<T> numbers = a.value().to_vector();
  std::vector<double> inverse;
  const double value = detail::cholesky_log_det(n, {numbers.begin(), numbers.end()}, inverse);
  const auto slope = Tensor<T, 2, D>::from({n, n}, std::vector<T>(inverse.begin(), inverse.end()));
  return record(
      "log_det", Tensor<T, 0, D>::full({}, T(value)),
      [a, slope](const Tensor<T, 0, D>& dy) {
        if (const auto slot = a.gradient_slot())
          Kernels<D>::Elementwise::contribute_scaled(slope.size(), dy.first(), slope.data(), slot);
      },
      a);
}

}  // namespace lacuna
