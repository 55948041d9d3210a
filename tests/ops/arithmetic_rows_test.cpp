#include <doctest/doctest.h>

#include "rows/arithmetic.hpp"

TEST_CASE("arithmetic rows") {
  lacuna::test::ArithmeticRows::for_each([]<class Row>() { CHECK(lacuna::test::check_row<Row>() == ""); });
}
