/// Scalar formulas, written once and used by the CPU loops and the CUDA kernels.
/// An activation has value(x) and slope(x, y): dy/dx from its argument and its value.
#pragma once

#include <cmath>

#include "lacuna/core/random.hpp"

namespace lacuna {

/// Activations that a linear operation can apply to its result. Their slopes follow from the value alone.
enum class Activation { none, relu, tanh };

namespace functors {

/// max(x, 0); slope 0 at 0.
struct Relu {
  template <class T>
  LACUNA_HD T value(T x) const {
    return x > T(0) ? x : T(0);
  }
  template <class T>
  LACUNA_HD T slope(T, T y) const {
    return y > T(0) ? T(1) : T(0);
  }
};

struct Tanh {
  template <class T>
  LACUNA_HD T value(T x) const {
    return std::tanh(x);
  }
  template <class T>
  LACUNA_HD T slope(T, T y) const {
    return T(1) - y * y;
  }
};

/// Keeps element i of a stream with probability 1 - p and scales it by 1 / (1 - p); p in [0, 1).
/// Kept when word i >= round(p 2^32): the same elements on every device.
struct Keep {
  RandomStream stream;
  std::uint32_t threshold = 0;
  double scale = 1;

  static Keep with(RandomStream stream, double probability) {
    return {stream, std::uint32_t(probability * 4294967296.0), 1.0 / (1.0 - probability)};
  }
};

}  // namespace functors
}  // namespace lacuna
