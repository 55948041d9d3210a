#include <doctest/doctest.h>

#include "cuda/emulated_rows.hpp"
#include "rows/elementwise.hpp"
#include "rows/indexing.hpp"
#include "rows/manipulation.hpp"
#include "rows/matmul.hpp"
#include "rows/reduction.hpp"

// In double, which shows a wrong place as well; in float what adds up.
TEST_CASE("kernels of the GPU, emulated: broadcasting, reductions, moves, indices agree with the host") {
  using namespace lacuna::test;
  Join<ElementwiseRows, ReductionRows, ManipulationRows, IndexingRows, MatmulRows>::for_each(
      []<class Row>() { CHECK(check_emulated<Row, double>(1e-9) == ""); });
  ReductionRows::for_each([]<class Row>() { CHECK(check_emulated<Row, float>(1e-4) == ""); });
}
