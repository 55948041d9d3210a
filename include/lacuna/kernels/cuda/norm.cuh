/// Normalisation over the last axis (layer, RMS) and over the rows (batch). Policy: one team per row for the former,
/// the folds of run.cuh for sums over rows; statistics in double and in two passes, as on the host.
#pragma once

#include "lacuna/kernels/cuda/run.cuh"
#include "lacuna/kernels/groups.hpp"

namespace lacuna::cuda {

template <class Run>
struct Norm {
  /// A layer norm of so many numbers is computed again for the way back, in a launch of its own, rather than kept.
  static constexpr index_t renorms_from = 1 << 16;

  /// y = (x − mean) · scale · weight + bias per row; mean is 0 unless `center`; weight and bias may be null.
  /// statistics (rows, 2): mean and scale = 1/√(mean square deviation + epsilon).
  template <class T>
  static void norm_rows(index_t rows, index_t n, bool center, double epsilon, const T* x, const T* weight,
                        const T* bias, T* statistics, T* y) {
    norm_rows_grouped(rows, n, center, epsilon, x, Groups<const T*>::one(weight), Groups<const T*>::one(bias),
                      statistics, y);
  }
  /// The same with a weight and a bias for each equal group of rows.
  template <class T>
  static void norm_rows_grouped(index_t rows, index_t n, bool center, double epsilon, const T* x,
                                Groups<const T*> weights, Groups<const T*> biases, T* statistics, T* y) {
    const Divider by_group(rows / weights.count, rows);
    Run::rows("norm_rows", rows, [=] LACUNA_DEVICE(index_t i, typename Run::Team team) {
      const T* const from = x + i * n;
      const index_t group = by_group.quotient(i);
      const T *weight = weights.of[group], *bias = biases.of[group];
      double sum = 0, squares = 0;
      if (center)
        for (index_t j = team.lane(); j < n; j += team.lanes()) sum += double(from[j]);
      const double mean = center ? team.sum(sum) / double(n) : 0.0;
      for (index_t j = team.lane(); j < n; j += team.lanes()) {
        const double d = double(from[j]) - mean;
        squares += d * d;
      }
      const T m = T(mean), s = T(1.0 / std::sqrt(team.sum(squares) / double(n) + epsilon));
      if (team.lane() == 0) {
        statistics[2 * i] = m;
        statistics[2 * i + 1] = s;
      }
      for (index_t j = team.lane(); j < n; j += team.lanes()) {
        T number = (from[j] - m) * s;
        if (weight) number *= weight[j];
        if (bias) number += bias[j];
        y[i * n + j] = number;
      }
    });
  }
  /// With x̂ = (x − mean) scale and g = dy · weight: dx = scale (g − [mean g] − x̂ mean(g x̂)).
  template <class T>
  static void norm_rows_gradient(index_t rows, index_t n, bool center, const T* x, const T* weight, const T* statistics,
                                 const T* dy, GradientSlot<T> dx, GradientSlot<T> dweight, GradientSlot<T> dbias) {
    using Slots = Groups<GradientSlot<T>>;
    norm_rows_gradient_grouped(rows, n, center, x, Groups<const T*>::one(weight), statistics, dy, dx,
                               Slots::one(dweight), Slots::one(dbias));
  }
  template <class T>
  static void norm_rows_gradient_grouped(index_t rows, index_t n, bool center, const T* x, Groups<const T*> weights,
                                         const T* statistics, const T* dy, GradientSlot<T> dx,
                                         Groups<GradientSlot<T>> dweights, Groups<GradientSlot<T>> dbiases) {
    const index_t share = rows / weights.count;
    const Divider by_group(share, rows);
    if (dx)
      Run::rows("norm_rows_gradient", rows, [=] LACUNA_DEVICE(index_t i, typename Run::Team team) {
        const T *from = x + i * n, *top = dy + i * n, *weight = weights.of[by_group.quotient(i)];
        const T m = statistics[2 * i], s = statistics[2 * i + 1];
        double inner = 0, mean = 0;
        for (index_t j = team.lane(); j < n; j += team.lanes()) {
          const T g = weight ? top[j] * weight[j] : top[j];
          inner += double(g) * double((from[j] - m) * s);
          mean += double(g);
        }
        inner = team.sum(inner) / double(n);
        mean = center ? team.sum(mean) / double(n) : 0.0;
        for (index_t j = team.lane(); j < n; j += team.lanes()) {
          const T g = weight ? top[j] * weight[j] : top[j];
          dx.put(i * n + j, s * (g - T(mean) - (from[j] - m) * s * T(inner)));
        }
      });
    if (!dweights.any() && !dbiases.any()) return;
    const index_t width = 2 * n;  // of a group: the sums for its weight, then those for its bias
    const Divider by_width(width, weights.count * width);
    fold_into<Run>(
        "norm_rows_gradient", share, weights.count * width,
        [=] LACUNA_DEVICE(index_t r, index_t column) {
          const index_t group = by_width.quotient(column), j = column - group * width, i = group * share + r;
          if (j >= n) return double(dy[i * n + j - n]);
          return double(dy[i * n + j]) * double((x[i * n + j] - statistics[2 * i]) * statistics[2 * i + 1]);
        },
        [=] LACUNA_DEVICE(index_t column, double sum) {
          const index_t group = by_width.quotient(column), j = column - group * width;
          const GradientSlot<T> dweight = dweights.of[group], dbias = dbiases.of[group];
          if (j < n && dweight) dweight.put(j, T(sum));
          if (j >= n && dbias) dbias.put(j - n, T(sum));
        });
  }

  /// Mean and biased variance of every column over the rows with present[i] (all when null), and how many rows those
  /// are. Nothing present: 0 and 0.
  template <class T>
  static index_t column_statistics(index_t rows, index_t n, const T* x, const std::uint8_t* present, double* mean,
                                   double* variance) {
    const double counted =
        present == nullptr ? double(rows) : cuda::sum<Run>("column_statistics", rows, [=] LACUNA_DEVICE(index_t i) {
          return present[i] ? 1.0 : 0.0;
        });
    const double share = counted > 0 ? 1.0 / counted : 0.0;
    fold_into<Run>(
        "column_statistics", rows, n,
        [=] LACUNA_DEVICE(index_t i, index_t j) { return present && !present[i] ? 0.0 : double(x[i * n + j]); },
        [=] LACUNA_DEVICE(index_t j, double sum) { mean[j] = sum * share; });
    fold_into<Run>(
        "column_statistics", rows, n,
        [=] LACUNA_DEVICE(index_t i, index_t j) {
          if (present && !present[i]) return 0.0;
          const double d = double(x[i * n + j]) - mean[j];
          return d * d;
        },
        [=] LACUNA_DEVICE(index_t j, double sum) { variance[j] = sum * share; });
    return index_t(counted);
  }
  /// scale ← 1/√(scale + epsilon) from the variance of `count` rows, which also moves the running statistics (the
  /// variance unbiased, when there are two rows); with no row, mean and scale come from the running statistics.
  template <class T>
  static void running_statistics(index_t n, index_t count, double momentum, double epsilon, T* running_mean,
                                 T* running_variance, double* mean, double* scale) {
    const double unbiased = count > 1 ? momentum * double(count) / double(count - 1) : 0.0;
    Run::each("running_statistics", n, [=] LACUNA_DEVICE(index_t j) {
      if (count == 0) {
        mean[j] = double(running_mean[j]);
        scale[j] = double(running_variance[j]);
      } else {
        running_mean[j] = T((1.0 - momentum) * double(running_mean[j]) + momentum * mean[j]);
        if (count > 1) running_variance[j] = T((1.0 - momentum) * double(running_variance[j]) + unbiased * scale[j]);
      }
      scale[j] = 1.0 / std::sqrt(scale[j] + epsilon);
    });
  }
  /// y = (x − mean) · scale · weight + bias per column; absent rows become 0.
  template <class T>
  static void norm_columns(index_t rows, index_t n, const T* x, const std::uint8_t* present, const double* mean,
                           const double* scale, const T* weight, const T* bias, T* y) {
    const Divider by_n(n, rows * n);
    Run::each("norm_columns", rows * n, [=] LACUNA_DEVICE(index_t at) {
      const index_t i = by_n.quotient(at), j = at - i * n;
      if (present && !present[i]) {
        y[at] = T(0);
        return;
      }
      const T normal = T((double(x[at]) - mean[j]) * scale[j]);
      y[at] = (weight ? normal * weight[j] : normal) + (bias ? bias[j] : T(0));
    });
  }
  /// `count` rows gave the statistics; 0: they were constants.
  template <class T>
  static void norm_columns_gradient(index_t rows, index_t n, index_t count, const T* x, const std::uint8_t* present,
                                    const double* mean, const double* scale, const T* weight, const T* dy,
                                    GradientSlot<T> dx, GradientSlot<T> dweight, GradientSlot<T> dbias) {
    const Buffer<double, Run> total(2 * n);
    double* const sums = total.data();
    fold_into<Run>(
        "norm_columns_gradient", rows, 2 * n,
        [=] LACUNA_DEVICE(index_t i, index_t at) {
          if (present && !present[i]) return 0.0;
          const index_t j = at < n ? at : at - n;
          const double g = double(dy[i * n + j]);
          return at < n ? g * (double(x[i * n + j]) - mean[j]) * scale[j] : g;
        },
        [=] LACUNA_DEVICE(index_t at, double sum) {
          sums[at] = sum;
          if (at < n && dweight) dweight.put(at, T(sum));
          if (at >= n && dbias) dbias.put(at - n, T(sum));
        });
    if (!dx) return;
    const double share = count > 0 ? 1.0 / double(count) : 0.0;
    const Divider by_n(n, rows * n);
    Run::each("norm_columns_gradient", rows * n, [=] LACUNA_DEVICE(index_t at) {
      const index_t i = by_n.quotient(at), j = at - i * n;
      if (present && !present[i]) {
        dx.put(at, T(0));
        return;
      }
      const double normal = (double(x[at]) - mean[j]) * scale[j], factor = weight ? double(weight[j]) : 1.0;
      const double through = double(dy[at]) - share * (sums[n + j] + normal * sums[j]);
      dx.put(at, T(factor * scale[j] * through));
    });
  }
};

}  // namespace lacuna::cuda
