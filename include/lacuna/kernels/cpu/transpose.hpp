/// Small transpositions between rows of few numbers and planes of vectors. Policy: whole vectors through Eigen's
/// register transposition where the sizes allow it, one number at a time elsewhere; nothing is computed.
#pragma once

#include "lacuna/core/shape.hpp"
#include "lacuna/kernels/cpu/packet.hpp"

// g++ warns that a template argument which is a vector register drops its alignment; Eigen's transposition asks for
// one.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"

namespace lacuna::cpu {

struct Transpose {
  template <class T>
  using Packet = simd::Packet<T>;
  template <class T>
  static constexpr index_t lanes = simd::lanes<T>;

  /// Rows of four: to[c · stride + j] = from(j)[c], j < count. from(j): where row j starts.
  template <class T, class From>
  static void fours_to_planes(index_t count, From&& from, index_t stride, T* to) {
    using namespace simd;
    index_t j = 0;
    if constexpr (has_four<T>) {
      for (; j + 4 <= count; j += 4) {
        PacketBlock<Four<T>, 4> block;
        for (index_t i = 0; i < 4; ++i) block.packet[i] = ploadu<Four<T>>(from(j + i));
        ptranspose(block);
        for (index_t c = 0; c < 4; ++c) pstoreu(to + c * stride + j, block.packet[c]);
      }
    }
    for (; j < count; ++j)
      for (index_t c = 0; c < 4; ++c) to[c * stride + j] = from(j)[c];
  }
  /// The way back: put(j, four numbers), j < count, `put` given a register or, at the end, a pointer.
  template <class T, class To>
  static void planes_to_fours(index_t count, const T* from, index_t stride, To&& to) {
    using namespace simd;
    index_t j = 0;
    if constexpr (has_four<T>) {
      for (; j + 4 <= count; j += 4) {
        PacketBlock<Four<T>, 4> block;
        for (index_t c = 0; c < 4; ++c) block.packet[c] = ploadu<Four<T>>(from + c * stride + j);
        ptranspose(block);
        for (index_t i = 0; i < 4; ++i) pstoreu(to(j + i), block.packet[i]);
      }
    }
    for (; j < count; ++j)
      for (index_t c = 0; c < 4; ++c) to(j)[c] = from[c * stride + j];
  }

  /// A vector of rows: to[j · lanes + l] = from[l · stride + j], l < rows ≤ lanes, j < columns; zeros for l ≥ rows.
  template <class T>
  static void rows_to_planes(index_t rows, index_t columns, const T* from, index_t stride, T* to) {
    using namespace simd;
    constexpr index_t L = lanes<T>;
    index_t j = 0;
    if constexpr (L > 1) {
      for (; j + L <= columns; j += L) {
        PacketBlock<Packet<T>, int(L)> block;
        for (index_t l = 0; l < L; ++l)
          block.packet[l] = l < rows ? ploadu<Packet<T>>(from + l * stride + j) : pset1<Packet<T>>(T(0));
        ptranspose(block);
        for (index_t i = 0; i < L; ++i) pstoreu(to + (j + i) * L, block.packet[i]);
      }
    }
    for (; j < columns; ++j) {
      for (index_t l = 0; l < rows; ++l) to[j * L + l] = from[l * stride + j];
      for (index_t l = rows; l < L; ++l) to[j * L + l] = T(0);
    }
  }
  /// The way back: to[l · stride + j] = from[j · lanes + l].
  template <class T>
  static void planes_to_rows(index_t rows, index_t columns, const T* from, index_t stride, T* to) {
    using namespace simd;
    constexpr index_t L = lanes<T>;
    index_t j = 0;
    if constexpr (L > 1) {
      for (; j + L <= columns; j += L) {
        PacketBlock<Packet<T>, int(L)> block;
        for (index_t i = 0; i < L; ++i) block.packet[i] = ploadu<Packet<T>>(from + (j + i) * L);
        ptranspose(block);
        for (index_t l = 0; l < rows; ++l) pstoreu(to + l * stride + j, block.packet[l]);
      }
    }
    for (; j < columns; ++j)
      for (index_t l = 0; l < rows; ++l) to[l * stride + j] = from[j * L + l];
  }

  /// Σ over the lanes of each of four vectors.
  template <class T>
  static void sums_of_four(const Packet<T> (&x)[4], T* to) {
    using namespace simd;
    if constexpr (has_four<T>) {
      PacketBlock<Four<T>, 4> block;
      for (int c = 0; c < 4; ++c) block.packet[c] = folded(x[c]);
      ptranspose(block);
      pstoreu(to, padd(padd(block.packet[0], block.packet[2]), padd(block.packet[1], block.packet[3])));
    } else {
      for (int c = 0; c < 4; ++c) to[c] = predux(x[c]);
    }
  }

 private:
  /// The register of four numbers of T, found by halving; the whole one where it is smaller.
  template <class P>
  static auto halved() {
    if constexpr (simd::lanes_of<P> <= 4)
      return P{};
    else
      return halved<simd::Half<P>>();
  }
  template <class T>
  using Four = decltype(halved<Packet<T>>());
  template <class T>
  static constexpr bool has_four = simd::lanes_of<Four<T>> == 4;

  template <class P>
  static auto folded(const P& x) {
    if constexpr (simd::lanes_of<P> <= 4)
      return x;
    else
      return folded(simd::add_halves(x));
  }
};

}  // namespace lacuna::cpu

#pragma GCC diagnostic pop
