/// `Random`: where streams of random numbers come from, one after the other.
#pragma once

#include <vector>

#include "lacuna/core/random_stream.hpp"

namespace lacuna {

/// An explicit source of streams. Its whole state is two numbers, which a checkpoint stores.
class Random {
 public:
  explicit Random(std::uint64_t seed = 0) : key_(mix(seed)) {}
  Random(std::uint64_t key, std::uint64_t next) : key_(key), next_(next) {}

  /// A stream that nobody else was given.
  RandomStream stream() { return {key_, next_++, ahead_}; }
  /// An independent source, named by a tag; does not change this one.
  Random split(std::uint64_t tag) const { return Random(mix(key_ ^ mix(tag + 0x9E3779B97F4A7C15ull)), 0); }

  double uniform() { return stream().uniform(0); }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  double normal() { return stream().normal(0); }
  /// Uniform integer in [0, bound); bound > 0.
  index_t below(index_t bound) {
    const index_t drawn = index_t(uniform() * double(bound));
    return drawn < bound ? drawn : bound - 1;
  }
  /// A uniform permutation of 0..n-1 (Fisher and Yates).
  std::vector<index_t> permutation(index_t n) {
    std::vector<index_t> order(static_cast<std::size_t>(n));
    for (index_t i = 0; i < n; ++i) order[std::size_t(i)] = i;
    for (index_t i = n - 1; i > 0; --i) {
      const index_t j = below(i + 1);
      const index_t kept = order[std::size_t(i)];
      order[std::size_t(i)] = order[std::size_t(j)];
      order[std::size_t(j)] = kept;
    }
    return order;
  }

  std::uint64_t key() const { return key_; }
  std::uint64_t next() const { return next_; }
  /// Goes on as if `count` streams had been drawn.
  void skip(std::uint64_t count) { next_ += count; }
  /// What streams add to their number on a device from now on (RandomStream::ahead); null for nothing.
  void run_ahead(const std::uint64_t* where) { ahead_ = where; }

 private:
  static std::uint64_t mix(std::uint64_t x) {  // finaliser of SplitMix64 (Steele, Lea & Flood 2014)
    x += 0x9E3779B97F4A7C15ull;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
    return x ^ (x >> 31);
  }

  std::uint64_t key_ = 0, next_ = 0;
  const std::uint64_t* ahead_ = nullptr;
};

}  // namespace lacuna
