/// Sums and maxima of one row in a fixed order of sixteen interleaved parts: compilers vectorise it without being
/// allowed to reorder anything, and the bits depend on the length alone.
#pragma once

#include "lacuna/core/shape.hpp"

namespace lacuna::cpu {

inline constexpr index_t lane_count = 16;

/// Σ f(i), i < n, accumulated in S.
template <class S, class F>
S lane_sum(index_t n, F f) {
  S part[lane_count] = {};
  index_t i = 0;
  for (; i + lane_count <= n; i += lane_count)
    for (index_t l = 0; l < lane_count; ++l) part[l] += S(f(i + l));
  for (index_t l = 0; i < n; ++i, ++l) part[l] += S(f(i));
  for (index_t half = lane_count / 2; half > 0; half /= 2)
    for (index_t l = 0; l < half; ++l) part[l] += part[l + half];
  return part[0];
}

/// Largest of x_0 .. x_{n-1}, n > 0; a NaN among them may or may not be skipped.
template <class T>
T lane_max(index_t n, const T* x) {
  if (n < lane_count) {
    T largest = x[0];
    for (index_t i = 1; i < n; ++i) largest = x[i] > largest ? x[i] : largest;
    return largest;
  }
  T part[lane_count];
  for (index_t l = 0; l < lane_count; ++l) part[l] = x[l];
  index_t i = lane_count;
  for (; i + lane_count <= n; i += lane_count)
    for (index_t l = 0; l < lane_count; ++l) part[l] = x[i + l] > part[l] ? x[i + l] : part[l];
  for (; i < n; ++i) part[0] = x[i] > part[0] ? x[i] : part[0];
  for (index_t l = 1; l < lane_count; ++l) part[0] = part[l] > part[0] ? part[l] : part[0];
  return part[0];
}

}  // namespace lacuna::cpu
