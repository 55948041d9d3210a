/// Starting values.
#pragma once

#include <cmath>

#include "lacuna/core/random.hpp"
#include "lacuna/core/tensor.hpp"

namespace lacuna::init {

/// Every number uniform in [-bound, bound).
template <class T, int R, class D = Cpu>
Tensor<T, R, D> uniform(const std::array<index_t, std::size_t(R)>& extents, double bound, Random& random) {
  const RandomStream stream = random.stream();
  std::vector<T> numbers(static_cast<std::size_t>(Shape(extents).size()));
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = T(bound * (2.0 * stream.uniform(i) - 1.0));
  return Tensor<T, R, D>::from(extents, numbers);
}

/// Every number normal with the given standard deviation.
template <class T, int R, class D = Cpu>
Tensor<T, R, D> normal(const std::array<index_t, std::size_t(R)>& extents, double deviation, Random& random) {
  const RandomStream stream = random.stream();
  std::vector<T> numbers(static_cast<std::size_t>(Shape(extents).size()));
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = T(deviation * stream.normal(i));
  return Tensor<T, R, D>::from(extents, numbers);
}

}  // namespace lacuna::init
