/// `CachingPool<Source>`: blocks of a device's memory that are kept when they are given back.
///
/// Sizes fall into the classes of BlockPool, from 8 MiB on into finer ones (at most 6 % waste); a freed block waits in
/// the list of its class for the next one of it, so that a training step, which asks for the same sizes again,
/// allocates nothing. A large block also serves who asks for up to a quarter less: batches have many lengths. The pool
/// is ordered by one stream: a block may be given back while work that uses it is still queued, because whoever takes
/// it next queues work behind that. Threads that share the stream may share the pool.
///
/// An `Arena` keeps apart what one recorded piece of work uses: while a thread has it entered, its blocks come from
/// there, and go back there, so that they are free for nobody else until the arena ends. Inside, blocks are cut from
/// larger ones (core/slab.hpp): recorded work gives back in the order it will always give back, so that what it needs
/// is little more than what it holds at its fullest moment, where classes need the sum of the fullest moments of each.
///
/// `Source` has take(bytes), null where memory is exhausted; give(block); and exact(), true where every block is to be
/// an allocation of its own size, which a memory checker can watch.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <mutex>
#include <new>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lacuna/core/device.hpp"
#include "lacuna/core/slab.hpp"

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
    /// Bytes that it keeps from the pool.
    std::size_t held() const { return slab_.held(); }

   private:
    friend CachingPool;
    Slab slab_;
  };

  /// Rounded size, and the class that holds blocks of it.
  static constexpr std::size_t round(std::size_t bytes, int& group) {
    const std::size_t rounded = BlockPool::round(bytes, group);
    if (bytes <= fine_from) return rounded;
    const int power = int(std::bit_width(bytes)) - 1;
    const std::size_t step = std::size_t(1) << (power - 4), fine = (bytes + step - 1) / step * step;
    const int wide = int(std::bit_width(fine));
    group = BlockPool::groups + 16 * (wide - first_fine) + int(fine >> (wide - 5) & 15);
    return fine;
  }

  /// A block of at least `bytes`; null where even giving back all that is kept leaves no room for it.
  void* take(std::size_t bytes) {
    int group = 0;
    const std::size_t rounded = round(bytes, group);
    const std::lock_guard lock(mutex_);
    Arena* const arena = current();
    if (arena == nullptr || Source::exact()) return take(bytes, rounded, group);
    void* block = arena->slab_.take(bytes);
    if (block != nullptr) return held_by(*arena, block);
    for (std::size_t size = arena->slab_.next_chunk(bytes); block == nullptr; size = 0) {
      const std::size_t chunk = round(size > 0 ? size : Slab::round(bytes), group);
      if (void* const memory = take(chunk, chunk, group); memory != nullptr) {
        arena->slab_.add(memory, whole(memory, chunk));
        block = arena->slab_.take(bytes);
      } else if (size == 0) {
        return nullptr;
      }
    }
    return held_by(*arena, block);
  }
  void give(void* block, std::size_t bytes) noexcept {
    int group = 0;
    std::size_t rounded = round(bytes, group);
    const std::lock_guard lock(mutex_);
    try {
      if (const auto found = owner_.find(block); found != owner_.end()) {
        come_back(found);
        return;
      }
      rounded = round(whole(block, rounded), group);
      if (current() != nullptr && !Source::exact()) {  // recorded work may have used it: nobody else gets it
        current()->slab_.add(block, rounded);
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
    const int last = group < BlockPool::groups ? group : std::min(group + 4, groups - 1);
    for (int from = group; !Source::exact() && from <= last; ++from) {
      if (free_[from].empty()) continue;
      void* const block = free_[from].back();
      const std::size_t size = from == group ? rounded : fine_size(from);
      if (from != group) larger_.emplace(block, size);
      free_[from].pop_back();
      kept_bytes_ -= size;
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
  static constexpr std::size_t fine_from = std::size_t(8) << 20;
  static constexpr int first_fine = 24;  ///< bits of a size there
  static constexpr int groups = BlockPool::groups + 16 * (64 - first_fine + 1);
  /// Of the blocks of a fine class.
  static constexpr std::size_t fine_size(int group) {
    const int at = group - BlockPool::groups;
    return std::size_t(16 + at % 16) << (first_fine + at / 16 - 5);
  }
  /// The size of a block that was given for `rounded` bytes; it is no longer in somebody's hands.
  std::size_t whole(void* block, std::size_t rounded) {
    if (rounded <= fine_from) return rounded;
    const auto found = larger_.find(block);
    if (found == larger_.end()) return rounded;
    const std::size_t size = found->second;
    larger_.erase(found);
    return size;
  }
  using Owners = std::unordered_map<void*, Arena*>;  ///< blocks of arenas in use; null: the arena has ended

  void* held_by(Arena& arena, void* block) {
    owner_.emplace(block, &arena);
    return block;
  }
  void come_back(typename Owners::iterator found) {
    void* const block = found->first;
    Arena* const arena = found->second;
    owner_.erase(found);
    if (arena != nullptr) {
      arena->slab_.give(block);
      return;
    }
    orphans_.give(block);
    orphans_.release([&](void* memory, std::size_t size) { keep(memory, size); });
  }
  /// Everybody's from now on.
  void keep(void* block, std::size_t rounded) noexcept {
    try {
      int group = 0;
      round(rounded, group);
      free_[group].push_back(block);
      kept_bytes_ += rounded;
    } catch (...) {
      Source::give(block);
    }
  }
  /// What is free goes to everybody; what is in use will, when it comes back.
  void end(Arena& arena) noexcept {
    const std::lock_guard lock(mutex_);
    arena.slab_.release([&](void* memory, std::size_t size) { keep(memory, size); });
    for (auto& [block, owner] : owner_)
      if (owner == &arena) owner = nullptr;
    orphans_.join(arena.slab_);
  }
  void release() noexcept {
    for (auto& blocks : free_) {
      for (void* const block : blocks) Source::give(block);
      blocks.clear();
    }
    kept_bytes_ = 0;
  }

  std::mutex mutex_;
  std::vector<void*> free_[groups];
  std::unordered_map<void*, std::size_t>
      larger_;  ///< large blocks that serve for less than they are, and what they are
  Owners owner_;
  Slab orphans_;  ///< of arenas that have ended, while parts are in use
  std::size_t system_calls_ = 0, kept_bytes_ = 0;
};

}  // namespace lacuna::detail
