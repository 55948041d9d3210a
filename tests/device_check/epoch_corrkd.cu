#include "device_check/epoch.cuh"
#include "lacuna/models/corrkd/corrkd.hpp"

TEST_CASE("one epoch of CorrKD, float") {
  using namespace lacuna;
  models::CorrkdOptions options;
  options.network.inputs = test::corpus().dimensions();
  options.teacher.epochs = 1;
  test::check_epoch<models::Corrkd, float>("CorrKD", options);
}
