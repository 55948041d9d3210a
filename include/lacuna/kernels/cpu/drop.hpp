/// Dropout over runs of elements. Policy: sixteen blocks of the generator at a time; nothing is stored between forward
/// and backward, because element i of a stream always has the same word.
#pragma once

#include <bit>
#include <type_traits>

#include "lacuna/core/gradient_slot.hpp"
#include "lacuna/kernels/functors.hpp"

namespace lacuna::cpu {

/// f(j, run, word) over runs that together are 0 .. count - 1: word[l] ≥ threshold says whether element first + j + l
/// stays, l < run. `run` is a constant of the type where it is a whole one, so that loops over it need no rest.
template <class F>
void for_drawn(const functors::Keep& keep, index_t first, index_t count, F f) {
  PhiloxLanes words;
  for (index_t j = 0; j < count;) {
    const index_t at = (first + j) % 64, run = count - j < 64 - at ? count - j : 64 - at;
    words.fill(std::uint64_t(first + j) / 64 * 16, keep.stream.id, keep.stream.key);
    if (run == 64)
      f(j, std::integral_constant<index_t, 64>(), words.word);
    else
      f(j, run, words.word + at);
    j += run;
  }
}

/// number or 0. By bits: of a choice compilers make a branch, and of a loop with one no vectors.
template <class T>
T kept_or_zero(bool kept, T number) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  return std::bit_cast<T>(std::bit_cast<Bits>(number) & (Bits(0) - Bits(kept)));
}

/// y_j (+)= x_j k_{first + j}, j < count, k = scale or 0: the factors of elements first .. of an array. x and y.data
/// may be the same.
template <class T>
void drop_run(const functors::Keep& keep, index_t first, index_t count, const T* x, GradientSlot<T> y) {
  for_drawn(keep, first, count, [&](index_t j, auto run, const std::uint32_t* word) {
    const T scale = T(keep.scale);
    const std::uint32_t threshold = keep.threshold;
    const T* const from = x + j;
    T* const to = y.data + j;
    if (y.fresh) {
#ifdef _OPENMP
#pragma omp simd
#endif
      for (index_t l = 0; l < run; ++l) to[l] = kept_or_zero(word[l] >= threshold, from[l] * scale);
    } else {
#ifdef _OPENMP
#pragma omp simd
#endif
      for (index_t l = 0; l < run; ++l) to[l] += kept_or_zero(word[l] >= threshold, from[l] * scale);
    }
  });
}
template <class T>
void drop_run(const functors::Keep& keep, index_t first, index_t count, const T* x, T* y) {
  drop_run(keep, first, count, x, GradientSlot<T>{y, true});
}

/// k_j, the factors themselves.
template <class T>
void drop_factors(const functors::Keep& keep, index_t first, index_t count, T* k) {
  for_drawn(keep, first, count, [&](index_t j, auto run, const std::uint32_t* word) {
    const T scale = T(keep.scale);
    const std::uint32_t threshold = keep.threshold;
    T* const to = k + j;
#ifdef _OPENMP
#pragma omp simd
#endif
    for (index_t l = 0; l < run; ++l) to[l] = kept_or_zero(word[l] >= threshold, scale);
  });
}

}  // namespace lacuna::cpu
