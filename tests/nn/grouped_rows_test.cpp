#include <doctest/doctest.h>

#include "rows/grouped.hpp"

TEST_CASE("encoders one after the other, as groups of a device must be: gradients, threads, absence") {
  using namespace lacuna::test;
  GroupedRows::for_each([]<class Row>() { CHECK(check_row<Row>() == ""); });
}
