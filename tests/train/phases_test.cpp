/// Trainings of several phases: interrupted after any step of any phase, they go on to the same bits; observers see and
/// stop all of them; the laboratory stores what it was interrupted in.
#include <doctest/doctest.h>

#include <set>

#include "lacuna/data/synthetic.hpp"
#include "lacuna/lab/system.hpp"
#include "lacuna/models/baselines/mmin.hpp"
#include "lacuna/models/corrkd/corrkd.hpp"
#include "lacuna/models/sdumc/sdumc.hpp"
#include "train/tiny_learner.hpp"

namespace lacuna::test {
namespace {

template <class M>
M phased(const data::Dataset& data) {
  typename M::Options o;
  if constexpr (requires { o.network; }) {
    o.network.inputs = data.dimensions();
    o.network.width = 8, o.network.depth = 1;
    o.labels = models::CorrkdLabels::regression;
    o.teacher.epochs = 2, o.teacher.batch = 16, o.teacher.count = 2;
  } else {
    o.inputs = data.dimensions();
    o.drop = missing::mrm_preset("mplmm");
  }
  if constexpr (requires { o.simulator; }) {
    o.width = o.fused = o.contrast = 8;
    o.simulator.width = 8, o.simulator.epochs = 3, o.simulator.batch = 16;
  }
  if constexpr (requires { o.pretraining; })
    o.width = 8, o.layers = {8}, o.pretraining.epochs = 2, o.pretraining.batch = 16;
  return M(o, Random(3));
}
/// What a file would hold.
State stored(const State& state) {
  State deep;
  for (const auto& [name, value] : state.values())
    deep.put_value(name, std::visit(
                             [](const auto& held) -> State::Value {
                               if constexpr (requires { held.clone(); })
                                 return held.clone();
                               else
                                 return held;
                             },
                             value));
  return deep;
}
data::Corpus short_corpus() {
  return data::synthetic({.samples = 40, .seed = 3, .validation = 10, .test = 4, .max_frames = 3});
}

struct Listener : train::Observer {
  int left = 1 << 30;
  std::set<std::string> batches, epochs;
  void batch(const train::BatchReport& report) override { batches.insert(report.phase); }
  void epoch(const train::EpochRecord& record, index_t) override { epochs.insert(record.phase); }
  bool stop() override { return left-- == 0; }
};

}  // namespace

TEST_CASE_TEMPLATE("phases: going on after any step of any phase ends in the same bits", M, models::Corrkd<float>,
                   models::Mmin<float>, models::Sdumc<float>) {
  const auto corpus = short_corpus();
  const train::FitOptions options{.epochs = 2, .batch = 16, .gradient_clip = 1, .average = 0.5};
  Listener listener;
  M undisturbed = phased<M>(corpus);
  int steps = 0;
  std::set<std::string> phases;
  train::History whole;
  {
    train::Trainer<M> trainer(undisturbed, corpus, options);
    for (; !trainer.finished(); ++steps) {
      phases.insert(trainer.phase());
      trainer.step(listener);
    }
    trainer.restore_best();
    whole = trainer.history();
  }
  CHECK(phases.size() == (std::is_same_v<M, models::Corrkd<float>> ? 3 : 2));
  CHECK(listener.batches.size() == phases.size());
  CHECK(listener.epochs.size() == phases.size());
  for (int stop = 0; stop <= steps; ++stop) {
    CAPTURE(stop);
    State saved;
    {
      M model = phased<M>(corpus);
      train::Trainer<M> trainer(model, corpus, options);
      for (int i = 0; i < stop; ++i) trainer.step(listener);
      saved = stored(trainer.save());
    }
    M model = phased<M>(corpus);
    train::Trainer<M> trainer(model, corpus, options, saved);
    while (!trainer.finished()) trainer.step(listener);
    trainer.restore_best();
    CHECK(flat(model) == flat(undisturbed));
    REQUIRE(trainer.history().epochs.size() == whole.epochs.size());
    for (std::size_t i = 0; i < whole.epochs.size(); ++i) {
      CHECK(trainer.history().epochs[i].losses == whole.epochs[i].losses);
      CHECK(trainer.history().epochs[i].score == whole.epochs[i].score);
    }
    CHECK(train::predict(train::model_from<M>(stored(train::model_state(model))), corpus.test) ==
          train::predict(undisturbed, corpus.test));
  }
}

TEST_CASE_TEMPLATE("phases: an observer stops any of them, the laboratory goes on from there", M, models::Corrkd<float>,
                   models::Mmin<float>, models::Sdumc<float>) {
  const auto corpus = short_corpus();
  M model = phased<M>(corpus);
  Listener impatient;
  impatient.left = 1;  // after one step of the first phase
  CHECK(train::fit(model, corpus, {.epochs = 1}, impatient).epochs.empty());
  CHECK(impatient.batches.size() == 1);
  CHECK(impatient.batches.count("") == 0);

  const auto system =
      lab::make_system<M>("small", "", {.epochs = 1, .batch = 16}, [&](std::uint64_t) { return phased<M>(corpus); });
  Listener patient, other;
  lab::TrainJob job{corpus, 1, &patient, nullptr, {}};
  const auto whole = system.train(job);
  REQUIRE(whole.has_value());
  other.left = 2;
  State saved;
  lab::TrainJob first{corpus, 1, &other, nullptr,
                      [&](const std::function<State()>& state, bool) { saved = stored(state()); }};
  CHECK_FALSE(system.train(first).has_value());
  lab::TrainJob second{corpus, 1, &patient, &saved, {}};
  const auto resumed = system.train(second);
  REQUIRE(resumed.has_value());
  const auto batch = data::gather<float>(corpus.test, std::vector<index_t>{0, 1, 2, 3});
  CHECK(resumed->predict(batch) == whole->predict(batch));
}

TEST_CASE("phases: a state of another phase is refused") {
  const auto corpus = short_corpus();
  using M = models::Sdumc<float>;
  M model = phased<M>(corpus), other = phased<M>(corpus);
  const train::FitOptions options{.epochs = 1};
  train::Trainer<M> trainer(model, corpus, options);
  State saved = trainer.save();
  saved.put("training/phase", "training");
  CHECK_THROWS_WITH_AS(train::Trainer<M>(other, corpus, options, saved), doctest::Contains("the model is at 'decoder'"),
                       IoError);
}

}  // namespace lacuna::test
