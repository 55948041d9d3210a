#include <doctest/doctest.h>

#include "rows/losses.hpp"

TEST_CASE("losses rows") {
  lacuna::test::LossRows::for_each([]<class Row>() { CHECK(lacuna::test::check_row<Row>() == ""); });
}
