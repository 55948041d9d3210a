#include "device_check/epoch.cuh"
#include "lacuna/models/corrkd/corrkd.hpp"

namespace {

lacuna::models::CorrkdOptions options_for(const lacuna::data::Corpus& corpus) {
  lacuna::models::CorrkdOptions options;
  options.network.inputs = corpus.dimensions();
  options.teacher.epochs = 1;
  return options;
}

}  // namespace

TEST_CASE("one epoch of CorrKD, double") {
  const auto corpus = lacuna::data::synthetic();
  lacuna::test::check_epoch<lacuna::models::Corrkd, double>("CorrKD", options_for(corpus), corpus, 1e-7);
}
// In float a difference of one rounding grows by a factor of a hundred thousand within this epoch, through the kinks of
// max(x, 0) and through Adam, on whichever device it arises: only its first steps can be compared.
TEST_CASE("three steps of CorrKD's teacher and three of its student, float") {
  const auto corpus = lacuna::data::synthetic({.samples = 96});
  lacuna::test::check_epoch<lacuna::models::Corrkd, float>("CorrKD", options_for(corpus), corpus, 1e-4);
}
TEST_CASE("one epoch of CorrKD, float: the same bits twice") {
  const auto corpus = lacuna::data::synthetic();
  lacuna::test::check_twice<lacuna::models::Corrkd, float>("CorrKD, float", options_for(corpus), corpus);
}
