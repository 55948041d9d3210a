#include <doctest/doctest.h>

#include "cuda/emulated_rows.hpp"
#include "rows/batch_losses.hpp"

TEST_CASE("kernels of the GPU, emulated: losses over the pairs of a batch agree with the host") {
  using namespace lacuna::test;
  BatchLossRows::for_each([]<class Row>() {
    CHECK(check_emulated<Row, double>(1e-9) == "");
    CHECK(check_emulated<Row, float>(1e-4) == "");
  });
}
