/// Counting what a mask leaves.
#pragma once

#include "lacuna/core/mask.hpp"

namespace lacuna::test {

/// How many frames of sample n a mask [N,T] leaves.
inline index_t count(const Mask<2>& mask, index_t n) {
  index_t sum = 0;
  for (index_t t = 0; t < mask.extent(1); ++t) sum += mask(n, t);
  return sum;
}

}  // namespace lacuna::test
