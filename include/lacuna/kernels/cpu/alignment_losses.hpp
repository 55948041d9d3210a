/// Losses between two distributions of features: moments, covariances, kernel means, shared directions. Policy:
/// gradients are added to and may be null; sums in double.
#pragma once

#include <utility>

#include "lacuna/kernels/cpu/pair_distances.hpp"

namespace lacuna::cpu {

struct AlignmentLosses {
  /// ‖E x − E y‖/span + Σ_{k=2..orders} ‖E(x−Ex)^k − E(y−Ey)^k‖/span^k; x (n, d), y (m, d).
  template <class T>
  static double central_moments(index_t n, index_t m, index_t d, const T* x, const T* y, int orders, double span,
                                T* grad_x, T* grad_y) {
    const Moments<T> a(n, d, x, orders), b(m, d, y, orders);
    List<double> slope(static_cast<std::size_t>(orders * d));  // of the loss by the k-th moment of x, per feature
    double value = 0, unit = 1;
    for (int k = 0; k < orders; ++k) {
      unit *= span;
      double squares = 0;
      for (index_t f = 0; f < d; ++f) {
        const double apart = a.at(k, f) - b.at(k, f);
        slope[std::size_t(k * d + f)] = apart;
        squares += apart * apart;
      }
      const double norm = std::sqrt(squares);
      value += norm / unit;
      for (index_t f = 0; f < d; ++f) slope[std::size_t(k * d + f)] *= norm > 0 ? 1 / (norm * unit) : 0;
    }
    if (grad_x) a.back(x, slope, 1, grad_x);
    if (grad_y) b.back(y, slope, -1, grad_y);
    return value;
  }

  /// ‖C_x − C_y‖_F² / (4 d²), C = Xcᵀ Xc / (n − 1) of the centred rows; n and m at least 2.
  template <class T>
  static double covariances(index_t n, index_t m, index_t d, const T* x, const T* y, T* grad_x, T* grad_y) {
    const Array<T> a = centred(n, d, x), b = centred(m, d, y);
    Array<T> gap(Shape{d, d}), other(Shape{d, d});
    Gemm::gemm<T>(d, d, n, {a.data(), d, true}, {a.data(), d}, T(0), gap.data(), d);
    Gemm::gemm<T>(d, d, m, {b.data(), d, true}, {b.data(), d}, T(0), other.data(), d);
    const double scale = 1 / (4 * double(d) * double(d));
    const double value = sum_rows(d, d, 0, [&](index_t i, double*) {
      double sum = 0;
      for (index_t p = i * d; p < (i + 1) * d; ++p) {
        const double apart = double(gap.data()[p]) / double(n - 1) - double(other.data()[p]) / double(m - 1);
        gap.data()[p] = T(apart);
        sum += apart * apart;
      }
      return scale * sum;
    });
    const auto back = [&](index_t rows, const Array<T>& c, double sign, T* gradient) {
      if (!gradient) return;
      Array<T> scaled(Shape{d, d});
      for (index_t p = 0; p < d * d; ++p) scaled.data()[p] = T(sign * 4 * scale / double(rows - 1)) * gap.data()[p];
      Gemm::gemm<T>(rows, d, d, {c.data(), d}, {std::as_const(scaled).data(), d}, T(1), gradient, d);
    };
    back(n, a, 1, grad_x);
    back(m, b, -1, grad_y);
    return value;
  }

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

  /// scale · ‖Aᵀ B‖_F², a (n, da), b (n, db).
  template <class T>
  static double shared_directions(index_t n, index_t da, index_t db, const T* a, const T* b, double scale, T* grad_a,
                                  T* grad_b) {
    Array<T> product(Shape{da, db});
    T* const p = product.data();
    Gemm::gemm<T>(da, db, n, {a, da, true}, {b, db}, T(0), p, db);
    const double value = sum_rows(da, db, 0, [&](index_t i, double*) {
      double sum = 0;
      for (index_t j = 0; j < db; ++j) {
        sum += double(p[i * db + j]) * double(p[i * db + j]);
        p[i * db + j] *= T(2 * scale);
      }
      return scale * sum;
    });
    const T* const slope = p;
    if (grad_a) Gemm::gemm<T>(n, da, db, {b, db}, {slope, db, true}, T(1), grad_a, da);
    if (grad_b) Gemm::gemm<T>(n, db, da, {a, da}, {slope, db}, T(1), grad_b, db);
    return value;
  }

  /// Rows minus the mean row.
  template <class T>
  static Array<T> centred(index_t n, index_t d, const T* x) {
    Array<T> result(Shape{n, d});
    parallel_for(d, detail::row_grain(2 * n), [&](index_t begin, index_t end) {
      List<double> mean(static_cast<std::size_t>(end - begin));
      for (index_t i = 0; i < n; ++i)
        for (index_t f = begin; f < end; ++f) mean[std::size_t(f - begin)] += double(x[i * d + f]) / double(n);
      for (index_t i = 0; i < n; ++i)
        for (index_t f = begin; f < end; ++f)
          result.data()[i * d + f] = T(double(x[i * d + f]) - mean[std::size_t(f - begin)]);
    });
    return result;
  }

 private:
  /// The mean and the central moments 2..orders of every feature.
  template <class T>
  struct Moments {
    index_t n, d;
    int orders;
    List<double> all;

    Moments(index_t rows, index_t width, const T* x, int count)
        : n(rows), d(width), orders(count), all(std::size_t(count * width)) {
      parallel_for(d, detail::row_grain(4 * n * orders), [&](index_t begin, index_t end) {
        for (index_t f = begin; f < end; ++f) {
          double mean = 0;
          for (index_t i = 0; i < n; ++i) mean += double(x[i * d + f]);
          all[std::size_t(f)] = mean /= double(n);
          for (index_t i = 0; i < n; ++i) {
            const double apart = double(x[i * d + f]) - mean;
            double power = apart;
            for (int k = 1; k < orders; ++k) all[std::size_t(k * d + f)] += (power *= apart) / double(n);
          }
        }
      });
    }
    double at(int k, index_t f) const { return all[std::size_t(k * d + f)]; }
    /// gradient += sign times what the slopes by the moments mean for x: d m_k / d x_i = k/n [(x_i − m)^(k−1) −
    /// m_(k−1)].
    void back(const T* x, const List<double>& slope, double sign, T* gradient) const {
      parallel_for(n, detail::row_grain(4 * d * orders), [&](index_t begin, index_t end) {
        for (index_t i = begin; i < end; ++i)
          for (index_t f = 0; f < d; ++f) {
            const double apart = double(x[i * d + f]) - at(0, f);
            double sum = slope[std::size_t(f)], power = 1;
            for (int k = 1; k < orders; ++k) {
              power *= apart;
              sum += slope[std::size_t(k * d + f)] * double(k + 1) * (power - (k > 1 ? at(k - 1, f) : 0));
            }
            gradient[i * d + f] += T(sign * sum / double(n));
          }
      });
    }
  };
};

}  // namespace lacuna::cpu
