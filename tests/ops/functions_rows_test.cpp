#include <doctest/doctest.h>

#include "rows/functions.hpp"

TEST_CASE("function rows") {
  lacuna::test::FunctionRows::for_each([]<class Row>() { CHECK(lacuna::test::check_row<Row>() == ""); });
}
