/// The loss between two distributions of features that pairs of samples make: kernel means. Policy: gradients are added to and may be null; sums in double.
#pragma once

#include "lacuna/kernels/cpu/pair_distances.hpp"

namespace lacuna::cpu {

struct AlignmentLosses {
  /// mean k_xx + mean k_yy − 2 mean k_xy, k = Σ_σ exp(−‖a−b‖²/(2σ²)). Unbiased: without the diagonals of xx and yy.
  template <class T>
  static double kernel_means(index_t n, index_t m, index_t d, const T* x, const T* y, const std::vector<double>& widths,
                             bool unbiased, T* grad_x, T* grad_y) {
    const auto part = [&](index_t rows, index_t columns, const T* a, const T* b, bool within, double scale, T* grad_a,
                          T* grad_b) {
      const PairDistances<T> pairs(rows, columns, d, a, b);
      Array<T> weight(Shape{rows, columns});
      const double value = sum_rows(rows, 16 * columns, 0, [&](index_t i, double*) {
        double sum = 0;
        for (index_t j = 0; j < columns; ++j) {
          double k = 0, slope = 0;
          if (!(within && unbiased && i == j))
            for (const double sigma : widths) {
              const double inverse = 1 / (2 * sigma * sigma);
              const double one = std::exp(-double(pairs.squared()[i * columns + j]) * inverse);
              k += one;
              slope -= one * inverse;
            }
          sum += k;
          weight.data()[i * columns + j] = T(scale * slope);
        }
        return scale * sum;
      });
      if (grad_a || grad_b) pairs.gradient(weight.data(), grad_a, grad_b);
      return value;
    };
    const auto mean_within = [&](index_t rows) { return 1 / (double(rows) * double(unbiased ? rows - 1 : rows)); };
    double value = part(n, n, x, x, true, mean_within(n), grad_x, grad_x);
    value += part(m, m, y, y, true, mean_within(m), grad_y, grad_y);
    return value + part(n, m, x, y, false, -2 / (double(n) * double(m)), grad_x, grad_y);
  }
};

}  // namespace lacuna::cpu
