#include <doctest/doctest.h>

#include "rows/indexing.hpp"

TEST_CASE("indexing rows") {
  lacuna::test::IndexingRows::for_each([]<class Row>() { CHECK(lacuna::test::check_row<Row>() == ""); });
}
