/// One thing for each of some groups: equal modules with parameters of their own, whose inputs stand one behind the
/// other in one array.
#pragma once

#include <cstdint>

#include "lacuna/kernels/functors.hpp"

namespace lacuna {

/// For up to eight groups, by value, as a launch takes them. P: an address, or a GradientSlot<T>.
template <class P>
struct Groups {
  static constexpr int most = 8;

  P of[most] = {};
  int count = 0;
  bool one_block = false;  ///< addresses: all are windows of one array

  static Groups one(P only) {
    Groups groups;
    groups.add(only);
    return groups;
  }
  void add(P next) { of[count++] = next; }
  /// Whether there is something for any of them.
  bool any() const {
    for (int g = 0; g < count; ++g)
      if (of[g]) return true;
    return false;
  }
};

/// Dropout of an array that equal parts share: part g draws, for its own elements 0, 1, ..., from stream id + g step.
struct GroupedKeep {
  functors::Keep keep;
  index_t groups = 1;
  std::uint64_t step = 0;

  GroupedKeep(const functors::Keep& one) : keep(one) {}
  GroupedKeep(const functors::Keep& first, index_t count, std::uint64_t apart)
      : keep(first), groups(count), step(apart) {}
  LACUNA_HD RandomStream stream(index_t g) const {
    RandomStream own = keep.stream;
    own.id += std::uint64_t(g) * step;
    return own;
  }
};

}  // namespace lacuna
