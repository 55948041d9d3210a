/// Targets and predictions of supervised models, closed forms; pretraining; a network of one's
/// own.
#include "lacuna/models/task.hpp"

#include <doctest/doctest.h>

#include "lacuna/models/model.hpp"
#include "lacuna/nn/linear.hpp"
#include "lacuna/ops/pooling.hpp"
#include "lacuna/train/trainer.hpp"
#include "small_sets.hpp"

using namespace lacuna;
using namespace lacuna::models;
using namespace lacuna::test;

namespace {

data::Batch<double> labelled(const std::vector<double>& labels) {
  data::Batch<double> batch;
  batch.labels = Tensor<double, 1>::from({index_t(labels.size())}, labels);
  batch.samples.assign(labels.size(), 0);
  return batch;
}
Variable<double, 2> scores(index_t rows, index_t columns, const std::vector<double>& list) {
  return Variable<double, 2>(Tensor<double, 2>::from({rows, columns}, list), true);
}

Variable<double, 0> loss_of(const Task& task, const Variable<double, 2>& s, const data::Batch<double>& batch) {
  return task.loss(s, task.targets(batch));
}

/// The average of the present frames of the first modality, through one layer.
template <class T, class D = Cpu>
struct OneLayer {
  using scalar = T;
  using device = D;
  using Options = ModelOptions;
  static constexpr const char* name = "one layer";
  Linear<T, D> layer;

  OneLayer(const Options& o, Random& random)
      : layer({.in_features = o.inputs[0], .out_features = o.outputs()}, random) {}
  Variable<T, 2, D> operator()(const Streams<T, D>& streams, const Context&) const {
    return layer(mean_pool(Variable<T, 3, D>(streams[0].frames), streams[0].present));
  }
  static void reflect(auto& self, auto&& visit) { visit("layer", self.layer); }
};
static_assert(train::Learner<models::Model<OneLayer<float>>>);

}  // namespace

TEST_CASE("task: real labels are standardised for the loss and restored for the prediction") {
  Task task;
  task.labels = {10, 2};
  const auto s = scores(3, 1, {1, 0, -0.5});
  const auto batch = labelled({12, 14, 9});  // standardised 1, 2, -0.5
  CHECK(loss_of(task, s, batch).item() == doctest::Approx(4.0 / 3));
  task.regression_loss = RegressionLoss::l1;
  CHECK(loss_of(task, s, batch).item() == doctest::Approx(2.0 / 3));
  CHECK(task.predictions(s.value()) == List<double>{12, 10, 9});
  for (const auto kind : {RegressionLoss::mse, RegressionLoss::l1}) {
    task.regression_loss = kind;
    const auto away = scores(3, 1, {1.3, 0.1, -2});
    CHECK(check_gradients([&] { return loss_of(task, away, batch); }, 1e-6, 1e-3, away).worst < 1e-6);
  }
}

TEST_CASE("task: a label that is not finite takes no part") {
  const Task task;
  const auto s = scores(3, 1, {1, 5, 2});
  CHECK(loss_of(task, s, labelled({0, NAN, 4})).item() == doctest::Approx(2.5));
  s.zero_grad();
  loss_of(task, s, labelled({0, NAN, 4})).backward();
  CHECK(s.grad().to_vector() == std::vector<double>{1, 0, -2});
  CHECK(loss_of(task, s, labelled({NAN, NAN, NAN})).item() == 0);
}

TEST_CASE("task: classes") {
  const Task task{.model = "this", .kind = LabelKind::classes, .classes = 3};
  const auto s = scores(2, 3, {0, std::log(2.0), 0, 1000, 1000, -1000});
  data::Batch<double> batch;
  batch.samples = {0, 1};
  batch.classes = {1, 2};
  CHECK(loss_of(task, scores(1, 3, {0, std::log(2.0), 0}),
                [] {
                  data::Batch<double> one;
                  one.samples = {1}, one.classes = {1};
                  return one;
                }())
            .item() == doctest::Approx(std::log(2.0)));
  CHECK(task.predictions(s.value()) == List<double>{1, 0});  // the first of equals
  const auto p = task.probabilities(s.value());
  CHECK(p(0, 1) == doctest::Approx(0.5));
  CHECK(p(1, 0) == doctest::Approx(0.5));
  CHECK(p(1, 2) == 0);
  CHECK(task.predictions(Tensor<double, 2>::zeros({0, 3})).empty());
  CHECK_THROWS_WITH_AS(loss_of(task, s, labelled({1, 2})), doctest::Contains("no class ids"), OptionError);
  CHECK_THROWS_WITH_AS(loss_of(Task{}, scores(2, 1, {1, 2}), batch), doctest::Contains("needs real labels"),
                       OptionError);
  batch.classes[0] = 3;
  CHECK_THROWS_AS(loss_of(task, s, batch), Error);
  CHECK_THROWS_WITH_AS((Task{.model = "this", .kind = LabelKind::classes, .classes = 1}.check()),
                       doctest::Contains("this: classes is 1"), OptionError);
}

TEST_CASE("pretraining: the best epoch is kept, the last one without a validation split") {
  Random random(1);
  Linear<double> layer({.in_features = 1, .out_features = 1}, random);
  const auto loss = [&](double wanted) {
    const auto y = layer(scores(1, 1, {1}).detach());
    return mse_loss(y, scores(1, 1, {wanted}).detach());
  };
  // batches of the training split say 3, those of the validation split 1
  struct Feed {
    index_t checks;
    double train(std::span<const index_t>) const { return 3; }
    double validation(std::span<const index_t>) const { return 1; }
    index_t train_size() const { return 4; }
    index_t validation_size() const { return checks; }
  };
  PhaseRecord record;
  const auto run = [&](index_t checks, double rate) {
    auto phase = pretraining<double, Cpu>(
        "layer", {.epochs = 400, .batch = 4, .learning_rate = rate, .gradient_clip = 0}, Feed{checks},
        [&](double wanted, const Context&) { return loss(wanted); }, [&] { return pack<double>(layer); },
        [&](const PhaseRecord& found) { record = found; });
    train::Engine<double, Cpu> engine(std::move(phase), random, "layer");
    train::Observer quiet;
    while (!engine.finished()) engine.step(quiet);
    engine.conclude();
  };
  run(1, 0.02);  // training pulls the result to 3, validation likes 1: it is best on the way
  CHECK(record.scores.size() == 400);
  CHECK(record.best > 1);
  CHECK(record.best < 200);
  CHECK(loss(1).item() == doctest::Approx(record.scores[std::size_t(record.best - 1)]));
  CHECK(loss(1).item() < 0.01);
  run(0, 0.02);
  CHECK(record.best == 400);
  CHECK(loss(3).item() < 0.01);
  CHECK_THROWS_AS((PretrainOptions{.epochs = 0}.check("this")), OptionError);
}

TEST_CASE("model: the smallest network learns real labels on their own scale") {
  auto set = data::synthetic({.samples = 200, .seed = 3, .validation = 50, .test = 100, .max_frames = 4});
  for (float& y : set.train.labels) y = 100 + 10 * y;
  for (float& y : set.test.labels) y = 100 + 10 * y;
  models::Model<OneLayer<float>> model({.inputs = set.dimensions()}, Random(1));
  learn(model, set, 10, 1e-2);
  const auto predicted = model.predict(first<float>(set.test, 100));
  double error = 0, constant = 0;
  for (std::size_t i = 0; i < 100; ++i) {
    error += std::abs(predicted[i] - double(set.test.labels[i]));
    constant += std::abs(100 - double(set.test.labels[i]));
  }
  CHECK(error < 0.9 * constant);
  // one that was made for fewer streams than the data have would not see the others, and nobody would know
  models::Model<OneLayer<float>> one({.inputs = {set.dimensions()[0]}}, Random(1));
  Random random(2);
  CHECK_THROWS_WITH_AS(one.prepare(set, random),
                       doctest::Contains("3 streams (audio, text, video), the model was made for 1"), OptionError);
}
