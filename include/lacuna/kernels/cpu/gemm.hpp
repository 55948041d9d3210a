/// Matrix product, C = beta C + op(A) op(B), all row-major.
///
/// Policy: one entry point, so that the four layouts share one micro-kernel; C is cut into tiles, each of which is one
/// sequential product over the whole depth. Every element is summed in an order that depends on the sizes of the whole
/// product alone, not on the tile that it is in: the same bits with any number of threads, though there are no more
/// tiles than these need, because every tile packs its operands anew. Blocks of the operands are packed to stay in the second cache, panels of them in the first (Goto & van de
/// Geijn 2008); what lies in the right order already is read where it is.
#pragma once

#include <type_traits>

#include "lacuna/core/device.hpp"
#include "lacuna/core/precompile.hpp"
#include "lacuna/core/threads.hpp"
#include "lacuna/kernels/cpu/blas.hpp"
#include "lacuna/kernels/cpu/gemm_panel.hpp"

namespace lacuna::cpu {

/// A row-major matrix operand: element (i, j) is data[i * stride + j], or data[j * stride + i] when transposed.
template <class T>
struct Operand {
  const T* data;
  index_t stride;
  bool transposed = false;

  Operand rows_from(index_t i) const { return {data + (transposed ? i : i * stride), stride, transposed}; }
  Operand columns_from(index_t j) const { return {data + (transposed ? j * stride : j), stride, transposed}; }
};

struct Gemm {
  static constexpr index_t few = 16;  ///< up to here, rows meet a transposed matrix that is not packed

  /// One tile on the calling thread.
  template <class T>
  static void gemm_serial(index_t m, index_t n, index_t k, Operand<T> a, Operand<T> b, T beta, T* c, index_t ldc);

  /// All of C, tiles in parallel. `finish(row, rows, column, columns)` runs on each tile while it is in cache. With `alike`
  /// a row has the same bits among few rows as among many.
  template <class T, class Finish>
  static void gemm(index_t m, index_t n, index_t k, Operand<T> a, Operand<T> b, T beta, T* c, index_t ldc,
                   Finish&& finish, bool alike = false) {
    const bool unpacked = !alike && is_few(m, a, b);
    for_tiles(m, n, k, [&](index_t row, index_t rows, index_t column, index_t columns) {
      serial(unpacked, rows, columns, k, a.rows_from(row), b.columns_from(column), beta, c + row * ldc + column, ldc);
      finish(row, rows, column, columns);
    });
  }
  template <class T>
  static void gemm(index_t m, index_t n, index_t k, Operand<T> a, Operand<T> b, T beta, T* c, index_t ldc) {
    gemm(m, n, k, a, b, beta, c, ldc, [](index_t, index_t, index_t, index_t) {});
  }

 private:
  friend struct PackedGemm;
  static constexpr index_t depth_block = 256, row_block = 168, column_block = 512;

  /// Few rows times a transposed matrix: packing it would cost as much as multiplying.
  template <class T>
  static bool is_few(index_t m, const Operand<T>& a, const Operand<T>& b) {
    return m <= few && b.transposed && !a.transposed;
  }
  template <class T>
  static void serial(bool unpacked, index_t m, index_t n, index_t k, Operand<T> a, Operand<T> b, T beta, T* c,
                     index_t ldc);

  /// f(row, rows, column, columns) for tiles of C (m, n), in parallel: rows or columns of it.
  template <class F>
  static void for_tiles(index_t m, index_t n, index_t k, F&& f) {
    if (m == 0 || n == 0) return;
    const bool by_rows = m >= n;
    const index_t length = by_rows ? m : n;
    // below some ten microseconds waking a thread costs more than it brings
    const bool small = double(m) * double(n) * double(k > 0 ? k : 1) < 2e6;
    const index_t unit = by_rows ? 28 : 32, tiles = small ? 1 : tile_count(length);
    const index_t grain = ((length + tiles - 1) / tiles + unit - 1) / unit * unit;  // whole panels, no thin tile
    parallel_for(length, grain, [&](index_t begin, index_t end) {
      if (by_rows)
        f(begin, end - begin, index_t(0), n);
      else
        f(index_t(0), m, begin, end - begin);
    });
  }

  /// One tile for every thread; more where they are so large that packing stays cheap and `finish` should find them in
  /// cache. A BLAS adds in orders of its own: there the borders depend on the length alone.
  static index_t tile_count(index_t length) {
    if (Blas::used) return 8;
    const index_t team = detail::team(), wanted = length < 512 ? 1 : length < 2048 ? length / 256 : 8;
    return (wanted + team - 1) / team * team;
  }

  /// Memory from the pool, given back at the end.
  template <class T>
  struct Room {
    std::size_t bytes;
    T* numbers;
    explicit Room(index_t n) : bytes(std::size_t(n) * sizeof(T)), numbers(static_cast<T*>(Cpu::allocate(bytes))) {}
    ~Room() { Cpu::deallocate(numbers, bytes); }
    Room(const Room&) = delete;
    Room& operator=(const Room&) = delete;
  };

  /// Four rows of B at a time, times all rows of A while they are in the first cache. The four are read side by side, each
  /// from a stretch of its own whose rows follow one another: streams that the processor fetches ahead, where four rows
  /// next to each other would be one that starts anew every time. From memory that is four to six times as fast.
  template <class T>
  static void few_rows(index_t m, index_t n, index_t k, Operand<T> a, Operand<T> b, T beta, T* c, index_t ldc) {
    using P = Panel<T>;
    constexpr int streams = 4;
    const index_t stretch = n / streams;
    const auto meet = [&]<int S>(std::integral_constant<int, S>, index_t j) {
      const T* const right = b.data + j * b.stride;
      index_t i = 0;
      while (i < m) {
        const auto rows = [&]<int R>(std::integral_constant<int, R>) {
          P::template dots<R, S>(k, a.data + i * a.stride, a.stride, right, stretch * b.stride, beta, c + i * ldc + j,
                                 ldc, stretch, i == 0);
          i += R;
        };
        if (m - i >= 5 || m - i == 3)
          rows(std::integral_constant<int, 3>());
        else if (m - i >= 2)
          rows(std::integral_constant<int, 2>());
        else
          rows(std::integral_constant<int, 1>());
      }
    };
    for (index_t j = 0; j < stretch; ++j) meet(std::integral_constant<int, streams>(), j);
    for (index_t j = stretch * streams; j < n; ++j) meet(std::integral_constant<int, 1>(), j);
  }

  /// A block of C: the panels of A times those of B. a_panel(i), b_panel(j): the panel that starts at row i or column
  /// j, and its stride.
  template <class T, class LeftPanel, class RightPanel>
  static void block(index_t m, index_t n, index_t k, LeftPanel&& a_panel, RightPanel&& b_panel, T beta, T* c,
                    index_t ldc) {
    using P = Panel<T>;
    for (index_t i = 0; i < m;) {
      const index_t width = P::panel_rows(m - i), rows = m - i < width ? m - i : width;
      const auto [left, left_stride] = a_panel(i);
      for (index_t j = 0; j < n; j += P::columns) {
        const index_t columns = n - j < P::columns ? n - j : P::columns;
        const auto [right, stride] = b_panel(j);
        T* const to = c + i * ldc + j;
        if (columns > P::lanes)
          P::template tile_of<2>(k, left, left_stride, right, stride, beta, to, ldc, rows, columns);
        else
          P::template tile_of<1>(k, left, left_stride, right, stride, beta, to, ldc, rows, columns);
      }
      i += rows;
    }
  }
};

template <class T>
void Gemm::gemm_serial(index_t m, index_t n, index_t k, Operand<T> a, Operand<T> b, T beta, T* c, index_t ldc) {
  serial(is_few(m, a, b), m, n, k, a, b, beta, c, ldc);
}

template <class T>
void Gemm::serial(bool unpacked, index_t m, index_t n, index_t k, Operand<T> a, Operand<T> b, T beta, T* c,
                  index_t ldc) {
  using P = Panel<T>;
  if (m == 0 || n == 0) return;  // there may be no memory to point to
  if (k == 0) {
    for (index_t i = 0; i < m; ++i)
      for (index_t j = 0; j < n; ++j) c[i * ldc + j] = beta == T(0) ? T(0) : beta * c[i * ldc + j];
    return;
  }
#ifdef LACUNA_USE_BLAS
  if (double(m) * double(n) * double(k) > 65536)
    return Blas::gemm(m, n, k, a.data, a.stride, a.transposed, b.data, b.stride, b.transposed, beta, c, ldc);
#endif
  if (unpacked) return few_rows(m, n, k, a, b, beta, c, ldc);
  const auto least = [](index_t x, index_t y) { return x < y ? x : y; };
  const index_t deep = least(k, depth_block), high = least(m, row_block), wide = least(n, column_block);
  const bool direct = !b.transposed && m <= 2 * P::rows;  // too few rows to be worth a copy of B
  // the rows of a transposed A stand side by side already; far apart, the lines of a panel would share cache sets
  const bool in_place = a.transposed && a.stride <= 1024;
  const auto panel_width = [](index_t left) { return left > P::lanes ? P::columns : P::lanes; };
  const Room<T> room((high + P::rows) * deep + P::lanes + (direct ? P::columns * deep : (wide + P::columns) * deep));
  T *const left = room.numbers, *const right = left + (high + P::rows) * deep + P::lanes;
  for (index_t j = 0; j < n; j += wide) {
    const index_t columns = least(wide, n - j);
    for (index_t p = 0; p < k; p += deep) {
      const index_t depth = least(deep, k - p);
      const T factor = p == 0 ? beta : T(1);
      const Operand<T> source =
          (b.transposed ? Operand<T>{b.data + p, b.stride, true} : Operand<T>{b.data + p * b.stride, b.stride})
              .columns_from(j);
      const index_t tail =
          columns % P::lanes == 0 ? columns : columns / P::columns * P::columns;  // packed from here on
      const index_t whole = direct || b.transposed ? 0 : columns / P::columns;
      P::pack_rows(whole, depth, source.data, b.stride, right);
      for (index_t s = direct ? tail : whole * P::columns; s < columns; s += P::columns)
        P::pack_right(least(P::columns, columns - s), depth, source.columns_from(s).data, b.stride, b.transposed,
                      panel_width(columns - s), right + (direct ? 0 : s * depth));
      for (index_t i = 0; i < m; i += high) {
        const index_t rows = least(high, m - i);
        const Operand<T> from =
            (a.transposed ? Operand<T>{a.data + p * a.stride, a.stride, true} : Operand<T>{a.data + p, a.stride})
                .rows_from(i);
        for (index_t r = 0; r < rows;) {
          const index_t width = P::panel_rows(rows - r);
          if (!in_place || rows - r < width)
            P::pack_left(least(width, rows - r), depth, from.rows_from(r).data, a.stride, a.transposed, width,
                         left + r * depth);
          r += width;
        }
        struct At {
          const T* data;
          index_t stride;
        };
        const auto left_panel = [&](index_t r) {
          const index_t width = P::panel_rows(rows - r);
          return in_place && rows - r >= width ? At{from.data + r, a.stride} : At{left + r * depth, width};
        };
        const auto panel = [&](index_t s) {
          if (direct && s < tail) return At{source.data + s, b.stride};
          return At{right + (direct ? 0 : s * depth), panel_width(columns - s)};
        };
        block(rows, columns, depth, left_panel, panel, factor, c + i * ldc + j, ldc);
      }
    }
  }
}

#define LACUNA_DETAIL_GEMM(T) \
  LACUNA_PRECOMPILE(template void Gemm::serial(bool, index_t, index_t, index_t, Operand<T>, Operand<T>, T, T*, index_t))
LACUNA_DETAIL_GEMM(float)
LACUNA_DETAIL_GEMM(double)
#undef LACUNA_DETAIL_GEMM

}  // namespace lacuna::cpu
