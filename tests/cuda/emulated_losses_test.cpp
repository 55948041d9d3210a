#include <doctest/doctest.h>

#include "cuda/emulated_rows.hpp"
#include "rows/class_losses.hpp"
#include "rows/losses.hpp"

// Losses of differences have kernels of their own; those of classes go through the host, as all others do.
TEST_CASE("kernels of the GPU, emulated: losses agree with the host") {
  using namespace lacuna::test;
  Join<LossRows, ClassLossRows>::for_each([]<class Row>() { CHECK(check_emulated<Row, double>(1e-9) == ""); });
}
