#include <doctest/doctest.h>

#include "rows/reduction.hpp"

TEST_CASE("reduction rows") {
  lacuna::test::ReductionRows::for_each([]<class Row>() { CHECK(lacuna::test::check_row<Row>() == ""); });
}
