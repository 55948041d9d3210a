// Whole models on the emulated device: the same training, the same checkpoints.
#include <doctest/doctest.h>

#include "cuda/emulated.hpp"
#include "lacuna/data/synthetic.hpp"
#include "lacuna/models/corrkd/corrkd.hpp"
#include "lacuna/models/sdumc/sdumc.hpp"
#include "lacuna/train/evaluate.hpp"
#include "lacuna/train/trainer.hpp"

namespace emulated_models {

using namespace lacuna;
using test::Emulated;

const data::Corpus& corpus() {
  static const auto set = data::synthetic({.samples = 40, .seed = 5});
  return set;
}
models::SdumcOptions small_sdumc() {
  models::SdumcOptions o;
  o.inputs = corpus().dimensions();
  o.width = 12, o.fused = 8, o.contrast = 6;
  o.simulator.width = 8, o.simulator.slots = 3, o.simulator.epochs = 2, o.simulator.num_heads = 2;
  return o;
}
models::CorrkdOptions small_corrkd() {
  models::CorrkdOptions o;
  o.network.inputs = corpus().dimensions();
  o.network.width = 8;
  o.network.num_heads = 2;
  o.network.depth = 1;
  o.teacher.epochs = 2;
  return o;
}

/// Losses of two epochs, validation scores, and predictions of the test split.
template <class M>
std::vector<double> trained(M& model) {
  train::Observer quiet;
  const auto history = train::fit(model, corpus(), {.epochs = 2, .batch = 8, .gradient_clip = 0.8}, quiet);
  std::vector<double> numbers;
  for (const auto& epoch : history.epochs) {
    for (const auto& [name, value] : epoch.losses) numbers.push_back(value);
    numbers.push_back(epoch.score);
  }
  for (const auto& condition : train::evaluate(model, corpus().test).conditions)
    numbers.insert(numbers.end(), condition.predictions.begin(), condition.predictions.end());
  return numbers;
}
void expect_equal(const std::vector<double>& found, const std::vector<double>& expected, double tolerance) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    CHECK(found[i] == doctest::Approx(expected[i]).epsilon(tolerance));
  }
}

/// Trained on both devices; then each model from the other's state.
template <template <class, class> class Model, class T, class Options>
void check_model(const Options& options, double tolerance) {
  test::EmulatedRun::lanes = 1;
  Model<T, Cpu> host(options, Random(3));
  Model<T, Emulated> device(options, Random(3));
  const std::vector<double> there = trained(device);
  expect_equal(there, trained(host), tolerance);
  CHECK(Emulated::violations() == 0);

  Model<T, Cpu> host_again;
  Model<T, Emulated> device_again;
  train::load_model(host_again, train::model_state(device));
  train::load_model(device_again, train::model_state(host));
  const auto predictions = [](const auto& model) { return train::predict(model, corpus().test); };
  expect_equal(predictions(device_again), predictions(host), tolerance);
  expect_equal(predictions(host_again), predictions(device), tolerance);
}

TEST_CASE("SDUMC on the emulated GPU: training, predictions and checkpoints as on the host") {
  check_model<models::Sdumc, double>(small_sdumc(), 1e-7);
}
TEST_CASE("CorrKD on the emulated GPU: training, predictions and checkpoints as on the host") {
  check_model<models::Corrkd, double>(small_corrkd(), 1e-7);
}

}  // namespace emulated_models
