/// Sums over arrays and over rows. Policy: run.cuh; totals that the host asks for cost one wait for the device.
#pragma once

#include "lacuna/kernels/cuda/run.cuh"
#include "lacuna/kernels/groups.hpp"

namespace lacuna::cuda {

template <class Run>
struct Reduce {
  template <class T>
  static double sum(index_t n, const T* x) {
    return cuda::sum<Run>("sum", n, [=] LACUNA_DEVICE(index_t i) { return double(x[i]); });
  }
  /// Σ (a_i - b_i)²
  template <class T>
  static double squared_distance(index_t n, const T* a, const T* b) {
    return cuda::sum<Run>("squared_distance", n, [=] LACUNA_DEVICE(index_t i) {
      const double apart = double(a[i]) - double(b[i]);
      return apart * apart;
    });
  }
  /// slot_j (+)= Σ_i x_ij over the rows of (rows, columns): the gradient of a bias.
  template <class T>
  static void column_sums(index_t rows, index_t columns, const T* x, GradientSlot<T> slot) {
    column_sums_grouped(rows, columns, x, Groups<GradientSlot<T>>::one(slot));
  }
  /// The same for each group of `rows` rows.
  template <class T>
  static void column_sums_grouped(index_t rows, index_t columns, const T* x, Groups<GradientSlot<T>> slots) {
    const Divider by_columns(columns, slots.count * columns);
    fold_into<Run>(
        "column_sums", rows, slots.count * columns,
        [=] LACUNA_DEVICE(index_t i, index_t j) {
          const index_t group = by_columns.quotient(j);
          return double(x[(group * (rows - 1) + i) * columns + j]);
        },
        [=] LACUNA_DEVICE(index_t j, double sum) {
          const index_t group = by_columns.quotient(j);
          if (slots.of[group]) slots.of[group].put(j - group * columns, T(sum));
        });
  }
};

}  // namespace lacuna::cuda
