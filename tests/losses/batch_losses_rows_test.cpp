#include <doctest/doctest.h>

#include "rows/batch_losses.hpp"

TEST_CASE("batch losses rows") {
  lacuna::test::BatchLossRows::for_each([]<class Row>() { CHECK(lacuna::test::check_row<Row>() == ""); });
}
