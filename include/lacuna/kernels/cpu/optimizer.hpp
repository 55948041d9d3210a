/// One pass per optimizer step over the flat buffers of a packed model.
#pragma once

#include <cmath>

#include "lacuna/core/threads.hpp"

namespace lacuna {

/// The constants of one Adam step; correction1 = 1 − β1^t, correction2 = 1 − β2^t.
struct AdamStep {
  double rate, beta1, beta2, epsilon, coupled_decay, decoupled_decay, correction1, correction2, gradient_factor;
};

namespace cpu {

struct Optimizer {
  template <class T>
  static void adam(const AdamStep& s, index_t n, T* value, const T* gradient, T* first, T* second) {
    const T beta1 = T(s.beta1), beta2 = T(s.beta2), rest1 = T(1 - s.beta1), rest2 = T(1 - s.beta2);
    const T step = T(s.rate / s.correction1), root = T(1 / std::sqrt(s.correction2)), epsilon = T(s.epsilon);
    const T coupled = T(s.coupled_decay), shrink = T(1 - s.rate * s.decoupled_decay), factor = T(s.gradient_factor);
    parallel_for(n, detail::element_grain, [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) {
        const T p = value[i] * shrink, g = gradient[i] * factor + coupled * value[i];
        const T m = beta1 * first[i] + rest1 * g, v = beta2 * second[i] + rest2 * g * g;
        first[i] = m;
        second[i] = v;
        value[i] = p - step * m / (std::sqrt(v) * root + epsilon);
      }
    });
  }
};

}  // namespace cpu
}  // namespace lacuna
