/// Softmax and log-softmax over the middle axis of (outer, n, inner). Policy: a run along the axis is gathered into a
/// contiguous scratch row, so that one vectorised loop serves every axis; parallel over runs.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "lacuna/kernels/cpu/activation.hpp"
#include "lacuna/kernels/cpu/lanes.hpp"

namespace lacuna::cpu {

/// row ← softmax(row), n > 0. A row of −∞ (nothing allowed) becomes zeros: false then. NaN goes through.
template <class T>
bool softmax_run(T* row, index_t n) {
  const T largest = lane_max(n, row);
  if (largest == -std::numeric_limits<T>::infinity() &&
      std::all_of(row, row + n, [largest](T x) { return x == largest; })) {
    for (index_t j = 0; j < n; ++j) row[j] = T(0);
    return false;
  }
  for (index_t j = 0; j < n; ++j) row[j] -= largest;
  exp_run(row, n);
  const T factor = T(1) / lane_sum<T>(n, [row](index_t j) { return row[j]; });
  for (index_t j = 0; j < n; ++j) row[j] *= factor;
  return true;
}

struct Softmax {
  /// present like x, 1 = takes part, or null; absent entries become 0, and so does a run without any present one.
  template <class T>
  static void softmax_axis(index_t outer, index_t n, index_t inner, const T* x, const std::uint8_t* present, T* y) {
    for_runs<T>(outer, n, inner, [=](index_t from, T* row) {
      index_t count = 0;
      for (index_t j = 0; j < n; ++j)
        if (!present || present[from + j * inner]) row[count++] = x[from + j * inner];
      if (count) softmax_run(row, count);
      count = 0;
      for (index_t j = 0; j < n; ++j) y[from + j * inner] = !present || present[from + j * inner] ? row[count++] : T(0);
    });
  }
  /// slot += y (dy − Σ y dy)
  template <class T>
  static void softmax_axis_gradient(index_t outer, index_t n, index_t inner, const T* y, const T* dy,
                                    GradientSlot<T> slot) {
    for_runs<T>(outer, n, inner, [=](index_t from, T*) {
      const double mean =
          lane_sum<double>(n, [=](index_t j) { return double(y[from + j * inner]) * double(dy[from + j * inner]); });
      for (index_t i = from; i < from + n * inner; i += inner) slot.put(i, y[i] * (dy[i] - T(mean)));
    });
  }
  template <class T>
  static void log_softmax_axis(index_t outer, index_t n, index_t inner, const T* x, T* y) {
    for_runs<T>(outer, n, inner, [=](index_t from, T* row) {
      for (index_t j = 0; j < n; ++j) row[j] = x[from + j * inner];
      const T largest = lane_max(n, row);
      for (index_t j = 0; j < n; ++j) row[j] -= largest;
      exp_run(row, n);
      const T log_total = T(std::log(lane_sum<double>(n, [row](index_t j) { return row[j]; })));
      for (index_t j = 0; j < n; ++j) y[from + j * inner] = (x[from + j * inner] - largest) - log_total;
    });
  }
  /// slot += dy − eʸ Σ dy
  template <class T>
  static void log_softmax_axis_gradient(index_t outer, index_t n, index_t inner, const T* y, const T* dy,
                                        GradientSlot<T> slot) {
    for_runs<T>(outer, n, inner, [=](index_t from, T* row) {
      const T total = T(lane_sum<double>(n, [=](index_t j) { return dy[from + j * inner]; }));
      for (index_t j = 0; j < n; ++j) row[j] = y[from + j * inner];
      exp_run(row, n);
      for (index_t j = 0; j < n; ++j) slot.put(from + j * inner, dy[from + j * inner] - row[j] * total);
    });
  }

 private:
  /// f(offset of the run's first entry, scratch row of n)
  template <class T, class F>
  static void for_runs(index_t outer, index_t n, index_t inner, F&& f) {
    if (n == 0) return;
    parallel_for(outer * inner, detail::row_grain(4 * n), [&](index_t begin, index_t end) {
      List<T> row(static_cast<std::size_t>(n));
      for (index_t i = begin; i < end; ++i) f(i / inner * n * inner + i % inner, row.data());
    });
  }
};

}  // namespace lacuna::cpu
