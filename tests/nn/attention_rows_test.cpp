#include <doctest/doctest.h>

#include "rows/attention.hpp"

TEST_CASE("attention rows") {
  lacuna::test::AttentionRows::for_each([]<class Row>() { CHECK(lacuna::test::check_row<Row>() == ""); });
}
