/// SDUMC with class ids as labels, and with any subset of modalities missing.
#include <doctest/doctest.h>

#include <cmath>

#include "lacuna/autograd/gradcheck.hpp"
#include "lacuna/core/mask.hpp"
#include "lacuna/core/threads.hpp"
#include "lacuna/models/baselines/constant.hpp"
#include "lacuna/models/sdumc/sdumc.hpp"
#include "lacuna/train/trainer.hpp"
#include "support/class_data.hpp"

namespace {

using namespace lacuna;
using ClassSdumc = models::Sdumc<double>;

models::SdumcOptions tiny(std::vector<index_t> inputs, index_t classes) {
  models::SdumcOptions o{.inputs = std::move(inputs), .width = 6, .fused = 4, .contrast = 3, .classes = classes};
  o.simulator.width = 4;
  o.simulator.num_heads = 2;
  o.simulator.epochs = 2;
  return o;
}
struct Silent : train::Observer {};

/// Both flows of four samples with classes 0, 2, 0, 1; the third lacks the modality that may be missing.
struct ClassProblem {
  models::SdumcNetwork<double> network;
  data::Streams<double> streams;
  data::Stream<double> simulated;
  std::vector<index_t> classes{0, 2, 0, 1};
  Mask<1> complete = Mask<1>::from({4}, {1, 1, 0, 1});

  ClassProblem() {
    Random random(11);
    const auto o = tiny({2, 3}, 3);
    network = models::SdumcNetwork<double>(o, random);
    const auto stream = [&](index_t features, std::vector<index_t> lengths) {
      return data::Stream<double>{init::uniform<double, 3>({4, 3, features}, 1.0, random),
                                  mask_from_lengths(lengths, 3)};
    };
    streams = {stream(2, {3, 1, 2, 0}), stream(3, {1, 3, 0, 2})};
    simulated = stream(3, {2, 2, 3, 1});
  }
  auto flows() const { return both_flows(network, streams, simulated, {}, {}); }
};

}  // namespace

TEST_CASE("sdumc classes: the terms are cross-entropies and supervised contrast over both flows") {
  const ClassProblem p;
  const auto flows = p.flows();
  const auto losses = models::sdumc_class_objective(flows, p.classes, {}, {}, p.complete);
  CHECK(flows.complete.prediction.shape() == Shape{4, 3});
  const auto entropy = [&](const Variable<double, 2>& scores, std::vector<index_t> of) {
    double sum = 0;
    for (const index_t b : of) {
      double all = 0;
      for (index_t k = 0; k < 3; ++k) all += std::exp(scores.value()(b, k));
      sum += std::log(all) - scores.value()(b, p.classes[std::size_t(b)]);
    }
    return sum / double(of.size());
  };
  CHECK(losses.full.item() == doctest::Approx(entropy(flows.complete.prediction, {0, 1, 3})).epsilon(1e-12));
  CHECK(losses.missing.item() == doctest::Approx(entropy(flows.missing.prediction, {0, 1, 2, 3})).epsilon(1e-12));
  const models::SdumcWeights w;
  CHECK(losses.total.item() == doctest::Approx(w.full * losses.full.item() + w.missing * losses.missing.item() +
                                               w.text * losses.text.item() + w.query * losses.query.item() +
                                               w.feature * losses.feature.item() + w.contrast * losses.contrast.item())
                                   .epsilon(1e-12));
  // the two views of a sample are one class: three samples of three classes still have positives
  CHECK(losses.contrast.item() > 0);
}

TEST_CASE("sdumc classes: gradients of the objective") {
  const ClassProblem p;
  const auto start = p.flows().complete;
  const auto query = start.missing_query().detach();
  const auto content = start.missing_content().detach();
  const auto objective = [&] {
    const auto flows = p.flows();
    const models::SdumcWeights weights, others{.text = 0, .query = 0};
    return models::sdumc_class_objective(flows, p.classes, others, {}, p.complete).total +
           weights.text * rmse_loss(flows.missing.missing_query(), query, p.complete) +
           weights.query * rmse_loss(flows.missing.missing_content(), content, p.complete);
  };
  int count = 0;
  for_each_parameter(p.network, [&](const std::string& path, const auto& parameter) {
    const auto check = check_gradients(objective, 1e-6, 0.01, parameter);
    CHECK_MESSAGE(check.worst < 1e-6,
                  path << "[" << check.element << "]: " << check.analytic << " against " << check.numeric);
    zero_grad(p.network);
    ++count;
  });
  CHECK(count > 40);
}

TEST_CASE_TEMPLATE("sdumc classes: trains through the trainer, selects on F1, comes back from its state", T, float,
                   double) {
  const auto data = test::class_dataset(150, 3, {4, 3, 5});
  auto o = tiny(data.dimensions(), 3);
  o.width = 16, o.fused = 8, o.frame_dropout = 0, o.dropout = 0.1;
  o.drop = missing::mrm_preset("mplmm");
  models::Sdumc<T> model(o, Random(3));
  Silent silent;
  const auto history = train::fit(model, data, {.epochs = 20, .batch = 16, .learning_rate = 1e-2}, silent);
  // complete, and every proper subset of three
  CHECK(history.epochs[0].validation.size() == 7);
  CHECK(history.epochs[0].validation[0].values[0].first == "accuracy");
  double mean = 0;
  for (const auto& [condition, values] : history.best()->validation)
    for (const auto& [name, value] : values)
      if (name == "f1_weighted") mean += value / 7;
  CHECK(history.best()->score == doctest::Approx(1 - mean).epsilon(1e-12));

  const auto test = train::evaluate(model, data.test);
  const double majority =
      train::scores(train::targets_of(data.test), models::Constant(data.train)(data.test))[0].second;
  for (const auto& result : test.conditions) CHECK(result.metrics[0].second > majority + 0.15);
  CHECK(test.conditions[0].metrics[0].second > 0.8);

  const auto again = train::model_from<models::Sdumc<T>>(train::model_state(model));
  CHECK(train::predict(again, data.test) == train::predict(model, data.test));
  CHECK(again.predicts_classes() == 3);
  CHECK(again.options.drop.stream_probability == 0.7);
}

TEST_CASE("sdumc drop: what training takes away depends on the step alone, not on threads") {
  const auto data = test::class_dataset(40, 3, {4, 3});
  auto o = tiny(data.dimensions(), 3);
  o.drop = missing::mrm_preset("uniform", 2);
  Silent silent;
  const auto train = [&](int threads) {
    set_threads(threads);
    models::Sdumc<float> model(o, Random(3));
    train::fit(model, data, {.epochs = 2, .batch = 16}, silent);
    set_threads(0);
    return train::predict(model, data.test, missing::without({"v0"}, data.modality_names()));
  };
  const auto one = train(1);
  for (const int threads : {2, 3}) CHECK(train(threads) == one);
}

TEST_CASE(
    "sdumc drop: with nothing dropped the loss is that of no drop; with all of it the complete flow stands still") {
  const auto data = test::class_dataset(20, 3, {4, 3});
  auto o = tiny(data.dimensions(), 3);
  o.frame_dropout = o.dropout = 0;
  ClassSdumc plain(o, Random(3));
  Random source(1);
  train::prepare(plain, data, source);
  const auto batch = data::gather<double>(data.train, std::vector<index_t>{0, 1, 2, 3});
  const auto term = [&](const ClassSdumc& model, const char* name) -> double {
    Random random(5);
    for (const auto& [key, value] : model.loss(batch, Context::train(random)).terms)
      if (key == name) return value;
    return -1.0;
  };
  ClassSdumc same = plain, without = plain;
  same.options.drop = missing::mrm_preset("mplmm", 2);
  same.options.drop.stream_probability = 0;
  CHECK(term(same, "full") == term(plain, "full"));
  without.options.drop = missing::mrm_preset("mplmm", 2);
  without.options.drop.stream_probability = 1;
  without.options.drop.pattern_weights = {1, 0, 0};  // only the first stays; the second may be missing
  CHECK(term(without, "full") == 0);
  CHECK(term(without, "missing") > 0);
}

TEST_CASE("sdumc classes: impossible options and batches are refused") {
  Random random(1);
  CHECK_THROWS_AS(models::SdumcNetwork<float>(tiny({2, 3}, 1), random), OptionError);
  CHECK_THROWS_AS(models::SdumcNetwork<float>(tiny({2, 3}, -2), random), OptionError);
  const auto data = test::class_dataset(10, 3, {4, 3});
  const auto batch = data::gather<double>(data.train, std::vector<index_t>{0, 1});
  CHECK_THROWS_WITH_AS(ClassSdumc(tiny({4, 3}, 0), Random(1)).loss(batch, {}),
                       "SDUMC: needs real labels, the batch has none; for class ids set classes", OptionError);
  auto unlabelled = batch;
  unlabelled.classes.clear();
  CHECK_THROWS_AS(ClassSdumc(tiny({4, 3}, 3), Random(1)).loss(unlabelled, {}), OptionError);
}
