/// What the one shell of all models promises: a door that refuses what is not finite with its place, one place where
/// absent is zero, frames that are written over where nobody else sees them, labels in their own units, losses and
/// missing policies of the user's own, embeddings.
#include "lacuna/models/model.hpp"

#include <doctest/doctest.h>

#include "lacuna/models/baselines/constant.hpp"
#include "lacuna/models/baselines/early_fusion.hpp"
#include "lacuna/models/corrkd/corrkd.hpp"
#include "lacuna/models/sdumc/sdumc.hpp"
#include "lacuna/train/trainer.hpp"
#include "models/small_sets.hpp"

namespace lacuna::test {
namespace {

data::Corpus shell_corpus() {
  return data::synthetic({.samples = 120, .seed = 3, .validation = 40, .test = 60, .max_frames = 4});
}
models::EarlyFusion<double> shell_model(const data::Dataset& set) {
  models::EarlyFusion<double> model({.inputs = set.dimensions(), .hidden = 6}, Random(1));
  Random random(2);
  model.prepare(set, random);
  return model;
}
double mean_absolute(const std::vector<double>& predicted, const std::vector<float>& labels) {
  double sum = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) sum += std::abs(predicted[i] - double(labels[i]));
  return sum / double(labels.size());
}

}  // namespace

TEST_CASE("model: a present feature that is not finite is refused with its place, an absent one matters to nobody") {
  const auto set = shell_corpus();
  const auto model = shell_model(set);
  for (const double wrong : {double(NAN), double(INFINITY)}) {
    auto batch = data::gather<double>(set.test, std::vector<index_t>{4, 7, 9});
    const auto clean = model.predict(batch);
    auto& [frames, present] = batch.streams[1];
    frames = frames.clone();
    present = present.clone();
    frames(1, 0, 2) = wrong;
    REQUIRE(present(1, 0) == 1);
    const std::string said = "early fusion: sample 7, frame 0, feature 2 of 'text' is ";
    CHECK_THROWS_WITH_AS(model.predict(batch), doctest::Contains(said.c_str()), Error);
    Random random(1);
    CHECK_THROWS_AS(model.loss(batch, Context::train(random)), Error);
    for (index_t t = 0; t < present.extent(1); ++t) present(1, t) = 0;
    const auto without = model.predict(batch);
    CHECK(without[0] == clean[0]);
    CHECK(std::isfinite(without[1]));
  }
}

TEST_CASE("model: frames are written over where nobody else sees them, and only there") {
  const auto set = shell_corpus();
  const auto model = shell_model(set);
  auto batch = data::gather<double>(set.test, std::vector<index_t>{0, 1, 2, 3});
  const auto before = batch.streams[0].frames.to_vector();
  const auto kept = model.taught(batch, Context{});
  CHECK(batch.streams[0].frames.to_vector() == before);
  CHECK_FALSE(kept.whole[0].frames.shares(batch.streams[0].frames));
  CHECK(kept.seen[0].frames.shares(kept.whole[0].frames));  // nothing was taken away
  const double* const memory = std::as_const(batch.streams[0].frames).data();
  const auto moved = model.taught(std::move(batch), Context{});
  CHECK(std::as_const(moved.whole[0].frames).data() == memory);
  CHECK(moved.whole[0].frames.to_vector() == kept.whole[0].frames.to_vector());
}

TEST_CASE("model: what is taken away is zero in `seen`, and still there in `whole`") {
  const auto set = shell_corpus();
  auto model = shell_model(set);
  model.take_away(missing::mrm_preset("uniform"));
  Random random(4);
  const auto taught = model.taught(data::gather<double>(set.train, std::vector<index_t>{0, 1, 2, 3, 4, 5, 6, 7}),
                                   Context::train(random));
  index_t gone = 0;
  for (std::size_t m = 0; m < 3; ++m)
    for (index_t b = 0; b < 8; ++b) {
      bool any = false;
      for (index_t t = 0; t < taught.seen[m].present.extent(1); ++t) {
        const bool here = taught.seen[m].present(b, t), was = taught.whole[m].present(b, t);
        CHECK((was || !here));
        any = any || here;
        gone += was && !here;
        for (index_t d = 0; d < taught.seen[m].frames.extent(2); ++d)
          CHECK(taught.seen[m].frames(b, t, d) == (here ? taught.whole[m].frames(b, t, d) : 0.0));
      }
      CHECK(bool(taught.has[m].host()(b)) == any);
    }
  CHECK(gone > 0);
}

TEST_CASE_TEMPLATE("model: real labels around 2 are centred: SDUMC is no worse than the constant", T, float, double) {
  auto set = shell_corpus();
  for (auto* labels : {&set.train.labels, &set.validation.labels, &set.test.labels})
    for (float& y : *labels) y = 2 + y;
  models::SdumcOptions o{.inputs = set.dimensions(), .width = 8, .fused = 8, .contrast = 4};
  o.simulator.epochs = 1, o.simulator.width = 8;
  models::Sdumc<T> model(o, Random(3));
  train::Observer quiet;
  train::fit(model, set, {.epochs = 3, .batch = 24, .learning_rate = 2e-3, .schedule = 1}, quiet);
  CHECK(model.task.labels.mean == doctest::Approx(2).epsilon(0.2));
  const double constant = mean_absolute(models::Constant(set.train)(set.test), set.test.labels);
  CHECK(mean_absolute(train::predict(model, set.test), set.test.labels) < 1.02 * constant);
  o.standardize_labels = false;  // as published: far from the constant in so few steps
  models::Sdumc<T> published(o, Random(3));
  train::fit(published, set, {.epochs = 3, .batch = 24, .learning_rate = 2e-3, .schedule = 1}, quiet);
  CHECK(published.task.labels.mean == 0);
  CHECK(mean_absolute(train::predict(published, set.test), set.test.labels) > 1.1 * constant);
}

TEST_CASE("model: a loss, a missing policy, class weights, an optimizer and an order of the user's own") {
  const auto set = shell_corpus();
  train::Observer quiet;
  const auto trained = [&](const train::FitOptions& fit) {
    models::EarlyFusion<double> model({.inputs = set.dimensions(), .hidden = 6, .dropout = 0}, Random(1));
    train::fit(model, set, fit, quiet);
    return numbers(model);
  };
  const train::FitOptions plain{.epochs = 2, .batch = 32};
  train::FitOptions same = plain, other = plain;
  same.loss = [](const auto& scores, const auto& targets) {  // what the task says, too
    return mse_loss(scores, std::decay_t<decltype(scores)>(targets.values));
  };
  other.loss = [](const Variable<double, 2>& scores, const models::Targets<double>& targets) {
    return l1_loss(scores, Variable<double, 2>(targets.values));
  };
  CHECK(trained(same) == trained(plain));
  CHECK(trained(other) != trained(plain));
  other = plain;
  other.missing = missing::mrm_preset("mplmm");
  CHECK(trained(other) != trained(plain));
  for (const char* optimizer : {"adamw", "sgd", "rmsprop", "adagrad", "lion", "lamb"}) {
    CAPTURE(optimizer);
    other = plain;
    other.optimizer = optimizer;
    const auto found = trained(other);
    CHECK(found != trained(plain));
    CHECK(std::all_of(found.begin(), found.end(), [](double x) { return std::isfinite(x); }));
  }
  other.optimizer = "newton";
  CHECK_THROWS_WITH_AS(trained(other), doctest::Contains("there is no 'newton'"), OptionError);

  auto classes = class_set(60);
  classes.train.classes.assign(60, 0);  // nearly all of one class
  for (std::size_t i = 0; i < 6; ++i) classes.train.classes[i] = index_t(1 + i % 2);
  const auto shares = [&](train::Order order) {
    std::vector<index_t> counts(3, 0);
    for (index_t epoch = 0; epoch < 20; ++epoch)
      for (const index_t n : train::epoch_samples(classes.train, {.order = order}, epoch))
        ++counts[std::size_t(classes.train.classes[std::size_t(n)])];
    return counts;
  };
  CHECK(shares(train::Order::shuffled)[0] == 20 * 54);
  for (const index_t count : shares(train::Order::balanced)) CHECK(std::abs(double(count) - 400) < 80);
  CHECK_THROWS_AS(train::epoch_samples(set.train, {.order = train::Order::balanced}, 0), OptionError);
  models::EarlyFusion<double> weighted({.inputs = classes.dimensions(), .classes = 3}, Random(1));
  CHECK_THROWS_WITH_AS(weighted.set_class_weights({1, 2}), doctest::Contains("expected 3"), OptionError);
  weighted.set_class_weights({0, 1, 1});
  const std::vector<index_t> common{10, 11, 12};
  CHECK(weighted.loss(data::gather<double>(classes.train, common), Context{}).total.item() == 0);

  models::Sdumc<double> sdumc({.inputs = set.dimensions()}, Random(1));
  CHECK_THROWS_WITH_AS(
      sdumc.set_loss([](const Variable<double, 2>& scores, const models::Targets<double>&) { return mean(scores); }),
      doctest::Contains("no place for another loss"), OptionError);
}

TEST_CASE("model: data of other streams than it was made for are refused, in training, prediction and evaluation") {
  const auto set = shell_corpus();  // audio, text, video
  train::Observer quiet;
  const auto fit = [&](const std::vector<index_t>& inputs, const data::Dataset& data) {
    models::EarlyFusion<double> model({.inputs = inputs, .hidden = 6}, Random(1));
    train::fit(model, data, {.epochs = 1}, quiet);
    return model;
  };
  const auto sizes = set.dimensions();
  CHECK_THROWS_WITH_AS(
      fit({sizes[0], sizes[1]}, set),
      doctest::Contains("synthetic has 3 streams (audio, text, video), the model was made for 2; give"), OptionError);
  CHECK_THROWS_WITH_AS(fit({sizes[0], sizes[1], sizes[2], 4}, set), doctest::Contains("the model was made for 4"),
                       OptionError);
  models::SdumcOptions by_stream{.inputs = {sizes[0], sizes[1]}};
  by_stream.simulator.stream = 3;  // the third is read by nobody, a fourth is not there
  models::Sdumc<double> sdumc(by_stream, Random(1));
  Random random(1);
  CHECK_THROWS_WITH_AS(sdumc.prepare(set, random), doctest::Contains("has 3 streams (audio, text, video)"),
                       OptionError);
  auto mixed = set;  // as no file gives it, but as a program may build it
  std::swap(mixed.validation.modalities[0], mixed.validation.modalities[2]);
  CHECK_THROWS_WITH_AS(
      fit(sizes, mixed),
      doctest::Contains("its valid split are video, text, audio, those of its train split audio, text"), OptionError);

  const auto model = fit(sizes, set);
  auto swapped = set.test, renamed = set.test, more = set.test;
  std::swap(swapped.modalities[0], swapped.modalities[2]);
  renamed.modalities[1].name = "motion";
  more.modalities.push_back(more.modalities[0]);
  for (const auto* other : {&swapped, &renamed, &more}) {
    CHECK_THROWS_WITH_AS(train::predict(model, *other), doctest::Contains("prepared with audio, text, video; expected"),
                         OptionError);
    CHECK_THROWS_AS(train::evaluate(model, *other), OptionError);
  }
  auto batch = data::gather<double>(more, std::vector<index_t>{0, 1});
  CHECK_THROWS_WITH_AS(model.predict(batch),
                       doctest::Contains("the batch has 4 streams, the model was made for 3: audio, text, video; what"),
                       ShapeError);
  batch.streams.resize(2);
  CHECK_THROWS_AS(model.predict(batch), ShapeError);
  auto classes = set.test;
  classes.labels.clear();
  classes.classes.assign(60, 1);
  CHECK_THROWS_WITH_AS(train::evaluate(model, classes),
                       doctest::Contains("predicts real labels, the test split has class ids alone"), OptionError);
  CHECK(train::predict(model, classes) == train::predict(model, set.test));
  classes.classes.clear();
  CHECK(train::evaluate(model, classes).conditions[0].metrics.empty());
}

TEST_CASE("model: a training goes on with the streams that it began with") {
  const auto set = shell_corpus();
  train::Observer quiet;
  models::EarlyFusion<double> model({.inputs = set.dimensions(), .hidden = 6}, Random(1));
  train::Trainer trainer(model, set, {.epochs = 2});
  trainer.step(quiet);
  const State state = trainer.save();
  const auto resume = [&](const data::Dataset& data) {
    models::EarlyFusion<double> again;
    return train::Trainer(again, data, {.epochs = 2}, state).epoch();
  };
  CHECK(resume(set) == trainer.epoch());
  auto other = set;
  for (auto* modalities : {&other.train.modalities, &other.validation.modalities, &other.test.modalities})
    (*modalities)[1].name = "motion";
  CHECK_THROWS_WITH_AS(resume(other),
                       doctest::Contains("the streams audio, motion, video, the model was prepared with"), OptionError);
  for (auto* modalities : {&other.train.modalities, &other.validation.modalities, &other.test.modalities})
    modalities->pop_back();
  CHECK_THROWS_WITH_AS(resume(other), doctest::Contains("has 2 streams"), OptionError);
}

TEST_CASE("model: embeddings and attention, complete and without a modality") {
  const auto set = shell_corpus();
  const auto batch = data::gather<float>(set.test, std::vector<index_t>{0, 1, 2, 3, 4});
  models::SdumcOptions o{.inputs = set.dimensions(), .width = 8, .fused = 6, .contrast = 4};
  o.simulator.epochs = 1, o.simulator.width = 8;
  models::Sdumc<float> sdumc(o, Random(3));
  Random random(2);
  train::prepare(sdumc, set, random);
  auto mixed = batch;  // sample 1 lacks what may be missing: it goes through the other flow
  mixed.streams[1].present = mixed.streams[1].present.clone();
  for (index_t t = 0; t < mixed.streams[1].present.extent(1); ++t) mixed.streams[1].present(1, t) = 0;
  const auto z = sdumc.embedding(mixed);
  CHECK(z.shape() == Shape{5, 6});
  const auto scores = sdumc.scores(mixed).to_vector();
  const NoGrad off;
  const auto again = sdumc.network.flows.regression(Variable<float, 2>(z)).value().to_vector();
  for (std::size_t b = 0; b < 5; ++b) CHECK(again[b] == doctest::Approx(scores[b]));
  const auto attention = sdumc.attention(batch);
  REQUIRE(attention.size() == 3);
  for (const auto& weights : attention) {
    CHECK(weights.extent(0) == 5);
    CHECK(weights.extent(2) == 7);
  }
  const models::EarlyFusion<float> fusion({.inputs = set.dimensions(), .hidden = 6}, Random(1));
  CHECK(fusion.embedding(batch).shape() == Shape{5, 6});
}

}  // namespace lacuna::test
