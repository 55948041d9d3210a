#include <doctest/doctest.h>

#if !__has_include(<xtensor/xadapt.hpp>) && !__has_include(<xtensor/containers/xadapt.hpp>)
TEST_CASE("arrays: data sets from xtensor" * doctest::description("xtensor is not installed") * doctest::skip()) {}
#else

#include "io/temporary.hpp"
#include "lacuna/data/batch.hpp"
#include "lacuna/data/from_xtensor.hpp"

using namespace lacuna;
using data::from_arrays;
using data::from_rows;
using data::SplitArrays;

namespace {

const float hole = std::numeric_limits<float>::quiet_NaN();

/// (2, 3, 2): the numbers 1..12.
xt::xtensor<float, 3> twelve() { return xt::reshape_view(xt::arange<float>(1, 13), {2, 3, 2}); }

bool noted(const data::Dataset& dataset, const char* piece) {
  return std::any_of(dataset.notes.begin(), dataset.notes.end(),
                     [&](const std::string& note) { return test::contains(note, piece); });
}
std::string refusal(const SplitArrays& train, const SplitArrays& test = {}) {
  return test::message_of<Error>([&] { from_arrays("made", train, {}, test); });
}

}  // namespace

TEST_CASE("arrays: three splits, with lengths, masks, labels and ids") {
  xt::xtensor<float, 3> audio = twelve();
  audio(1, 2, 0) = hole;  // absent: of no interest
  const xt::xtensor<int, 1> lengths{3, 2};
  const xt::xtensor<bool, 2> mask{{true, false, true}, {true, true, true}};
  const xt::xtensor<double, 1> labels{0.5, -1.5};
  const SplitArrays train{.modalities = {{"audio", audio, {.lengths = lengths, .mask = mask}},
                                         {"text", xt::xtensor<double, 2>{{1, 2}, {3, 4}}}},
                          .labels = labels,
                          .ids = {"a", "b"}};
  const SplitArrays test{.modalities = {{"audio", xt::view(audio, xt::range(0, 1), xt::range(0, 1)) * 2.f}},
                         .labels = {1.f}};
  const auto set = from_arrays("made", train, {}, test);
  CHECK(set.name == "made");
  CHECK(set.modality_names() == std::vector<std::string>{"audio", "text"});
  CHECK(set.dimensions() == std::vector<index_t>{2, 2});
  CHECK(set.class_count == 0);
  CHECK(set.train.ids == std::vector<std::string>{"a", "b"});
  CHECK(set.train.labels == std::vector<float>{0.5f, -1.5f});
  CHECK(set.train.modalities[0].present.to_vector() == std::vector<std::uint8_t>{1, 0, 1, 1, 1, 0});
  CHECK(set.train.modalities[0].frames.to_vector() == std::vector<float>{1, 2, 0, 0, 5, 6, 7, 8, 9, 10, 0, 0});
  CHECK(set.train.modalities[1].frames.shape() == Shape{2, 1, 2});
  CHECK(set.train.modalities[1].present.to_vector() == std::vector<std::uint8_t>{1, 1});
  CHECK(set.validation.size() == 0);
  CHECK(set.validation.modalities[0].frames.shape() == Shape{0, 1, 2});
  CHECK(set.test.size() == 1);
  CHECK(set.test.ids == std::vector<std::string>{"0"});
  CHECK(set.test.modalities[0].frames.to_vector() == std::vector<float>{2, 4});
  CHECK(set.test.modalities[1].present.to_vector() == std::vector<std::uint8_t>{0});
  CHECK(noted(set, "test has no text: it is absent from all 1 samples"));
  CHECK(std::isnan(audio(1, 2, 0)));  // what was given stays as it is
}

TEST_CASE("arrays: one set, divided by rows") {
  const xt::xtensor<float, 3> frames = xt::reshape_view(xt::arange<float>(24), {6, 2, 2});
  const xt::xarray<float, xt::layout_type::column_major> turned = frames;
  const xt::xtensor<std::int32_t, 1> classes{0, 1, 2, 0, 1, 2}, validation{3};
  const auto set = from_rows("made", {.modalities = {{"x", turned}}, .classes = classes},
                             {.train = {5, 0, 1}, .validation = validation, .test = {4}});
  CHECK(set.class_count == 3);
  CHECK(set.train.classes == std::vector<index_t>{2, 0, 1});
  CHECK(set.train.ids == std::vector<std::string>{"5", "0", "1"});
  CHECK(set.train.modalities[0].frames.to_vector() == std::vector<float>{20, 21, 22, 23, 0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(set.validation.modalities[0].frames.to_vector() == std::vector<float>{12, 13, 14, 15});
  CHECK(set.test.classes == std::vector<index_t>{1});
  CHECK(set.test.modalities[0].present.to_vector() == std::vector<std::uint8_t>{1, 1});
  CHECK(noted(set, "train x has neither length nor mask"));
  const auto batch = data::gather<float>(set.train, std::vector<index_t>{2});
  CHECK(batch.streams[0].frames.to_vector() == std::vector<float>{4, 5, 6, 7});
  const auto none = from_rows("made", {.modalities = {{"x", turned}}}, {.train = {0}});
  CHECK(none.test.size() == 0);
  CHECK(none.test.modalities[0].frames.shape() == Shape{0, 2, 2});
  const auto split = [&](data::SplitRows rows) {
    return test::message_of<Error>([&] { from_rows("made", {.modalities = {{"x", turned}}}, rows); });
  };
  CHECK(split({.train = {6}}) == "made: row 6 of train is outside 0..5");
  CHECK(split({.train = {2}, .test = {1, 2}}) == "made: row 2 is named for train and again for test");
}

TEST_CASE("arrays: what cannot be is refused with its place") {
  auto bad = twelve();
  bad(1, 0, 1) = hole;
  CHECK(refusal({.modalities = {{"audio", bad}}}) ==
        "made: train audio holds 1 NaN or infinite features, the first at (1, 0, 1); expected finite numbers "
        "(ArrayOptions::non_finite can set them to 0)");
  const auto zeroed = from_arrays("made", {.modalities = {{"audio", bad}}}, {}, {}, {data::NonFinite::zero});
  CHECK(zeroed.train.modalities[0].frames(1, 0, 1) == 0);
  CHECK(noted(zeroed, "they are set to 0"));
  const auto one = twelve();
  const xt::xtensor<float, 2> short_one = xt::ones<float>({1, 4});
  CHECK(refusal({.modalities = {{"a", one}, {"b", short_one}}}) == "made: train b has 1 samples, expected 2 as a has");
  CHECK(refusal({.modalities = {{"a", one}}, .labels = {1.f}}) ==
        "made: train labels has 1 samples, expected 2 as a has");
  CHECK(refusal({.modalities = {{"a", one}}, .labels = {1.f, hole}}) ==
        "made: train labels of sample 1 is NaN or infinite; leave out samples without label");
  CHECK(refusal({.modalities = {{"a", one}}, .classes = {0, -1}}) ==
        "made: train classes of sample 1 is -1, expected 0..65535");
  CHECK(refusal({.modalities = {{"a", one}}, .ids = {"x"}}) == "made: train ids has 1 samples, expected 2 as a has");
  CHECK(refusal({.modalities = {{"a", one}, {"a", one}}}) == "made: train a is given twice");
  CHECK(refusal({.modalities = {{"a", one}}}, {.modalities = {{"a", short_one}}}) ==
        "made: test a has 4 features, expected 2 as in another split");
  CHECK(refusal({.modalities = {{"a", one, {.lengths = {3, 4}}}}}) ==
        "made: train a: the length of sample 1 is 4, expected 0..3");
  CHECK(refusal({.modalities = {{"a", one, {.lengths = {3}}}}}) == "made: train a has 1 lengths, expected 2");
  CHECK(refusal({.modalities = {{"a", one, {.mask = xt::xtensor<float, 2>{{1, 1, 1}, {1, 0.5f, 1}}}}}}) ==
        "made: train a: its mask holds 0.500000, expected 0 (absent) or 1 (present)");
  CHECK(test::contains(refusal({.modalities = {{"a", one, {.mask = xt::xtensor<bool, 1>{true, true}}}}}),
                       "mask has shape (2, 1), expected (2, 3)"));
  CHECK_THROWS_AS((data::ModalityArray{"a", xt::xtensor<float, 1>{1, 2}}), ShapeError);
  CHECK(refusal({.modalities = {{"a", xt::xtensor<float, 2>::from_shape({2, 0})}}}) ==
        "made: train a has shape (2, 1, 0), expected at least one frame and feature");
}

TEST_CASE("arrays: notes name repeated and foreign ids, and splits without labels") {
  const auto one = twelve();
  const auto set = from_arrays("made", {.modalities = {{"a", one}}, .ids = {"p", "p"}}, {},
                               {.modalities = {{"a", one}}, .labels = {1.f, 2.f}, .ids = {"p", "q"}});
  CHECK(noted(set, "train repeats 1 ids"));
  CHECK(noted(set, "test holds 1 ids that another split holds too"));
  CHECK(noted(set, "the samples of train have no label"));
  CHECK(!noted(set, "the samples of test have no label"));
}

TEST_CASE("arrays: a modality and a stream seen as xtensor") {
  auto set = from_arrays("made", {.modalities = {{"a", twelve(), {.lengths = {3, 1}}}}}, {}, {});
  auto [frames, present] = as_xtensor(set.train.modalities[0]);
  CHECK(&frames(0, 0, 0) == set.train.modalities[0].frames.data());
  CHECK(double(xt::sum(present)()) == 4);
  xt::view(frames, 0) *= 2.f;
  CHECK(set.train.modalities[0].frames(0, 2, 1) == 12);
  const auto batch = data::gather<double>(set.train, std::vector<index_t>{1});
  const auto view = as_xtensor(batch.streams[0]);
  CHECK(view.frames.shape()[1] == 1);
  CHECK(view.frames(0, 0, 1) == 8);
}

#endif
