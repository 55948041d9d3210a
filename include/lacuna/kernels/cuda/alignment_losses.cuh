/// Losses between two distributions of features: moments, covariances, kernel means, shared directions. Policy: sums
/// over samples by `fold`, one thread per number of a gradient; gradients are added to and may be null; sums in double.
#pragma once

#include "lacuna/kernels/cuda/pair_distances.cuh"

namespace lacuna::cuda {

template <class Run>
struct AlignmentLosses {
  template <class T>
  using Matrix = Array<T, typename Run::device>;

  /// ‖E x − E y‖/span + Σ_{k=2..orders} ‖E(x−Ex)^k − E(y−Ey)^k‖/span^k; x (n, d), y (m, d).
  template <class T>
  static Total<T, Run> central_moments(index_t n, index_t m, index_t d, const T* x, const T* y, int orders, double span,
                                       T* grad_x, T* grad_y) {
    const Buffer<double, Run> of_x(orders * d), of_y(orders * d), slopes(orders * d);
    double *const a = of_x.data(), *const b = of_y.data(), *const slope = slopes.data();
    moments(n, d, orders, x, a);
    moments(m, d, orders, y, b);
    Total<T, Run> value =
        sum_rows<T, Run>("central_moments", orders, 1.0, [=] LACUNA_DEVICE(index_t k, typename Run::Team team) {
          double unit = span, squares = 0;
          for (index_t p = 0; p < k; ++p) unit *= span;
          for (index_t f = team.lane(); f < d; f += team.lanes()) {
            const double apart = a[k * d + f] - b[k * d + f];
            squares += apart * apart;
          }
          const double norm = std::sqrt(team.sum(squares)), factor = norm > 0 ? 1 / (norm * unit) : 0.0;
          for (index_t f = team.lane(); f < d; f += team.lanes())
            slope[k * d + f] = factor * (a[k * d + f] - b[k * d + f]);
          return norm / unit;
        });
    if (grad_x) moments_gradient(n, d, orders, x, a, slope, 1.0, grad_x);
    if (grad_y) moments_gradient(m, d, orders, y, b, slope, -1.0, grad_y);
    return value;
  }

  /// ‖C_x − C_y‖_F² / (4 d²), C = Xcᵀ Xc / (n − 1) of the centred rows; n and m at least 2.
  template <class T>
  static Total<T, Run> covariances(index_t n, index_t m, index_t d, const T* x, const T* y, T* grad_x, T* grad_y) {
    const Matrix<T> a = centred(n, d, x), b = centred(m, d, y);
    Matrix<T> apart(Shape{d, d}), second(Shape{d, d});
    T* const gap = apart.data();
    Linear<Run>::template gemm<T>(d, d, n, {a.data(), d, true}, {a.data(), d}, T(0), gap, d);
    Linear<Run>::template gemm<T>(d, d, m, {b.data(), d, true}, {b.data(), d}, T(0), second.data(), d);
    const T* const other = second.data();
    const double scale = 1 / (4 * double(d) * double(d)), by_n = double(n - 1), by_m = double(m - 1);
    Total<T, Run> value = sum_terms<T, Run>("covariances", d * d, scale, [=] LACUNA_DEVICE(index_t at) {
      const double difference = double(gap[at]) / by_n - double(other[at]) / by_m;
      gap[at] = T(difference);
      return difference * difference;
    });
    if (grad_x) covariance_gradient(n, d, a.data(), gap, second.data(), 4 * scale / by_n, grad_x);
    if (grad_y) covariance_gradient(m, d, b.data(), gap, second.data(), -4 * scale / by_m, grad_y);
    return value;
  }

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

  /// scale · ‖Aᵀ B‖_F², a (n, da), b (n, db).
  template <class T>
  static Total<T, Run> shared_directions(index_t n, index_t da, index_t db, const T* a, const T* b, double scale,
                                         T* grad_a, T* grad_b) {
    Matrix<T> product(Shape{da, db});
    T* const p = product.data();
    Linear<Run>::template gemm<T>(da, db, n, {a, da, true}, {b, db}, T(0), p, db);
    Total<T, Run> value = sum_terms<T, Run>("shared_directions", da * db, scale, [=] LACUNA_DEVICE(index_t at) {
      const double along = double(p[at]);
      p[at] = T(2 * scale * along);
      return along * along;
    });
    const T* const slope = p;
    if (grad_a) Linear<Run>::template gemm<T>(n, da, db, {b, db}, {slope, db, true}, T(1), grad_a, da);
    if (grad_b) Linear<Run>::template gemm<T>(n, db, da, {a, da}, {slope, db}, T(1), grad_b, db);
    return value;
  }

  /// Rows minus the mean row.
  template <class T>
  static Matrix<T> centred(index_t n, index_t d, const T* x) {
    Matrix<T> result(Shape{n, d});
    T* const to = result.data();
    const Buffer<double, Run> sums(d);
    const double* const sum = sums.data();
    fold<Run>(
        "centred", n, d, [=] LACUNA_DEVICE(index_t i, index_t f) { return double(x[i * d + f]); }, sums.data());
    Run::each("centred", n * d, [=] LACUNA_DEVICE(index_t at) { to[at] = T(double(x[at]) - sum[at % d] / double(n)); });
    return result;
  }

  /// all (orders, d): the mean and the central moments 2..orders of every feature.
  template <class T>
  static void moments(index_t n, index_t d, int orders, const T* x, double* all) {
    fold<Run>(
        "moments", n, d, [=] LACUNA_DEVICE(index_t i, index_t f) { return double(x[i * d + f]) / double(n); }, all);
    const double* const mean = all;
    fold<Run>(
        "moments", n, (orders - 1) * d,
        [=] LACUNA_DEVICE(index_t i, index_t q) {
          const index_t f = q % d;
          const double apart = double(x[i * d + f]) - mean[f];
          double power = apart;
          for (index_t k = 0; k <= q / d; ++k) power *= apart;
          return power / double(n);
        },
        all + d);
  }
  /// gradient += sign times what the slopes by the moments mean for x: d m_k / d x_i = k/n [(x_i − m)^(k−1) −
  /// m_(k−1)].
  template <class T>
  static void moments_gradient(index_t n, index_t d, int orders, const T* x, const double* all, const double* slope,
                               double sign, T* gradient) {
    Run::each("moments_gradient", n * d, [=] LACUNA_DEVICE(index_t at) {
      const index_t f = at % d;
      const double apart = double(x[at]) - all[f];
      double sum = slope[f], power = 1;
      for (int k = 1; k < orders; ++k) {
        power *= apart;
        sum += slope[k * d + f] * double(k + 1) * (power - (k > 1 ? all[(k - 1) * d + f] : 0.0));
      }
      gradient[at] += T(sign * sum / double(n));
    });
  }
  /// gradient += factor · centred (rows, d) gap (d, d); `room` (d, d).
  template <class T>
  static void covariance_gradient(index_t rows, index_t d, const T* centred_rows, const T* gap, T* room, double factor,
                                  T* gradient) {
    Run::each("covariance_gradient", d * d, [=] LACUNA_DEVICE(index_t at) { room[at] = T(factor) * gap[at]; });
    const T* const scaled = room;
    Linear<Run>::template gemm<T>(rows, d, d, {centred_rows, d}, {scaled, d}, T(1), gradient, d);
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
