/// How much memory a piece of code asks for through operator new (replaced in allocation_meter_test.cpp for this
/// binary).
#pragma once

#include <cstddef>

namespace lacuna::test {

/// While it lives, requests of this thread are added up; those that would pass `limit` bytes in all fail with
/// std::bad_alloc.
class AllocationMeter {
 public:
  explicit AllocationMeter(std::size_t limit);
  AllocationMeter(const AllocationMeter&) = delete;
  AllocationMeter& operator=(const AllocationMeter&) = delete;
  ~AllocationMeter();
  std::size_t asked() const;  ///< bytes, freed ones included
};

}  // namespace lacuna::test
