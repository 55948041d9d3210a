/// What predictions are judged by, and what selection looks at.
#include "lacuna/train/targets.hpp"

#include <doctest/doctest.h>

#include "lacuna/models/baselines/constant.hpp"
#include "lacuna/train/selection.hpp"
#include "support/class_data.hpp"
#include "tiny_learner.hpp"

namespace lacuna::test {
namespace {

double value(const train::Scores& scores, const std::string& name) {
  for (const auto& [key, number] : scores)
    if (key == name) return number;
  throw Error("no metric " + name);
}

TEST_CASE("targets: real labels where they are, else class ids") {
  auto data = class_dataset(12, 3, {2});
  CHECK(train::targets_of(data.train).classes == 3);
  CHECK(train::targets_of(data.train).values == std::vector<double>{0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2});
  CHECK(train::targets_of(data.train, 5).classes == 5);
  CHECK(train::targets_of(data.train, 0).values.empty());
  data.train.labels.assign(12, 0.5f);
  CHECK(train::targets_of(data.train).classes == 0);
  CHECK(train::targets_of(data.train).values == std::vector<double>(12, 0.5));
  // a learner that says nothing takes what is there
  const TinyLearner<float> learner;
  CHECK(train::targets_for(learner, data.train).classes == 0);
  CHECK(train::targets_for(learner, data.test).classes == 3);
}

TEST_CASE("scores: of classes and of real labels; a predicted class that is none is refused") {
  const train::Targets classes{{0, 1, 1, 2}, 3};
  const auto scores = train::scores(classes, std::vector<double>{0, 1, 2, 2});
  CHECK(scores[0].first == "accuracy");
  CHECK(scores[0].second == 0.75);
  CHECK(value(scores, "uar") == doctest::Approx((1 + 0.5 + 1) / 3));
  CHECK(train::scores(train::Targets{{1, 3}, 0}, std::vector<double>{2, 1})[0] ==
        std::pair<std::string, double>{"mae", 1.5});
  for (const double wrong : {-1.0, 3.0, 0.5, double(NAN)})
    CHECK_THROWS_AS(train::scores(classes, std::vector<double>{0, 1, wrong, 2}), Error);
}

TEST_CASE(
    "selection: errors count as they are, shares from above; a metric that is not there or not defined is refused") {
  const train::Scores scores{{"mae", 0.25}, {"f1_weighted", 0.75}, {"pearson", double(NAN)}};
  CHECK(train::selection_loss("mae", scores) == 0.25);
  CHECK(train::selection_loss("f1_weighted", scores) == 0.25);
  CHECK_THROWS_AS(train::selection_loss("pearson", scores), Error);
  CHECK_THROWS_AS(train::selection_loss("accuracy", scores), OptionError);
}

/// Knows the answers by heart, and gives the wrong one to the first `wrong` samples.
struct Oracle : TinyLearner<float> {
  index_t wrong = 0;
  const char* metric = "accuracy";
  const char* selects_on() const { return metric; }
  std::vector<double> predict(const data::Batch<float>& batch) const {
    std::vector<double> answers;
    for (std::size_t i = 0; i < batch.samples.size(); ++i)
      answers.push_back(double((batch.classes[i] + (batch.samples[i] < wrong)) % 3));
    return answers;
  }
};

TEST_CASE("selection: a model may choose its metric") {
  const auto data = class_dataset(24, 3, {2});
  train::Selector selector({missing::without({}, data.modality_names())}, 5);
  Oracle oracle;
  oracle.wrong = 3;
  CHECK(selector.validate(oracle, data.validation).score == doctest::Approx(0.25));
  oracle.wrong = 0;
  CHECK(selector.validate(oracle, data.validation).score == 0);
  const train::Selector other({missing::without({}, data.modality_names())}, 5, "f1_macro");  // or the user may
  CHECK(other.validate(oracle, data.validation).score == 0);
  oracle.wrong = 1;
  CHECK(other.validate(oracle, data.validation).score != selector.validate(oracle, data.validation).score);
  oracle.metric = "mae";
  CHECK_THROWS_AS(selector.validate(oracle, data.validation), OptionError);
}

TEST_CASE("constant: of classes it is the most frequent one, the first of equals") {
  auto data = class_dataset(12, 3, {2});
  CHECK(models::Constant(data.train).value == 0);
  data.train.classes[0] = 2;
  CHECK(models::Constant(data.train)(data.test) == std::vector<double>(6, 2.0));
  data.train.classes.pop_back();
  CHECK_THROWS_AS(models::Constant(data.train), ShapeError);
}

}  // namespace
}  // namespace lacuna::test
