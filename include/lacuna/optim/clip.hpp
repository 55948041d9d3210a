/// Gradient clipping.
#pragma once

#include <cmath>

#include "lacuna/kernels/kernels.hpp"
#include "lacuna/nn/pack.hpp"

namespace lacuna {

/// √Σ g² over all parameters that have a gradient, accumulated in double.
template <class T, class D>
double gradient_norm(const Packed<T, D>& packed) {
  double squares = 0;
  for (const auto& segment : packed.segments) {
    if (!segment.node->has_gradient) continue;
    const T* g = std::as_const(packed.gradients).data() + segment.offset;
    squares += parallel_sum(segment.size, detail::element_grain, [&](index_t begin, index_t end) {
      double total = 0;
      for (index_t i = begin; i < end; ++i) total += double(g[i]) * double(g[i]);
      return total;
    });
  }
  return std::sqrt(squares);
}

/// The factor that brings the norm down to `max_norm`: min(1, max_norm / (norm + 1e-6)). Give it to the optimizer's step.
inline double clip_factor(double norm, double max_norm) {
  const double factor = max_norm / (norm + 1e-6);
  return factor < 1 ? factor : 1;
}

}  // namespace lacuna
