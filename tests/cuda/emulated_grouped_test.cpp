#include <doctest/doctest.h>

#include "cuda/emulated_rows.hpp"
#include "rows/grouped.hpp"

TEST_CASE("kernels of the GPU, emulated: equal encoders as one agree with one after the other on the host") {
  using namespace lacuna::test;
  GroupedRows::for_each([]<class Row>() {
    CHECK(check_emulated<Row, float>(1e-4) == "");
    CHECK(check_emulated<Row, double>(1e-9) == "");
  });
}
