/// The inner parts of the matrix product: packing, and the tile of C that stays in registers.
///
/// Policy: A is packed in panels of `rows` rows, or read where it is, B in panels of one or two vectors of columns; the
/// innermost loop runs along the depth and keeps a whole tile of C in registers. Every element of C is one fused sum over a block of the
/// depth, in order, so its bits do not depend on how C is cut.
#pragma once

#include <cstring>

#include "lacuna/core/shape.hpp"
#include "lacuna/kernels/cpu/packet.hpp"

// g++ warns that a template argument which is a vector register drops its alignment; Eigen's transposition asks for
// one.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"

namespace lacuna::cpu {

template <class T>
struct Panel {
  using Packet = simd::Packet<T>;
  static constexpr index_t lanes = simd::lanes<T>;
  static constexpr int rows = simd::registers >= 32 ? 14 : 6;  ///< two vectors each, and some to spare
  static constexpr index_t columns = 2 * lanes;

  /// Memory that a tile asks for while it computes, because a later one will read it.
  struct Ahead {
    static constexpr index_t line = 64;  ///< bytes
    const char* from = nullptr;
    index_t lines = 0;
  };

  /// How the rows of A that meet a tile lie: side by side, element (i, p) at p · stride + i, or one behind the other, at
  /// i · stride + p.
  enum class Left { panel, rows };

  /// C (count rows, width columns) = beta C + A B over `depth`; count ≤ R, width at most V vectors.
  /// a: R rows are read, whatever `count` is. b: element (p, j) at p · b_stride + j.
  template <int R, int V, Left L = Left::panel>
  static void tile(index_t depth, const T* a, index_t a_stride, const T* b, index_t b_stride, T beta, T* c, index_t ldc,
                   index_t count, index_t width, Ahead ahead = {}) {
    using namespace simd;
    for (index_t i = 0; i < count; ++i) __builtin_prefetch(c + i * ldc, 1);  // read or written behind the loop
    Packet sum[std::size_t(R)][std::size_t(V)];
#pragma GCC unroll 16
    for (int i = 0; i < R; ++i)
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) sum[i][v] = pset1<Packet>(T(0));
    constexpr int group = 3;  // an address holds a base and once or twice a stride
    const T* base[std::size_t((R + group - 1) / group)];
    if constexpr (L == Left::rows)
      for (int g = 0; g < (R + group - 1) / group; ++g) base[g] = a + group * g * a_stride;
    const auto step = [&]() __attribute__((always_inline)) {
      Packet column[std::size_t(V)];
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) column[v] = ploadu<Packet>(b + v * lanes);
#pragma GCC unroll 16
      for (int i = 0; i < R; ++i) {
        const Packet left = pset1<Packet>(L == Left::panel ? a[i] : base[i / group][i % group * a_stride]);
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) sum[i][v] = pmadd(left, column[v], sum[i][v]);
      }
      if constexpr (L == Left::panel) {
        a += a_stride;
      } else {
#pragma GCC unroll 8
        for (auto& from : base) ++from;
      }
      b += b_stride;
    };
    index_t p = 0;
    for (; ahead.lines > 0 && p < depth; ++p, --ahead.lines, ahead.from += Ahead::line) {
      __builtin_prefetch(ahead.from, 0, 2);  // to the second cache: the first is full of what is in use
      step();
    }
    for (; p < depth; ++p) step();
    T row[std::size_t(V * lanes)];
#pragma GCC unroll 16
    for (int i = 0; i < R; ++i) {
      if (i == count) return;
      T* const to = c + i * ldc;
      if (width == V * lanes) {
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) {
          if (beta != T(0)) sum[i][v] = padd(pmul(pset1<Packet>(beta), ploadu<Packet>(to + v * lanes)), sum[i][v]);
          pstoreu(to + v * lanes, sum[i][v]);
        }
      } else {
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) pstoreu(row + v * lanes, sum[i][v]);
        for (index_t j = 0; j < width; ++j) to[j] = (beta == T(0) ? T(0) : beta * to[j]) + row[j];
      }
    }
  }
  /// The same for `count` rows in a panel of the next larger size.
  template <int V>
  static void tile_of(index_t depth, const T* a, index_t a_stride, const T* b, index_t b_stride, T beta, T* c,
                      index_t ldc, index_t count, index_t width, Ahead ahead = {}) {
    switch (panel_rows(count)) {
      case rows:
        return tile<rows, V>(depth, a, a_stride, b, b_stride, beta, c, ldc, count, width, ahead);
      case 8:
        return tile<8, V>(depth, a, a_stride, b, b_stride, beta, c, ldc, count, width, ahead);
      case 4:
        return tile<4, V>(depth, a, a_stride, b, b_stride, beta, c, ldc, count, width, ahead);
      default:
        return tile<1, V>(depth, a, a_stride, b, b_stride, beta, c, ldc, count, width, ahead);
    }
  }
  /// Sizes of panels: all rows that are left, or `rows` of them.
  static constexpr index_t panel_rows(index_t left) {
    return left == 1 ? 1 : left <= 4 ? 4 : left <= 8 && rows > 8 ? 8 : rows;
  }

  /// Element (i, p) of (count, depth) to p · width + i, zeros behind the last row. Writes up to `lanes` numbers behind
  /// the end.
  static void pack_left(index_t count, index_t depth, const T* a, index_t stride, bool transposed, index_t width,
                        T* to) {
    using namespace simd;
    index_t p = 0;
    if constexpr (lanes > 1) {
      if (!transposed && width > 1 && width <= lanes) {
        PacketBlock<Packet, int(lanes)> block;
        for (; p + lanes <= depth; p += lanes) {
          for (index_t i = 0; i < lanes; ++i)
            block.packet[i] = i < count ? ploadu<Packet>(a + i * stride + p) : pset1<Packet>(T(0));
          ptranspose(block);
          for (index_t i = 0; i < lanes; ++i) pstoreu(to + (p + i) * width, block.packet[i]);
        }
      }
    }
    for (; p < depth; ++p) {
      if (transposed) {
        copy(count, a + p * stride, to + p * width);
      } else {
        for (index_t i = 0; i < count; ++i) to[p * width + i] = a[i * stride + p];
      }
      for (index_t i = count; i < width; ++i) to[p * width + i] = T(0);
    }
  }
  /// Element (p, j) of (depth, count) to p · width + j, zeros behind the last column.
  static void pack_right(index_t count, index_t depth, const T* b, index_t stride, bool transposed, index_t width,
                         T* to) {
    using namespace simd;
    if (!transposed) {
      for (index_t p = 0; p < depth; ++p) {
        copy(count, b + p * stride, to + p * width);
        for (index_t j = count; j < width; ++j) to[p * width + j] = T(0);
      }
      return;
    }
    index_t p = 0;
    if constexpr (lanes > 1) {
      PacketBlock<Packet, int(lanes)> block;
      for (; p + lanes <= depth; p += lanes)
        for (index_t j = 0; j < width; j += lanes) {
          for (index_t i = 0; i < lanes; ++i)
            block.packet[i] = j + i < count ? ploadu<Packet>(b + (j + i) * stride + p) : pset1<Packet>(T(0));
          ptranspose(block);
          for (index_t i = 0; i < lanes; ++i) pstoreu(to + (p + i) * width + j, block.packet[i]);
        }
    }
    for (; p < depth; ++p)
      for (index_t j = 0; j < width; ++j) to[p * width + j] = j < count ? b[j * stride + p] : T(0);
  }

  /// The same for whole panels side by side of a matrix that is not transposed, (depth, panels · columns), row by row:
  /// one panel after the other would read a line of every row, far apart, and wait for each.
  static void pack_rows(index_t panels, index_t depth, const T* b, index_t stride, T* to) {
    for (index_t p = 0; p < depth; ++p)
      for (index_t s = 0; s < panels; ++s)
        for (index_t l = 0; l < columns; ++l) to[(s * depth + p) * columns + l] = b[p * stride + s * columns + l];
  }

  /// C (R, S) = beta C + A Bᵀ, both running along the depth: what few rows need, without packing. Column s of C is at
  /// s · c_step. `fetch`: B comes from far away and goes on behind the depth; every sum has the same bits for any R and S.
  template <int R, int S>
  static void dots(index_t depth, const T* a, index_t a_stride, const T* b, index_t b_stride, T beta, T* c, index_t ldc,
                   index_t c_step = 1, bool fetch = false) {
    using namespace simd;
    constexpr int groups = (S + 3) / 4;
    constexpr index_t line = Ahead::line / index_t(sizeof(T)), far = 1024 / index_t(sizeof(T));
    Packet sum[std::size_t(R)][std::size_t(groups * 4)];
#pragma GCC unroll 4
    for (int i = 0; i < R; ++i)
#pragma GCC unroll 4
      for (int j = 0; j < groups * 4; ++j) sum[i][j] = pset1<Packet>(T(0));
    const auto step = [&](index_t p) __attribute__((always_inline)) {
      Packet left[std::size_t(R)];
#pragma GCC unroll 4
      for (int i = 0; i < R; ++i) left[i] = ploadu<Packet>(a + i * a_stride + p);
#pragma GCC unroll 4
      for (int j = 0; j < S; ++j) {
        const Packet right = ploadu<Packet>(b + j * b_stride + p);
#pragma GCC unroll 4
        for (int i = 0; i < R; ++i) sum[i][j] = pmadd(left[i], right, sum[i][j]);
      }
    };
    index_t p = 0;
    if (fetch)
      for (; p + line <= depth; p += line) {
#pragma GCC unroll 4
        for (int j = 0; j < S; ++j) __builtin_prefetch(b + j * b_stride + p + far);
#pragma GCC unroll 4
        for (index_t q = 0; q < line; q += lanes) step(p + q);
      }
    for (; p + lanes <= depth; p += lanes) step(p);
#pragma GCC unroll 4
    for (int i = 0; i < R; ++i) {
      T total[std::size_t(groups * 4)];
#pragma GCC unroll 2
      for (int g = 0; g < groups; ++g) four_sums(sum[i] + 4 * g, total + 4 * g);
#pragma GCC unroll 4
      for (int j = 0; j < S; ++j) {
        T rest = total[j];
        for (index_t q = p; q < depth; ++q) rest += a[i * a_stride + q] * b[j * b_stride + q];
        T& to = c[i * ldc + j * c_step];
        to = (beta == T(0) ? T(0) : beta * to) + rest;
      }
    }
  }

 private:
  /// The sums over the lanes of four registers: halved until four lanes are left, which are added as columns.
  template <class Register>
  static void four_sums(const Register* x, T* total) {
    using namespace simd;
    if constexpr (lanes_of<Register> < 4) {
      for (int j = 0; j < 4; ++j) total[j] = predux(x[j]);
    } else if constexpr (lanes_of<Register> == 4) {
      PacketBlock<Register, 4> block{{x[0], x[1], x[2], x[3]}};
      ptranspose(block);
      pstoreu(total, padd(padd(block.packet[0], block.packet[2]), padd(block.packet[1], block.packet[3])));
    } else {
      const Half<Register> half[4] = {add_halves(x[0]), add_halves(x[1]), add_halves(x[2]), add_halves(x[3])};
      four_sums(half, total);
    }
  }
  static void copy(index_t count, const T* from, T* to) {
    if (count == rows) {
      std::memcpy(to, from, rows * sizeof(T));  // a known size: no call
    } else if (count == columns) {
      std::memcpy(to, from, columns * sizeof(T));
    } else {
      for (index_t i = 0; i < count; ++i) to[i] = from[i];
    }
  }
};

}  // namespace lacuna::cpu

#pragma GCC diagnostic pop
