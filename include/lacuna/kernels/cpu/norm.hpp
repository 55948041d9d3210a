/// Normalisation over the last axis (layer, RMS) and over the rows (batch). Policy: statistics of a row in whole
/// vectors and in two passes, the second of which corrects the mean of the first; those of columns in double; sums over
/// rows go through fixed pieces combined in order: the same bits with any number of threads.
#pragma once

#include <cmath>
#include <vector>

#include "lacuna/core/gradient_slot.hpp"
#include "lacuna/core/precompile.hpp"
#include "lacuna/core/threads.hpp"
#include "lacuna/kernels/cpu/packet.hpp"
#include "lacuna/kernels/cpu/row_vectors.hpp"

namespace lacuna::cpu {

/// Σ over rows of what add(row, double total[width]) adds to zeros, in at most sixteen pieces.
template <class F>
List<double> fold_rows(index_t rows, index_t width, F&& add) {
  const index_t least = detail::row_grain(width), share = (rows + 15) / 16;
  const index_t grain = share > least ? share : least, pieces = rows > 0 ? (rows + grain - 1) / grain : 1;
  List<double> total(static_cast<std::size_t>(pieces * width), 0.0);
  parallel_for(rows, grain, [&](index_t begin, index_t end) {
    double* const piece = total.data() + begin / grain * width;
    for (index_t i = begin; i < end; ++i) add(i, piece);
  });
  for (index_t p = 1; p < pieces; ++p)
    for (index_t j = 0; j < width; ++j) total[std::size_t(j)] += total[std::size_t(p * width + j)];
  return total;
}

struct Norm {
  /// y = (x − mean) · scale · weight + bias per row; mean is 0 unless `center`; weight and bias may be null.
  /// statistics (rows, 2): mean and scale = 1/√(mean square deviation + epsilon).
  template <class T>
  static void norm_rows(index_t rows, index_t n, bool center, double epsilon, const T* x, const T* weight,
                        const T* bias, T* statistics, T* y);
  /// With x̂ = (x − mean) scale and g = dy · weight: dx = scale (g − [mean g] − x̂ mean(g x̂)).
  template <class T>
  static void norm_rows_gradient(index_t rows, index_t n, bool center, const T* x, const T* weight, const T* statistics,
                                 const T* dy, GradientSlot<T> dx, GradientSlot<T> dweight, GradientSlot<T> dbias);

  /// Mean and biased variance of every column over the rows with present[i] (all when null), and how many rows those
  /// are. Nothing present: 0 and 0.
  template <class T>
  static index_t column_statistics(index_t rows, index_t n, const T* x, const std::uint8_t* present, double* mean,
                                   double* variance) {
    index_t count = 0;
    for (index_t i = 0; i < rows; ++i) count += !present || present[i];
    const double share = count > 0 ? 1.0 / double(count) : 0.0;
    const List<double> sums = fold_rows(rows, n, [&](index_t i, double* piece) {
      if (present && !present[i]) return;
      for (index_t j = 0; j < n; ++j) piece[j] += double(x[i * n + j]);
    });
    for (index_t j = 0; j < n; ++j) mean[j] = sums[std::size_t(j)] * share;
    const List<double> squares = fold_rows(rows, n, [&](index_t i, double* piece) {
      if (present && !present[i]) return;
      for (index_t j = 0; j < n; ++j) {
        const double d = double(x[i * n + j]) - mean[j];
        piece[j] += d * d;
      }
    });
    for (index_t j = 0; j < n; ++j) variance[j] = squares[std::size_t(j)] * share;
    return count;
  }
  /// scale ← 1/√(scale + epsilon) from the variance of `count` rows, which also moves the running statistics (the
  /// variance unbiased, when there are two rows); with no row, mean and scale come from the running statistics.
  template <class T>
  static void running_statistics(index_t n, index_t count, double momentum, double epsilon, T* running_mean,
                                 T* running_variance, double* mean, double* scale) {
    const double unbiased = count > 1 ? momentum * double(count) / double(count - 1) : 0.0;
    for (index_t j = 0; j < n; ++j) {
      if (count == 0) {
        mean[j] = double(running_mean[j]);
        scale[j] = double(running_variance[j]);
      } else {
        running_mean[j] = T((1.0 - momentum) * double(running_mean[j]) + momentum * mean[j]);
        if (count > 1) running_variance[j] = T((1.0 - momentum) * double(running_variance[j]) + unbiased * scale[j]);
      }
      scale[j] = 1.0 / std::sqrt(scale[j] + epsilon);
    }
  }
  /// y = (x − mean) · scale · weight + bias per column; absent rows become 0.
  template <class T>
  static void norm_columns(index_t rows, index_t n, const T* x, const std::uint8_t* present, const double* mean,
                           const double* scale, const T* weight, const T* bias, T* y) {
    parallel_for(rows, detail::row_grain(n), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i)
        for (index_t j = 0; j < n; ++j) {
          const T normal = present && !present[i] ? T(0) : T((double(x[i * n + j]) - mean[j]) * scale[j]);
          y[i * n + j] =
              present && !present[i] ? T(0) : (weight ? normal * weight[j] : normal) + (bias ? bias[j] : T(0));
        }
    });
  }
  /// `count` rows gave the statistics; 0: they were constants.
  template <class T>
  static void norm_columns_gradient(index_t rows, index_t n, index_t count, const T* x, const std::uint8_t* present,
                                    const double* mean, const double* scale, const T* weight, const T* dy,
                                    GradientSlot<T> dx, GradientSlot<T> dweight, GradientSlot<T> dbias) {
    const List<double> total = fold_rows(rows, 2 * n, [&](index_t i, double* piece) {
      if (present && !present[i]) return;
      for (index_t j = 0; j < n; ++j) {
        piece[j] += double(dy[i * n + j]) * (double(x[i * n + j]) - mean[j]) * scale[j];
        piece[n + j] += double(dy[i * n + j]);
      }
    });
    for (index_t j = 0; j < n; ++j) {
      if (dweight) dweight.put(j, T(total[std::size_t(j)]));
      if (dbias) dbias.put(j, T(total[std::size_t(n + j)]));
    }
    if (!dx) return;
    const double share = count > 0 ? 1.0 / double(count) : 0.0;
    parallel_for(rows, detail::row_grain(2 * n), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i)
        for (index_t j = 0; j < n; ++j) {
          if (present && !present[i]) {
            dx.put(i * n + j, T(0));
            continue;
          }
          const double normal = (double(x[i * n + j]) - mean[j]) * scale[j], factor = weight ? double(weight[j]) : 1.0;
          const double through =
              double(dy[i * n + j]) - share * (total[std::size_t(n + j)] + normal * total[std::size_t(j)]);
          dx.put(i * n + j, T(factor * scale[j] * through));
        }
    });
  }
};

template <class T>
void Norm::norm_rows(index_t rows, index_t n, bool center, double epsilon, const T* x, const T* weight, const T* bias,
                     T* statistics, T* y) {
  parallel_for(rows, detail::row_grain(n), [&](index_t begin, index_t end) {
    using namespace simd;
    using V = RowVectors<T>;
    const V vectors(n);
    const T share = T(1) / T(n > 0 ? n : 1);
    for (index_t i = begin; i < end; ++i) {
      const T* from = x + i * n;
      T* to = y + i * n;
      const T guess = center ? share * vectors.sum([&](auto at) { return at.load(from); }) : T(0);
      const auto far = pset1<typename V::Packet>(guess);
      auto off = pset1<typename V::Packet>(T(0)), squares = off;
      vectors.each([&](auto at) {
        const auto d = at.only(psub(at.load(from), far));
        off = padd(off, d), squares = pmadd(d, d, squares);
      });
      const T rest = center ? share * predux(off) : T(0);
      const T m = guess + rest, square = share * predux(squares) - rest * rest;
      const T s = T(1.0 / std::sqrt(double(square < T(0) ? T(0) : square) + epsilon));
      statistics[2 * i] = m;
      statistics[2 * i + 1] = s;
      const auto mean = pset1<typename V::Packet>(m), scale = pset1<typename V::Packet>(s);
      vectors.each([&](auto at) {
        auto normal = pmul(psub(at.load(from), mean), scale);
        if (weight) normal = pmul(normal, at.load(weight));
        if (bias) normal = padd(normal, at.load(bias));
        at.store(to, normal);
      });
    }
  });
}

template <class T>
void Norm::norm_rows_gradient(index_t rows, index_t n, bool center, const T* x, const T* weight, const T* statistics,
                              const T* dy, GradientSlot<T> dx, GradientSlot<T> dweight, GradientSlot<T> dbias) {
  if (dx)
    parallel_for(rows, detail::row_grain(2 * n), [&](index_t begin, index_t end) {
      using namespace simd;
      using V = RowVectors<T>;
      const V vectors(n);
      const T share = T(1) / T(n > 0 ? n : 1);
      for (index_t i = begin; i < end; ++i) {
        const T *from = x + i * n, *top = dy + i * n;
        T* const to = dx.data + i * n;
        const auto m = pset1<typename V::Packet>(statistics[2 * i]),
                   s = pset1<typename V::Packet>(statistics[2 * i + 1]);
        auto sum = pset1<typename V::Packet>(T(0)), product = sum;
        const auto slope = [&](auto at) { return weight ? pmul(at.load(top), at.load(weight)) : at.load(top); };
        const auto normal = [&](auto at) { return pmul(psub(at.load(from), m), s); };
        vectors.each([&](auto at) {
          const auto g = at.only(slope(at));
          sum = padd(sum, g), product = pmadd(g, normal(at), product);
        });
        const auto inner = pset1<typename V::Packet>(share * predux(product));
        const auto mean = pset1<typename V::Packet>(center ? share * predux(sum) : T(0));
        vectors.each([&](auto at) {
          auto d = pmul(s, psub(psub(slope(at), mean), pmul(normal(at), inner)));
          if (!dx.fresh) d = padd(at.load(to), d);
          at.store(to, d);
        });
      }
    });
  if (!dweight && !dbias) return;
  const List<double> total = fold_rows(rows, 2 * n, [&](index_t i, double* piece) {
    const T *from = x + i * n, *top = dy + i * n;
    const T m = statistics[2 * i], s = statistics[2 * i + 1];
    for (index_t j = 0; j < n; ++j) piece[j] += double(top[j]) * double((from[j] - m) * s);
    for (index_t j = 0; j < n; ++j) piece[n + j] += double(top[j]);
  });
  for (index_t j = 0; j < n; ++j) {
    if (dweight) dweight.put(j, T(total[std::size_t(j)]));
    if (dbias) dbias.put(j, T(total[std::size_t(n + j)]));
  }
}

#define LACUNA_DETAIL_NORM(T)                                                                                    \
  LACUNA_PRECOMPILE(                                                                                             \
      template void Norm::norm_rows(index_t, index_t, bool, double, const T*, const T*, const T*, T*, T*))       \
  LACUNA_PRECOMPILE(template void Norm::norm_rows_gradient(index_t, index_t, bool, const T*, const T*, const T*, \
                                                           const T*, GradientSlot<T>, GradientSlot<T>,           \
                                                           GradientSlot<T>))
LACUNA_DETAIL_NORM(float)
LACUNA_DETAIL_NORM(double)
#undef LACUNA_DETAIL_NORM

}  // namespace lacuna::cpu
