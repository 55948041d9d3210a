/// Rows of the table of operations through the kernel families of the GPU, without one: see emulated.hpp.
#pragma once

#include "emulated.hpp"
#include "support/rows.hpp"

namespace lacuna::test {

/// Sizes, values, order and absence of one row in one type. Large cases have more numbers than a team has lanes; they run with
/// teams of one lane, which is quicker, unless `whole_teams` asks for all 32.
template <class Row, class T>
std::string check_emulated(double tolerance, bool whole_teams = false) {
  const auto check = [&](const Case& c) -> std::string {
    if (std::string wrong = check_device<Row, T, Emulated>(c, tolerance); !wrong.empty()) return wrong;
    const Numbers<T> there = evaluate<Row>(Inputs<T, Emulated>(c));
    EmulatedRun::reversed = true;
    const Numbers<T> back = evaluate<Row>(Inputs<T, Emulated>(c));
    EmulatedRun::reversed = false;
    if (!detail::same_bits(there.outputs, back.outputs) || !detail::same_bits(there.gradients, back.gradients))
      return "device: the order of threads matters";
    if (Emulated::violations() > 0) return "device: writes outside its memory, or lanes that part";
    return check_absent<Row, T, Emulated>(c);
  };
  for (const bool large : {false, true})
    for (const Case& c : large ? Row::large() : Row::cases()) {
      EmulatedRun::lanes = large && !whole_teams ? 1 : 32;
      if (std::string wrong = check(c); !wrong.empty()) return detail::cat(Row::name, " (", c.name, "): ", wrong);
    }
  return {};
}

}  // namespace lacuna::test
