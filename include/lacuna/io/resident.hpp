/// Keeps a large memory map from filling the memory of this process: a thread gives the pages that were touched back,
/// some hundred times a second. They stay in the system's cache of files as long as there is room.
///
///     const io::Resident bound(start, bytes);   // of a map of a file, shared or read-only
///     io::Resident::release(begin, count);      // whoever has read much says so, and need not wait for the thread
///
/// What was written to a shared map is in the file, and what is read again comes from the cache or the file, so no number
/// changes. One thread serves all maps and ends with the last. `Resident::holds` tells whether memory is part of such a
/// map, which is worth reading ahead of its turn.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace lacuna::io {

class Resident {
 public:
  Resident(void* start, std::size_t bytes) : start_(start) {
    if (start != nullptr) Keeper::one().add({static_cast<char*>(start), bytes});
  }
  Resident(const Resident&) = delete;
  Resident& operator=(const Resident&) = delete;
  ~Resident() {
    if (start_ != nullptr) Keeper::one().remove(static_cast<char*>(start_));
  }

  static bool holds(const void* memory) { return Keeper::one().holds(static_cast<const char*>(memory)); }
  /// Gives back the pages of these bytes; nothing where they are no part of a map. Costs nothing where there is no map.
  static void release(const void* memory, std::size_t bytes) {
    Keeper::one().release(static_cast<const char*>(memory), bytes);
  }

 private:
  struct Map {
    char* start;
    std::size_t bytes;
  };
  class Keeper {
   public:
    static Keeper& one() {
      static Keeper* const keeper = new Keeper;  // never destroyed: static data may outlive every other object
      return *keeper;
    }
    void add(Map map) {
      const std::lock_guard lock(mutex_);
      maps_.push_back(map);
      any_.store(true, std::memory_order_relaxed);
      if (running_) return;
      try {
        std::thread([this] { run(); }).detach();
        running_ = true;
      } catch (const std::system_error&) {  // no thread to be had: numbers are the same, memory is not bounded
      }
    }
    void remove(const char* start) {
      const std::lock_guard lock(mutex_);  // while it is held no page is given back
      std::erase_if(maps_, [&](const Map& map) { return map.start == start; });
      any_.store(!maps_.empty(), std::memory_order_relaxed);
    }
    bool holds(const char* memory) {
      const std::lock_guard lock(mutex_);
      return find(memory) != nullptr;
    }
    void release(const char* memory, std::size_t bytes) {
      if (!any_.load(std::memory_order_relaxed)) return;
      const std::lock_guard lock(mutex_);
      const Map* const map = find(memory);
      if (map == nullptr) return;
      static const std::ptrdiff_t page = ::sysconf(_SC_PAGESIZE);  // a map starts at one
      const std::ptrdiff_t begin = (memory - map->start) / page * page;
      const std::ptrdiff_t end = std::min(memory - map->start + std::ptrdiff_t(bytes), std::ptrdiff_t(map->bytes));
      if (end > begin) ::madvise(map->start + begin, std::size_t(end - begin), MADV_DONTNEED);
    }

   private:
    const Map* find(const char* memory) const {
      for (const Map& map : maps_)
        if (memory >= map.start && memory < map.start + map.bytes) return &map;
      return nullptr;
    }
    void run() {
      for (;;) {
        {
          const std::lock_guard lock(mutex_);
          for (const Map& map : maps_) ::madvise(map.start, map.bytes, MADV_DONTNEED);
          running_ = !maps_.empty();
          if (!running_) return;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(4));
      }
    }
    std::mutex mutex_;
    std::atomic<bool> any_{false};
    std::vector<Map> maps_;
    bool running_ = false;  ///< the thread, which ends when there is no map
  };

  void* start_;
};

}  // namespace lacuna::io
