/// Sums of a formula of a − b over the present rows, and their gradients. Policy: one pass, the formula in double; rows
/// with present[i] = 0 are not read and get gradient 0.
#pragma once

#include "lacuna/core/gradient_slot.hpp"
#include "lacuna/core/threads.hpp"
#include "lacuna/kernels/difference_formulas.hpp"

namespace lacuna::cpu {

struct DifferenceLosses {
  /// The numbers of the present ones of rows (rows, width); present (rows) or null for all.
  static double count_present(index_t rows, index_t width, const std::uint8_t* present) {
    if (!present) return double(rows * width);
    double count = 0;
    for (index_t i = 0; i < rows; ++i) count += present[i] != 0;
    return count * double(width);
  }
  /// Σ formula(a − b) over those rows, or the mean over `count`, what count_present gave.
  template <class T, class Formula>
  static double difference_loss(Formula formula, index_t rows, index_t width, const std::uint8_t* present, bool mean,
                                double count, const T* a, const T* b) {
    const double scale = functors::difference_scale(mean, count);
    const auto run = [&](index_t begin, index_t end) {
      double sum = 0;
      for (index_t i = begin; i < end; ++i) sum += formula.value(double(a[i]) - double(b[i]));
      return sum;
    };
    if (!present) return scale * parallel_sum(rows * width, detail::element_grain, run);
    return scale * parallel_sum(rows, detail::row_grain(width), [&](index_t begin, index_t end) {
             double sum = 0;
             for (index_t i = begin; i < end; ++i)
               if (present[i]) sum += run(i * width, (i + 1) * width);
             return sum;
           });
  }
  /// da (+)= dy · slope of that, db (+)= the opposite.
  template <class T, class Formula>
  static void difference_loss_gradient(Formula formula, index_t rows, index_t width, const std::uint8_t* present,
                                       bool mean, double count, const T* dy, const T* a, const T* b, GradientSlot<T> da,
                                       GradientSlot<T> db) {
    slopes(formula, rows, width, present, functors::difference_scale(mean, count) * double(*dy), a, b, da, db);
  }

  /// √(Σ (a − b)² / count), 0 for a count of 0.
  template <class T>
  static double root_mean_square(index_t rows, index_t width, const std::uint8_t* present, double count, const T* a,
                                 const T* b) {
    const double squares = difference_loss(functors::SquaredDifference{}, rows, width, present, false, count, a, b);
    return count > 0 ? std::sqrt(squares / count) : 0;
  }
  /// With the root that was found; nothing flows through a root of 0.
  template <class T>
  static void root_mean_square_gradient(index_t rows, index_t width, const std::uint8_t* present, double count,
                                        double root, const T* dy, const T* a, const T* b, GradientSlot<T> da,
                                        GradientSlot<T> db) {
    slopes(functors::SquaredDifference{}, rows, width, present, functors::root_factor(count, root, double(*dy)), a, b,
           da, db);
  }

 private:
  template <class T, class Formula>
  static void slopes(Formula formula, index_t rows, index_t width, const std::uint8_t* present, double factor,
                     const T* a, const T* b, GradientSlot<T> da, GradientSlot<T> db) {
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
