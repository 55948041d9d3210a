/// Damage to files, the same in every run, and what a reader makes of it: each file must be read right or refused with
/// a lacuna::Error, and memory asked for must be in proportion to it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "io/allocation_meter.hpp"
#include "lacuna/core/error.hpp"
#include "lacuna/core/random.hpp"

namespace lacuna::test {

using Bytes = std::vector<std::uint8_t>;

inline std::uint8_t any_byte(Random& random) { return std::uint8_t(random.below(256)); }
inline std::size_t any_place(Random& random, const Bytes& bytes) {
  return std::size_t(random.below(index_t(bytes.size())));
}

/// A number that hurts, written over 1, 2, 4 or 8 bytes.
inline void splice_number(Random& random, Bytes& bytes) {
  static constexpr std::uint64_t nasty[] = {0,
                                            1,
                                            2,
                                            0x7F,
                                            0x80,
                                            0xFF,
                                            0x100,
                                            0x7FFF,
                                            0xFFFF,
                                            0x10000,
                                            0x7FFFFFFF,
                                            0x80000000,
                                            0xFFFFFFFE,
                                            0xFFFFFFFF,
                                            0x7FFFFFFFFFFFFFFF,
                                            0xFFFFFFFFFFFFFFFF};
  std::uint64_t number = nasty[random.below(std::size(nasty))];
  if (random.below(3) == 0) number = std::uint64_t(random.below(index_t(2 * bytes.size())));
  const std::size_t count = std::size_t(1) << random.below(4), at = any_place(random, bytes);
  for (std::size_t i = 0; i < count && at + i < bytes.size(); ++i) bytes[at + i] = std::uint8_t(number >> (8 * i));
}

inline Bytes mutate(Random& random, Bytes bytes, const Bytes& other) {
  for (index_t step = random.below(3); step >= 0 && !bytes.empty(); --step) {
    switch (random.below(8)) {
      case 0:
      case 1:
        for (index_t flips = 1 + random.below(4); flips > 0; --flips)
          bytes[any_place(random, bytes)] ^= std::uint8_t(1u << random.below(8));
        break;
      case 2:
        bytes[any_place(random, bytes)] = any_byte(random);
        break;
      case 3:
        bytes.resize(any_place(random, bytes));
        break;
      case 4:
        for (index_t more = 1 + random.below(64); more > 0; --more) bytes.push_back(any_byte(random));
        break;
      case 5:
        splice_number(random, bytes);
        break;
      case 6: {  // a piece of another file
        const std::size_t from = any_place(random, other), at = any_place(random, bytes);
        const std::size_t count = std::min({std::size_t(1 + random.below(80)), other.size() - from, bytes.size() - at});
        std::copy_n(other.begin() + std::ptrdiff_t(from), count, bytes.begin() + std::ptrdiff_t(at));
        break;
      }
      default: {  // bytes taken out, or doubled
        const std::size_t at = any_place(random, bytes),
                          count = std::min(std::size_t(1 + random.below(40)), bytes.size() - at);
        const Bytes piece(bytes.begin() + std::ptrdiff_t(at), bytes.begin() + std::ptrdiff_t(at + count));
        if (random.below(2) == 0)
          bytes.erase(bytes.begin() + std::ptrdiff_t(at), bytes.begin() + std::ptrdiff_t(at + count));
        else
          bytes.insert(bytes.begin() + std::ptrdiff_t(at), piece.begin(), piece.end());
      }
    }
  }
  return bytes;
}

struct Tally {
  int read = 0, refused = 0, wrong = 0;
  std::size_t most_asked = 0;
  std::string surprise;  ///< an exception that is no lacuna::Error
};

/// Runs `read` under a limit of memory; everything but a lacuna::Error is a failure.
template <class Read>
void attempt(Tally& tally, std::size_t limit, Read&& read) {
  const AllocationMeter meter(limit);
  try {
    read();
    ++tally.read;
  } catch (const Error&) {
    ++tally.refused;
  } catch (const std::exception& error) {
    tally.surprise = error.what();
  }
  tally.most_asked = std::max(tally.most_asked, meter.asked());
}

}  // namespace lacuna::test
