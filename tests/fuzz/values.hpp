/// Walks over a tree of values, so that a fuzzer meets what reads the numbers behind them.
#pragma once

#include "lacuna/io/numpy_objects.hpp"
#include "lacuna/io/value_print.hpp"

namespace lacuna::test {

inline void visit_values(const io::Value& value, int& budget) {
  if (--budget < 0) return;
  if (value.is_dict())
    for (std::size_t i = 0; i < value.size() && budget > 0; ++i) visit_values(value.value(i), budget);
  else if (value.has_items())
    for (std::size_t i = 0; i < value.size() && budget > 0; ++i) visit_values(value[i], budget);
  else if (value.kind() == io::ValueKind::array || value.kind() == io::ValueKind::tensor)
    try {
      value.array();
    } catch (const Error&) {
    }
}
/// Prints it, and reads the numbers of its arrays.
inline void visit_values(const io::Value& value) {
  int budget = 200;
  visit_values(value, budget);
  io::to_text(value, {.lines = 50});
}

}  // namespace lacuna::test
