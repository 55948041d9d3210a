#include <doctest/doctest.h>

#include "cuda/emulated_rows.hpp"
#include "rows/class_losses.hpp"
#include "rows/losses.hpp"

TEST_CASE("kernels of the GPU, emulated: losses of differences, labels, classes and responses agree with the host") {
  using namespace lacuna::test;
  Join<LossRows, ClassLossRows>::for_each([]<class Row>() {
    CHECK(check_emulated<Row, double>(1e-9) == "");
    CHECK(check_emulated<Row, float>(1e-4) == "");
  });
}
