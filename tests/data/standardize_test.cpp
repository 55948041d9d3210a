#include "lacuna/data/standardize.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "lacuna/core/random.hpp"
#include "lacuna/core/state.hpp"
#include "lacuna/data/batch.hpp"

namespace standardize_test {

using namespace lacuna;
using data::LabelStatistics;
using data::Role;
using data::Split;
using data::Standardizer;

namespace {

/// Two samples of two frames; the second frame of sample 0 is absent and holds rubbish.
Split<Role::train> small() {
  const float rubbish = 1e30f;
  Split<Role::train> split;
  split.modalities = {
      {"a", Tensor<float, 3>::from({2, 2, 3}, {1, 0.1f, -7, rubbish, rubbish, rubbish, 3, 0.1f, 5, 5, 0.1f, 2}),
       Mask<2>::from({2, 2}, {1, 0, 1, 1})},
      {"b", Tensor<float, 3>::zeros({2, 1, 1}), Mask<2>::zeros({2, 1})}};
  split.labels = {1, 3};
  split.ids = {"x", "y"};
  return split;
}

}  // namespace

TEST_CASE("standardizer: closed form, present frames only") {
  const auto standardizer = Standardizer::fit(small());
  const auto& a = standardizer.modalities[0];
  CHECK(a.name == "a");
  CHECK(a.mean[0] == doctest::Approx(3).epsilon(1e-12));
  CHECK(a.deviation[0] == doctest::Approx(std::sqrt(8.0 / 3)).epsilon(1e-12));
  CHECK(a.deviation[1] == 1);  // constant
  CHECK(a.mean[2] == doctest::Approx(0).epsilon(1e-12));
  CHECK(standardizer.modalities[1].mean == std::vector<double>{0});  // never present
  CHECK(standardizer.modalities[1].deviation == std::vector<double>{1});

  const auto original = small();
  const auto split = standardizer(original);
  const auto& frames = split.modalities[0].frames;
  CHECK(frames(0, 0, 0) == doctest::Approx(-2 / std::sqrt(8.0 / 3)));
  CHECK(std::abs(frames(0, 0, 1)) < 1e-6f);
  for (index_t d = 0; d < 3; ++d) CHECK(frames(0, 1, d) == 0.0f);  // absent: exactly zero, rubbish or not
  CHECK(split.labels == original.labels);
  CHECK(split.ids == original.ids);
  CHECK(original.modalities[0].frames(0, 0, 0) == 1.0f);  // not overwritten
}

TEST_CASE("standardizer: training data get mean 0 and deviation 1") {
  Split<Role::train> split;
  Random random(3);
  data::Modality modality{"a", Tensor<float, 3>({50, 7, 40}), Mask<2>({50, 7})};
  for (index_t i = 0; i < modality.frames.size(); ++i)
    modality.frames.data()[i] = float(1000 + double(i % 40) * random.normal());
  for (index_t i = 0; i < modality.present.size(); ++i) modality.present.data()[i] = random.uniform() < 0.6;
  split.modalities = {modality};
  split.ids.resize(50);
  const auto result = Standardizer::fit(split)(split);
  for (index_t d = 1; d < 40; ++d) {
    double sum = 0, squares = 0;
    index_t count = 0;
    for (index_t n = 0; n < 50; ++n)
      for (index_t t = 0; t < 7; ++t) {
        const double x = result.modalities[0].frames(n, t, d);
        if (!modality.present(n, t)) REQUIRE(x == 0);
        sum += x, squares += x * x, count += modality.present(n, t);
      }
    CHECK(sum / double(count) == doctest::Approx(0).epsilon(1e-4));
    CHECK(squares / double(count) == doctest::Approx(1).epsilon(1e-4));
  }
}

TEST_CASE("standardizer: the same bits with any number of threads") {
  Split<Role::train> split;
  Random random(4);
  data::Modality modality{"a", Tensor<float, 3>({300, 3, 100}), Mask<2>::full({300, 3}, 1)};
  for (index_t i = 0; i < modality.frames.size(); ++i) modality.frames.data()[i] = float(random.normal());
  split.modalities = {modality};
  split.ids.resize(300);
  set_threads(1);
  const auto one = Standardizer::fit(split);
  const auto frames = one(split).modalities[0].frames.to_vector();
  for (const int count : {2, 3, 8}) {
    set_threads(count);
    const auto many = Standardizer::fit(split);
    CHECK(many.modalities[0].mean == one.modalities[0].mean);
    CHECK(many.modalities[0].deviation == one.modalities[0].deviation);
    CHECK(many(split).modalities[0].frames.to_vector() == frames);
  }
  set_threads(0);
}

TEST_CASE("standardizer: clips, other splits too") {
  auto standardizer = Standardizer::fit(small(), {.feature_clip = 0.5});
  Split<Role::test> test;
  test.modalities = {{"a", Tensor<float, 3>::from({1, 1, 3}, {1e6f, -1e6f, 0}), Mask<2>::full({1, 1}, 1)},
                     {"b", Tensor<float, 3>::full({1, 1, 1}, 9), Mask<2>::full({1, 1}, 1)}};
  test.ids = {"t"};
  const auto result = standardizer(test);
  CHECK(result.modalities[0].frames.to_vector() == std::vector<float>{0.5f, -0.5f, 0});
  CHECK(result.modalities[1].frames(0, 0, 0) == 0.5f);

  CHECK_THROWS_AS(Standardizer::fit(small(), {.feature_clip = -1}), OptionError);
  CHECK_THROWS_AS(Standardizer::fit(small(), {.feature_clip = std::numeric_limits<double>::quiet_NaN()}), OptionError);
}

TEST_CASE_TEMPLATE("standardizer: a batch is standardised as its split is", T, float, double) {
  const auto standardizer = Standardizer::fit(small(), {.feature_clip = 5});
  const std::vector<index_t> samples = {1, 0};
  const auto late = standardizer(data::gather<T>(small(), samples));
  const auto early = data::gather<T>(standardizer(small()), samples);
  for (std::size_t m = 0; m < 2; ++m)
    for (index_t i = 0; i < late.streams[m].frames.size(); ++i)
      CHECK(double(late.streams[m].frames.data()[i]) ==
            doctest::Approx(double(early.streams[m].frames.data()[i])).epsilon(1e-6));
  CHECK_THROWS_AS(standardizer(data::Batch<T>{}), ShapeError);
}

TEST_CASE("standardizer: other modalities and sizes are refused") {
  const auto standardizer = Standardizer::fit(small());
  auto other = small();
  std::swap(other.modalities[0], other.modalities[1]);
  CHECK_THROWS_AS(standardizer(other), ShapeError);
  other = small();
  other.modalities.pop_back();
  CHECK_THROWS_AS(standardizer(other), ShapeError);
  other = small();
  other.modalities[0].frames = Tensor<float, 3>::zeros({2, 2, 4});
  CHECK_THROWS_AS(standardizer(other), ShapeError);
}

TEST_CASE("standardizer: a stored one is the same one") {
  const auto standardizer = Standardizer::fit(small(), {.feature_clip = 3});
  State state;
  standardizer.save_state(state);
  Standardizer loaded;
  loaded.load_state(state);
  CHECK(loaded.feature_clip == 3);
  REQUIRE(loaded.modalities.size() == 2);
  for (std::size_t m = 0; m < 2; ++m) {
    CHECK(loaded.modalities[m].name == standardizer.modalities[m].name);
    CHECK(loaded.modalities[m].mean == standardizer.modalities[m].mean);
    CHECK(loaded.modalities[m].deviation == standardizer.modalities[m].deviation);
  }
  State damaged;
  standardizer.save_state(damaged);
  damaged.put("modalities.0/mean", std::vector<double>{1});
  CHECK_THROWS_AS(loaded.load_state(damaged), Error);
}

TEST_CASE("standardizer: a data set as a whole, an empty split included") {
  data::Dataset dataset;
  dataset.train = small();
  for (data::Modality modality : dataset.train.modalities) {
    const Tensor<float, 3> none({0, 1, modality.features()});
    dataset.validation.modalities.push_back({modality.name, none, Mask<2>({0, 1})});
    dataset.test.modalities.push_back({modality.name, none, Mask<2>({0, 1})});
  }
  const auto result = Standardizer::fit(dataset.train)(dataset);
  CHECK(result.validation.size() == 0);
  CHECK(result.train.modalities[0].frames(1, 0, 0) == doctest::Approx(0));
}

TEST_CASE("label statistics") {
  const auto statistics = LabelStatistics::fit(small());
  CHECK(statistics.mean == 2);
  CHECK(statistics.deviation == 1);
  CHECK(statistics.restore(statistics.standardize(2.75)) == 2.75);
  auto constant = small();
  constant.labels = {0.1f, 0.1f};
  CHECK(LabelStatistics::fit(constant).deviation == 1);
  constant.labels.clear();
  CHECK_THROWS_AS(LabelStatistics::fit(constant), ShapeError);
}

}  // namespace standardize_test
