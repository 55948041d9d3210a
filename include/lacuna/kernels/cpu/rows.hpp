/// Rows: scaled by a number each, looked up, added to every block. Policy: rows with factor 0 are not read.
#pragma once

#include "lacuna/core/gradient_slot.hpp"
#include "lacuna/core/threads.hpp"

namespace lacuna::cpu {

struct RowMoves {
  /// y_ij (+)= factor_i x_ij over (rows, width); a row with factor 0 becomes zeros whatever it holds.
  template <class T, class F>
  static void scale_rows(index_t rows, index_t width, const F* factor, const T* x, GradientSlot<T> y) {
    parallel_for(rows, detail::row_grain(width), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) {
        const T f = T(factor[i]);
        for (index_t j = i * width; j < (i + 1) * width; ++j) y.put(j, f == T(0) ? T(0) : f * x[j]);
      }
    });
  }
  /// y_i = table row of id_i
  template <class T>
  static void lookup(index_t count, index_t width, const index_t* id, const T* table, T* y) {
    parallel_for(count, detail::row_grain(width), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i)
        for (index_t j = 0; j < width; ++j) y[i * width + j] = table[id[i] * width + j];
    });
  }
  /// slot row of id_i += dy_i, in the order of i; ids equal to `skip` add nothing. Parallel over columns.
  template <class T>
  static void lookup_gradient(index_t count, index_t rows, index_t width, const index_t* id, index_t skip, const T* dy,
                              GradientSlot<T> slot) {
    parallel_for(width, count * width < detail::element_grain ? width : 16, [&](index_t begin, index_t end) {
      if (slot.fresh)
        for (index_t i = 0; i < rows; ++i)
          for (index_t j = begin; j < end; ++j) slot.data[i * width + j] = T(0);
      for (index_t i = 0; i < count; ++i) {
        if (id[i] == skip) continue;
        for (index_t j = begin; j < end; ++j) slot.data[id[i] * width + j] += dy[i * width + j];
      }
    });
  }
  /// y = x + block, the block (inner) added to each of `outer` blocks of x; x may be null for zeros.
  template <class T>
  static void add_block(index_t outer, index_t inner, const T* x, const T* block, T* y) {
    parallel_for(outer, detail::row_grain(inner), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i)
        for (index_t j = 0; j < inner; ++j) y[i * inner + j] = (x ? x[i * inner + j] : T(0)) + block[j];
    });
  }
};

}  // namespace lacuna::cpu
