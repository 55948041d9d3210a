/// Sums of a formula of a − b over the present rows, and their gradients. Policy: one pass, the formula in double; rows
/// with present[i] = 0 are not read and get gradient 0. Values and the dy they are scaled by stay on the device.
#pragma once

#include "lacuna/kernels/cuda/totals.cuh"
#include "lacuna/kernels/difference_formulas.hpp"

namespace lacuna::cuda {

template <class Run>
struct DifferenceLosses {
  /// scale · Σ formula(a − b) over rows (rows, width); present (rows) or null for all.
  template <class T, class Formula>
  static Total<T, Run> difference_loss(Formula formula, index_t rows, index_t width, const std::uint8_t* present,
                                       double scale, const T* a, const T* b) {
    return sum_terms<T, Run>("difference_loss", rows * width, scale, [=] LACUNA_DEVICE(index_t i) {
      if (present && !present[i / width]) return 0.0;
      return formula.value(double(a[i]) - double(b[i]));
    });
  }
  /// da (+)= scale · dy · slope, db (+)= the opposite.
  template <class T, class Formula>
  static void difference_loss_gradient(Formula formula, index_t rows, index_t width, const std::uint8_t* present,
                                       double scale, const T* dy, const T* a, const T* b, GradientSlot<T> da,
                                       GradientSlot<T> db) {
    Run::each("difference_loss_gradient", rows * width, [=] LACUNA_DEVICE(index_t i) {
      T slope = T(0);
      if (!present || present[i / width]) slope = T(scale * double(*dy) * formula.slope(double(a[i]) - double(b[i])));
      if (da) da.put(i, slope);
      if (db) db.put(i, -slope);
    });
  }

  /// √(Σ (a − b)² / count), 0 for a count of 0.
  template <class T>
  static Total<T, Run> root_mean_square(index_t rows, index_t width, const std::uint8_t* present, double count,
                                        const T* a, const T* b) {
    Total<double, Run> square = sum_terms<double, Run>("root_mean_square", rows * width, count > 0 ? 1 / count : 0.0,
                                                       [=] LACUNA_DEVICE(index_t i) {
                                                         if (present && !present[i / width]) return 0.0;
                                                         const double apart = double(a[i]) - double(b[i]);
                                                         return apart * apart;
                                                       });
    Total<T, Run> root{Shape{}};
    T* const to = root.data();
    const double* const from = square.data();
    Run::each("root_mean_square", 1, [=] LACUNA_DEVICE(index_t) { to[0] = T(std::sqrt(from[0])); });
    return root;
  }
  /// With the root that was found; nothing flows through a root of 0.
  template <class T>
  static void root_mean_square_gradient(index_t rows, index_t width, const std::uint8_t* present, double count,
                                        const Total<T, Run>& root, const T* dy, const T* a, const T* b,
                                        GradientSlot<T> da, GradientSlot<T> db) {
    const T* const at = root.data();
    Run::each("root_mean_square_gradient", rows * width, [=] LACUNA_DEVICE(index_t i) {
      T slope = T(0);
      if (!present || present[i / width])
        slope = T(functors::root_factor(count, double(*at), double(*dy)) * 2 * (double(a[i]) - double(b[i])));
      if (da) da.put(i, slope);
      if (db) db.put(i, -slope);
    });
  }
};

}  // namespace lacuna::cuda
