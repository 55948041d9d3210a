#include <doctest/doctest.h>

#if !__has_include(<xtensor/xadapt.hpp>) && !__has_include(<xtensor/containers/xadapt.hpp>)
TEST_CASE("statistics: of data sets" * doctest::description("xtensor is not installed") * doctest::skip()) {}
#else

#include <chrono>

#include "io/temporary.hpp"
#include "lacuna/core/random.hpp"
#include "lacuna/data/describe.hpp"
#include "lacuna/data/standardize.hpp"
#include "lacuna/data/synthetic.hpp"

using namespace lacuna;
using data::dataset_statistics;
using data::modality_statistics;

namespace {

const float blank = std::numeric_limits<float>::quiet_NaN(), endless = std::numeric_limits<float>::infinity();

using Ids = std::vector<std::string>;

data::Modality words(std::array<index_t, 3> shape, std::initializer_list<float> frames,
                     std::initializer_list<std::uint8_t> present) {
  return {"words", Tensor<float, 3>::from(shape, frames), Mask<2>::from({shape[0], shape[1]}, present)};
}

}  // namespace

TEST_CASE("statistics: lengths, gaps, means and limits of the present frames alone") {
  // Sample 0: a gap at frame 1; sample 1 absent; sample 2: one frame. Absent frames hold what must not count.
  const auto s = modality_statistics(
      words({3, 3, 2}, {1, 5, blank, 99, 3, 5, 7, 7, 7, 7, 7, 7, 8, 5, 9, endless, 1, 1}, {1, 0, 1, 0, 0, 0, 1, 0, 0}));
  CHECK(s.name == "words");
  CHECK(s.samples == 3);
  CHECK(s.missing_samples == 1);
  CHECK(s.share_missing() == doctest::Approx(1.0 / 3));
  CHECK(s.frames == 4);
  CHECK(s.missing_frames == 1);
  CHECK(s.share_missing_frames() == 0.25);
  CHECK(s.shortest == 1);
  CHECK(s.longest == 3);
  CHECK(s.median_length == 2);  // of 3 and 1
  CHECK(s.features == 2);
  CHECK(s.mean[0] == 4);  // 1, 3, 8
  CHECK(s.deviation[0] == doctest::Approx(std::sqrt((9.0 + 1 + 16) / 3)));
  CHECK(s.low[0] == 1);
  CHECK(s.high[0] == 8);
  CHECK(s.mean[1] == 5);
  CHECK(s.deviation[1] == 0);
  CHECK(s.constant == std::vector<index_t>{1});
  CHECK(s.non_finite == 0);
  CHECK(!s.first_non_finite);
}

TEST_CASE("statistics: non-finite features are counted, placed and left out") {
  const auto s = modality_statistics(
      words({2, 2, 3}, {1, blank, 4, 3, 2, endless, -endless, 6, blank, blank, 9, 9}, {1, 1, 1, 0}));
  CHECK(s.non_finite == 4);
  CHECK(s.non_finite_features == std::vector<index_t>{0, 1, 2});
  CHECK(s.first_non_finite == data::FeaturePosition{0, 0, 1});
  CHECK(s.mean == std::vector<double>{2, 4, 4});
  CHECK(s.deviation == std::vector<double>{1, 2, 0});
  CHECK(s.low == std::vector<double>{1, 2, 4});
  CHECK(s.high == std::vector<double>{3, 6, 4});
  CHECK(s.constant.empty());  // feature 2: a single number is no constant
  const auto all = modality_statistics(words({1, 2, 1}, {blank, blank}, {1, 1}));
  CHECK(all.non_finite == 2);
  CHECK(std::isnan(all.mean[0]));
  CHECK(std::isnan(all.deviation[0]));
  CHECK(std::isnan(all.low[0]));
}

TEST_CASE("statistics: nothing present, no sample, one sample, one frame") {
  const auto absent = modality_statistics(words({2, 1, 2}, {1, 2, 3, 4}, {0, 0}));
  CHECK(absent.share_missing() == 1);
  CHECK(absent.frames == 0);
  CHECK(std::isnan(absent.share_missing_frames()));
  CHECK(std::isnan(absent.median_length));
  CHECK(std::isnan(absent.mean[1]));
  CHECK(std::isnan(absent.high[0]));
  CHECK(absent.constant.empty());
  const auto none = modality_statistics(
      {"none", Tensor<float, 3>(std::array<index_t, 3>{0, 1, 2}), Mask<2>(std::array<index_t, 2>{0, 1})});
  CHECK(none.samples == 0);
  CHECK(std::isnan(none.share_missing()));
  CHECK(none.mean.size() == 2);
  CHECK(std::isnan(none.mean[0]));
  const auto one = modality_statistics(words({1, 1, 2}, {-1, 4}, {1}));
  CHECK(one.share_missing() == 0);
  CHECK(one.share_missing_frames() == 0);
  CHECK(one.median_length == 1);
  CHECK(one.mean == std::vector<double>{-1, 4});
  CHECK(one.deviation == std::vector<double>{0, 0});
  CHECK(one.constant.empty());
  CHECK_THROWS_AS(modality_statistics({"odd", Tensor<float, 3>::zeros({2, 2, 1}), Mask<2>::zeros({2, 1})}), ShapeError);
}

TEST_CASE("statistics: the numbers of the standardiser, in the same bits with 1, 2 and 3 threads") {
  Random random(3);
  data::Modality modality{"many", Tensor<float, 3>({40, 7, 150}), Mask<2>({40, 7})};
  const auto stream = random.stream();
  for (index_t i = 0; i < modality.frames.size(); ++i)
    modality.frames.data()[i] = float(5 + stream.normal(std::uint64_t(i)));
  for (index_t i = 0; i < modality.present.size(); ++i) modality.present.data()[i] = i % 3 != 0;
  const auto expected = data::FeatureStatistics::of(modality);
  const auto plain = modality_statistics(modality);
  for (std::size_t d = 0; d < 150; ++d) {
    CHECK(plain.mean[d] == doctest::Approx(expected.mean[d]).epsilon(1e-13));
    CHECK(plain.deviation[d] == doctest::Approx(expected.deviation[d]).epsilon(1e-13));
  }
  const int before = threads();
  for (const int count : {1, 2, 3}) {
    set_threads(count);
    const auto again = modality_statistics(modality);
    CHECK(again.mean == plain.mean);
    CHECK(again.deviation == plain.deviation);
  }
  set_threads(before);
}

TEST_CASE("statistics: real labels with NaN, in bins that all splits share") {
  data::Dataset set;
  set.train.labels = {0, 1, 2, blank, 10};
  set.train.ids = Ids(5, "x");
  set.validation.labels = {5};
  set.validation.ids = {"y"};
  const auto s = dataset_statistics(set, {.label_bins = 5});
  CHECK(s.label_edges == std::vector<double>{0, 2, 4, 6, 8, 10});
  const auto& train = s.splits[0].labels;
  CHECK(train.count == 4);
  CHECK(train.non_finite == 1);
  CHECK(train.mean == 3.25);
  CHECK(train.deviation == doctest::Approx(std::sqrt((3.25 * 3.25 + 2.25 * 2.25 + 1.25 * 1.25 + 6.75 * 6.75) / 4)));
  CHECK(train.low == 0);
  CHECK(train.high == 10);
  CHECK(train.histogram == std::vector<index_t>{2, 1, 0, 0, 1});
  CHECK(train.class_counts.empty());
  const auto& validation = s.splits[1].labels;
  CHECK(validation.mean == 5);
  CHECK(validation.deviation == 0);
  CHECK(validation.histogram == std::vector<index_t>{0, 0, 1, 0, 0});
  const auto& test = s.splits[2].labels;
  CHECK(test.count == 0);
  CHECK(std::isnan(test.mean));
  CHECK(test.histogram == std::vector<index_t>{0, 0, 0, 0, 0});
  set.train.labels = std::vector<float>(5, 5.f);
  const auto same = dataset_statistics(set);
  CHECK(same.label_edges == std::vector<double>{5, 5});
  CHECK(same.splits[0].labels.histogram == std::vector<index_t>{5});
  set.train.labels = std::vector<float>(5, blank), set.validation.labels = {};
  CHECK(dataset_statistics(set).label_edges.empty());
  CHECK(dataset_statistics(set).splits[0].labels.non_finite == 5);
  CHECK_THROWS_AS(dataset_statistics(set, {.label_bins = 0}), OptionError);
}

TEST_CASE("statistics: classes") {
  data::Dataset set;
  set.class_count = 3;
  set.train.classes = {2, 0, 2};
  set.train.ids = Ids(3, "x");
  const auto s = dataset_statistics(set);
  CHECK(s.splits[0].labels.class_counts == std::vector<index_t>{1, 0, 2});
  CHECK(s.splits[0].labels.count == 0);
  CHECK(s.splits[1].labels.class_counts.empty());
  set.class_count = 2;
  CHECK_THROWS_AS(dataset_statistics(set), ShapeError);
}

TEST_CASE("statistics: samples that come twice") {
  data::Dataset set;
  set.train.modalities = {words({5, 2, 1}, {1, 2, 3, 0, 1, 2, 3, 8, 1, 2}, {1, 1, 1, 0, 1, 1, 1, 0, 0, 0})};
  set.train.ids = Ids(5, "x"), set.train.labels = {0, 0, 1, 0, 0};
  // Other padding: sample 0 is train's 1 and 3; sample 1 has train's numbers in another place; sample 2 is absent.
  set.test.modalities = {words({3, 3, 1}, {3, 9, 9, 0, 1, 2, 0, 0, 0}, {1, 0, 0, 0, 1, 1, 0, 0, 0})};
  set.test.ids = Ids(3, "y"), set.test.labels = {0, 0, 0};
  const auto s = dataset_statistics(set);
  REQUIRE(s.repeats.size() == 3);
  const auto is = [&](std::size_t i, data::Role role, index_t sample, data::Role first_role, index_t first,
                      bool label) {
    const auto& r = s.repeats[i];
    return r.role == role && r.sample == sample && r.earlier_role == first_role && r.earlier == first &&
           r.same_label == label;
  };
  CHECK(is(0, data::Role::train, 2, data::Role::train, 0, false));
  CHECK(is(1, data::Role::train, 3, data::Role::train, 1, true));
  CHECK(is(2, data::Role::test, 0, data::Role::train, 1, true));
  CHECK(s.splits[0].repeated == 2);
  CHECK(s.splits[0].in_earlier_split == 0);
  CHECK(s.splits[2].repeated == 0);
  CHECK(s.splits[2].in_earlier_split == 1);
}

TEST_CASE("statistics: equal in one modality is not equal") {
  const auto a = words({2, 1, 1}, {1, 1}, {1, 1}), b = words({2, 1, 1}, {1, 2}, {1, 1});
  data::Dataset set;
  set.train.modalities = {a, b};
  set.train.ids = Ids(2, "x");
  CHECK(data::find_repeats(set).empty());
  set.train.modalities = {a, a};
  CHECK(data::find_repeats(set).size() == 1);
}

TEST_CASE("statistics: a table and JSON") {
  data::Dataset set;
  set.name = "small";
  set.train.modalities = {words({3, 2, 2}, {1, 5, 3, 5, 8, 5, 0, 0, 0, 0, 0, 0}, {1, 1, 1, 0, 0, 0})};
  set.train.ids = Ids(3, "x"), set.train.labels = {-1, 1, 3};
  set.test = {{words({1, 1, 2}, {8, 5}, {1})}, {2}, {}, {"y"}};
  const std::string text = data::describe(set);
  for (const char* piece : {"small: 1 modality", "33.3 %", "1 / 1.5 / 2", "words: feature 1 is constant",
                            "test 0 equals train 1", "another label"})
    CHECK_MESSAGE(test::contains(text, piece), text);
  const auto json = data::to_json(dataset_statistics(set));
  CHECK(json["name"] == "small");
  CHECK(json["splits"]["train"]["samples"] == 3);
  const auto& part = json["splits"]["train"]["modalities"]["words"];
  CHECK(part["missing_samples"] == 1);
  CHECK(part["lengths"] == nlohmann::ordered_json{{"min", 1}, {"median", 1.5}, {"max", 2}});
  CHECK(part["mean"][0] == 4);
  CHECK(part["constant"] == std::vector<int>{1});
  CHECK(json["splits"]["train"]["labels"]["mean"] == 1);
  CHECK(json["splits"]["valid"]["samples"] == 0);
  CHECK(json["repeats"][0]["earlier"]["split"] == "train");
  CHECK(json["repeats"][0]["same_label"] == false);
  const auto parsed = nlohmann::json::parse(json.dump());  // NaN becomes null
  CHECK(parsed["splits"]["test"]["labels"]["deviation"] == 0);
  CHECK(parsed["splits"]["valid"]["labels"].is_null());
  CHECK(!data::describe(data::Dataset{}).empty());
}

TEST_CASE("statistics: the synthetic corpus is what it says") {
  const auto corpus = data::synthetic({.samples = 400, .seed = 5, .min_frames = 3, .max_frames = 6});
  const auto s = dataset_statistics(corpus);
  CHECK(s.splits[0].samples == 400);
  CHECK(s.repeats.empty());
  for (const auto& modality : s.splits[0].modalities) {
    CHECK(modality.shortest == 3);
    CHECK(modality.longest == 6);
    CHECK(modality.share_missing() == 0);
    CHECK(modality.missing_frames == 0);
    CHECK(modality.constant.empty());
    CHECK(double(xt::mean(xt::square(xt::adapt(modality.deviation)))()) == doctest::Approx(1).epsilon(0.3));
  }
}

#endif
