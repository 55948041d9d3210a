#include "device_check/epoch.cuh"
#include "lacuna/models/sdumc/sdumc.hpp"

TEST_CASE("one epoch of SDUMC, float") {
  using namespace lacuna;
  test::check_epoch<models::Sdumc, float>("SDUMC", {.inputs = test::corpus().dimensions()});
}
