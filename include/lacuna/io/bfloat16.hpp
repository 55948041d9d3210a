/// bfloat16, the upper half of a binary32: to float exactly, from float to nearest, ties to even.
#pragma once

#include <bit>
#include <cstdint>

namespace lacuna::io {

inline float bfloat16_to_float(std::uint16_t upper) { return std::bit_cast<float>(std::uint32_t(upper) << 16); }

inline std::uint16_t float_to_bfloat16(float number) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(number);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return std::uint16_t((bits >> 16) | 0x40u);  // NaN stays NaN
  return std::uint16_t((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}

}  // namespace lacuna::io
