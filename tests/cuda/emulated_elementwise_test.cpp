#include <doctest/doctest.h>

#include "cuda/emulated_rows.hpp"
#include "rows/arithmetic.hpp"
#include "rows/functions.hpp"
#include "rows/shape.hpp"

TEST_CASE("kernels of the GPU, emulated: elementwise operations, moves, functions agree with the host") {
  using namespace lacuna::test;
  Join<ArithmeticRows, ShapeRows, FunctionRows>::for_each([]<class Row>() {
    CHECK(check_emulated<Row, double>(1e-9) == "");
    CHECK(check_emulated<Row, float>(1e-4) == "");
  });
}
