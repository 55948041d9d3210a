/// Rows of the table of operations on the GPU against the host. One .cu per family, so that they compile side by side.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>

#include "lacuna/cuda.cuh"
#include "support/rows.hpp"

namespace lacuna::test {

/// Under a sanitizer, which is slow: the small cases alone.
inline bool small_only() { return std::getenv("LACUNA_CHECK_SMALL") != nullptr; }

/// Values and gradients, the same bits twice, and what is absent.
template <class Row, class T>
std::string check_on_gpu(double tolerance) {
  for (const bool large : {false, true}) {
    if (large && small_only()) break;
    for (const Case& c : large ? Row::large() : Row::cases()) {
      std::string wrong = check_device(build_of<Row, T>, build_of<Row, T, Cuda>, c, tolerance);
      if (wrong.empty()) wrong = check_absent(build_of<Row, T, Cuda>, c);
      if (!wrong.empty()) return detail::cat(Row::name, " (", c.name, "): ", wrong);
    }
  }
  return {};
}

}  // namespace lacuna::test

#define LACUNA_CHECK_ROWS(LIST)                                                         \
  TEST_CASE(#LIST ": double to 1e-9") {                                                 \
    using namespace lacuna::test;                                                       \
    LIST::for_each([&]<class Row>() { CHECK(check_on_gpu<Row, double>(1e-9) == ""); }); \
  }                                                                                     \
  TEST_CASE(#LIST ": float to 1e-4") {                                                  \
    using namespace lacuna::test;                                                       \
    LIST::for_each([&]<class Row>() { CHECK(check_on_gpu<Row, float>(1e-4) == ""); });  \
  }
