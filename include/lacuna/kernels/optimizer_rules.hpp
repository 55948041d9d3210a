/// One step of one parameter, for every optimizer: the formula written once for all devices.
///
/// A rule is called with the parameter p, its gradient g (factor and coupled decay already in it) and its state
/// numbers. The constants of a step are computed in double on the host and rounded once.
#pragma once

#include <cmath>

#include "lacuna/core/random.hpp"

namespace lacuna::rules {

/// What gradients are multiplied by: a number, times one that lies in the device's memory and that nobody waits for.
struct Factor {
  double number = 1;
  const double* there = nullptr;
  LACUNA_HD double value() const { return there != nullptr ? number * *there : number; }
};

/// State arrays of one run of parameters; those that an optimizer does not use are null.
template <class T>
struct Slots {
  T* array[3] = {nullptr, nullptr, nullptr};
};

/// b ← g at the first step, then momentum·b + keep·g; step along g, b, or g + momentum·b.
template <class T>
struct Sgd {
  T rate, momentum, keep;
  bool first, nesterov;
  LACUNA_HD void operator()(T& p, T g, index_t i, const Slots<T>& s) const {
    T along = g;
    if (s.array[0]) {
      T& b = s.array[0][i];
      b = first ? g : momentum * b + keep * g;
      along = nesterov ? g + momentum * b : b;
    }
    p -= rate * along;
  }
};

template <class T>
struct Adam {
  T beta1, beta2, rest1, rest2, step, root, epsilon, shrink;
  LACUNA_HD void operator()(T& p, T g, index_t i, const Slots<T>& s) const {
    const T m = beta1 * s.array[0][i] + rest1 * g, v = beta2 * s.array[1][i] + rest2 * g * g;
    s.array[0][i] = m;
    s.array[1][i] = v;
    T largest = v;
    if (s.array[2]) {
      if (s.array[2][i] > v) largest = s.array[2][i];
      s.array[2][i] = largest;
    }
    p = p * shrink - step * m / (std::sqrt(largest) * root + epsilon);
  }
};

/// Rectified: `plain` while the variance of the adaptive rate is unbounded.
template <class T>
struct RAdam {
  T beta1, beta2, rest1, rest2, step, epsilon;
  bool plain;
  LACUNA_HD void operator()(T& p, T g, index_t i, const Slots<T>& s) const {
    const T m = beta1 * s.array[0][i] + rest1 * g, v = beta2 * s.array[1][i] + rest2 * g * g;
    s.array[0][i] = m;
    s.array[1][i] = v;
    p -= plain ? step * m : step * m / (std::sqrt(v) + epsilon);
  }
};

template <class T>
struct NAdam {
  T beta1, beta2, rest1, rest2, step_gradient, step_moment, root, epsilon;
  LACUNA_HD void operator()(T& p, T g, index_t i, const Slots<T>& s) const {
    const T m = beta1 * s.array[0][i] + rest1 * g, v = beta2 * s.array[1][i] + rest2 * g * g;
    s.array[0][i] = m;
    s.array[1][i] = v;
    p -= (step_gradient * g + step_moment * m) / (std::sqrt(v) * root + epsilon);
  }
};

/// array 0: mean square; 1: momentum, 2: mean gradient, where used.
template <class T>
struct RmsProp {
  T rate, alpha, rest, epsilon, momentum;
  LACUNA_HD void operator()(T& p, T g, index_t i, const Slots<T>& s) const {
    T variance = s.array[0][i] = alpha * s.array[0][i] + rest * g * g;
    if (s.array[2]) {
      const T mean = s.array[2][i] = alpha * s.array[2][i] + rest * g;
      variance -= mean * mean;
      if (variance < T(0)) variance = T(0);  // rounding
    }
    T along = g / (std::sqrt(variance) + epsilon);
    if (s.array[1]) along = s.array[1][i] = momentum * s.array[1][i] + along;
    p -= rate * along;
  }
};

template <class T>
struct Adagrad {
  T rate, epsilon;
  LACUNA_HD void operator()(T& p, T g, index_t i, const Slots<T>& s) const {
    const T sum = s.array[0][i] += g * g;
    p -= rate * g / (std::sqrt(sum) + epsilon);
  }
};

template <class T>
struct Adadelta {
  T rate, rho, rest, epsilon;
  LACUNA_HD void operator()(T& p, T g, index_t i, const Slots<T>& s) const {
    const T v = s.array[0][i] = rho * s.array[0][i] + rest * g * g;
    const T u = s.array[1][i], d = std::sqrt(u + epsilon) / std::sqrt(v + epsilon) * g;
    s.array[1][i] = rho * u + rest * d * d;
    p -= rate * d;
  }
};

template <class T>
struct Lion {
  T rate, beta1, beta2, rest1, rest2, shrink;
  LACUNA_HD void operator()(T& p, T g, index_t i, const Slots<T>& s) const {
    const T m = s.array[0][i], along = beta1 * m + rest1 * g;
    p = p * shrink - rate * (T(along > T(0)) - T(along < T(0)));
    s.array[0][i] = beta2 * m + rest2 * g;
  }
};

/// Lamb's direction; the length of the step follows from the norms of the whole tensor.
template <class T>
struct Lamb {
  T beta1, beta2, rest1, rest2, first, root, epsilon, decay;
  LACUNA_HD void moments(T g, index_t i, const Slots<T>& s) const {
    s.array[0][i] = beta1 * s.array[0][i] + rest1 * g;
    s.array[1][i] = beta2 * s.array[1][i] + rest2 * g * g;
  }
  LACUNA_HD T direction(T p, index_t i, const Slots<T>& s) const {
    return s.array[0][i] * first / (std::sqrt(s.array[1][i]) * root + epsilon) + decay * p;
  }
};

}  // namespace lacuna::rules
