/// Losses that pull one representation to another.
#pragma once

#include "lacuna/losses/regression.hpp"

namespace lacuna {

/// Root of the mean squared difference, √((1/n) Σ (a − b)²): one root over the whole tensor, n = numbers of the present
/// samples.  (SDUMC, Weng et al., arXiv 2410.15029)
/// a and b (B, ...) of equal shape; present (B) or undefined for all. Gradient (a − b)/(n · value) to a, its negative to b;
/// stop either with `detach()`. At value 0 the gradient is 0, not NaN. 0 when no sample is present.
template <class T, int R, class D>
  requires(R >= 1)
Variable<T, 0, D> rms_distance(const Variable<T, R, D>& a, const Variable<T, R, D>& b, const Mask<1, D>& present = {}) {
  detail::expect_shape("rms_distance", "b", b.shape(), a.shape());
  const auto factors = detail::sample_factors<D>("rms_distance", a.extent(0), present);
  const auto weights = detail::spread_factors<T, R, D>(factors, a.value().extents());
  const double value = std::sqrt(detail::weighted_squares(a.value(), b.value(), weights));
  return record(
      "rms_distance", Tensor<T, 0, D>::full({}, T(value)),
      [=](const Tensor<T, 0, D>& dy) {
        const T factor = value > 0 ? T(double(dy.to_vector()[0]) / value) : T(0);
        const auto x = a.value(), y = b.value();
        if (const auto slot = a.gradient_slot()) detail::contribute_weighted_difference(factor, x, y, weights, slot);
        if (const auto slot = b.gradient_slot()) detail::contribute_weighted_difference(-factor, x, y, weights, slot);
      },
      a, b);
}

}  // namespace lacuna
