/// Memory for the next step: freed blocks are kept, because a training step asks for the same sizes again and again.
///
/// Blocks come from lists of the calling thread: no lock, some ten instructions. What a thread keeps is bounded: 64 KiB
/// of each size, at least one block, nothing above 2 MiB; the rest is shared under a lock. So threads that take part in
/// the same work each find the scratch memory of their last turn again, whoever comes first. A freed block holds the
/// link to the next one: the pool itself asks for no memory.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define LACUNA_DETAIL_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LACUNA_DETAIL_ASAN 1
#endif
#endif

namespace lacuna::detail {

/// What this thread may still take from the system (core/memory_budget.hpp); beyond it std::bad_alloc.
inline constinit thread_local std::size_t memory_left = std::size_t(-1);

/// Sizes are rounded up to multiples of 64 bytes, above 256 to one of four classes per power of two (at most 25 %
/// waste). Thread-safe. Under AddressSanitizer every block goes back at once, so that its checks stay sharp.
class BlockPool {
 public:
  static constexpr std::size_t alignment = 64;
  static constexpr int groups = 260;
  static constexpr int cached_groups = 56;  ///< those of up to 2 MiB: what a thread may keep for itself

  static BlockPool& instance() {
    static BlockPool* const pool = new BlockPool;  // never destroyed: static tensors may outlive every other object
    return *pool;
  }

  /// Rounded size, and the class that holds blocks of it.
  static constexpr std::size_t round(std::size_t bytes, int& group) {
    if (bytes < 256) {
      const std::size_t steps = bytes == 0 ? 1 : (bytes + alignment - 1) / alignment;
      group = int(steps) - 1;
      return steps * alignment;
    }
    const int power = int(std::bit_width(bytes)) - 1;
    const std::size_t step = std::size_t(1) << (power - 2);
    const std::size_t steps = (bytes + step - 1) / step;  // 4 to 8: a whole power of two is the first class of the next
    group = 4 * (power - 8) + int(steps) - 1;
    return steps * step;
  }

  static void* take(std::size_t bytes) {
#ifdef LACUNA_DETAIL_ASAN
    int group = 0;
    return from_system(round(bytes, group));
#else
    const int group = group_of(bytes);
    if (group < cached_groups) {
      Cache& own = cache_;
      if (Block* const block = own.first[group]) {
        own.first[group] = block->next;
        ++own.room[group];
        return block;
      }
    }
    return instance().take_shared(bytes);
#endif
  }

  static void give(void* memory, std::size_t bytes) noexcept {
#ifdef LACUNA_DETAIL_ASAN
    (void)bytes;
    std::free(memory);
#else
    const int group = group_of(bytes);
    if (group < cached_groups) {
      Cache& own = cache_;
      if (own.room[group] > 0 && own.trims == trims_.load(std::memory_order_relaxed)) {
        own.first[group] = new (memory) Block{own.first[group]};
        --own.room[group];
        return;
      }
    }
    instance().give_shared(memory, group);
#endif
  }

  /// Returns every kept block to the system; what other threads keep for themselves when they next free a small one.
  static void trim() noexcept {
    trims_.fetch_add(1, std::memory_order_relaxed);
    follow_trim();
    BlockPool& pool = instance();
    const std::lock_guard lock(pool.mutex_);
    for (Block*& list : pool.free_) to_system(list);
  }

  /// How often the pool had to ask the system for a block: constant in the steady state of training.
  std::size_t system_calls() {
    const std::lock_guard lock(mutex_);
    return system_calls_;
  }

 private:
  struct Block {
    Block* next;
  };
  /// What a thread keeps. All zero until its first freed block, so that reaching it costs no initialisation.
  struct Cache {
    Block* first[cached_groups];
    std::int32_t room[cached_groups];  ///< how many more blocks may be kept
    std::uint32_t trims;               ///< calls of trim() that were followed
    bool started, ended;
  };
  /// Hands on what an ending thread has kept.
  struct Ending {
    Ending() = default;
    ~Ending() {
      BlockPool& pool = instance();
      for (int group = 0; group < cached_groups; ++group) pool.share(group, quota(group));
      cache_.ended = true;
      for (auto& room : cache_.room) room = 0;
    }
  };

  /// The class alone; for small sizes, most of all calls, from a table.
  static int group_of(std::size_t bytes) {
    static constexpr auto small = [] {
      std::array<std::uint8_t, 17> table{};
      for (std::size_t i = 0; i < table.size(); ++i) {
        int group = 0;
        round(i * alignment, group);
        table[i] = std::uint8_t(group);
      }
      return table;
    }();
    if (bytes <= 1024) return small[(bytes + alignment - 1) / alignment];
    int group = 0;
    round(bytes, group);
    return group;
  }
  static std::int32_t quota(int group) {
    constexpr std::size_t most = std::size_t(64) << 10;  // bytes of one class
    const std::size_t size = group < 3 ? std::size_t(group + 1) * alignment : std::size_t(256) << ((group - 3) / 4);
    const std::size_t count = most / size;
    return std::int32_t(count < 1 ? 1 : count < 64 ? count : 64);
  }
  static void* from_system(std::size_t rounded) {
    if (rounded > memory_left) throw std::bad_alloc();
    if (memory_left != std::size_t(-1)) memory_left -= rounded;
    void* const memory = std::aligned_alloc(alignment, (rounded + alignment - 1) / alignment * alignment);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
  }
  static void to_system(Block*& list) noexcept {
    while (list != nullptr) {
      Block* const block = list;
      list = block->next;
      std::free(block);
    }
  }
  /// Gives the calling thread's blocks to the system.
  static void follow_trim() noexcept {
    Cache& own = cache_;
    own.trims = trims_.load(std::memory_order_relaxed);
    for (int group = 0; group < cached_groups; ++group) {
      to_system(own.first[group]);
      own.room[group] = own.started && !own.ended ? quota(group) : 0;
    }
  }

  void* take_shared(std::size_t bytes) {
    int group = 0;
    const std::size_t rounded = round(bytes, group);
    {
      const std::lock_guard lock(mutex_);
      Block*& list = free_[group];
      if (list != nullptr) {
        Block* const block = list;
        list = block->next;
        if (group < cached_groups) {  // and some more for the next calls
          Cache& own = cache_;
          for (int more = quota(group) / 4; more > 0 && own.room[group] > 0 && list != nullptr; --more) {
            Block* const moved = list;
            list = moved->next;
            moved->next = own.first[group];
            own.first[group] = moved;
            --own.room[group];
          }
        }
        return block;
      }
      ++system_calls_;
    }
    return from_system(rounded);
  }

  void give_shared(void* memory, int group) noexcept {
    Block* const block = new (memory) Block{nullptr};
    if (group < cached_groups) {
      Cache& own = cache_;
      if (!own.started) {
        static thread_local Ending ending;
        (void)&ending;
        own.started = true;
        own.trims = trims_.load(std::memory_order_relaxed);
        for (int i = 0; i < cached_groups; ++i) own.room[i] = quota(i);
      } else if (own.trims != trims_.load(std::memory_order_relaxed)) {
        follow_trim();
      }
      if (!own.ended) {
        if (own.room[group] == 0) share(group, (quota(group) + 1) / 2);
        block->next = own.first[group];
        own.first[group] = block;
        --own.room[group];
        return;
      }
    }
    const std::lock_guard lock(mutex_);
    block->next = free_[group];
    free_[group] = block;
  }

  /// Moves `count` of the calling thread's blocks to where all threads find them.
  void share(int group, int count) noexcept {
    Cache& own = cache_;
    Block* const first = own.first[group];
    if (first == nullptr) return;
    Block* last = first;
    int moved = 1;
    for (; moved < count && last->next != nullptr; ++moved) last = last->next;
    own.first[group] = last->next;
    own.room[group] += moved;
    const std::lock_guard lock(mutex_);
    last->next = free_[group];
    free_[group] = first;
  }

  static inline constinit thread_local Cache cache_{};
  static inline constinit std::atomic<std::uint32_t> trims_{0};

  std::mutex mutex_;
  Block* free_[groups]{};
  std::size_t system_calls_ = 0;
};

/// Objects of a class derived from this live in the pool; by its destructor a pointer to a base class must be virtual.
struct Pooled {
  static void* operator new(std::size_t bytes) { return BlockPool::take(bytes); }
  static void operator delete(void* memory, std::size_t bytes) noexcept { BlockPool::give(memory, bytes); }
};

}  // namespace lacuna::detail
