/// Where memory lives. A device is a type: `Cpu` here, `Cuda` in lacuna/cuda.cuh.
#pragma once

#include <cstddef>
#include <cstring>

#include "lacuna/core/pool.hpp"

namespace lacuna {

/// The host. Memory is 64-byte aligned and comes from a caching pool.
struct Cpu {
  static constexpr const char* name = "cpu";
  static void* allocate(std::size_t bytes) { return detail::BlockPool::take(bytes); }
  static void deallocate(void* block, std::size_t bytes) noexcept { detail::BlockPool::give(block, bytes); }
  static void copy(void* to, const void* from, std::size_t bytes) {
    if (bytes) std::memcpy(to, from, bytes);
  }
  static void copy_from_host(void* to, const void* from, std::size_t bytes) { copy(to, from, bytes); }
  static void copy_to_host(void* to, const void* from, std::size_t bytes) { copy(to, from, bytes); }
  /// The same byte everywhere.
  static void fill(void* to, unsigned char byte, std::size_t bytes) {
    if (bytes) std::memset(to, byte, bytes);
  }
  /// Returns cached memory to the system.
  static void trim() noexcept { detail::BlockPool::trim(); }
  /// Parameters have moved: blocks of their sizes are of no use to the steps that follow.
  static void after_packing() noexcept { trim(); }
};

}  // namespace lacuna
