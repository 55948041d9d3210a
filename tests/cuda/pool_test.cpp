// The pool of the GPU's memory, over memory of the host that runs out.
#include <doctest/doctest.h>

#include <map>

#include "lacuna/core/caching_pool.hpp"

namespace {

/// 4096 bytes in all.
struct Little {
  static inline std::map<void*, std::size_t> held;
  static inline std::size_t used = 0;
  static inline bool own_size = false;
  static void* take(std::size_t bytes) {
    if (used + bytes > 4096) return nullptr;
    used += bytes;
    void* const block = ::operator new(bytes);
    held[block] = bytes;
    return block;
  }
  static void give(void* block) noexcept {
    used -= held.at(block);
    held.erase(block);
    ::operator delete(block);
  }
  static bool exact() { return own_size; }
};
using Pool = lacuna::detail::CachingPool<Little>;

}  // namespace

TEST_CASE("pool of a device: what is given back serves the next of its class, and nothing is asked for twice") {
  Pool pool;
  void* const first = pool.take(300);
  CHECK(Little::used == 320);
  void* const second = pool.take(310);
  CHECK(second != first);
  pool.give(first, 300);
  CHECK(pool.kept_bytes() == 320);
  CHECK(Little::used == 640);
  CHECK(pool.take(320) == first);
  CHECK(pool.kept_bytes() == 0);
  CHECK(pool.system_calls() == 2);
  pool.give(first, 320);
  pool.give(second, 310);
  for (int step = 0; step < 3; ++step) {  // the same sizes again
    void *const a = pool.take(290), *const b = pool.take(320);
    CHECK(a != b);
    pool.give(a, 290);
    pool.give(b, 320);
  }
  CHECK(pool.system_calls() == 2);
  pool.trim();
  CHECK(Little::used == 0);
  CHECK(pool.kept_bytes() == 0);
}
TEST_CASE("pool of a device: what is kept gives way to a block of another class, and the end of memory is told") {
  Pool pool;
  void* const kept = pool.take(3000);
  pool.give(kept, 3000);
  void* const other = pool.take(4000);
  CHECK(other != nullptr);
  CHECK(Little::used == 4096);
  CHECK(pool.take(256) == nullptr);
  CHECK(pool.system_calls() == 2);
  pool.give(other, 4000);
  pool.trim();
  CHECK(Little::used == 0);
}
TEST_CASE("pool of a device: for a memory checker every block has its own size and goes back at once") {
  Pool pool;
  Little::own_size = true;
  void* const block = pool.take(300);
  CHECK(Little::used == 300);
  pool.give(block, 300);
  CHECK(Little::used == 0);
  Little::own_size = false;
}
TEST_CASE("pool of a device: what recorded work uses is nobody else's until its arena ends") {
  Pool& pool = Pool::instance();
  void* const before = pool.take(300);
  void* held = nullptr;
  {
    Pool::Arena arena;
    arena.enter();
    void* const inside = pool.take(310);
    held = pool.take(1000);
    pool.give(inside, 310);
    CHECK(pool.take(320) == inside);  // serves again within
    pool.give(inside, 320);
    pool.give(before, 300);           // recorded work may have read it: it stays
    CHECK(pool.take(256) == before);  // the smallest piece that fits
    pool.give(before, 256);
    Pool::Arena::leave();

    void* const outside = pool.take(300);
    CHECK(outside != inside);
    CHECK(outside != before);
    pool.give(outside, 300);
    CHECK(pool.take(300) == outside);
    pool.give(outside, 300);
    CHECK(pool.kept_bytes() == 320);
  }
  CHECK(pool.kept_bytes() == 320 + 512 + 320);  // all but what is still held
  pool.give(held, 1000);
  CHECK(pool.kept_bytes() == 320 + 512 + 320 + 1024);
  pool.trim();
  CHECK(Little::used == 0);
}
TEST_CASE("pool of a device: an arena holds little more than its fullest moment, whatever the sizes") {
  alignas(256) static std::byte memory[8192];
  lacuna::detail::Slab slab;
  slab.add(memory, sizeof memory);
  const auto at = [&](void* block) { return static_cast<std::byte*>(block) - memory; };
  void *const a = slab.take(1000), *const b = slab.take(2048), *const c = slab.take(1);
  CHECK(at(a) == 0);
  CHECK(at(b) == 1024);
  CHECK(at(c) == 3072);
  slab.give(a);
  slab.give(b);  // joined with what stood before it
  CHECK(at(slab.take(3072)) == 0);
  CHECK(slab.take(8192) == nullptr);
  int released = 0;
  const auto count = [&](void*, std::size_t) { ++released; };
  slab.release(count);
  CHECK(released == 0);
  slab.give(memory);
  slab.give(c);  // joined on both sides
  CHECK(at(slab.take(8192)) == 0);
  slab.give(memory);
  slab.release(count);
  CHECK(released == 1);
  CHECK(slab.take(1) == nullptr);
}
