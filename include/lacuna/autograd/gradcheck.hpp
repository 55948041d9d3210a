/// Gradient check: the recorded backward of a scalar function against central differences,
///   (f(x + h) - f(x - h)) / 2h  for every entry of every input, h scaled to the entry.
#pragma once

#include <cmath>
#include <limits>
#include <vector>

#include "lacuna/autograd/variable.hpp"

namespace lacuna {

struct GradientCheck {
  double worst =
      0;  ///< largest |analytic - numeric| over max(largest |numeric| of that input, floor); infinite for NaN
  std::size_t input = 0;  ///< which input it was
  index_t element = 0;    ///< which entry
  double analytic = 0, numeric = 0;
  index_t compared = 0;  ///< entries compared
};

/// f() rebuilds the graph from the leaves `inputs` (any rank) and returns a scalar variable; it must be deterministic.
template <class F, class... Leaves>
GradientCheck check_gradients(F&& f, double step, double floor, const Leaves&... inputs) {
  (inputs.zero_grad(), ...);
  f().backward();
  GradientCheck result;
  std::size_t position = 0;
  const auto check = [&](const auto& leaf) {
    using T = typename std::decay_t<decltype(leaf)>::scalar;
    const std::vector<T> analytic = leaf.grad().to_vector();
    std::vector<double> numeric(analytic.size());
    T* data = leaf.node()->value.data();
    const NoGrad off;
    double largest = floor;
    for (std::size_t i = 0; i < numeric.size(); ++i) {
      const T kept = data[i];
      const T h = T(step * std::max(1.0, std::abs(double(kept))));
      data[i] = kept + h;
      const T up = data[i];
      const double above = double(f().item());
      data[i] = kept - h;
      const T down = data[i];
      const double below = double(f().item());
      data[i] = kept;
      numeric[i] = (above - below) / (double(up) - double(down));
      largest = std::max(largest, std::abs(numeric[i]));
    }
    for (std::size_t i = 0; i < numeric.size(); ++i) {
      double error = std::abs(double(analytic[i]) - numeric[i]) / largest;
      if (std::isnan(error)) error = std::numeric_limits<double>::infinity();  // nothing later may hide it
      ++result.compared;
      if (error > result.worst)
        result = {error, position, index_t(i), double(analytic[i]), numeric[i], result.compared};
    }
    ++position;
  };
  (check(inputs), ...);
  return result;
}

}  // namespace lacuna
