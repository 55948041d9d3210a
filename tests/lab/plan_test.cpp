#include "lacuna/lab/plan.hpp"

#include <doctest/doctest.h>

#include <cstdio>

#include "lab/small_experiment.hpp"

namespace lacuna {
namespace {

/// M modalities of one frame.
data::Split<data::Role::test> split_of(index_t modalities, index_t samples) {
  data::Split<data::Role::test> split;
  for (index_t m = 0; m < modalities; ++m)
    split.modalities.push_back({"m" + std::to_string(m), Tensor<float, 3>::zeros({samples, 1, 2}),
                                Mask<2>::from({samples, 1}, std::vector<std::uint8_t>(std::size_t(samples), 1))});
  for (index_t n = 0; n < samples; ++n) split.ids.push_back(std::to_string(n));
  return split;
}

TEST_CASE("plan: six modalities have 63 subsets, binomially many of every size, and an average for each size") {
  const auto plan = lab::make_plan({"p1"}, split_of(6, 4));
  REQUIRE(plan.size() == 63);
  const auto& protocol = plan.protocols[0];
  CHECK(protocol.conditions.back().present == 6);
  const std::size_t expected[] = {6, 15, 20, 15, 6, 1};
  for (std::size_t r = 1; r <= 6; ++r) {
    const auto& average = protocol.averages.at(1 + r);
    CHECK(average.name == "r=" + std::to_string(r));
    CHECK(average.of.size() == expected[r - 1]);
  }
  // scores equal to the number present: every average is what it must be
  std::vector<double> scores;
  for (const auto& condition : protocol.conditions) scores.push_back(double(condition.present));
  const auto means = lab::averages_of(protocol, scores);
  for (std::size_t r = 1; r <= 6; ++r) CHECK(means[1 + r].second == doctest::Approx(double(r)));
  CHECK(means[0].second == doctest::Approx((6.0 * 32 - 6) / 62));  // Σ r C(6, r) = 6 · 2^5
  CHECK(means[1].second == doctest::Approx(6.0 * 32 / 63));
  CHECK_THROWS_AS(lab::averages_of(protocol, std::vector<double>(62)), ShapeError);
}

TEST_CASE("plan: equal seeds draw equal masks; every protocol has its conditions") {
  const auto corpus = test::small_corpus();
  const auto a = lab::make_plan(lab::protocol_names(), corpus.test, {.seed = 5}),
             b = lab::make_plan(lab::protocol_names(), corpus.test, {.seed = 5}),
             c = lab::make_plan(lab::protocol_names(), corpus.test, {.seed = 6});
  const std::size_t sizes[] = {1, 7, 11, 7, 10, 6};
  bool other = false;
  for (std::size_t p = 0; p < 6; ++p) {
    REQUIRE(a.protocols[p].conditions.size() == sizes[p]);
    CHECK(a.protocols[p].rates == (p == 2 || p == 3 || p == 4));
    for (std::size_t i = 0; i < sizes[p]; ++i) {
      CHECK(a.protocols[p].conditions[i].masks == b.protocols[p].conditions[i].masks);
      CHECK(a.protocols[p].conditions[i].masks == a.masks[a.first(p) + i].hash());
      other = other || a.protocols[p].conditions[i].masks != c.protocols[p].conditions[i].masks;
    }
  }
  CHECK(other);
  CHECK_THROWS_WITH_AS(lab::make_plan({"p9"}, corpus.test), doctest::Contains("there are none, p1"), OptionError);
  CHECK_THROWS_WITH_AS(lab::make_plan({"p3"}, corpus.test, {.seed = 1ull << 32}), doctest::Contains("below 2^32"),
                       OptionError);
  CHECK_THROWS_WITH_AS(lab::make_plan({"p1", "p1"}, corpus.test), doctest::Contains("named twice"), OptionError);
}

TEST_CASE("plan: masks go to a file and come back, in the order of other samples too; other conditions are refused") {
  const auto corpus = test::small_corpus();
  auto plan = lab::make_plan({"p1", "p2"}, corpus.test, {.seed = 5});
  const std::string path = "lab_plan_test_masks.npz";
  missing::save_masks(path, plan.masks);
  auto other = lab::make_plan({"p1", "p2"}, corpus.test, {.seed = 9});
  CHECK(other.protocols[1].conditions[3].masks != plan.protocols[1].conditions[3].masks);
  lab::take_masks(other, path, corpus.test.ids);
  for (std::size_t i = 0; i < 7; ++i)
    CHECK(other.protocols[1].conditions[i].masks == plan.protocols[1].conditions[i].masks);
  auto short_plan = lab::make_plan({"p2"}, corpus.test);
  CHECK_THROWS_WITH_AS(lab::take_masks(short_plan, path, corpus.test.ids), doctest::Contains("of 14 conditions"),
                       IoError);
  auto swapped = lab::make_plan({"p2", "p1"}, corpus.test);
  CHECK_THROWS_WITH_AS(lab::take_masks(swapped, path, corpus.test.ids), doctest::Contains("condition 1 is 'audio'"),
                       IoError);
  auto ids = corpus.test.ids;
  ids[0] = "stranger";
  CHECK_THROWS_WITH_AS(lab::take_masks(plan, path, ids), doctest::Contains("stranger"), Error);
  std::remove(path.c_str());
}

}  // namespace
}  // namespace lacuna

TEST_CASE("plan: of one modality there is no average of nothing, and no incomplete subset") {
  auto corpus = data::synthetic({.samples = 10, .seed = 3, .validation = 4, .test = 4, .max_frames = 2});
  corpus.test.modalities.resize(1);
  const auto plan = lab::make_plan({"p1"}, corpus.test);
  for (const auto& average : plan.protocols[0].averages) CHECK(!average.of.empty());
  CHECK_THROWS_WITH_AS(lab::make_plan({"p4"}, corpus.test), doctest::Contains("there is no incomplete subset"), OptionError);
}
