/// `CachingPool<Source>`: blocks of a device's memory that are kept when they are given back.
///
/// Sizes fall into the classes of BlockPool; a freed block waits in the list of its class for the next one of it, so
/// that a training step, which asks for the same sizes again, allocates nothing. The pool is ordered by one stream: a
/// block may be given back while work that uses it is still queued, because whoever takes it next queues work behind
/// that. Threads that share the stream may share the pool.
///
/// An `Arena` keeps apart what one recorded piece of work uses: while a thread has it entered, its blocks come from
/// there, and go back there, so that they are free for nobody else until the arena ends.
///
/// `Source` has take(bytes), null where memory is exhausted; give(block); and exact(), true where every block is to be
/// an allocation of its own size, which a memory checker can watch.
#pragma once

#include <cstddef>
#include <mutex>
#include <new>
#include <unordered_map>
#include <utility>
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

  /// Blocks that belong to one recorded piece of work: those taken or given back while it is entered.
  class Arena {
   public:
    Arena() = default;
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;
    ~Arena() { instance().end(*this); }

    /// The calling thread takes from here until `leave`.
    void enter() { current() = this; }
    static void leave() { current() = nullptr; }

   private:
    friend CachingPool;
    std::vector<void*> free_[260];
  };

  /// A block of at least `bytes`; null where even giving back all that is kept leaves no room for it.
  void* take(std::size_t bytes) {
    int group = 0;
    const std::size_t rounded = BlockPool::round(bytes, group);
    const std::lock_guard lock(mutex_);
    Arena* const arena = current();
    if (arena != nullptr && !arena->free_[group].empty()) {
      void* const block = arena->free_[group].back();
      arena->free_[group].pop_back();
      return block;
    }
    if (arena == nullptr) return take(bytes, rounded, group);
    void* const block = take(rounded, rounded, group);  // another of its class may get it next
    if (block != nullptr) owner_.emplace(block, std::pair(arena, rounded));
    return block;
  }
  void give(void* block, std::size_t bytes) noexcept {
    int group = 0;
    const std::size_t rounded = BlockPool::round(bytes, group);
    const std::lock_guard lock(mutex_);
    try {
      if (Arena* const arena = arena_of(block, rounded); arena != nullptr) {
        arena->free_[group].push_back(block);
        return;
      }
      if (Source::exact()) {
        Source::give(block);
        return;
      }
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
  static Arena*& current() {
    static constinit thread_local Arena* entered = nullptr;
    return entered;
  }
  /// From what is kept, or from the source.
  void* take(std::size_t bytes, std::size_t rounded, int group) {
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
  /// Whose a block is that comes back; the arena that is entered keeps it, since recorded work may use it.
  Arena* arena_of(void* block, std::size_t rounded) {
    if (owner_.empty() && current() == nullptr) return nullptr;
    const auto found = owner_.find(block);
    if (found != owner_.end()) return found->second.first;
    if (current() != nullptr && Source::exact()) return nullptr;  // of its own size: no other may get it
    if (current() != nullptr) owner_.emplace(block, std::pair(current(), rounded));
    return current();
  }
  /// What is free goes to everybody; what is in use will, when it comes back.
  void end(Arena& arena) noexcept {
    const std::lock_guard lock(mutex_);
    for (int group = 0; group < 260; ++group)
      for (void* const block : arena.free_[group]) {
        const std::size_t rounded = owner_.at(block).second;
        try {
          if (Source::exact()) throw std::bad_alloc();  // each block its own allocation: nothing is kept
          free_[group].push_back(block);
          kept_bytes_ += rounded;
        } catch (...) {
          Source::give(block);
        }
      }
    std::erase_if(owner_, [&](const auto& entry) { return entry.second.first == &arena; });
  }
  void release() noexcept {
    for (auto& blocks : free_) {
      for (void* const block : blocks) Source::give(block);
      blocks.clear();
    }
    kept_bytes_ = 0;
  }

  std::mutex mutex_;
  std::vector<void*> free_[260];
  std::unordered_map<void*, std::pair<Arena*, std::size_t>> owner_;
  std::size_t system_calls_ = 0, kept_bytes_ = 0;
};

}  // namespace lacuna::detail
