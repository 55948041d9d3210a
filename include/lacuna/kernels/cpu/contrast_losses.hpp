/// Contrastive losses over all pairs of a batch: one matrix product, then one pass over the pairs. Policy: gradients
/// are added to and may be null; every pass writes its rows or columns by one thread; scratch comes from the memory
/// pool.
#pragma once

#include <Eigen/Core>

#include "lacuna/kernels/cpu/pair_distances.hpp"

namespace lacuna::cpu {

/// log Σ_j exp(row_j) of a contiguous row.
template <class T>
double log_sum_exp(index_t n, const T* row) {
  Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>> x(row, n);
  const T largest = x.maxCoeff();
  return double(largest) + std::log(double((x - largest).exp().sum()));
}

struct ContrastLosses {
  /// InfoNCE of unit rows x, y (n, d): s = x yᵀ/τ; w_r of −log softmax over rows and w_c of that over columns, at (i,
  /// i). Gradients to the unit rows are written; both or none.
  template <class T>
  static double info_nce(index_t n, index_t d, const T* x, const T* y, double temperature, double w_r, double w_c,
                         T* grad_x, T* grad_y) {
    const T s = T(1 / temperature);
    Array<T> score(Shape{n, n});
    T* const p = score.data();
    Gemm::gemm<T>(n, n, d, {x, d}, {y, d, true}, T(0), p, n,
                  [=](index_t row, index_t rows, index_t column, index_t columns) {
                    for (index_t i = row; i < row + rows; ++i)
                      for (index_t j = column; j < column + columns; ++j) p[i * n + j] *= s;
                  });
    List<double> by_row(static_cast<std::size_t>(n)), by_column(by_row);
    double value = sum_rows(n, 8 * n, 0, [&](index_t i, double*) {
      by_row[std::size_t(i)] = log_sum_exp(n, p + i * n);
      return w_r * (by_row[std::size_t(i)] - double(p[i * n + i]));
    });
    if (w_c != 0)
      value += parallel_sum(n, detail::row_grain(8 * n),
                            [&](index_t begin, index_t end) { return columns(n, p, begin, end, w_c, by_column); });
    if (!grad_x && !grad_y) return value;
    parallel_for(n, detail::row_grain(8 * n), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i)
        for (index_t j = 0; j < n; ++j) {
          const T at = p[i * n + j];
          T slope = T(w_r) * std::exp(at - T(by_row[std::size_t(i)]));
          if (w_c != 0) slope += T(w_c) * std::exp(at - T(by_column[std::size_t(j)]));
          p[i * n + j] = s * (slope - (i == j ? T(w_r + w_c) : T(0)));
        }
    });
    const T* const slope = p;
    if (grad_x) Gemm::gemm<T>(n, d, n, {slope, n}, {y, d}, T(0), grad_x, d);
    if (grad_y) Gemm::gemm<T>(n, d, n, {slope, n, true}, {x, d}, T(0), grad_y, d);
    return value;
  }

  /// Supervised contrast of rows z (n, d) with labels; the gradient to z is written.
  template <class T>
  static double supcon(index_t n, index_t d, const T* z, const index_t* label, double temperature, T* gradient) {
    const T s = T(1 / temperature);
    Array<T> score(Shape{n, n});
    T* const p = score.data();
    Gemm::gemm<T>(n, n, d, {z, d}, {z, d, true}, T(0), p, n,
                  [=](index_t row, index_t rows, index_t column, index_t columns) {
                    for (index_t i = row; i < row + rows; ++i)
                      for (index_t j = column; j < column + columns; ++j)
                        p[i * n + j] = i == j ? T(-INFINITY) : p[i * n + j] * s;
                  });
    List<index_t> positives(static_cast<std::size_t>(n));
    double anchors = 0;
    for (index_t i = 0; i < n; ++i) {
      for (index_t j = 0; j < n; ++j) positives[std::size_t(i)] += j != i && label[j] == label[i];
      anchors += positives[std::size_t(i)] > 0;
    }
    const double each = anchors > 0 ? 1 / anchors : 0;
    const double value = sum_rows(n, 8 * n, 0, [&](index_t i, double*) {
      T* const row = p + i * n;
      const index_t count = positives[std::size_t(i)];
      if (count == 0) {
        std::fill(row, row + n, T(0));
        return 0.0;
      }
      const double log_sum = log_sum_exp(n, row);
      double pull = 0;
      for (index_t j = 0; j < n; ++j) {
        const bool positive = j != i && label[j] == label[i];
        if (positive) pull += double(row[j]);
        row[j] = T(each / temperature) * (std::exp(row[j] - T(log_sum)) - (positive ? T(1) / T(count) : T(0)));
      }
      return each * (log_sum - pull / double(count));
    });
    if (!gradient) return value;
    const T* const slope = p;
    Gemm::gemm<T>(n, d, n, {slope, n}, {z, d}, T(0), gradient, d);
    Gemm::gemm<T>(n, d, n, {slope, n, true}, {z, d}, T(1), gradient, d);
    return value;
  }

  /// Σ_i w_+ D_ii² + w_− Σ_{j≠i} max(0, margin − √(D_ij² + 1e-12))², D_ij the distance of row i of a and row j of b (n,
  /// d).
  template <class T>
  static double sample_contrast(index_t n, index_t d, const T* a, const T* b, double margin, double positive,
                                double negative, T* grad_a, T* grad_b) {
    const functors::SampleContrast contrast{margin, positive, negative};
    const PairDistances<T> pairs(n, n, d, a, b);
    Array<T> weight(Shape{n, n});
    const double value = sum_rows(n, 8 * n, 0, [&](index_t i, double*) {
      const T* const squared = pairs.squared() + i * n;
      T* const w = weight.data() + i * n;
      double hinges = 0;
      for (index_t j = 0; j < n; ++j) {
        const double hinge = contrast.hinge(double(squared[j]));
        w[j] = T(contrast.slope(j == i, double(squared[j])));
        if (j != i) hinges += hinge * hinge;
      }
      return positive * double(squared[i]) + negative * hinges;
    });
    if (grad_a || grad_b) pairs.gradient(weight.data(), grad_a, grad_b);
    return value;
  }

  /// scale · Σ_i max(0, margin + ‖a−p+ε‖ − ‖a−q+ε‖); swap: the nearer of ‖a−q+ε‖ and ‖p−q+ε‖. All (n, d).
  template <class T>
  static double triplet(index_t n, index_t d, const T* a, const T* p, const T* q, double margin, bool swap,
                        double epsilon, double scale, T* grad_a, T* grad_p, T* grad_q) {
    return sum_rows(n, 8 * d, 0, [&](index_t i, double*) {
      const index_t row = i * d;
      const auto distance = [&](const T* x, const T* y) {
        double sum = 0;
        for (index_t f = row; f < row + d; ++f) {
          const double apart = double(x[f]) - double(y[f]) + epsilon;
          sum += apart * apart;
        }
        return std::sqrt(sum);
      };
      const auto push = [&](const T* x, const T* y, double length, double factor, T* grad_x, T* grad_y) {
        if (length == 0) return;
        for (index_t f = row; f < row + d; ++f) {
          const double slope = factor * (double(x[f]) - double(y[f]) + epsilon) / length;
          if (grad_x) grad_x[f] += T(slope);
          if (grad_y) grad_y[f] -= T(slope);
        }
      };
      const double near = distance(a, p), direct = distance(a, q), across = swap ? distance(p, q) : INFINITY;
      const double value = margin + near - std::min(direct, across);
      if (value <= 0) return 0.0;  // NaN is none of it
      push(a, p, near, scale, grad_a, grad_p);
      if (direct <= across)
        push(a, q, direct, -scale, grad_a, grad_q);
      else
        push(p, q, across, -scale, grad_p, grad_q);
      return scale * value;
    });
  }

  /// scale · Σ_i [1 − c_i] for target 1, max(0, c_i − margin) for −1; c = ⟨x,y⟩/√((‖x‖²+1e-12)(‖y‖²+1e-12)).
  template <class T>
  static double cosine_embedding(index_t n, index_t d, const T* x, const T* y, const index_t* target, double margin,
                                 double scale, T* grad_x, T* grad_y) {
    return sum_rows(n, 8 * d, 0, [&](index_t i, double*) {
      const T *a = x + i * d, *b = y + i * d;
      const auto angle = functors::Cosine::of(inner(d, a, a), inner(d, b, b), inner(d, a, b));
      const double cosine = angle.cosine;
      if (target[i] != 1 && cosine <= margin) return 0.0;  // NaN is none of it
      const double slope = target[i] == 1 ? -scale : scale;
      for (index_t f = 0; f < d; ++f) {
        if (grad_x) grad_x[i * d + f] += T(slope * angle.slope_x(double(a[f]), double(b[f])));
        if (grad_y) grad_y[i * d + f] += T(slope * angle.slope_y(double(a[f]), double(b[f])));
      }
      return scale * (target[i] == 1 ? 1 - cosine : cosine - margin);
    });
  }

 private:
  /// Σ_j w (log Σ_i exp p_ij − p_jj) over columns begin..end, whose logs it stores.
  template <class T>
  static double columns(index_t n, const T* p, index_t begin, index_t end, double w, List<double>& log_sums) {
    constexpr index_t width = 64;
    double value = 0;
    for (index_t first = begin; first < end; first += width) {
      const index_t count = std::min(width, end - first);
      T largest[width];
      double sum[width] = {};
      for (index_t j = 0; j < count; ++j) largest[j] = p[first + j];
      for (index_t i = 1; i < n; ++i)
        for (index_t j = 0; j < count; ++j) largest[j] = std::max(largest[j], p[i * n + first + j]);
      for (index_t i = 0; i < n; ++i)
        for (index_t j = 0; j < count; ++j) sum[j] += double(std::exp(p[i * n + first + j] - largest[j]));
      for (index_t j = 0; j < count; ++j) {
        const double log_sum = double(largest[j]) + std::log(sum[j]);
        log_sums[std::size_t(first + j)] = log_sum;
        value += w * (log_sum - double(p[(first + j) * n + first + j]));
      }
    }
    return value;
  }
};

}  // namespace lacuna::cpu
