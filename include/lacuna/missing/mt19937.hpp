/// NumPy's legacy generator, bit for bit: what `numpy.random.seed(s); numpy.random.uniform(...)` draws.
///
/// For masks that must equal those of published Python code; everything else here draws from core/random.hpp.
/// MT19937 (Matsumoto & Nishimura 1998) seeded with x_0 = seed, x_i = 1812433253 (x_{i−1} xor x_{i−1} >> 30) + i.
#pragma once

#include <cstdint>

namespace lacuna::missing {

class Mt19937 {
 public:
  explicit Mt19937(std::uint32_t seed) {
    words_[0] = seed;
    for (std::uint32_t i = 1; i < size; ++i) words_[i] = 1812433253u * (words_[i - 1] ^ (words_[i - 1] >> 30)) + i;
  }

  /// The next 32 bits.
  std::uint32_t word() {
    if (next_ == size) refill();
    std::uint32_t x = words_[next_++];
    x ^= x >> 11;
    x ^= (x << 7) & 0x9D2C5680u;
    x ^= (x << 15) & 0xEFC60000u;
    return x ^ (x >> 18);
  }
  /// Uniform in [0, 1) with 53 bits, from two words.
  double uniform() {
    const std::uint32_t a = word() >> 5, b = word() >> 6;
    return (double(a) * 67108864.0 + double(b)) / 9007199254740992.0;
  }
  double uniform(double low, double high) {
    const volatile double scaled = (high - low) * uniform();  // rounded as NumPy does: not fused with the addition
    return low + scaled;
  }

 private:
  static constexpr std::uint32_t size = 624, shift = 397;

  void refill() {
    for (std::uint32_t i = 0; i < size; ++i) {
      const std::uint32_t y = (words_[i] & 0x80000000u) | (words_[(i + 1) % size] & 0x7FFFFFFFu);
      words_[i] = words_[(i + shift) % size] ^ (y >> 1) ^ (y & 1 ? 0x9908B0DFu : 0u);
    }
    next_ = 0;
  }

  std::uint32_t words_[size];
  std::uint32_t next_ = size;
};

}  // namespace lacuna::missing
