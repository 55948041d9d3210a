/// Where memory lives. A device is a type: `Cpu` here, `Cuda` in lacuna/cuda.cuh.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define LACUNA_DETAIL_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LACUNA_DETAIL_ASAN 1
#endif
#endif

namespace lacuna {
namespace detail {

/// Keeps freed blocks for the next step, which asks for the same sizes again: a training step then allocates nothing.
/// Sizes are rounded up to one of four classes per power of two (at most 25 % waste). Thread-safe.
/// Under AddressSanitizer every block goes back at once, so that its checks stay sharp.
class BlockPool {
 public:
  static constexpr std::size_t alignment = 64;

  static BlockPool& instance() {
    static BlockPool* const pool = new BlockPool;  // never destroyed: static tensors may outlive every other object
    return *pool;
  }

  /// Rounded size, and the class that holds blocks of it.
  static std::size_t round(std::size_t bytes, int& group) {
    if (bytes < 256) bytes = 256;
    const int power = int(std::bit_width(bytes)) - 1;
    const std::size_t step = std::size_t(1) << (power - 2);
    const std::size_t rounded = (bytes + step - 1) / step * step;
    group = 4 * (int(std::bit_width(rounded)) - 1) + int((rounded >> (std::bit_width(rounded) - 3)) & 3);
    return rounded;
  }

  void* take(std::size_t bytes) {
    int group = 0;
    const std::size_t rounded = round(bytes, group);
#ifndef LACUNA_DETAIL_ASAN
    {
      const std::lock_guard lock(mutex_);
      auto& blocks = free_[group];
      if (!blocks.empty()) {
        void* block = blocks.back();
        blocks.pop_back();
        return block;
      }
      ++system_calls_;
    }
#endif
    void* block = std::aligned_alloc(alignment, (rounded + alignment - 1) / alignment * alignment);
    if (block == nullptr) throw std::bad_alloc();
    return block;
  }

  void give(void* block, std::size_t bytes) noexcept {
#ifdef LACUNA_DETAIL_ASAN
    (void)bytes;
    std::free(block);
#else
    int group = 0;
    round(bytes, group);
    const std::lock_guard lock(mutex_);
    try {
      free_[group].push_back(block);
    } catch (...) {
      std::free(block);
    }
#endif
  }

  /// Returns every kept block to the system.
  void trim() noexcept {
    const std::lock_guard lock(mutex_);
    for (auto& blocks : free_) {
      for (void* block : blocks) std::free(block);
      blocks.clear();
    }
  }

  /// How often the pool had to ask the system for a block: constant in the steady state of training.
  std::size_t system_calls() {
    const std::lock_guard lock(mutex_);
    return system_calls_;
  }

 private:
  std::mutex mutex_;
  std::vector<void*> free_[260];
  std::size_t system_calls_ = 0;
};

}  // namespace detail

/// The host. Memory is 64-byte aligned and comes from a caching pool.
struct Cpu {
  static constexpr const char* name = "cpu";
  static void* allocate(std::size_t bytes) { return detail::BlockPool::instance().take(bytes); }
  static void deallocate(void* block, std::size_t bytes) noexcept { detail::BlockPool::instance().give(block, bytes); }
  static void copy(void* to, const void* from, std::size_t bytes) {
    if (bytes) std::memcpy(to, from, bytes);
  }
  static void copy_from_host(void* to, const void* from, std::size_t bytes) { copy(to, from, bytes); }
  static void copy_to_host(void* to, const void* from, std::size_t bytes) { copy(to, from, bytes); }
  /// Returns cached memory to the system.
  static void trim() noexcept { detail::BlockPool::instance().trim(); }
};

}  // namespace lacuna
