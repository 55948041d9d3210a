#include "device_check/epoch_corrkd.cuh"

TEST_CASE("one epoch of CorrKD, double") {
  const auto corpus = lacuna::data::synthetic();
  lacuna::test::check_epoch<lacuna::models::Corrkd, double>("CorrKD", lacuna::test::corrkd_for(corpus), corpus, 1e-7);
}
