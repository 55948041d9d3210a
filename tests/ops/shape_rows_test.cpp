#include <doctest/doctest.h>

#include "rows/shape.hpp"

TEST_CASE("shape rows") {
  lacuna::test::ShapeRows::for_each([]<class Row>() { CHECK(lacuna::test::check_row<Row>() == ""); });
}
