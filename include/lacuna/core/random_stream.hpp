/// Counter-based randomness: number i of stream s under key k is a pure function of (k, s, i), the same on every device
/// and for every number of threads.  Philox4x32-10 (Salmon, Moraes, Dror & Shaw, SC 2011).
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "lacuna/core/host_device.hpp"
#include "lacuna/core/recording.hpp"
#include "lacuna/core/shape.hpp"

#if (defined(__AVX512F__) || defined(__AVX2__)) && !defined(__CUDACC__)
#include <immintrin.h>
#if defined(__AVX512F__)
#define LACUNA_DETAIL_PHILOX_512 1
#else
#define LACUNA_DETAIL_PHILOX_256 1
#endif
#endif

namespace lacuna {

struct PhiloxBlock {
  std::uint32_t word[4];
};

/// Ten rounds of Philox4x32 over a 128-bit counter under a 64-bit key.
LACUNA_HD inline PhiloxBlock philox(std::uint64_t low, std::uint64_t high, std::uint64_t key) {
  std::uint32_t c0 = std::uint32_t(low), c1 = std::uint32_t(low >> 32);
  std::uint32_t c2 = std::uint32_t(high), c3 = std::uint32_t(high >> 32);
  std::uint32_t k0 = std::uint32_t(key), k1 = std::uint32_t(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t(0xD2511F53u) * c0;
    const std::uint64_t p1 = std::uint64_t(0xCD9E8D57u) * c2;
    c0 = std::uint32_t(p1 >> 32) ^ c1 ^ k0;
    c1 = std::uint32_t(p1);
    c2 = std::uint32_t(p0 >> 32) ^ c3 ^ k1;
    c3 = std::uint32_t(p0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

/// Sixteen consecutive blocks of one stream, side by side: word[16 w + l] is word w of block first + l.
struct PhiloxLanes {
  static constexpr int lanes = 16;
  std::uint32_t word[4 * lanes];

#ifdef LACUNA_DETAIL_PHILOX_512
  /// Eight blocks in the low halves of 64-bit lanes: the products need no shuffles, and what stands in the high halves
  /// is never read.
  void fill(std::uint64_t first, std::uint64_t high, std::uint64_t key) {
    const auto all = [](std::uint32_t x) { return _mm512_set1_epi64(static_cast<long long>(x)); };
    const __m512i m0 = all(0xD2511F53u), m1 = all(0xCD9E8D57u), place = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
    for (int half = 0; half < 2; ++half) {
      __m512i c0 = _mm512_add_epi64(_mm512_set1_epi64(static_cast<long long>(first + std::uint64_t(8 * half))), place);
      __m512i c1 = _mm512_srli_epi64(c0, 32), c2 = all(std::uint32_t(high)), c3 = all(std::uint32_t(high >> 32));
      std::uint32_t k0 = std::uint32_t(key), k1 = std::uint32_t(key >> 32);
#pragma GCC unroll 10
      for (int round = 0; round < 10; ++round) {
        const __m512i p0 = _mm512_mul_epu32(m0, c0), p1 = _mm512_mul_epu32(m1, c2);
        c0 = _mm512_xor_si512(_mm512_xor_si512(_mm512_srli_epi64(p1, 32), c1), all(k0));
        c1 = p1;
        c2 = _mm512_xor_si512(_mm512_xor_si512(_mm512_srli_epi64(p0, 32), c3), all(k1));
        c3 = p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
      }
      const __m512i words[4] = {c0, c1, c2, c3};
      for (int w = 0; w < 4; ++w)
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(word + lanes * w + 8 * half), _mm512_cvtepi64_epi32(words[w]));
    }
  }
#elif defined(LACUNA_DETAIL_PHILOX_256)
  /// The same with four blocks in a register, and two registers at a time, so that one waits less for the other.
  void fill(std::uint64_t first, std::uint64_t high, std::uint64_t key) {
    const auto all = [](std::uint32_t x) { return _mm256_set1_epi64x(static_cast<long long>(x)); };
    const __m256i m0 = all(0xD2511F53u), m1 = all(0xCD9E8D57u), place = _mm256_set_epi64x(3, 2, 1, 0);
    for (int half = 0; half < 2; ++half) {
      __m256i c0[2], c1[2], c2[2], c3[2];
      for (int r = 0; r < 2; ++r) {
        const std::uint64_t begin = first + std::uint64_t(8 * half + 4 * r);
        c0[r] = _mm256_add_epi64(_mm256_set1_epi64x(static_cast<long long>(begin)), place);
        c1[r] = _mm256_srli_epi64(c0[r], 32);
        c2[r] = all(std::uint32_t(high));
        c3[r] = all(std::uint32_t(high >> 32));
      }
      std::uint32_t k0 = std::uint32_t(key), k1 = std::uint32_t(key >> 32);
#pragma GCC unroll 10
      for (int round = 0; round < 10; ++round) {
#pragma GCC unroll 2
        for (int r = 0; r < 2; ++r) {
          const __m256i p0 = _mm256_mul_epu32(m0, c0[r]), p1 = _mm256_mul_epu32(m1, c2[r]);
          c0[r] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p1, 32), c1[r]), all(k0));
          c1[r] = p1;
          c2[r] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p0, 32), c3[r]), all(k1));
          c3[r] = p0;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
      }
      const __m256i* const words[4] = {c0, c1, c2, c3};
      for (int w = 0; w < 4; ++w) {  // the low halves of eight 64-bit lanes, in order
        const __m256i low = _mm256_shuffle_epi32(words[w][0], 0x88), next = _mm256_shuffle_epi32(words[w][1], 0x88);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(word + lanes * w + 8 * half),
                            _mm256_permute4x64_epi64(_mm256_blend_epi32(low, next, 0xCC), 0xD8));
      }
    }
  }
#else
  /// All ten rounds of one lane stay in registers; the loop over lanes is the one that is vectorised.
  void fill(std::uint64_t first, std::uint64_t high, std::uint64_t key) {
#ifdef _OPENMP
#pragma omp simd
#endif
    for (int l = 0; l < lanes; ++l) {
      std::uint32_t c0 = std::uint32_t(first + std::uint64_t(l)), c1 = std::uint32_t((first + std::uint64_t(l)) >> 32);
      std::uint32_t c2 = std::uint32_t(high), c3 = std::uint32_t(high >> 32);
      std::uint32_t k0 = std::uint32_t(key), k1 = std::uint32_t(key >> 32);
#ifndef __CUDACC__  // nvcc does not know it
#pragma GCC unroll 10
#endif
      for (int round = 0; round < 10; ++round) {
        const std::uint64_t p0 = std::uint64_t(0xD2511F53u) * c0, p1 = std::uint64_t(0xCD9E8D57u) * c2;
        c0 = std::uint32_t(p1 >> 32) ^ c1 ^ k0;
        c1 = std::uint32_t(p1);
        c2 = std::uint32_t(p0 >> 32) ^ c3 ^ k1;
        c3 = std::uint32_t(p0);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
      }
      word[l] = c0;
      word[lanes + l] = c1;
      word[2 * lanes + l] = c2;
      word[3 * lanes + l] = c3;
    }
  }
#endif
};

/// One stream of 32-bit words, addressed by index; safe to read from many threads.
struct RandomStream {
  std::uint64_t key = 0, id = 0;
  /// Where work is replayed on a device: how many streams were drawn since it was recorded, in that device's memory.
  const std::uint64_t* ahead = nullptr;

  /// Throws NotReplayable where the host draws in a step that is being recorded.
  LACUNA_HD PhiloxBlock block(std::uint64_t i) const {
#ifndef __CUDA_ARCH__
    if (ahead != nullptr) detail::host_is_read("random numbers");
#endif
    return philox(i, ahead == nullptr ? id : id + *ahead, key);
  }
  LACUNA_HD std::uint32_t word(std::uint64_t i) const { return block(i >> 2).word[i & 3]; }
  /// Uniform in [0, 1) with 53 bits, from words 2i and 2i+1.
  LACUNA_HD double uniform(std::uint64_t i) const {
    const PhiloxBlock four = block(i >> 1);
    const std::uint32_t a = four.word[2 * (i & 1)], b = four.word[2 * (i & 1) + 1];
    return (double(a >> 5) * 67108864.0 + double(b >> 6)) / 9007199254740992.0;
  }
  /// Standard normal (Box and Muller).
  double normal(std::uint64_t i) const {
    const double u = 1.0 - uniform(2 * i), v = uniform(2 * i + 1);
    return std::sqrt(-2.0 * std::log(u)) * std::cos(6.283185307179586476925286766559 * v);
  }
};

}  // namespace lacuna
