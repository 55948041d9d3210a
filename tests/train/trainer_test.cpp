#include "lacuna/train/trainer.hpp"

#include <doctest/doctest.h>

#include "train/tiny_learner.hpp"

namespace lacuna::test {
namespace {

using train::FitOptions;
using train::Trainer;

struct Silent : train::Observer {};

template <class T>
TinyLearner<T> tiny(const data::Dataset& data, std::uint64_t seed = 5) {
  return TinyLearner<T>({.inputs = data.dimensions()}, Random(seed));
}

template <class Action>
std::string error_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST_CASE_TEMPLATE("fit: learns, validates under both conditions, and keeps the best epoch", T, float, double) {
  const auto corpus = tiny_corpus(400);
  auto model = tiny<T>(corpus);
  Silent silent;
  const auto history = train::fit(model, corpus, {.epochs = 30, .batch = 32, .learning_rate = 5e-3}, silent);
  REQUIRE(history.epochs.size() == 30);
  CHECK(history.epochs.back().losses[0].second < 0.5 * history.epochs.front().losses[0].second);
  REQUIRE(history.best() != nullptr);
  for (const auto& record : history.epochs) {
    CHECK(record.score >= history.best()->score);
    REQUIRE(record.validation.size() == 2);
    CHECK(record.validation[0].condition == "complete");
    CHECK(record.validation[1].condition == "without-audio");
    CHECK(record.score ==
          doctest::Approx((record.validation[0].values[0].second + record.validation[1].values[0].second) / 2));
    CHECK(record.losses[1].first == "squares");
  }
  // the model holds the parameters of that epoch
  train::Selector again(model.conditions(corpus.modality_names()));
  CHECK(again.validate(model, corpus.validation).score == history.best()->score);
}

TEST_CASE("fit: the test split is never looked at") {
  auto corpus = tiny_corpus();
  auto untouched = tiny<float>(corpus), poisoned = tiny<float>(corpus);
  Silent silent;
  train::fit(untouched, corpus, {.epochs = 3}, silent);
  corpus.test = {};
  train::fit(poisoned, corpus, {.epochs = 3}, silent);
  CHECK(flat(untouched) == flat(poisoned));
}

TEST_CASE("trainer: going on from a saved state ends in the same bits, whichever step it was saved at") {
  const auto corpus = tiny_corpus();
  double average = 0;
  SUBCASE("the weights of the best epoch") {}
  SUBCASE("their average") { average = 0.9; }
  const FitOptions options{.epochs = 4,
                           .batch = 16,
                           .schedule = optim::warmup_staircase(2, 1, 0.5),
                           .gradient_clip = 0.5,
                           .average = average};
  Silent silent;
  auto undisturbed = tiny<float>(corpus);
  const auto whole = train::fit(undisturbed, corpus, options, silent);
  const int steps = 4 * 5;
  for (int stop = 0; stop <= steps; ++stop) {
    CAPTURE(stop);
    State saved;
    {
      auto model = tiny<float>(corpus);
      Trainer<TinyLearner<float>> trainer(model, corpus, options);
      for (int i = 0; i < stop; ++i) trainer.step(silent);
      saved = trainer.save();
      State deep;  // what a file would hold
      for (const auto& [name, value] : saved.values())
        deep.put_value(name, std::visit(
                                 [](const auto& held) -> State::Value {
                                   if constexpr (requires { held.clone(); })
                                     return held.clone();
                                   else
                                     return held;
                                 },
                                 value));
      saved = deep;
    }
    TinyLearner<float> model;  // knows nothing but what was saved
    Trainer<TinyLearner<float>> trainer(model, corpus, options, saved);
    while (!trainer.finished()) trainer.step(silent);
    trainer.restore_best();
    CHECK(flat(model) == flat(undisturbed));
    CHECK(model.means == undisturbed.means);
    REQUIRE(trainer.history().epochs.size() == whole.epochs.size());
    for (std::size_t i = 0; i < whole.epochs.size(); ++i) {
      CHECK(trainer.history().epochs[i].losses == whole.epochs[i].losses);
      CHECK(trainer.history().epochs[i].score == whole.epochs[i].score);
      CHECK(trainer.history().epochs[i].best == whole.epochs[i].best);
    }
  }
}

TEST_CASE("trainer: the average of the weights is what is validated and kept, and training goes on without it") {
  const auto corpus = tiny_corpus();
  const FitOptions plain{.epochs = 3, .batch = 16, .learning_rate = 2e-2};
  FitOptions averaged = plain;
  averaged.average = 0.8;
  auto model = tiny<double>(corpus), other = tiny<double>(corpus);
  Trainer<TinyLearner<double>> trainer(model, corpus, averaged), reference(other, corpus, plain);
  Silent silent;
  std::vector<double> expected = flat(other), best;
  double least = 1e300;
  for (int t = 1; !reference.finished(); ++t) {
    trainer.step(silent);
    reference.step(silent);
    CHECK(flat(model) == flat(other));  // the steps are those of a training without
    const double keep = std::min(0.8, (1.0 + t) / (10.0 + t));
    const auto now = flat(other);
    for (std::size_t i = 0; i < now.size(); ++i) expected[i] = keep * expected[i] + (1 - keep) * now[i];
    if (!trainer.at_epoch_end()) continue;
    const auto& record = trainer.history().epochs.back();
    CHECK(record.losses == reference.history().epochs.back().losses);
    if (record.score < least) least = record.score, best = expected;
    CHECK(record.best == (record.score == least));
  }
  trainer.restore_best();
  const auto found = flat(model);
  REQUIRE(found.size() == best.size());
  for (std::size_t i = 0; i < best.size(); ++i) CHECK(found[i] == doctest::Approx(best[i]).epsilon(1e-12));
  train::Selector again(model.conditions(corpus.modality_names()), plain.batch);
  CHECK(again.validate(model, corpus.validation).score == least);
  for (const double wrong : {-0.1, 1.0, double(NAN)}) {
    averaged.average = wrong;
    CHECK(error_of([&] { averaged.check(); }).find("average is") != std::string::npos);
  }
}

TEST_CASE("trainer: a state that does not fit is refused with its reason") {
  const auto corpus = tiny_corpus();
  auto model = tiny<float>(corpus);
  const double average = 0.5;  // a state with all there can be
  Trainer<TinyLearner<float>> trainer(model, corpus, {.epochs = 2, .batch = 16, .average = average});
  Silent silent;
  trainer.step(silent);
  const State saved = trainer.save();
  const auto resumed = [&](const State& state, const FitOptions& options) {
    return error_of([&] {
      TinyLearner<float> other;
      Trainer<TinyLearner<float>>(other, corpus, options, state);
    });
  };
  CHECK(resumed(saved, {.epochs = 2, .batch = 16, .average = average}) == "no error");
  CHECK(resumed(saved, {.epochs = 2, .batch = 17, .average = average}).find("batch 16, now it is 17") !=
        std::string::npos);
  CHECK(resumed(saved, {.epochs = 2, .batch = 16, .schedule = 1, .average = average}).find("another schedule") !=
        std::string::npos);
  CHECK(resumed(saved, {.epochs = 2, .batch = 16, .average = average, .seed = 2}).find("seed 1, now it is 2") !=
        std::string::npos);
  CHECK(resumed(saved, {.epochs = 2, .batch = 16}).find("average 0.5, now it is 0") != std::string::npos);
  for (const auto& entry : saved.values()) {  // every single value is needed
    const std::string& name = entry.first;
    if (name == "lacuna") continue;
    State less = saved;
    less.erase(name);
    CAPTURE(name);
    CHECK(resumed(less, {.epochs = 2, .batch = 16, .average = average}).find("is missing") != std::string::npos);
  }
  State shifted = saved;
  shifted.put("training/batch", 99);
  CHECK(resumed(shifted, {.epochs = 2, .batch = 16, .average = average}).find("which the data do not have") !=
        std::string::npos);
}

TEST_CASE("trainer: bits do not depend on the number of threads") {
  const auto corpus = tiny_corpus();
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 3}) {
    set_threads(threads);
    auto model = tiny<float>(corpus);
    Silent silent;
    train::fit(model, corpus, {.epochs = 2, .batch = 16}, silent);
    results.push_back(flat(model));
  }
  set_threads(0);
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}

TEST_CASE("trainer: a loss that is not finite names epoch, batch and term") {
  const auto corpus = tiny_corpus();
  auto model = tiny<float>(corpus);
  Trainer<TinyLearner<float>> trainer(model, corpus, {.epochs = 2, .batch = 16});
  Silent silent;
  for (int i = 0; i < 6; ++i) trainer.step(silent);
  model.poison = std::nan("");
  const auto before = flat(model);
  const std::string message = error_of([&] { trainer.step(silent); });
  CHECK(message.find("epoch 2, batch 2: loss term 'poison' is nan") != std::string::npos);
  CHECK(flat(model) == before);
}

TEST_CASE("trainer: early stopping after `patience` epochs without progress") {
  const auto corpus = tiny_corpus();
  auto model = tiny<float>(corpus);
  Silent silent;
  // so large a rate that the first epochs stay the best
  const auto history =
      train::fit(model, corpus, {.epochs = 200, .learning_rate = 0.5, .schedule = 1, .patience = 3}, silent);
  REQUIRE(history.epochs.size() < 200);
  CHECK(history.epochs.size() == std::size_t(history.best()->epoch) + 3);
}

TEST_CASE("trainer: the published order ignores the seed, the shuffled one follows it") {
  const auto corpus = tiny_corpus();
  const auto first_losses = [&](train::Order order, std::uint64_t seed) {
    auto model = tiny<float>(corpus);
    model.options.dropout = 0;
    struct Watch : train::Observer {
      std::vector<double> seen;
      void batch(const train::BatchReport& report) override { seen.push_back(report.loss); }
    } watch;
    auto plain = model;
    train::fit(plain, corpus, {.epochs = 1, .batch = 16, .order = order, .seed = seed}, watch);
    return watch.seen;
  };
  // `prepare` draws from the seed as well, by less than 1e-3
  const auto a = first_losses(train::Order::published, 1), b = first_losses(train::Order::published, 2);
  const auto c = first_losses(train::Order::shuffled, 1), d = first_losses(train::Order::shuffled, 2);
  CHECK(a[0] == doctest::Approx(b[0]).epsilon(1e-2));
  CHECK(std::abs(c[0] - d[0]) > 1e-2 * std::abs(c[0]));
  CHECK(first_losses(train::Order::shuffled, 1) == c);
}

TEST_CASE("trainer: an observer can stop it; impossible options and data are refused") {
  const auto corpus = tiny_corpus();
  auto model = tiny<float>(corpus);
  struct StopAfter : train::Observer {
    int left = 3;
    bool stop() override { return left-- == 0; }
  } observer;
  CHECK(train::fit(model, corpus, {.epochs = 9, .batch = 70}, observer).epochs.size() == 3);

  Silent silent;
  const auto refusal = [&](const data::Dataset& data, const FitOptions& options) {
    return error_of([&] { train::fit(model, data, options, silent); });
  };
  CHECK(refusal(corpus, {.epochs = 0}) == "fit: epochs is 0, expected at least 1");
  CHECK(refusal(corpus, {.batch = -1}) == "fit: batch is -1, expected at least 1");
  CHECK(refusal(corpus, {.learning_rate = std::nan("")}).find("learning_rate is nan") != std::string::npos);
  CHECK(refusal(corpus, {.precision = Precision::tf32}).find("precision = tf32 or bf16 is for a GPU") !=
        std::string::npos);
  data::Dataset unlabelled = corpus;
  unlabelled.validation.labels.clear();
  CHECK(refusal(unlabelled, {}).find("validation split has 0 real labels for 20 samples") != std::string::npos);
}

TEST_CASE("fit options: the schedule of SDUMC") {
  const FitOptions options{.learning_rate = 1e-4};
  const std::vector<double> expected{2e-5, 4e-5, 6e-5, 8e-5, 1e-4, 1e-4};
  for (std::size_t e = 0; e < expected.size(); ++e)
    CHECK(options.learning_rate_at(index_t(e)) == doctest::Approx(expected[e]).epsilon(1e-12));
  CHECK(options.learning_rate_at(13) == doctest::Approx(1e-4));
  CHECK(options.learning_rate_at(14) == doctest::Approx(9e-5));
  CHECK(options.learning_rate_at(24) == doctest::Approx(8.1e-5));
}

}  // namespace
}  // namespace lacuna::test
