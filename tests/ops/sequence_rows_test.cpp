#include <doctest/doctest.h>

#include "rows/sequence.hpp"

TEST_CASE("sequence rows") {
  lacuna::test::SequenceRows::for_each([]<class Row>() { CHECK(lacuna::test::check_row<Row>() == ""); });
}
