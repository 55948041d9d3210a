/// Optimizer steps, gradient norms and averages over the flat buffers of a packed model. Policy: one pass each (Lamb:
/// two); norms in double over fixed chunks.
#pragma once

#include <algorithm>
#include <cmath>

#include "lacuna/core/threads.hpp"
#include "lacuna/kernels/optimizer_rules.hpp"

namespace lacuna::cpu {

struct Optimizer {
  /// One step of n parameters with gradient `factor`·g + `decay`·p.
  template <class T, class Rule>
  static void optimizer_step(const Rule& rule, index_t n, double factor, double decay, T* value, const T* gradient,
                             const rules::Slots<T>& state) {
    const T times = T(factor), coupled = T(decay);
    parallel_for(n, detail::element_grain, [&](index_t begin, index_t end) {
      const Rule own = rule;  // constants in registers
      const rules::Slots<T> slots = state;
      for (index_t i = begin; i < end; ++i) own(value[i], gradient[i] * times + coupled * value[i], i, slots);
    });
  }
  /// p ← p − rate · (‖p‖/‖r‖) · r over one tensor, ratio 1 where a norm is 0.
  template <class T>
  static void lamb_step(const rules::Lamb<T>& rule, index_t n, double rate, double factor, T* value, const T* gradient,
                        const rules::Slots<T>& state) {
    const T times = T(factor);
    const double own = parallel_sum(n, detail::element_grain, [&](index_t begin, index_t end) {
      double squares = 0;
      for (index_t i = begin; i < end; ++i) {
        rule.moments(gradient[i] * times, i, state);
        squares += double(value[i]) * double(value[i]);
      }
      return squares;
    });
    const double along = parallel_sum(n, detail::element_grain, [&](index_t begin, index_t end) {
      double squares = 0;
      for (index_t i = begin; i < end; ++i) {
        const double r = double(rule.direction(value[i], i, state));
        squares += r * r;
      }
      return squares;
    });
    const T step = T(rate * (own > 0 && along > 0 ? std::sqrt(own / along) : 1.0));
    parallel_for(n, detail::element_grain, [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) value[i] -= step * rule.direction(value[i], i, state);
    });
  }

  /// Σ |g|, Σ g², or max |g| (NaN when a g is).
  template <class T>
  static double sum_of_magnitudes(index_t n, const T* g) {
    return parallel_sum(n, detail::element_grain, [&](index_t begin, index_t end) {
      double sum = 0;
      for (index_t i = begin; i < end; ++i) sum += std::abs(double(g[i]));
      return sum;
    });
  }
  template <class T>
  static double sum_of_squares(index_t n, const T* g) {
    return parallel_sum(n, detail::element_grain, [&](index_t begin, index_t end) {
      double sum = 0;
      for (index_t i = begin; i < end; ++i) sum += double(g[i]) * double(g[i]);
      return sum;
    });
  }
  template <class T>
  static double largest_magnitude(index_t n, const T* g) {
    double largest = 0;
    for (index_t i = 0; i < n; ++i) {
      const double magnitude = std::abs(double(g[i]));
      if (!(magnitude <= largest)) largest = magnitude;
    }
    return largest;
  }
  /// g ← factor · g
  template <class T>
  static void rescale(index_t n, double factor, T* g) {
    const T times = T(factor);
    parallel_for(n, detail::element_grain, [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) g[i] *= times;
    });
  }
  /// g ← g limited to ±limit; NaN stays.
  template <class T>
  static void limit(index_t n, double limit, T* g) {
    const T most = T(limit);
    parallel_for(n, detail::element_grain, [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) g[i] = g[i] > most ? most : g[i] < -most ? -most : g[i];
    });
  }
  /// average ← keep · average + fresh · value
  template <class T>
  static void blend(index_t n, double keep, double fresh, const T* value, T* average) {
    const T old_share = T(keep), new_share = T(fresh);
    parallel_for(n, detail::element_grain, [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) average[i] = old_share * average[i] + new_share * value[i];
    });
  }
};

}  // namespace lacuna::cpu
