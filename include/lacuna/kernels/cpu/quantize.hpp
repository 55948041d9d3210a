/// Weights in eight bits: half the memory of bf16, and half the time of what waits for it.
///
///     const StoredArray small = cpu::Quantize::q8(weight);      // (out, in), to be multiplied like any other
///
/// Groups of 32 numbers along a row share a factor f = max |w| / 127, rounded up to bf16; stored are the factor and
/// round(w / f) in −127..127. Error of a number: at most f / 2, so at most 0.4 % of the largest of its group.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "lacuna/core/threads.hpp"
#include "lacuna/kernels/cpu/widen.hpp"

namespace lacuna::cpu {

struct Quantize {
  /// The matrix in groups of q8; one that is in q8 already stays as it is. Parallel over rows; numbers that are not
  /// finite make the numbers of their group NaN.
  static StoredArray q8(const StoredArray& weight) {
    if (weight.type == StoredType::q8) return weight;
    const index_t out = weight.shape[0], in = weight.shape[1], row = bytes_of(StoredType::q8, in);
    const auto bytes = std::make_shared<std::vector<std::uint8_t>>(std::size_t(out * row));
    parallel_for(out, std::max<index_t>(1, 65536 / std::max<index_t>(in, 1)), [&](index_t begin, index_t end) {
      std::vector<float> numbers(std::size_t(row / q8_bytes * q8_group));  // zeros behind the last
      for (index_t i = begin; i < end; ++i) {
        Widen::widen(weight.type, in, weight.row(i), numbers.data());
        for (index_t g = 0; g < row / q8_bytes; ++g)
          group(numbers.data() + g * q8_group, bytes->data() + i * row + g * q8_bytes);
      }
    });
    return {StoredType::q8, weight.shape, bytes->data(), bytes, weight.where};
  }

 private:
  static void group(const float* numbers, std::uint8_t* to) {
    float largest = 0;
    bool finite = true;
    for (index_t i = 0; i < q8_group; ++i) {
      largest = std::max(largest, std::abs(numbers[i]));
      finite &= std::isfinite(numbers[i]);
    }
    const auto exact = std::bit_cast<std::uint32_t>(largest / 127);
    const auto bits = std::uint16_t(finite ? (exact + 0xFFFF) >> 16 : 0x7FC0);  // up: nothing is cut off
    std::memcpy(to, &bits, 2);
    const float factor = Widen::brain(bits), times = largest > 0 && finite ? 1 / factor : 0;
    for (index_t i = 0; i < q8_group; ++i)
      to[2 + i] = std::bit_cast<std::uint8_t>(std::int8_t(finite ? std::lrint(numbers[i] * times) : 1));
  }
};

}  // namespace lacuna::cpu
