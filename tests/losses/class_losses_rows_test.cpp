#include <doctest/doctest.h>

#include "rows/class_losses.hpp"

TEST_CASE("class losses rows") {
  lacuna::test::ClassLossRows::for_each([]<class Row>() { CHECK(lacuna::test::check_row<Row>() == ""); });
}
