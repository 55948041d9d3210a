#include <doctest/doctest.h>

#include "rows/manipulation.hpp"

TEST_CASE("manipulation rows") {
  lacuna::test::ManipulationRows::for_each([]<class Row>() { CHECK(lacuna::test::check_row<Row>() == ""); });
}
