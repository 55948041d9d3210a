// Whole models on the emulated device: the same training, the same checkpoints, steps replayed or run.
#include <doctest/doctest.h>

#include "cuda/emulated.hpp"
#include "lacuna/data/synthetic.hpp"
#include "lacuna/models/corrkd/corrkd.hpp"
#include "lacuna/models/sdumc/sdumc.hpp"
#include "lacuna/nn/linear.hpp"
#include "lacuna/ops/pooling.hpp"
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

/// 26 samples make batches of 8 with a last one of 2; 3 frames each, or up to more.
data::Corpus small_corpus(index_t longest = 3) {
  return data::synthetic(
      {.samples = 26, .seed = 5, .validation = 4, .test = 4, .min_frames = 3, .max_frames = longest});
}

/// What a training was, bit by bit: losses and scores of every epoch, then predictions.
struct Replayed {
  std::vector<double> numbers;
  index_t recordings = 0, replays = 0;
  int launches = 0, waits = 0;  ///< at most, of a step that launched a recording and ended no epoch
  std::string note;
};
template <class M>
Replayed train_replayed(M model, const data::Corpus& data, const train::FitOptions& options) {
  struct Listener final : train::Observer {
    std::string heard;
    void note(const std::string& line) override { heard += line; }
  } listener;
  test::EmulatedRun::lanes = 1;
  Replayed result;
  train::Trainer<M> trainer(model, data, options);
  while (!trainer.finished()) {
    const index_t before = trainer.replays(), recorded = trainer.recordings();
    const int works = Emulated::works, launched = Emulated::launched, waits = Emulated::waits;
    trainer.step(listener);
    if (trainer.replays() == before || trainer.recordings() != recorded || trainer.at_epoch_end()) continue;
    result.launches = std::max(result.launches, Emulated::works - works + Emulated::launched - launched);
    result.waits = std::max(result.waits, Emulated::waits - waits);
  }
  trainer.restore_best();
  result.recordings = trainer.recordings(), result.replays = trainer.replays();
  result.note = listener.heard;
  for (const auto& epoch : trainer.history().epochs) {
    for (const auto& [name, value] : epoch.losses) result.numbers.push_back(value);
    result.numbers.push_back(epoch.score);
  }
  const auto predictions = train::predict(model, data.test);
  result.numbers.insert(result.numbers.end(), predictions.begin(), predictions.end());
  CHECK(Emulated::violations() == 0);
  return result;
}
/// The same training with every step run has the same bits. A replayed step is few launches and one wait.
template <class M>
Replayed check_replays(const M& model, const data::Corpus& data) {
  train::FitOptions options{.epochs = 3, .batch = 8, .gradient_clip = 0.8};
  const State state = train::model_state(model);
  options.replay = train::ReplaySteps::off;
  const Replayed run = train_replayed(train::model_from<M>(state), data, options);
  CHECK(run.recordings == 0);
  CHECK(run.replays == 0);
  options.replay = train::ReplaySteps::on;
  const Replayed replayed = train_replayed(train::model_from<M>(state), data, options);
  CHECK(replayed.numbers == run.numbers);
  CHECK(replayed.launches <= 12);
  CHECK(replayed.waits <= 1);
  return replayed;
}

/// A model of a user's own; `reads` is how it looks at the host inside its objective.
enum class Reads { nothing, labels, places, presence, number, random };
struct OwnOptions {
  std::vector<index_t> inputs;
  missing::MrmOptions drop = missing::mrm_preset("uniform");
  int reads = 0;
  index_t outputs() const { return 1; }
  static void reflect(auto& self, auto&& visit) {
    visit("inputs", self.inputs);
    visit("reads", self.reads);
  }
};
struct OwnNetwork {
  using scalar = double;
  using device = Emulated;
  using Options = OwnOptions;
  Linear<double, Emulated> layer, head;
  Reads reads;
  OwnNetwork(const Options& o, Random& random)
      : layer({o.inputs[0], 6}, random), head({6, 1}, random), reads(Reads(o.reads)) {}
  Variable<double, 2, Emulated> operator()(const models::Streams<double, Emulated>& streams,
                                           const Context& context) const {
    const auto x = mean_pool(Variable<double, 3, Emulated>(streams[0].frames), streams[0].present);
    return head(dropout(layer(x, Activation::relu), 0.3, context));
  }
  LossTerms<double, Emulated> objective(const models::TrainingBatch<double, Emulated>& batch,
                                        const Context& context) const {
    double weight = 1;
    const auto scores = (*this)(batch.seen, context);
    if (reads == Reads::labels && batch.targets.real[0] > 0) weight = 2;
    if (reads == Reads::places && batch.samples[0] % 2 > 0) weight = 2;
    if (reads == Reads::presence && batch.lost[0].defined() && batch.lost[0].host()(0)) weight = 2;
    if (reads == Reads::number && scores.value().first() > 0) weight = 2;
    if (reads == Reads::random && context.random->uniform() > 0.5) weight = 2;
    return Objective<double, Emulated>().add("own", weight, batch.task_loss(scores)).result();
  }
  static void reflect(auto& self, auto&& visit) {
    visit("layer", self.layer);
    visit("head", self.head);
  }
};

TEST_CASE("steps replayed: CorrKD and SDUMC, the bits of steps that are run") {
  auto o = small_corrkd();
  o.teacher.epochs = 1, o.loss.rcd = 0.1;
  o.labels = models::CorrkdLabels::binary_has0;
  const auto uneven = small_corpus(5);
  const Replayed corrkd = check_replays(models::Corrkd<double, Emulated>(o, Random(3)), uneven);
  CHECK(corrkd.recordings == 2);  // the full batch and the last one, whatever their lengths and masks
  CHECK(corrkd.replays == 12 - 2);
  CHECK(corrkd.note == "");

  auto s = small_sdumc();
  s.simulator.epochs = 1;
  const Replayed sdumc = check_replays(models::Sdumc<double, Emulated>(s, Random(3)), small_corpus());
  CHECK(sdumc.recordings == 2);
  CHECK(sdumc.replays == 12 - 2);
  CHECK(check_replays(models::Sdumc<double, Emulated>(s, Random(3)), uneven).replays < 10);  // every length its own
}
TEST_CASE("steps replayed: a model of one's own, and others that read the host in their objective") {
  const auto data = small_corpus();
  const auto check = [&](Reads reads) {
    OwnOptions o{.inputs = data.dimensions(), .reads = int(reads)};
    return check_replays(models::Model<OwnNetwork>(o, Random(3)), data);
  };
  const Replayed replayed = check(Reads::nothing);
  CHECK(replayed.replays > 4);
  CHECK(replayed.note == "");
  for (const auto& [reads, why] :
       {std::pair(Reads::labels, "labels"), std::pair(Reads::places, "places of samples"),
        std::pair(Reads::presence, "which samples are present"), std::pair(Reads::number, "a copy to the host"),
        std::pair(Reads::random, "random numbers")}) {
    const Replayed run = check(reads);
    CAPTURE(run.note);
    if (reads != Reads::presence) CHECK(run.recordings == 0);  // a batch that lost nobody has no mask to read
    CHECK(run.note.find(why) != std::string::npos);
  }
}

TEST_CASE("SDUMC on the emulated GPU: training, predictions and checkpoints as on the host") {
  check_model<models::Sdumc, double>(small_sdumc(), 1e-7);
}
TEST_CASE("CorrKD on the emulated GPU: training, predictions and checkpoints as on the host") {
  check_model<models::Corrkd, double>(small_corrkd(), 1e-7);
}

}  // namespace emulated_models
