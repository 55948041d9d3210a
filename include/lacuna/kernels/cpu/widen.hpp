/// Numbers of 8, 16, 32 and 64 bits as a file keeps them, to float or double. Exact but from wider types to float.
///
/// Policy: loops without branches over any address, so that compilers make vector instructions of them; the result goes
/// to a small block that stays in cache until a product has used it.
#pragma once

#include <bit>
#include <cstring>
#ifdef __F16C__
#include <immintrin.h>
#endif

#include "lacuna/core/stored.hpp"

namespace lacuna::cpu {

struct Widen {
  template <class T>
  static void widen(StoredType type, index_t count, const std::uint8_t* from, T* to) {
    switch (type) {
      case StoredType::f64:
        return from_wide<double>(count, from, to);
      case StoredType::f32:
        return from_wide<float>(count, from, to);
      case StoredType::bf16:
        for (index_t i = 0; i < count; ++i) to[i] = T(brain(load<std::uint16_t>(from, i)));
        return;
      case StoredType::f16:
#ifdef __F16C__
        if constexpr (sizeof(T) == 4) {
          index_t done = 0;
          for (; done + 8 <= count; done += 8)
            _mm256_storeu_ps(to + done,
                             _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 2 * done))));
          from += 2 * done, to += done, count -= done;
        }
#endif
        for (index_t i = 0; i < count; ++i) to[i] = T(half(load<std::uint16_t>(from, i)));
        return;
      case StoredType::q8:
        for (; count > 0; count -= q8_group, from += q8_bytes, to += q8_group) {
          const auto factor = T(brain(load<std::uint16_t>(from, 0)));
          const index_t some = count < q8_group ? count : q8_group;
          for (index_t i = 0; i < some; ++i) to[i] = factor * T(load<std::int8_t>(from + 2, i));
        }
        return;
    }
  }
  static float brain(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t(bits) << 16); }

 private:
  template <class Number>
  static Number load(const std::uint8_t* from, index_t i) {
    Number number;
    std::memcpy(&number, from + i * index_t(sizeof(Number)), sizeof(Number));
    return number;
  }
  template <class Number, class T>
  static void from_wide(index_t count, const std::uint8_t* from, T* to) {
    if constexpr (sizeof(Number) == sizeof(T)) {
      if (count > 0) std::memcpy(to, from, std::size_t(count) * sizeof(T));
    } else {
      for (index_t i = 0; i < count; ++i) to[i] = T(load<Number>(from, i));
    }
  }
  /// The exponent of a half read as that of a float is 112 too small, subnormals included; only infinity and NaN are
  /// not reached by multiplying.
  static float half(std::uint16_t bits) {
    const std::uint32_t magnitude = (bits & 0x7FFFu) << 13;
    const float scaled = std::bit_cast<float>(magnitude) * 0x1p112f;
    const std::uint32_t special = magnitude >= 0x0F800000u ? 0x7F800000u : 0u;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(scaled) | special | ((bits & 0x8000u) << 16));
  }
};

}  // namespace lacuna::cpu
