/// Byte-pair merging: of the pairs of neighbours that join, the best one joins, until none does. (Sennrich et al. 2016)
#pragma once

#include <queue>
#include <vector>

#include "lacuna/core/shape.hpp"

namespace lacuna::detail {

/// What two neighbours become, if they join; the smallest rank goes first, the leftmost among equals.
struct Joined {
  bool joins = false;
  double rank = 0;
  index_t id = 0;
};

/// symbols → fewer of them; join(a, b) → Joined. O(n log n): a heap of pairs over a linked list; a pair that has changed
/// since it was put in is left aside.
template <class Join>
std::vector<index_t> merge_pairs(std::vector<index_t> symbols, const Join& join) {
  constexpr std::size_t none = std::size_t(-1);
  struct Pair {
    double rank;
    std::size_t left, right;
    index_t a, b, id;
    bool operator<(const Pair& other) const {  // the heap's top is the largest
      return rank > other.rank || (rank == other.rank && left > other.left);
    }
  };
  const std::size_t count = symbols.size();
  std::vector<std::size_t> next(count), before(count);
  std::vector<bool> gone(count, false);
  std::priority_queue<Pair> heap;
  const auto consider = [&](std::size_t left, std::size_t right) {
    if (left == none || right == none) return;
    const Joined joined = join(symbols[left], symbols[right]);
    if (joined.joins) heap.push({joined.rank, left, right, symbols[left], symbols[right], joined.id});
  };
  for (std::size_t i = 0; i < count; ++i) {
    next[i] = i + 1 < count ? i + 1 : none;
    before[i] = i > 0 ? i - 1 : none;
  }
  for (std::size_t i = 0; i + 1 < count; ++i) consider(i, i + 1);
  while (!heap.empty()) {
    const Pair best = heap.top();
    heap.pop();
    if (gone[best.left] || gone[best.right] || next[best.left] != best.right || symbols[best.left] != best.a ||
        symbols[best.right] != best.b)
      continue;
    symbols[best.left] = best.id;
    gone[best.right] = true;
    next[best.left] = next[best.right];
    if (next[best.left] != none) before[next[best.left]] = best.left;
    consider(before[best.left], best.left);
    consider(best.left, next[best.left]);
  }
  std::vector<index_t> left;
  for (std::size_t i = 0; i < count; ++i)
    if (!gone[i]) left.push_back(symbols[i]);
  return left;
}

}  // namespace lacuna::detail
