/// Starting values.
#pragma once

#include <cmath>

#include "lacuna/core/random.hpp"
#include "lacuna/core/tensor.hpp"

namespace lacuna::detail {

/// f(i) for every number. The memory comes first: numbers that nobody can hold take long to draw (a damaged file of a model).
template <class T, int R, class D, class F>
Tensor<T, R, D> drawn(const std::array<index_t, std::size_t(R)>& extents, F f) {
  Tensor<T, R, D> all(extents);
  std::vector<T> numbers(static_cast<std::size_t>(all.size()));
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = f(i);
  all.assign(numbers);
  return all;
}

}  // namespace lacuna::detail

namespace lacuna::init {

/// Every number uniform in [-bound, bound).
template <class T, int R, class D = Cpu>
Tensor<T, R, D> uniform(const std::array<index_t, std::size_t(R)>& extents, double bound, Random& random) {
  const RandomStream stream = random.stream();
  return detail::drawn<T, R, D>(extents, [&](std::size_t i) { return T(bound * (2.0 * stream.uniform(i) - 1.0)); });
}

/// Every number normal with the given standard deviation.
template <class T, int R, class D = Cpu>
Tensor<T, R, D> normal(const std::array<index_t, std::size_t(R)>& extents, double deviation, Random& random) {
  const RandomStream stream = random.stream();
  return detail::drawn<T, R, D>(extents, [&](std::size_t i) { return T(deviation * stream.normal(i)); });
}

}  // namespace lacuna::init
