/// A few rows of float times a weight matrix as the file keeps it: what a language model that writes does all the time.
///
/// Policy: such a product waits for memory, so every number of the matrix is read once, in its own width, and widened in
/// a register. Four rows of the matrix are read side by side, each from a stretch of its own whose rows follow one
/// another: four streams that the processor fetches ahead. Every sum runs along its row in one order, whatever the other
/// rows and columns are: the same bits with any number of threads, beams and borders.
#pragma once

#include <array>

#include "lacuna/kernels/cpu/packet.hpp"
#include "lacuna/kernels/cpu/widen.hpp"

namespace lacuna::cpu {

struct StoredRows {
  static constexpr index_t lanes = simd::lanes<float>;
  using Packet = simd::Packet<float>;

  /// y (rows, out) = x (rows, in) Wᵀ for the columns begin .. end − 1; W (out, in) of numbers of 8 to 32 bits.
  static void columns(index_t rows, const StoredArray& weight, const float* x, index_t begin, index_t end, float* y) {
    switch (weight.type) {
      case StoredType::f32:
        return columns_of<StoredType::f32>(rows, weight, x, begin, end, y);
      case StoredType::f16:
        return columns_of<StoredType::f16>(rows, weight, x, begin, end, y);
      case StoredType::bf16:
        return columns_of<StoredType::bf16>(rows, weight, x, begin, end, y);
      case StoredType::q8:
        return columns_of<StoredType::q8>(rows, weight, x, begin, end, y);
      case StoredType::f64:
        break;  // no product of float reads these
    }
  }

 private:
  static constexpr index_t streams = 4, ahead = 1024;  ///< bytes

  template <StoredType type>
  static void columns_of(index_t rows, const StoredArray& weight, const float* x, index_t begin, index_t end,
                         float* y) {
    const index_t stretch = (end - begin) / streams, rest = begin + streams * stretch;
    for (index_t j = begin; j < begin + stretch; ++j) some<type, int(streams)>(rows, weight, x, j, stretch, y);
    for (index_t j = rest; j < end; ++j) some<type, 1>(rows, weight, x, j, 0, y);
  }
  /// The columns j, j + stretch, …, S of them.
  template <StoredType type, int S>
  static void some(index_t rows, const StoredArray& weight, const float* x, index_t j, index_t stretch, float* y) {
    std::array<const std::uint8_t*, std::size_t(S)> from;
    for (int s = 0; s < S; ++s) from[std::size_t(s)] = weight.row(j + s * stretch);
    const index_t in = weight.shape[1], out = weight.shape[0];
    index_t i = 0;
    for (; i + 2 <= rows; i += 2) dots<type, 2>(in, x + i * in, from, i == 0, y + i * out + j, out, stretch);
    if (i < rows) dots<type, 1>(in, x + i * in, from, i == 0, y + i * out + j, out, stretch);
  }
  template <StoredType type, int R, std::size_t S>
  static void dots(index_t depth, const float* x, const std::array<const std::uint8_t*, S>& from, bool fetch, float* y,
                   index_t y_stride, index_t stretch) {
    using namespace simd;
    Packet sum[std::size_t(R)][S];
#pragma GCC unroll 2
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
      for (std::size_t s = 0; s < S; ++s) sum[r][s] = pset1<Packet>(0.f);
    const auto step = [&](index_t p) __attribute__((always_inline)) {
      Packet left[std::size_t(R)];
#pragma GCC unroll 2
      for (int r = 0; r < R; ++r) left[r] = ploadu<Packet>(x + r * depth + p);
#pragma GCC unroll 4
      for (std::size_t s = 0; s < S; ++s) {
        const Packet right = wide<type>(from[s], p);
#pragma GCC unroll 2
        for (int r = 0; r < R; ++r) sum[r][s] = pmadd(left[r], right, sum[r][s]);
      }
    };
    index_t p = 0;
    if constexpr (type == StoredType::q8) {
      for (index_t at = 0; p + q8_group <= depth; p += q8_group, at += q8_bytes)
#pragma GCC unroll 4
        for (std::size_t s = 0; s < S; ++s) {
          if (fetch) __builtin_prefetch(from[s] + at + ahead);
          const std::uint8_t* const group = from[s] + at;
          Packet part[std::size_t(R)];
#pragma GCC unroll 8
          for (index_t v = 0; v < q8_group; v += lanes) {
            const Packet right = whole(group + 2 + v);
#pragma GCC unroll 2
            for (int r = 0; r < R; ++r) {
              const Packet left = ploadu<Packet>(x + r * depth + p + v);
              part[r] = v == 0 ? pmul(left, right) : pmadd(left, right, part[r]);
            }
          }
#pragma GCC unroll 2
          for (int r = 0; r < R; ++r) sum[r][s] = pmadd(factor(group), part[r], sum[r][s]);
        }
    }
    for (; type != StoredType::q8 && p + 4 * lanes <= depth; p += 4 * lanes) {
      if (fetch) {
#pragma GCC unroll 4
        for (std::size_t s = 0; s < S; ++s) {
          const std::uint8_t* const next = from[s] + bytes_of(type, p) + ahead;
          for (index_t b = 0; b < bytes_of(type, 4 * lanes); b += 64) __builtin_prefetch(next + b);
        }
      }
      step(p), step(p + lanes), step(p + 2 * lanes), step(p + 3 * lanes);
    }
    for (; p + lanes <= depth; p += lanes) step(p);  // in q8 inside of the last group
#pragma GCC unroll 4
    for (std::size_t s = 0; s < S; ++s) {
      float last[std::size_t(lanes)];  // fewer than a register, which may lie at the end of the file
      if (p < depth) tail<type>(from[s], p, depth - p, last);
#pragma GCC unroll 2
      for (int r = 0; r < R; ++r) {
        float total = predux(sum[r][s]);
        for (index_t q = p; q < depth; ++q) total += x[r * depth + q] * last[q - p];
        y[r * y_stride + index_t(s) * stretch] = total;
      }
    }
  }

  /// The numbers p .. p + lanes − 1 of a row; p a multiple of `lanes`.
  template <StoredType type>
  static Packet wide(const std::uint8_t* row, index_t p) {
    if constexpr (type == StoredType::q8) {
      const std::uint8_t* const group = row + p / q8_group * q8_bytes;
      return simd::pmul(factor(group), whole(group + 2 + p % q8_group));
    } else {
      [[maybe_unused]] const std::uint8_t* const from = row + bytes_of(type, p);
#if defined(__AVX512F__)
      if constexpr (lanes == 16 && type == StoredType::bf16)
        return _mm512_castsi512_ps(
            _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))), 16));
      else if constexpr (lanes == 16 && type == StoredType::f16)
        return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
      else
#endif
#if defined(__AVX2__)
          if constexpr (lanes == 8 && type == StoredType::bf16)
        return _mm256_castsi256_ps(
            _mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))), 16));
      else
#endif
      {
        float numbers[std::size_t(lanes)];
        Widen::widen(type, lanes, from, numbers);
        return simd::ploadu<Packet>(numbers);
      }
    }
  }
  static Packet factor(const std::uint8_t* group) {
    std::uint16_t bits;
    std::memcpy(&bits, group, 2);
    return simd::pset1<Packet>(Widen::brain(bits));
  }
  /// Numbers of eight bits.
  static Packet whole(const std::uint8_t* from) {
#if defined(__AVX512F__)
    if constexpr (lanes == 16)
      return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
    else
#endif
#if defined(__AVX2__)
        if constexpr (lanes == 8)
      return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
    else
#endif
    {
      float numbers[std::size_t(lanes)];
      for (index_t l = 0; l < lanes; ++l) numbers[l] = float(std::bit_cast<std::int8_t>(from[l]));
      return simd::ploadu<Packet>(numbers);
    }
  }
  template <StoredType type>
  static void tail(const std::uint8_t* row, index_t p, index_t count, float* to) {
    if constexpr (type == StoredType::q8) {
      float group[std::size_t(q8_group)];  // p may lie inside of one
      Widen::widen(type, q8_group, row + p / q8_group * q8_bytes, group);
      for (index_t i = 0; i < count; ++i) to[i] = group[p % q8_group + i];
    } else {
      Widen::widen(type, count, row + bytes_of(type, p), to);
    }
  }
};

}  // namespace lacuna::cpu
