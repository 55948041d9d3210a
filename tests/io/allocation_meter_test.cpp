#include "io/allocation_meter.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

namespace {

thread_local bool metering = false;
thread_local std::size_t asked_bytes = 0, limit_bytes = 0;

void* take(std::size_t bytes) {
  if (metering) {
    if (bytes > limit_bytes - asked_bytes) return nullptr;
    asked_bytes += bytes;
  }
  return std::malloc(bytes > 0 ? bytes : 1);
}
void* take_or_throw(std::size_t bytes) {
  void* block = take(bytes);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

}  // namespace

void* operator new(std::size_t bytes) { return take_or_throw(bytes); }
void* operator new[](std::size_t bytes) { return take_or_throw(bytes); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return take(bytes); }
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept { return take(bytes); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { std::free(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { std::free(block); }

namespace lacuna::test {

AllocationMeter::AllocationMeter(std::size_t limit) {
  asked_bytes = 0;
  limit_bytes = limit;
  metering = true;
}
AllocationMeter::~AllocationMeter() { metering = false; }
std::size_t AllocationMeter::asked() const { return asked_bytes; }

TEST_CASE("allocation meter: counts, and refuses what passes the limit") {
  std::size_t asked = 0;
  bool refused = false;
  {
    const AllocationMeter meter(10000);
    const std::vector<char> some(6000);
    try {
      const std::vector<char> more(5000);
    } catch (const std::bad_alloc&) {
      refused = true;
    }
    asked = meter.asked();
  }
  CHECK(asked == 6000);
  CHECK(refused);
}

}  // namespace lacuna::test
