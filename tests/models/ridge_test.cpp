#include "lacuna/models/baselines/ridge.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "lacuna/data/synthetic.hpp"
#include "lacuna/io/npz.hpp"
#include "lacuna/models/baselines/constant.hpp"
#include "support/paths.hpp"

namespace {

using lacuna::index_t;
using lacuna::data::Dataset;
using lacuna::data::Role;
using lacuna::data::Split;
using lacuna::models::Constant;
using lacuna::models::Ridge;
using Names = std::vector<std::string>;

template <Role role>
double mae(const std::vector<double>& prediction, const Split<role>& split) {
  double sum = 0;
  for (std::size_t n = 0; n < prediction.size(); ++n) sum += std::abs(prediction[n] - double(split.labels[n]));
  return sum / double(prediction.size());
}

/// A split of one modality with one frame a sample.
template <Role role>
Split<role> vectors(const std::vector<std::vector<float>>& rows, const std::vector<float>& labels) {
  Split<role> split;
  const index_t count = index_t(rows.size()), features = index_t(rows[0].size());
  split.modalities.push_back(
      {"view", lacuna::Tensor<float, 3>({count, 1, features}), lacuna::Mask<2>::full({count, 1}, 1)});
  for (index_t n = 0; n < count; ++n) {
    for (index_t f = 0; f < features; ++f) split.modalities[0].frames(n, 0, f) = rows[std::size_t(n)][std::size_t(f)];
    split.ids.push_back(std::to_string(n));
  }
  split.labels = labels;
  return split;
}

template <Role role>
void load(Split<role>& split, const lacuna::io::Npz& file, const std::string& prefix) {
  split.labels = file.get(prefix + "_label").as<float>();
  split.ids = file.get(prefix + "_id").strings();
  for (const char* name : {"audio", "text", "video"}) {
    const auto rows = file.tensor<float, 2>(prefix + "_" + name);
    split.modalities.push_back({name, rows.reshape(std::array<index_t, 3>{rows.extent(0), 1, rows.extent(1)}),
                                lacuna::Mask<2>::full({rows.extent(0), 1}, 1)});
  }
}

}  // namespace

TEST_CASE("ridge: one standardised feature has the solution of the textbook") {
  // x standardises to -1, 0, 1 times sqrt(3/2); the slope is sum(x y) / (sum(x^2) + lambda), sum(x^2) = 3.
  const auto train = vectors<Role::train>({{1}, {3}, {5}}, {2, 3, 7});
  const auto validation = vectors<Role::validation>({{1}, {5}}, {2, 7});
  const Ridge model(train, validation, {.grid = {1.5}});
  const double slope = std::sqrt(1.5) * 5 / (3 + 1.5);
  CHECK(model.lambda() == 1.5);
  CHECK(model.weights()[0] == doctest::Approx(slope));
  CHECK(model.intercept() == doctest::Approx(4));  // not penalised
  CHECK(model(validation)[1] == doctest::Approx(4 + slope * std::sqrt(1.5)));
  const Ridge strong(train, validation, {.grid = {1e12}});
  CHECK(strong(validation)[0] == doctest::Approx(4));
}

TEST_CASE("ridge: more features than samples solves the same problem as fewer") {
  // Copies of a feature: c copies under lambda are one feature under lambda / c.
  const std::vector<std::vector<float>> one = {{1}, {3}, {4}, {8}}, many = {{1, 1, 1, 1, 1, 1},
                                                                            {3, 3, 3, 3, 3, 3},
                                                                            {4, 4, 4, 4, 4, 4},
                                                                            {8, 8, 8, 8, 8, 8}};
  const std::vector<float> labels = {1, 0, 2, 5};
  const Ridge thin(vectors<Role::train>(one, labels), vectors<Role::validation>(one, labels), {.grid = {0.5}});
  const Ridge wide(vectors<Role::train>(many, labels), vectors<Role::validation>(many, labels), {.grid = {3}});
  const auto a = thin(vectors<Role::test>(one, labels)), b = wide(vectors<Role::test>(many, labels));
  for (std::size_t n = 0; n < a.size(); ++n) CHECK(a[n] == doctest::Approx(b[n]));
}

TEST_CASE("ridge: lambda is chosen on the validation split; a constant feature is harmless") {
  const auto train = vectors<Role::train>({{1, 0.1f}, {3, 0.1f}, {5, 0.1f}, {7, 0.1f}}, {1, 3, 5, 7});
  const auto agrees = vectors<Role::validation>({{2, 0.1f}, {6, 0.1f}}, {2, 6});
  const auto disagrees = vectors<Role::validation>({{2, 9}, {6, -9}}, {6, 2});
  CHECK(Ridge(train, agrees).lambda() == doctest::Approx(0.01));
  const Ridge timid(train, disagrees);
  CHECK(timid.lambda() == doctest::Approx(1e6));
  CHECK(timid.weights()[1] == 0);
}

TEST_CASE("ridge: an absent modality is zeros, whatever its frames hold") {
  auto corpus = lacuna::data::synthetic({.samples = 300, .seed = 4});
  const Ridge before(corpus.train, corpus.validation);
  CHECK(before.modalities() == Names{"audio", "text", "video"});
  auto& text = corpus.test.modalities[1];
  for (index_t n = 0; n < corpus.test.size(); ++n)
    for (index_t t = 0; t < text.present.extent(1); ++t) {
      text.present(n, t) = 0;
      text.frames(n, t, 0) = std::numeric_limits<float>::quiet_NaN();
    }
  const auto gone = before(corpus.test);
  for (const double prediction : gone) CHECK(std::isfinite(prediction));
  CHECK(mae(gone, corpus.test) > 0.5);  // not retrained: worse than what audio and video allow
  // A training split without text at all: the same model as one that never looks at it.
  for (index_t n = 0; n < corpus.train.size(); ++n)
    for (index_t t = 0; t < text.present.extent(1); ++t) corpus.train.modalities[1].present(n, t) = 0;
  const Ridge blind(corpus.train, corpus.validation),
      chosen(corpus.train, corpus.validation, {.modalities = {"audio", "video"}});
  const auto a = blind(corpus.test), b = chosen(corpus.test);
  for (std::size_t n = 0; n < a.size(); ++n) CHECK(a[n] == doctest::Approx(b[n]));
  // A tenth of the samples without text: training goes on, the intercept stays right.
  auto partial = lacuna::data::synthetic({.samples = 300, .seed = 4});
  for (index_t n = 0; n < 300; n += 10)
    for (index_t t = 0; t < 12; ++t) partial.train.modalities[1].present(n, t) = 0;
  CHECK(mae(Ridge(partial.train, partial.validation)(partial.test), partial.test) < 0.4);
}

TEST_CASE("ridge: comes within 5 % of the best on the synthetic corpus, for every subset") {
  const auto corpus = lacuna::data::synthetic({.test = 4000});
  const Names all = {"audio", "text", "video"};
  const double constant = mae(Constant(corpus.train)(corpus.test), corpus.test);
  std::printf("synthetic: constant %.4f (expected %.4f)\n", constant, corpus.constant().mae);
  CHECK(constant == doctest::Approx(corpus.constant().mae).epsilon(0.04));
  for (unsigned bits = 1; bits < 8; ++bits) {
    Names subset;
    for (unsigned m = 0; m < 3; ++m)
      if (bits >> m & 1u) subset.push_back(all[m]);
    const Ridge model(corpus.train, corpus.validation, {.modalities = subset});
    const double found = mae(model(corpus.test), corpus.test);
    const double covered = corpus.coverage(found, corpus.test, subset);
    std::string name;
    for (const auto& modality : subset) name += modality + " ";
    std::printf("synthetic: %-17s best %.4f, ridge %.4f (lambda %g), covered %.3f\n", name.c_str(),
                corpus.best(corpus.test, subset).mae, found, model.lambda(), covered);
    CHECK(covered > 0.95);
    CHECK(covered < 1.02);
  }
}

TEST_CASE("ridge: utterances of CMU-MOSI" * doctest::skip(!lacuna::test::have_data())) {
  const lacuna::io::Npz file(lacuna::test::data_dir() + "/mosi_utt_bclstm.npz");
  Dataset mosi;
  load(mosi.train, file, "train");
  load(mosi.validation, file, "valid");
  load(mosi.test, file, "test");
  const double mean = mae(Constant(mosi.train)(mosi.test), mosi.test);
  const double median = mae(Constant(mosi.train, {.centre = Constant::Centre::median})(mosi.test), mosi.test);
  std::printf("MOSI: mean %.4f, median %.4f\n", mean, median);
  CHECK(mean == doctest::Approx(1.3570).epsilon(1e-4));  // 1.335 with the mean of training and validation labels
  struct Case {
    Names modalities;
    double reported, tolerance;
  };
  for (const Case& c : {Case{{}, 0.954, 0.02}, Case{{"text"}, 0.957, 0.02}, Case{{"audio", "video"}, 1.339, 0.1}}) {
    const Ridge model(mosi.train, mosi.validation, {.modalities = c.modalities});
    const double found = mae(model(mosi.test), mosi.test);
    std::printf("MOSI: ridge on %zu modalities, lambda %g: MAE %.4f (reported %.3f)\n", model.modalities().size(),
                model.lambda(), found, c.reported);
    CHECK(std::abs(found - c.reported) < c.tolerance);
  }
}

TEST_CASE("constant: mean and median") {
  const auto train = vectors<Role::train>({{0}, {0}, {0}, {0}}, {1, 2, 4, 9});
  CHECK(Constant(train).value == doctest::Approx(4));
  CHECK(Constant(train, {.centre = Constant::Centre::median}).value == doctest::Approx(3));
  const auto odd = vectors<Role::train>({{0}, {0}, {0}}, {9, 1, 2});
  CHECK(Constant(odd, {.centre = Constant::Centre::median}).value == doctest::Approx(2));
  CHECK(Constant(train)(train) == std::vector<double>(4, 4.0));
}

TEST_CASE("baselines: bad data are refused") {
  using lacuna::OptionError;
  using lacuna::ShapeError;
  auto corpus = lacuna::data::synthetic({.samples = 20});
  // Test data can take no part in the choice of lambda.
  static_assert(!std::is_constructible_v<Ridge, Split<Role::train>, Split<Role::test>>);
  static_assert(!std::is_constructible_v<Constant, Split<Role::test>>);
  CHECK_THROWS_AS(Ridge(corpus.train, corpus.validation, {.modalities = {"smell"}}), OptionError);
  CHECK_THROWS_AS(Ridge(corpus.train, corpus.validation, {.grid = {0}}), OptionError);
  const Ridge model(corpus.train, corpus.validation);
  auto fewer = corpus.test;
  fewer.modalities.pop_back();
  CHECK_THROWS_AS(model(fewer), ShapeError);
  auto broken = corpus.train;
  broken.modalities[0].frames = broken.modalities[0].frames.clone();
  broken.modalities[0].frames(3, 0, 0) = std::nanf("");
  CHECK_THROWS_AS(Ridge(broken, corpus.validation), lacuna::Error);
  broken = corpus.train;
  broken.labels[2] = std::nanf("");
  CHECK_THROWS_AS(Ridge(broken, corpus.validation), lacuna::Error);
  CHECK_THROWS_AS(Constant{broken}, lacuna::Error);
  broken.labels.clear();
  CHECK_THROWS_AS(Ridge(broken, corpus.validation), ShapeError);
  CHECK_THROWS_AS(Constant{broken}, ShapeError);
  Split<Role::validation> none = corpus.validation;
  none.labels.clear();
  CHECK_THROWS_AS(Ridge(corpus.train, none), ShapeError);
}
