/// Products with weights that were laid out beforehand: what a model that only answers saves in every call.
///
/// Policy: the layout is that of the blocks `Gemm` makes of a transposed operand anew every time, and sums run in its
/// order, so that both give the same bits. Up to `few` rows are multiplied without any layout, by `Gemm` itself: their time
/// goes into reading the weight. From there to `Gemm::few`, where that one has no layout either, panels are twice as fast,
/// and the last bits differ.
#pragma once

#include "lacuna/kernels/cpu/gemm.hpp"

namespace lacuna::cpu {

/// A weight (out, in), for y = x Wᵀ: blocks of the depth one behind the other, in each the panels of its columns.
struct PackedGemm {
  static constexpr index_t few = 3;  ///< up to here the layout is not read

  /// How many numbers the layout has.
  template <class T>
  static index_t size(index_t out, index_t in) {
    return padded<T>(out) * in;
  }
  template <class T>
  static void pack(index_t out, index_t in, const T* weight, T* to) {
    using P = Panel<T>;
    for (index_t p = 0; p < in; p += Gemm::depth_block) {
      const index_t depth = least(in - p, Gemm::depth_block);
      for (index_t j = 0; j < out; j += P::columns)
        P::pack_right(least(out - j, P::columns), depth, weight + j * in + p, in, true, width<T>(out - j),
                      to + p * padded<T>(out) + j * depth);
    }
  }
  /// c (m, n) = a (m, k) Bᵀ, tiles in parallel, `finish` and `alike` as in Gemm::gemm. weight (n, k), and the same packed.
  template <class T, class Finish>
  static void gemm(index_t m, index_t n, index_t k, const T* a, const T* weight, const T* packed, T* c, Finish&& finish,
                   bool alike = false) {
    const bool unpacked = k == 0 || (!alike && m <= few);
    Gemm::for_tiles(m, n, k, [&](index_t row, index_t rows, index_t column, index_t columns) {
      T* const to = c + row * n + column;
      if (unpacked)
        Gemm::serial<T>(true, rows, columns, k, {a + row * k, k}, {weight + column * k, k, true}, T(0), to, n);
      else
        serial(rows, columns, k, a + row * k, k, packed, column, n, T(0), to);
      finish(row, rows, column, columns);
    });
  }
  /// c (m, n) += a (m, k) Bᵀ on the calling thread, in the order of Gemm::gemm_serial; rows of a at `a_stride`.
  template <class T>
  static void add_serial(index_t m, index_t n, index_t k, const T* a, index_t a_stride, const T* packed, T* c) {
    serial(m, n, k, a, a_stride, packed, index_t(0), n, T(1), c);
  }

 private:
  static constexpr index_t row_block = 252;  ///< a block of A and a panel of B in the second cache
  static constexpr index_t near = 512;       ///< rows of A up to this stride are read where they are

  static index_t least(index_t x, index_t y) { return x < y ? x : y; }
  template <class T>
  static index_t padded(index_t out) {
    constexpr index_t lanes = Panel<T>::lanes;
    return (out + lanes - 1) / lanes * lanes;
  }
  template <class T>
  static index_t width(index_t left) {
    return left > Panel<T>::lanes ? Panel<T>::columns : Panel<T>::lanes;
  }
  /// Columns from `first` on, a multiple of a panel's, of all n. A panel of B stays in the first cache while all rows
  /// of the block pass by it: it comes from far away, they do not. What is read next is asked for before it is needed:
  /// the rows behind those that are being packed, and the panel of B behind the one in use, a part of it by every tile.
  /// start: the factor of what stands in c.
  template <class T>
  static void serial(index_t m, index_t columns, index_t k, const T* a, index_t a_stride, const T* packed,
                     index_t first, index_t n, T start, T* c) {
    using P = Panel<T>;
    const index_t high = least(m, row_block), deep = least(k, Gemm::depth_block);
    const bool in_place = a_stride <= near;
    const Gemm::Room<T> room((high + P::rows) * deep + P::lanes);
    T* const left = room.numbers;
    for (index_t i = 0; i < m; i += high) {
      const index_t rows = least(high, m - i), tiles = (rows + P::rows - 1) / P::rows;
      for (index_t p = 0; p < k; p += deep) {
        const index_t depth = least(deep, k - p);
        const T* const block = packed + p * padded<T>(n);
        const T beta = p == 0 ? start : T(1);
        for (index_t j = 0; j < columns; j += P::columns) {
          const index_t many = least(P::columns, columns - j), stride = width<T>(n - first - j);
          const T* const right = block + (first + j) * depth;
          const index_t lines = (depth * stride * index_t(sizeof(T)) / P::Ahead::line + tiles - 1) / tiles;
          typename P::Ahead ahead{reinterpret_cast<const char*>(right + depth * stride), lines};
          for (index_t r = 0; r < rows; r += P::panel_rows(rows - r)) {
            const index_t panel = P::panel_rows(rows - r), count = least(panel, rows - r);
            const T* const source = a + (i + r) * a_stride + p;
            T* const to = c + (i + r) * n + j;
            if (in_place && count == P::rows) {
              if (many > P::lanes)
                P::template tile<P::rows, 2, P::Left::rows>(depth, source, a_stride, right, stride, beta, to, n, count,
                                                            many, ahead);
              else
                P::template tile<P::rows, 1, P::Left::rows>(depth, source, a_stride, right, stride, beta, to, n, count,
                                                            many, ahead);
            } else {
              T* const from = left + r * depth;
              if (j == 0) {
                P::pack_left(count, depth, source, a_stride, false, panel, from);
                ask_for(least(count, rows - r - count), depth, source + count * a_stride, a_stride);
              }
              if (many > P::lanes)
                P::template tile_of<2>(depth, from, panel, right, stride, beta, to, n, count, many, ahead);
              else
                P::template tile_of<1>(depth, from, panel, right, stride, beta, to, n, count, many, ahead);
            }
            ahead.from += lines * P::Ahead::line;
          }
        }
      }
    }
  }
  template <class T>
  static void ask_for(index_t rows, index_t depth, const T* a, index_t stride) {
    constexpr index_t step = Panel<T>::Ahead::line / index_t(sizeof(T));
    for (index_t i = 0; i < rows; ++i)
      for (index_t q = 0; q < depth; q += step) __builtin_prefetch(a + i * stride + q);
  }
};

}  // namespace lacuna::cpu
