/// Rows of the table of operations on the GPU against the host. One .cu per family, so that they compile side by side.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>

#include "lacuna/cuda.cuh"
#include "support/rows.hpp"

namespace lacuna::test {

/// Under a sanitizer, which is slow: the small cases alone.
inline bool small_only() { return std::getenv("LACUNA_CHECK_SMALL") != nullptr; }

/// Values and gradients, the same bits twice, what is absent, and what is not a number; small cases once alone where
/// runs are slow.
template <class Row, class T>
std::string check_on_gpu(double tolerance) {
  const auto host = build_of<Row, T>;
  const auto device = build_of<Row, T, Cuda>;
  const auto checked = [&](const Case& c, bool large) -> std::string {
    if (small_only()) return check_device_once(host, device, c, tolerance);
    std::string wrong = check_device(host, device, c, tolerance);
    if (wrong.empty()) wrong = check_absent(device, c);
    if (wrong.empty() && !large) wrong = check_not_finite(device, habits_of<Row>, c, 6);
    return wrong;
  };
  for (const bool large : {false, true}) {
    if (large && small_only()) break;
    for (const Case& c : large ? Row::large() : Row::cases())
      if (const std::string wrong = checked(c, large); !wrong.empty())
        return detail::cat(Row::name, " (", c.name, "): ", wrong);
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
