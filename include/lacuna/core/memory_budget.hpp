/// An end to what a thread takes from the system, for sizes that a file names: they are believed only as far as the file
/// itself is large.
///
///     const MemoryBudget budget(16 * stored_bytes);      // until the end of the block; beyond it std::bad_alloc
///
/// Blocks that the pool has kept cost nothing.
#pragma once

#include <cstddef>

#include "lacuna/core/pool.hpp"

namespace lacuna::detail {

class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t bytes) : before_(memory_left) { memory_left = bytes; }
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;
  ~MemoryBudget() { memory_left = before_; }

 private:
  std::size_t before_;
};

}  // namespace lacuna::detail
