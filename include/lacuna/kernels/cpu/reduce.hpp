/// Reductions. Policy: fixed chunks combined in order, sums accumulated in double: the same bits with any number of threads.
#pragma once

#include "lacuna/core/gradient_slot.hpp"
#include "lacuna/core/threads.hpp"

namespace lacuna::cpu {

struct Reduce {
  template <class T>
  static double sum(index_t n, const T* x) {
    return parallel_sum(n, detail::element_grain, [&](index_t begin, index_t end) {
      double total = 0;
      for (index_t i = begin; i < end; ++i) total += double(x[i]);
      return total;
    });
  }
  /// Σ (a_i - b_i)²
  template <class T>
  static double squared_distance(index_t n, const T* a, const T* b) {
    return parallel_sum(n, detail::element_grain, [&](index_t begin, index_t end) {
      double total = 0;
      for (index_t i = begin; i < end; ++i) {
        const double difference = double(a[i]) - double(b[i]);
        total += difference * difference;
      }
      return total;
    });
  }
  /// slot_j (+)= Σ_i x_ij over the rows of (rows, columns): the gradient of a bias.
  template <class T>
  static void column_sums(index_t rows, index_t columns, const T* x, GradientSlot<T> slot) {
    constexpr index_t width = 64;
    parallel_for(columns, rows * columns < detail::element_grain ? columns : width, [&](index_t first, index_t last) {
      for (index_t begin = first; begin < last; begin += width) {
        const index_t count = begin + width < last ? width : last - begin;
        double total[width] = {};
        for (index_t i = 0; i < rows; ++i) {
          const T* row = x + i * columns + begin;
          for (index_t j = 0; j < count; ++j) total[j] += double(row[j]);
        }
        for (index_t j = 0; j < count; ++j) slot.put(begin + j, T(total[j]));
      }
    });
  }
};

}  // namespace lacuna::cpu
