/// `CachingPool<Source>`: blocks of a device's memory that are kept when they are given back.
///
/// Sizes fall into the classes of BlockPool; a freed block waits in the list of its class for the next one of it, so
/// that a training step, which asks for the same sizes again, allocates nothing. The pool is ordered by one stream: a
/// block may be given back while work that uses it is still queued, because whoever takes it next queues work behind
/// that. Threads that share the stream may share the pool.
///
/// `Source` has take(bytes), null where memory is exhausted; give(block); and exact(), true where every block shall be
/// an allocation of its own size, which a memory checker can watch.
#pragma once

#include <cstddef>
#include <mutex>
#include <vector>

#include "lacuna/core/device.hpp"

namespace lacuna::detail {

template <class Source>
class CachingPool {
 public:
  static CachingPool& instance() {
    static CachingPool* const pool =
        new CachingPool;  // never destroyed: the driver may be gone before static tensors are
    return *pool;
  }

  /// A block of at least `bytes`; null where even giving back all that is kept leaves no room for it.
  void* take(std::size_t bytes) {
    int group = 0;
    const std::size_t rounded = BlockPool::round(bytes, group);
    const std::lock_guard lock(mutex_);
    if (!Source::exact() && !free_[group].empty()) {
      void* const block = free_[group].back();
      free_[group].pop_back();
      kept_bytes_ -= rounded;
      return block;
    }
    const std::size_t size = Source::exact() ? bytes : rounded;
    void* block = Source::take(size);
    if (block == nullptr) {  // what is kept may be what is missing
      release();
      block = Source::take(size);
    }
    if (block != nullptr) ++system_calls_;
    return block;
  }
  void give(void* block, std::size_t bytes) noexcept {
    int group = 0;
    const std::size_t rounded = BlockPool::round(bytes, group);
    if (Source::exact()) {
      Source::give(block);
      return;
    }
    const std::lock_guard lock(mutex_);
    try {
      free_[group].push_back(block);
      kept_bytes_ += rounded;
    } catch (...) {
      Source::give(block);
    }
  }
  /// Gives back what is kept.
  void trim() noexcept {
    const std::lock_guard lock(mutex_);
    release();
  }
  /// How often the source was asked with success: constant in the steady state of training.
  std::size_t system_calls() {
    const std::lock_guard lock(mutex_);
    return system_calls_;
  }
  std::size_t kept_bytes() {
    const std::lock_guard lock(mutex_);
    return kept_bytes_;
  }

 private:
  void release() noexcept {
    for (auto& blocks : free_) {
      for (void* const block : blocks) Source::give(block);
      blocks.clear();
    }
    kept_bytes_ = 0;
  }

  std::mutex mutex_;
  std::vector<void*> free_[260];
  std::size_t system_calls_ = 0, kept_bytes_ = 0;
};

}  // namespace lacuna::detail
