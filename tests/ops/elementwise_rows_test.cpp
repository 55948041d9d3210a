#include <doctest/doctest.h>

#include "rows/elementwise.hpp"

TEST_CASE("elementwise rows") {
  lacuna::test::ElementwiseRows::for_each([]<class Row>() { CHECK(lacuna::test::check_row<Row>() == ""); });
}
