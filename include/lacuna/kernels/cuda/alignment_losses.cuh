/// The loss between two distributions of features that pairs of samples make: kernel means. Policy: gradients are added
/// to and may be null; sums in double.
#pragma once

#include "lacuna/kernels/cuda/pair_distances.cuh"

namespace lacuna::cuda {

template <class Run>
struct AlignmentLosses {
  template <class T>
  using Matrix = Array<T, typename Run::device>;

  /// mean k_xx + mean k_yy − 2 mean k_xy, k = Σ_σ exp(−‖a−b‖²/(2σ²)). Unbiased: without the diagonals of xx and yy.
  template <class T>
  static Total<T, Run> kernel_means(index_t n, index_t m, index_t d, const T* x, const T* y,
                                    const std::vector<double>& widths, bool unbiased, T* grad_x, T* grad_y) {
    const Buffer<double, Run> bandwidths(widths), parts(n + m + n);
    const auto mean_within = [&](index_t rows) { return 1 / (double(rows) * double(unbiased ? rows - 1 : rows)); };
    const index_t count = index_t(widths.size());
    kernel_part(n, n, d, x, x, bandwidths.data(), count, unbiased, mean_within(n), parts.data(), grad_x, grad_x);
    kernel_part(m, m, d, y, y, bandwidths.data(), count, unbiased, mean_within(m), parts.data() + n, grad_y, grad_y);
    kernel_part(n, m, d, x, y, bandwidths.data(), count, false, -2 / (double(n) * double(m)), parts.data() + n + m,
                grad_x, grad_y);
    return total<T, Run>("kernel_means", n + m + n, parts.data(), 1.0);
  }

  /// parts_i = scale · Σ_j k(a_i, b_j), without the diagonal where asked, and its gradients.
  template <class T>
  static void kernel_part(index_t rows, index_t columns, index_t d, const T* a, const T* b, const double* widths,
                          index_t count, bool no_diagonal, double scale, double* parts, T* grad_a, T* grad_b) {
    const PairDistances<T, Run> pairs(rows, columns, d, a, b);
    const T* const squared = pairs.squared();
    Matrix<T> weight(Shape{rows, columns});
    T* const w = weight.data();
    Run::rows("kernel_means", rows, [=] LACUNA_DEVICE(index_t i, typename Run::Team team) {
      double sum = 0;
      for (index_t j = team.lane(); j < columns; j += team.lanes()) {
        double slope = 0;
        for (index_t k = 0; k < count && !(no_diagonal && i == j); ++k) {
          const double inverse = 1 / (2 * widths[k] * widths[k]);
          const double one = std::exp(-double(squared[i * columns + j]) * inverse);
          sum += one;
          slope -= one * inverse;
        }
        w[i * columns + j] = T(scale * slope);
      }
      sum = team.sum(sum);
      if (team.lane() == 0) parts[i] = scale * sum;
    });
    if (grad_a || grad_b) pairs.gradient(w, grad_a, grad_b);
  }
};

}  // namespace lacuna::cuda
