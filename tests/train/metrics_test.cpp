#include "lacuna/train/metrics.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "lacuna/core/fields.hpp"
#include "lacuna/io/npz.hpp"
#include "lacuna/train/classification_metrics.hpp"
#include "support/paths.hpp"

namespace {

using lacuna::index_t;
using lacuna::io::Npz;
namespace train = lacuna::train;
using Doubles = std::vector<double>;
using Ids = std::vector<index_t>;

bool close(double a, double b) { return (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= 1e-12; }

void check_equal(const std::string& name, const Doubles& found, const Doubles& expected) {
  CHECK_MESSAGE(found.size() == expected.size(), name);
  for (std::size_t i = 0; i < expected.size() && i < found.size(); ++i)
    CHECK_MESSAGE(close(found[i], expected[i]),
                  name << "[" << i << "]: found " << found[i] << ", expected " << expected[i]);
}

std::map<std::string, double> by_name(const Doubles& label, const Doubles& prediction) {
  const auto scores = train::regression_metrics(label, prediction);
  return {scores.begin(), scores.end()};
}

/// Every array `<group>/out/*` must be known: a score that is stored and not compared fails.
template <class Compare>
int compare_outputs(const Npz& file, const std::string& group, Compare&& compare) {
  int count = 0;
  for (const std::string& name : file.names())
    if (name.starts_with(group + "/out/")) {
      compare(name, name.substr(group.size() + 5));
      ++count;
    }
  return count;
}

}  // namespace

TEST_CASE("metrics: all cases of the oracle" * doctest::skip(!lacuna::test::have_oracle())) {
  const Npz file(lacuna::test::oracle_dir() + "/metrics.npz");
  const auto index = file.get("index").strings();
  int cases = 0, numbers = 0;
  for (const std::string& name : index) {
    if (name.starts_with("regression/")) {
      const auto label = file.get(name + "/in/label").as<double>(),
                 prediction = file.get(name + "/in/pred").as<double>();
      const auto scores = by_name(label, prediction);
      numbers += compare_outputs(file, name, [&](const std::string& array, const std::string& score) {
        REQUIRE_MESSAGE(scores.count(score) == 1, array);
        check_equal(array, {scores.at(score)}, file.get(array).as<double>());
      });
    } else if (name.starts_with("classification/")) {
      const auto label = file.get(name + "/in/label").as<index_t>(),
                 prediction = file.get(name + "/in/pred").as<index_t>();
      const auto c = train::confusion(label, prediction, file.get(name + "/arg/classes").scalar<index_t>());
      std::map<std::string, Doubles> scores = {{"confusion", Doubles(c.counts.begin(), c.counts.end())},
                                               {"precision", train::precision(c)},
                                               {"recall", train::recall(c)},
                                               {"f1", train::f1(c)},
                                               {"ovr_f1_weighted", train::one_vs_rest_f1(c)},
                                               {"ovr_accuracy", train::one_vs_rest_accuracy(c)}};
      for (index_t k = 0; k < c.classes; ++k) scores["support"].push_back(double(c.support(k)));
      for (const auto& [score, value] : train::classification_metrics(label, prediction, c.classes))
        scores[score == "accuracy" ? "wa" : score] = {value};
      numbers += compare_outputs(file, name, [&](const std::string& array, const std::string& score) {
        REQUIRE_MESSAGE(scores.count(score) == 1, array);
        check_equal(array, scores.at(score), file.get(array).as<double>());
      });
    } else if (name.starts_with("auilc/")) {
      const auto rate = file.get(name + "/in/rate").as<double>(), metric = file.get(name + "/in/metric").as<double>();
      check_equal(name, {train::auilc(rate, metric)}, file.get(name + "/out/area").as<double>());
      check_equal(name, {train::auilc_normalized(rate, metric)}, file.get(name + "/out/normalized").as<double>());
      numbers += 2;
    } else {
      FAIL("no comparison for " << name);
    }
    ++cases;
  }
  std::printf("metrics.npz: %d of %zu cases compared, %d scores\n", cases, index.size(), numbers);
  CHECK(cases == int(index.size()));
  CHECK(cases >= 33);
  CHECK(numbers >= 16 * 16 + 11 * 13 + 6 * 2);
}

TEST_CASE("metrics: all cases of the authors' scores" * doctest::skip(!lacuna::test::have_oracle())) {
  const Npz file(lacuna::test::oracle_dir() + "/sdumc/metrics.npz");
  const auto index = file.get("names").strings();
  int cases = 0;
  for (const std::string& name : index) {
    auto scores = by_name(file.get(name + "/label").as<double>(), file.get(name + "/pred").as<double>());
    scores["corr"] = scores["pearson"];
    for (const char* score : {"mae", "mse", "corr", "acc7", "acc5", "acc2_non0", "f1_non0", "acc2_has0", "f1_has0"})
      check_equal(name + "/" + score, {scores.at(score)}, file.get(name + "/" + score).as<double>());
    ++cases;
  }
  std::printf("sdumc/metrics.npz: %d of %zu cases compared\n", cases, index.size());
  CHECK(cases == int(index.size()));
  CHECK(cases >= 9);
}

TEST_CASE("metrics: rounding is half to even, and the five-, seven- and three-class borders follow") {
  const auto same = [](auto metric, double label, double prediction) {
    return metric(Doubles{label}, Doubles{prediction}) == 1;
  };
  CHECK(same(train::acc7, 2, 2.5));
  CHECK(!same(train::acc7, 3, 2.5));
  CHECK(same(train::acc7, 2, 1.5));
  CHECK(same(train::acc7, 0, -0.5));
  CHECK(same(train::acc7, -2, -1.5));
  CHECK(same(train::acc7, -2, -2.5));
  CHECK(same(train::acc7, 3, 17));
  CHECK(same(train::acc5, 2, 2.9));
  CHECK(same(train::acc3, -1, -0.51));
  CHECK(!same(train::acc7, 1, 0.49999999999999994));
  CHECK(same(train::sims_acc2, -1, 0));  // neutral counts as negative
  CHECK(same(train::sims_acc3, -1, -0.1));
  CHECK(same(train::sims_acc3, 0.05, 0.1));
  CHECK(same(train::sims_acc5, 0.7, 0.2));
  CHECK(!same(train::sims_acc5, 0.7, 0.71));
}

TEST_CASE("metrics: labels come first") {
  const Doubles label = {0, 0, 1, 2}, prediction = {1, -1, 1, 0};
  CHECK(train::acc2_non0(label, prediction) == 0.5);  // two samples have a label other than 0
  CHECK(train::acc2_non0(prediction, label) == doctest::Approx(2.0 / 3));
  CHECK(train::mae(label, prediction) == 1);
}

TEST_CASE("metrics: constants, one sample, samples without sign") {
  const Doubles constant(7, 0.1), rising = {0, 1, 2, 3, 4, 5, 6};
  CHECK(std::isnan(train::pearson(rising, constant)));
  CHECK(std::isnan(train::pearson(constant, rising)));
  CHECK(train::ccc(rising, constant) == 0);
  CHECK(std::isnan(train::ccc(constant, constant)));
  CHECK(std::isnan(train::pearson(Doubles{1}, Doubles{2})));
  CHECK(std::isnan(train::acc2_non0(Doubles(3, 0.0), Doubles(3, 1.0))));
  CHECK(std::isnan(train::f1_non0(Doubles(3, 0.0), Doubles(3, 1.0))));
  CHECK(train::acc2_has0(Doubles{-0.0}, Doubles{0.0}) == 1);
}

TEST_CASE("metrics: every score once, in a fixed order") {
  std::vector<std::string> names;
  const Doubles label = {1, -1}, prediction = {1, 1};
  for (const auto& [name, value] : train::regression_metrics(label, prediction)) names.push_back(name);
  CHECK(names == std::vector<std::string>{"mae", "mse", "rmse", "pearson", "ccc", "acc2_has0", "f1_has0", "acc2_non0",
                                          "f1_non0", "acc3", "acc5", "acc7", "sims_acc2", "sims_acc3", "sims_acc5",
                                          "sims_f1"});
}

TEST_CASE("metrics: bad input is refused, and the message says which") {
  const double nan = std::nan(""), infinite = std::numeric_limits<double>::infinity();
  CHECK_THROWS_AS(train::mae(Doubles{}, Doubles{}), lacuna::ShapeError);
  CHECK_THROWS_AS(train::acc7(Doubles{1, 2}, Doubles{1}), lacuna::ShapeError);
  CHECK_THROWS_AS(train::regression_metrics(Doubles{1}, Doubles{1, 2}), lacuna::ShapeError);
  CHECK_THROWS_WITH_AS(train::pearson(Doubles{1, 2}, Doubles{1, nan}),
                       "pearson: prediction 1 of 2 is nan, expected a finite number", lacuna::Error);
  CHECK_THROWS_AS(train::f1_has0(Doubles{infinite, 2}, Doubles{1, 1}), lacuna::Error);
  CHECK_THROWS_AS(train::acc2_non0(Doubles{0, 2}, Doubles{nan, 1}), lacuna::Error);  // even where the label is left out
  CHECK_THROWS_AS(train::confusion(Ids{}, Ids{}, 2), lacuna::ShapeError);
  CHECK_THROWS_AS(train::confusion(Ids{0, 1}, Ids{0}, 2), lacuna::ShapeError);
  CHECK_THROWS_AS(train::confusion(Ids{0}, Ids{2}, 2), lacuna::Error);
  CHECK_THROWS_AS(train::confusion(Ids{-1}, Ids{0}, 2), lacuna::Error);
  CHECK_THROWS_AS(train::confusion(Ids{0}, Ids{0}, 0), lacuna::OptionError);
  CHECK_THROWS_AS(train::auilc(Doubles{0}, Doubles{1}), lacuna::ShapeError);
  CHECK_THROWS_AS(train::auilc(Doubles{0, 1}, Doubles{1}), lacuna::ShapeError);
  CHECK_THROWS_AS(train::auilc(Doubles{0, 1, 0.5}, Doubles{1, 1, 1}), lacuna::Error);
  CHECK_THROWS_AS(train::auilc(Doubles{0, 1}, Doubles{1, nan}), lacuna::Error);
}

TEST_CASE("metrics: AUILC of a straight line") {
  CHECK(train::auilc(Doubles{0, 0.5, 1}, Doubles{1, 0.75, 0.5}) == doctest::Approx(0.75));
  CHECK(train::auilc_normalized(Doubles{0.2, 0.6}, Doubles{0.8, 0.8}) == doctest::Approx(0.8));
}
