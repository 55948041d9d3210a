#include "device_check/epoch.cuh"
#include "lacuna/models/sdumc/sdumc.hpp"

TEST_CASE("one epoch of SDUMC, float") {
  const auto corpus = lacuna::data::synthetic();
  lacuna::test::check_epoch<lacuna::models::Sdumc, float>("SDUMC", {.inputs = corpus.dimensions()}, corpus, 1e-4);
}
