/// Rows of the table of operations through the kernel families of the GPU, without one: see emulated.hpp.
#pragma once

#include <utility>

#include "emulated.hpp"
#include "support/rows.hpp"

namespace lacuna::test {

/// A row in one type, here and there.
template <class T>
struct EmulatedRow {
  const char* name;
  std::vector<Case> cases, medium, large;
  Build<T> host;
  Build<T, Emulated> device;
  Habits habits;
};

/// Sizes, values, order and absence of one row in one type. Large cases run with teams of one lane, which is quicker;
/// rows that say what is `medium` have it done by whole teams, whose lanes then take several numbers each.
template <class T>
std::string check_emulated(const EmulatedRow<T>& row, double tolerance) {
  bool not_finite = false;
  const auto check = [&](const Case& c) -> std::string {
    if (std::string wrong = check_device(row.host, row.device, c, tolerance); !wrong.empty()) return wrong;
    const Numbers<T> there = evaluate(row.device, Inputs<T, Emulated>(c));
    EmulatedRun::reversed = true;
    const Numbers<T> back = evaluate(row.device, Inputs<T, Emulated>(c));
    EmulatedRun::reversed = false;
    if (!detail::same_bits(there.outputs, back.outputs) || !detail::same_bits(there.gradients, back.gradients))
      return "device: the order of threads matters";
    if (Emulated::violations() > 0) return "device: writes outside its memory, or lanes that part";
    if (std::string wrong = check_absent(row.device, c); !wrong.empty()) return wrong;
    // once per operation: what is asked of every case on the host is asked of the same formulas here
    if (EmulatedRun::lanes == 1 || sizeof(T) != 4 || std::exchange(not_finite, true)) return {};
    return check_not_finite(row.device, row.habits, c, 8);
  };
  const auto check_all = [&](const std::vector<Case>& cases, int lanes) -> std::string {
    EmulatedRun::lanes = lanes;
    for (const Case& c : cases)
      if (std::string wrong = check(c); !wrong.empty()) return detail::cat(row.name, " (", c.name, "): ", wrong);
    return {};
  };
  std::string wrong = check_all(row.cases, 32);
  if (wrong.empty()) wrong = check_all(row.medium, 32);
  return wrong.empty() ? check_all(row.large, 1) : wrong;
}
template <class Row, class T>
std::string check_emulated(double tolerance) {
  EmulatedRow<T> row{Row::name,     Row::cases(), {}, Row::large(), build_of<Row, T>, build_of<Row, T, Emulated>,
                     habits_of<Row>};
  if constexpr (requires { Row::medium(); }) row.medium = Row::medium();
  return check_emulated(row, tolerance);
}

}  // namespace lacuna::test
