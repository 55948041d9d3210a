/// Ridge regression for several penalties at once, the algebra of models/baselines/ridge.hpp.
///
/// x (N, F) and y (N), both with column means taken out -> for each lambda of the grid w (F), the argmin of
///     |y - x w|^2 + lambda |w|^2,
/// by LDLT of x'x + lambda I (F, F), or of x x' + lambda I (N, N) where F > N: then w = x'(x x' + lambda I)^-1 y. A
/// penalty too small for the rounding of x'x gives what LDLT gives, numbers that may not be finite.
///
///     const auto w = ridge_solutions<double>(x, y, {0.1, 1.0, 10.0});   // w[1]: for lambda = 1
///
/// A template, and compiled once in lacuna::precompiled: products and LDLT are most of what a file that includes
/// ridge.hpp would compile.
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <utility>
#include <vector>

#include "lacuna/core/precompile.hpp"

namespace lacuna::models {

template <class T>
std::vector<Eigen::VectorX<T>> ridge_solutions(const Eigen::MatrixX<T>& x, const Eigen::VectorX<T>& y,
                                               const std::vector<T>& grid) {
  using Matrix = Eigen::MatrixX<T>;
  using Vector = Eigen::VectorX<T>;
  const bool dual = x.cols() > x.rows();
  const Matrix gram = dual ? Matrix(x * x.transpose()) : Matrix(x.transpose() * x);
  const Vector right = dual ? y : Vector(x.transpose() * y);
  std::vector<Vector> solutions;
  for (const T lambda : grid) {
    Matrix penalised = gram;
    penalised.diagonal().array() += lambda;
    Vector weights = penalised.ldlt().solve(right);
    if (dual) weights = x.transpose() * weights;
    solutions.push_back(std::move(weights));
  }
  return solutions;
}

LACUNA_PRECOMPILE(template std::vector<Eigen::VectorXd> ridge_solutions<double>(const Eigen::MatrixXd&,
                                                                                const Eigen::VectorXd&,
                                                                                const std::vector<double>&))

}  // namespace lacuna::models
