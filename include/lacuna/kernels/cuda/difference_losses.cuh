/// Sums of a formula of a − b over the present rows, and their gradients. Policy: one pass, the formula in double; rows
/// with present[i] = 0 are not read and get gradient 0.
#pragma once

#include "lacuna/kernels/cuda/run.cuh"
#include "lacuna/kernels/difference_formulas.hpp"

namespace lacuna::cuda {

template <class Run>
struct DifferenceLosses {
  /// Σ formula(a − b) over rows (rows, width); present (rows) or null for all.
  template <class T, class Formula>
  static double difference_loss(Formula formula, index_t rows, index_t width, const std::uint8_t* present, const T* a,
                                const T* b) {
    return cuda::sum<Run>("difference_loss", rows * width, [=] LACUNA_DEVICE(index_t i) {
      if (present && !present[i / width]) return 0.0;
      return formula.value(double(a[i]) - double(b[i]));
    });
  }
  /// da (+)= factor · slope, db (+)= −factor · slope.
  template <class T, class Formula>
  static void difference_loss_gradient(Formula formula, index_t rows, index_t width, const std::uint8_t* present,
                                       double factor, const T* a, const T* b, GradientSlot<T> da, GradientSlot<T> db) {
    Run::each("difference_loss_gradient", rows * width, [=] LACUNA_DEVICE(index_t i) {
      T slope = T(0);
      if (!present || present[i / width]) slope = T(factor * formula.slope(double(a[i]) - double(b[i])));
      if (da) da.put(i, slope);
      if (db) db.put(i, -slope);
    });
  }
};

}  // namespace lacuna::cuda
