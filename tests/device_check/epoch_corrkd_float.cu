// In float a difference of one rounding grows by a factor of a hundred thousand within an epoch, through the kinks of
// max(x, 0) and through Adam, on whichever device it arises: only the first steps can be compared.
#include "device_check/epoch_corrkd.cuh"

TEST_CASE("three steps of CorrKD's teacher and three of its student, float") {
  const auto corpus = lacuna::data::synthetic({.samples = 96});
  lacuna::test::check_epoch<lacuna::models::Corrkd, float>("CorrKD", lacuna::test::corrkd_for(corpus), corpus, 1e-4);
}
TEST_CASE("one epoch of CorrKD, float: the same bits twice") {
  const auto corpus = lacuna::data::synthetic();
  lacuna::test::check_twice<lacuna::models::Corrkd, float>("CorrKD, float", lacuna::test::corrkd_for(corpus), corpus);
}
