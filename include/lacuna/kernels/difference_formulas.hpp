/// Formulas of losses that depend on the difference d = prediction − target alone, shared by all devices.
#pragma once

#include <cmath>

#include "lacuna/core/random.hpp"

namespace lacuna::functors {

/// d²
struct SquaredDifference {
  LACUNA_HD double value(double d) const { return d * d; }
  LACUNA_HD double slope(double d) const { return 2 * d; }
};
/// |d|; slope 0 at 0.
struct AbsoluteDifference {
  LACUNA_HD double value(double d) const { return std::abs(d); }
  LACUNA_HD double slope(double d) const { return double(d > 0) - double(d < 0); }
};
/// height · h(d/knee), h(x) = x²/2 for |x| < 1, |x| − 1/2 beyond.
struct SmoothDifference {
  double knee, height;
  LACUNA_HD double value(double d) const {
    const double x = std::abs(d) / knee;
    return height * (x < 1 ? 0.5 * x * x : x - 0.5);
  }
  LACUNA_HD double slope(double d) const {
    const double x = d / knee;
    return height / knee * (x > 1 ? 1 : x < -1 ? -1 : x);
  }
};

/// What a sum over `count` numbers is multiplied by: 1 for the sum, for the mean 1/count, 0 when there are none.
LACUNA_HD inline double difference_scale(bool mean, double count) { return !mean ? 1.0 : count > 0 ? 1 / count : 0.0; }

/// Of √(Σ d²/count): what d² is multiplied by on the way back; 0 at a root of 0.
LACUNA_HD inline double root_factor(double count, double root, double dy) {
  return root > 0 ? dy / (2 * count * root) : 0;
}

}  // namespace lacuna::functors
