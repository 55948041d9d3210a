/// The table in which every operation stands once: with its shapes, its absent samples, and a function that builds it in any
/// type on any device. Tests check every row (gradients, float against double, threads, absence: support/rows.hpp), benchmarks
/// time it, and where there is a second device its numbers are compared.
///
/// To add an operation: write its row in the family's header in tests/rows/ (or a new header with a new list, added here and
/// to a tests/ops/<family>_rows_test.cpp), and put it into the list at the end of that header. The head of support/rows.hpp
/// shows a row.
#pragma once

#include "rows/arithmetic.hpp"

namespace lacuna::test {

using Operations = Join<ArithmeticRows>;

}  // namespace lacuna::test
