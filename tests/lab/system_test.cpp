#include "lacuna/lab/system.hpp"

#include <doctest/doctest.h>

#include "lab/small_experiment.hpp"
#include "lacuna/lab/predictions.hpp"
#include "lacuna/models/baselines/ridge.hpp"
#include "train/tiny_learner.hpp"

namespace lacuna {
namespace {

using Tiny = test::TinyLearner<float>;

template <class T>
lab::System tiny_system(const data::Dataset& data, index_t epochs = 4) {
  using Model = test::TinyLearner<T>;
  return lab::make_system<Model>(
      "tiny", "width=8", {.epochs = epochs, .batch = 16},
      [inputs = data.dimensions()](std::uint64_t seed) { return Model({.inputs = inputs}, Random(seed)); });
}

/// Stops after some steps.
struct StopAfter : train::Observer {
  int left;
  explicit StopAfter(int steps) : left(steps) {}
  bool stop() override { return left-- == 0; }
};

TEST_CASE("prior: the mean of real labels, the most frequent class; what models::Constant answers") {
  data::Split<data::Role::train> train{{}, {1, 2, 6}, {2, 1, 2}, {"a", "b", "c"}};
  CHECK(lab::prior(train, 0) == doctest::Approx(3));
  CHECK(lab::prior(train, 3) == 2);
  train.classes = {1, 0, 2};
  CHECK(lab::prior(train, 3) == 0);  // the first of equals
  const auto corpus = test::small_corpus();
  CHECK(lab::prior(corpus.train, 0) == models::Constant(corpus.train).value);
}

TEST_CASE("prior: stands for samples of which nothing is present, and only for them") {
  const auto corpus = test::small_corpus();
  std::vector<index_t> chosen{0, 1, 2};
  auto batch = data::gather<float>(corpus.test, chosen);
  for (auto& stream : batch.streams) {
    stream.present = stream.present.clone();
    for (index_t t = 0; t < stream.present.extent(1); ++t) stream.present(1, t) = 0;
  }
  int calls = 0;
  const auto predict = [&](const data::Batch<float>& given) {
    ++calls;
    return std::vector<double>(std::size_t(given.size()), 7);
  };
  CHECK(lab::predict_or_prior(predict, batch, -1.5) == std::vector<double>{7, -1.5, 7});
  for (auto& stream : batch.streams) stream.present = Mask<2>::zeros(stream.present.extents());
  CHECK(lab::predict_or_prior(predict, batch, -1.5) == std::vector<double>{-1.5, -1.5, -1.5});
  CHECK(calls == 1);
  const auto wrong = [](const data::Batch<float>&) { return std::vector<double>(2); };
  CHECK_THROWS_AS(lab::predict_or_prior(wrong, data::gather<float>(corpus.test, chosen), 0), ShapeError);
}

TEST_CASE_TEMPLATE("system: is the trainer's model; stopped at any step and resumed, it ends in the same bits", T,
                   float, double) {
  const auto corpus = test::small_corpus();
  const auto learning = lab::without_test(corpus);
  CHECK(learning.test.size() == 0);
  const lab::System system = tiny_system<T>(corpus);
  const auto plan = lab::make_plan({"p1"}, corpus.test);
  const auto whole = system.train({.data = learning, .seed = 3});
  REQUIRE(whole);
  const auto expected = lab::predictions(whole->predict, corpus.test, plan, 0);

  test::TinyLearner<T> model({.inputs = corpus.dimensions()}, Random(3));
  train::Observer silent;
  train::fit(model, corpus, {.epochs = 4, .batch = 16, .seed = 3}, silent);
  CHECK(whole->parameters == count_parameters(model));
  pack_weights(model);  // as the system's model answers
  std::vector<index_t> all;
  for (index_t n = 0; n < corpus.test.size(); ++n) all.push_back(n);
  const auto direct = model.predict(data::gather<T>(corpus.test, all));
  for (index_t n = 0; n < corpus.test.size(); ++n) CHECK(expected(6, n) == direct[std::size_t(n)]);

  for (const int steps : {0, 1, 5, 11}) {
    CAPTURE(steps);
    std::optional<State> kept;
    StopAfter stop(steps);
    lab::TrainJob job{.data = learning, .seed = 3, .observer = &stop};
    job.save = [&](const Function<State()>& make, bool last) {
      if (last) kept = make();
    };
    CHECK(!system.train(job));
    REQUIRE(kept);
    const auto again = system.train({.data = learning, .seed = 3, .from = &*kept});
    REQUIRE(again);
    CHECK(lab::predictions(again->predict, corpus.test, plan, 0).to_vector() == expected.to_vector());
    CHECK(again->history.epochs.size() == 4);
  }
  const auto restored = system.restore(whole->state);
  CHECK(lab::predictions(restored.predict, corpus.test, plan, 0).to_vector() == expected.to_vector());
}

TEST_CASE(
    "predictions: do not depend on the size of batches; at rate 1.0 every model is the constant predictor, exactly") {
  const auto corpus = test::small_corpus();
  const auto trained = tiny_system<float>(corpus, 1).train({.data = corpus, .seed = 1});
  const auto plan = lab::make_plan({"none", "p1", "p1-intra"}, corpus.test, {.seed = 4});
  const double prior = lab::prior(corpus.train, 0);
  const auto whole = lab::predictions(trained->predict, corpus.test, plan, prior);
  for (const index_t batch : {1, 5, 12}) {
    const auto parts = lab::predictions(trained->predict, corpus.test, plan, prior, batch);
    for (index_t i = 0; i < whole.size(); ++i)  // products of matrices of other heights round otherwise
      CHECK(parts.data()[i] == doctest::Approx(whole.data()[i]).epsilon(1e-4));
  }
  for (index_t n = 0; n < corpus.test.size(); ++n) {
    CHECK(whole(18, n) == prior);       // rate-1.0, the last one
    CHECK(whole(0, n) == whole(7, n));  // complete data under two names
    CHECK(whole(0, n) != prior);
  }
  const auto constant = models::Constant(corpus.train)(corpus.test);
  CHECK(std::vector<double>(whole.data() + 18 * corpus.test.size(), whole.data() + 19 * corpus.test.size()) ==
        constant);
  CHECK_THROWS_AS(lab::predictions(trained->predict, corpus.test, plan, prior, 0), OptionError);
}

TEST_CASE("predictions: a prediction that is no number is refused, with the sample and the condition") {
  const auto corpus = test::small_corpus();
  const auto plan = lab::make_plan({"p1"}, corpus.test);
  const auto broken = [](const data::Batch<float>& batch) {
    std::vector<double> all(std::size_t(batch.size()), 0.0);
    if (batch.size() > 2) all[2] = std::nan("");
    return all;
  };
  CHECK_THROWS_WITH_AS(lab::predictions(broken, corpus.test, plan, 0),
                       doctest::Contains(("'" + corpus.test.ids[2] + "' under 'audio'").c_str()), Error);
}

TEST_CASE("system: a model that is fitted in one step predicts batches as it does the split") {
  const auto corpus = test::small_corpus();
  const auto system = lab::make_fitted(
      "ridge", "", 69, [](const data::Dataset& data) { return models::Ridge(data.train, data.validation); });
  CHECK(!system.seeded);
  const auto trained = system.train({.data = lab::without_test(corpus)});
  const auto plan = lab::make_plan({"none"}, corpus.test);
  const auto found = lab::predictions(trained->predict, corpus.test, plan, 0, 5);
  const auto expected = models::Ridge(corpus.train, corpus.validation)(corpus.test);
  for (index_t n = 0; n < corpus.test.size(); ++n)
    CHECK(found(0, n) == doctest::Approx(expected[std::size_t(n)]).epsilon(1e-12));
}

}  // namespace
}  // namespace lacuna
