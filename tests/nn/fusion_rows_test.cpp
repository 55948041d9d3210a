#include <doctest/doctest.h>

#include "rows/fusion.hpp"

TEST_CASE("fusion rows") {
  lacuna::test::FusionRows::for_each([]<class Row>() { CHECK(lacuna::test::check_row<Row>() == ""); });
}
