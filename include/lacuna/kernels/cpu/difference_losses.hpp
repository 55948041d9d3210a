/// Sums of a formula of a − b over the present rows, and their gradients. Policy: one pass, the formula in double; rows
/// with present[i] = 0 are not read and get gradient 0.
#pragma once

#include "lacuna/core/gradient_slot.hpp"
#include "lacuna/core/threads.hpp"
#include "lacuna/kernels/difference_formulas.hpp"

namespace lacuna::cpu {

struct DifferenceLosses {
  /// Σ formula(a − b) over rows (rows, width); present (rows) or null for all.
  template <class T, class Formula>
  static double difference_loss(Formula formula, index_t rows, index_t width, const std::uint8_t* present, const T* a,
                                const T* b) {
    const auto run = [&](index_t begin, index_t end) {
      double sum = 0;
      for (index_t i = begin; i < end; ++i) sum += formula.value(double(a[i]) - double(b[i]));
      return sum;
    };
    if (!present) return parallel_sum(rows * width, detail::element_grain, run);
    return parallel_sum(rows, detail::row_grain(width), [&](index_t begin, index_t end) {
      double sum = 0;
      for (index_t i = begin; i < end; ++i)
        if (present[i]) sum += run(i * width, (i + 1) * width);
      return sum;
    });
  }
  /// da (+)= factor · slope, db (+)= −factor · slope.
  template <class T, class Formula>
  static void difference_loss_gradient(Formula formula, index_t rows, index_t width, const std::uint8_t* present,
                                       double factor, const T* a, const T* b, GradientSlot<T> da, GradientSlot<T> db) {
    const auto run = [&](index_t begin, index_t end, bool here) {
      for (index_t i = begin; i < end; ++i) {
        const T slope = here ? T(factor * formula.slope(double(a[i]) - double(b[i]))) : T(0);
        if (da) da.put(i, slope);
        if (db) db.put(i, -slope);
      }
    };
    if (!present)
      return parallel_for(rows * width, detail::element_grain,
                          [&](index_t begin, index_t end) { run(begin, end, true); });
    parallel_for(rows, detail::row_grain(width), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) run(i * width, (i + 1) * width, present[i] != 0);
    });
  }
};

}  // namespace lacuna::cpu
