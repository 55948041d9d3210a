/// Draws from and divergences of diagonal normal distributions given by mean and log-variance.
#pragma once

#include <cmath>

#include "lacuna/core/gradient_slot.hpp"
#include "lacuna/core/threads.hpp"

namespace lacuna::cpu {

struct Gaussian {
  /// y = mu + exp(logvar / 2) noise
  template <class T>
  static void reparameterize(index_t n, const T* mu, const T* logvar, const T* noise, T* y) {
    parallel_for(n, detail::element_grain / 4, [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) y[i] = mu[i] + std::exp(T(0.5) * logvar[i]) * noise[i];
    });
  }
  template <class T>
  static void reparameterize_gradient(index_t n, const T* logvar, const T* noise, const T* dy, GradientSlot<T> slot) {
    parallel_for(n, detail::element_grain / 4, [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) slot.put(i, T(0.5) * dy[i] * std::exp(T(0.5) * logvar[i]) * noise[i]);
    });
  }
  /// Σ −½ (1 + logvar − mu² − exp logvar)
  template <class T>
  static double standard_normal_divergence(index_t n, const T* mu, const T* logvar) {
    return parallel_sum(n, detail::element_grain / 4, [&](index_t begin, index_t end) {
      double total = 0;
      for (index_t i = begin; i < end; ++i)
        total += 0.5 * (double(mu[i]) * double(mu[i]) + std::expm1(double(logvar[i])) - double(logvar[i]));
      return total;
    });
  }
  template <class T>
  static void standard_normal_divergence_gradient(index_t n, T factor, const T* mu, const T* logvar,
                                                  GradientSlot<T> dmu, GradientSlot<T> dlogvar) {
    parallel_for(n, detail::element_grain / 4, [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) {
        if (dmu) dmu.put(i, factor * mu[i]);
        if (dlogvar) dlogvar.put(i, factor * T(0.5) * std::expm1(logvar[i]));
      }
    });
  }
};

}  // namespace lacuna::cpu
