/// What the losses over rows share: sums over rows in a fixed order, log-softmax, rows of unit length, moves of rows.
/// Policy: formulas in double; a row's gradient is written by one thread.
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "lacuna/core/tensor.hpp"
#include "lacuna/core/threads.hpp"

namespace lacuna::cpu {

/// Σ_i f(i, scratch) over rows, each worth about `cost` elementary operations, with `scratch` doubles per thread.
template <class F>
double sum_rows(index_t rows, index_t cost, index_t scratch, F&& f) {
  return parallel_sum(rows, detail::row_grain(cost), [&](index_t begin, index_t end) {
    List<double> room(static_cast<std::size_t>(scratch));
    double sum = 0;
    for (index_t i = begin; i < end; ++i) sum += f(i, room.data());
    return sum;
  });
}

/// out_k = z_k s − log Σ_j exp(z_j s), s the inverse temperature. Returns the log of the sum. n > 0.
template <class T>
double log_softmax(index_t n, const T* z, double s, double* out) {
  double largest = double(z[0]) * s, sum = 0;
  for (index_t k = 0; k < n; ++k) {
    out[k] = double(z[k]) * s;
    largest = std::max(largest, out[k]);
  }
  for (index_t k = 0; k < n; ++k) sum += std::exp(out[k] - largest);
  const double log_sum = largest + std::log(sum);
  for (index_t k = 0; k < n; ++k) out[k] -= log_sum;
  return log_sum;
}

/// log(1 + eˣ) and its slope, without overflow.
inline double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }
inline double logistic(double x) {
  const double e = std::exp(-std::abs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

/// Σ a_f b_f in double.
template <class A, class B>
double inner(index_t n, const A* a, const B* b) {
  double sum = 0;
  for (index_t f = 0; f < n; ++f) sum += double(a[f]) * double(b[f]);
  return sum;
}

/// Rows x_i / max(‖x_i‖, floor), and the way back. A row shorter than the floor is only scaled.
template <class T>
struct UnitRows {
  index_t rows, width;
  double floor;
  Array<T> unit;
  List<double> length;

  UnitRows(index_t n, index_t d, const T* x, double least)
      : rows(n), width(d), floor(least), unit(Shape{n, d}), length(static_cast<std::size_t>(n)) {
    parallel_for(n, detail::row_grain(2 * d), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) {
        const double norm = std::sqrt(inner(d, x + i * d, x + i * d)), scale = 1 / std::max(norm, floor);
        length[std::size_t(i)] = norm;
        for (index_t f = 0; f < d; ++f) unit.data()[i * d + f] = T(double(x[i * d + f]) * scale);
      }
    });
  }
  const T* data() const { return unit.data(); }
  /// gradient += what the gradient `du` of the unit rows means for x.
  void back(const T* du, T* gradient) const {
    parallel_for(rows, detail::row_grain(4 * width), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) {
        const T *u = unit.data() + i * width, *g = du + i * width;
        const double norm = length[std::size_t(i)], along = norm > floor ? inner(width, u, g) : 0.0;
        const double scale = 1 / std::max(norm, floor);
        for (index_t f = 0; f < width; ++f) gradient[i * width + f] += T(scale * (double(g[f]) - along * double(u[f])));
      }
    });
  }
};

struct LossRows {
  /// to_i = from_row(i)
  template <class T, class Row>
  static void gather_rows(index_t count, index_t width, const T* from, Row row, T* to) {
    parallel_for(count, detail::row_grain(width), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) std::copy_n(from + row(i) * width, width, to + i * width);
    });
  }
  /// to_row(i) = from_i
  template <class T, class Row>
  static void scatter_rows(index_t count, index_t width, const T* from, Row row, T* to) {
    parallel_for(count, detail::row_grain(width), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) std::copy_n(from + i * width, width, to + row(i) * width);
    });
  }
};

}  // namespace lacuna::cpu
