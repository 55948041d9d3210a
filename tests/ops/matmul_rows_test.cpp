#include <doctest/doctest.h>

#include "rows/matmul.hpp"

TEST_CASE("matmul rows") {
  lacuna::test::MatmulRows::for_each([]<class Row>() { CHECK(lacuna::test::check_row<Row>() == ""); });
}
