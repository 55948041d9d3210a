/// Making presence masks. 1 = present, 0 = absent.
#pragma once

#include <span>

#include "lacuna/core/tensor.hpp"

namespace lacuna {

/// lengths (B) -> (B, frames): row b has its first lengths[b] frames present.
/// Throws ShapeError when a length is negative or exceeds `frames`.
inline Mask<2> mask_from_lengths(std::span<const index_t> lengths, index_t frames) {
  Mask<2> mask({index_t(lengths.size()), frames});
  for (index_t b = 0; b < index_t(lengths.size()); ++b) {
    const index_t length = lengths[std::size_t(b)];
    if (length < 0 || length > frames)
      throw ShapeError(detail::cat("mask_from_lengths: length ", length, " of sample ", b, " is outside 0..", frames));
    for (index_t t = 0; t < frames; ++t) mask(b, t) = t < length;
  }
  return mask;
}

}  // namespace lacuna
