/// The table in which every operation stands once: with its shapes, its absent samples, and a function that builds it in any
/// type on any device. Tests check every row (gradients, float against double, threads, absence: support/rows.hpp), benchmarks
/// time it, and where there is a second device its numbers are compared.
///
/// To add an operation: write its row in the family's header in tests/rows/ and put it into the list at the end of that
/// header. A new family: a header with a list, its list in `Operations` below, and a tests/<room>/<family>_rows_test.cpp like
/// tests/ops/arithmetic_rows_test.cpp. The head of support/rows.hpp shows a row.
#pragma once

#include "rows/arithmetic.hpp"
#include "rows/attention.hpp"
#include "rows/batch_losses.hpp"
#include "rows/class_losses.hpp"
#include "rows/elementwise.hpp"
#include "rows/functions.hpp"
#include "rows/fusion.hpp"
#include "rows/graph.hpp"
#include "rows/grouped.hpp"
#include "rows/indexing.hpp"
#include "rows/losses.hpp"
#include "rows/manipulation.hpp"
#include "rows/matmul.hpp"
#include "rows/published.hpp"
#include "rows/reduction.hpp"
#include "rows/sequence.hpp"
#include "rows/shape.hpp"

namespace lacuna::test {

using Operations = Join<ArithmeticRows, ShapeRows, AttentionRows, FunctionRows, SequenceRows, FusionRows, GraphRows,
                        GroupedRows, PublishedRows, LossRows, ClassLossRows, BatchLossRows, ElementwiseRows,
                        ReductionRows, ManipulationRows, IndexingRows, MatmulRows>;

}  // namespace lacuna::test
