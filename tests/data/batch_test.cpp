#include "lacuna/data/batch.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

namespace batch_test {

using namespace lacuna;
using data::BatchSampler;
using data::gather;

namespace {

/// Four samples. "a": 5 frames of 2 features, value 100 n + 10 t + d, lengths 3, 0, 1 and presence 0 0 0 1 0.
/// "b": one frame, absent from sample 2.
data::Split<data::Role::train> split() {
  data::Split<data::Role::train> split;
  data::Modality a{"a", Tensor<float, 3>::zeros({4, 5, 2}), Mask<2>::zeros({4, 5})};
  const std::vector<std::vector<int>> present = {{0, 1, 2}, {}, {0}, {3}};
  for (index_t n = 0; n < 4; ++n)
    for (const int t : present[std::size_t(n)]) {
      a.present(n, t) = 1;
      for (index_t d = 0; d < 2; ++d) a.frames(n, t, d) = float(100 * n + 10 * t + d);
    }
  data::Modality b{"b", Tensor<float, 3>::from({4, 1, 1}, {5, 6, 0, 8}), Mask<2>::from({4, 1}, {1, 1, 0, 1})};
  split.modalities = {a, b};
  split.labels = {0.5f, 1.5f, 2.5f, 3.5f};
  split.classes = {0, 1, 0, 2};
  split.ids = {"w", "x", "y", "z"};
  return split;
}

}  // namespace

TEST_CASE_TEMPLATE("gather: trims every stream to its longest present sequence", T, float, double) {
  const auto all = split();
  const auto batch = gather<T>(all, std::vector<index_t>{2, 0});
  CHECK(batch.size() == 2);
  REQUIRE(batch.streams.size() == 2);
  CHECK(batch.streams[0].frames.shape() == Shape{2, 3, 2});
  CHECK(batch.streams[0].present.to_vector() == std::vector<std::uint8_t>{1, 0, 0, 1, 1, 1});
  CHECK(batch.streams[0].frames.to_vector() == std::vector<T>{200, 201, 0, 0, 0, 0, 0, 1, 10, 11, 20, 21});
  CHECK(batch.streams[1].frames.to_vector() == std::vector<T>{0, 5});
  CHECK(batch.streams[1].present.to_vector() == std::vector<std::uint8_t>{0, 1});
  CHECK(batch.labels.to_vector() == std::vector<T>{2.5, 0.5});
  CHECK(batch.classes == std::vector<index_t>{0, 0});
  CHECK(batch.samples == List<index_t>{2, 0});

  SUBCASE("frames before the last present one stay, present or not") {
    const auto one = gather<T>(all, std::vector<index_t>{3});
    CHECK(one.streams[0].frames.shape() == Shape{1, 4, 2});
    CHECK(one.streams[0].present.to_vector() == std::vector<std::uint8_t>{0, 0, 0, 1});
  }
  SUBCASE("a batch of one absent sample keeps one frame") {
    const auto one = gather<T>(all, std::vector<index_t>{1});
    CHECK(one.streams[0].frames.shape() == Shape{1, 1, 2});
    CHECK(one.streams[0].present.to_vector() == std::vector<std::uint8_t>{0});
  }
  SUBCASE("untrimmed, empty, and repeated samples") {
    CHECK(gather<T>(all, std::vector<index_t>{1}, {.trim = false}).streams[0].frames.shape() == Shape{1, 5, 2});
    const auto none = gather<T>(all, std::vector<index_t>{});
    CHECK(none.size() == 0);
    CHECK(none.streams[0].frames.shape() == Shape{0, 1, 2});
    CHECK(gather<T>(all, std::vector<index_t>{3, 3}).labels.to_vector() == std::vector<T>{3.5, 3.5});
  }
}

TEST_CASE("gather: shares nothing with the split") {
  const auto all = split();
  auto batch = gather<float>(all, std::vector<index_t>{0, 1, 2, 3});
  batch.streams[0].frames(0, 0, 0) = 77;
  batch.streams[0].present(0, 0) = 0;
  CHECK(all.modalities[0].frames(0, 0, 0) == 0);
  CHECK(all.modalities[0].present(0, 0) == 1);
}

TEST_CASE("gather: labels and classes may be missing") {
  auto all = split();
  all.labels.clear();
  CHECK(gather<float>(all, std::vector<index_t>{1}).labels.size() == 0);
  CHECK(gather<float>(all, std::vector<index_t>{1}).classes == std::vector<index_t>{1});
  all.classes.clear();
  CHECK(gather<float>(all, std::vector<index_t>{1}).classes.empty());
}

TEST_CASE("gather: what does not fit is refused") {
  auto all = split();
  CHECK_THROWS_AS(gather<float>(all, std::vector<index_t>{4}), ShapeError);
  CHECK_THROWS_AS(gather<float>(all, std::vector<index_t>{-1}), ShapeError);
  all.labels.pop_back();
  CHECK_THROWS_AS(gather<float>(all, std::vector<index_t>{0}), ShapeError);
  all = split();
  all.ids.push_back("more");
  all.labels.clear();
  all.classes.clear();
  CHECK_THROWS_AS(gather<float>(all, std::vector<index_t>{0}), ShapeError);
  all = split();
  all.modalities[0].present = Mask<2>::zeros({4, 4});
  CHECK_THROWS_AS(gather<float>(all, std::vector<index_t>{0}), ShapeError);
}

TEST_CASE("epoch order: a permutation that depends on seed and epoch alone") {
  const auto order = data::epoch_order(100, 7, 3);
  CHECK(std::set<index_t>(order.begin(), order.end()).size() == 100);
  CHECK(*std::min_element(order.begin(), order.end()) == 0);
  CHECK(*std::max_element(order.begin(), order.end()) == 99);
  CHECK(order == data::epoch_order(100, 7, 3));
  CHECK(order != data::epoch_order(100, 7, 4));
  CHECK(order != data::epoch_order(100, 8, 3));
  CHECK(data::epoch_order(3, 7, 0, false) == std::vector<index_t>{0, 1, 2});
  CHECK(data::epoch_order(0, 7, 0).empty());
  CHECK(data::epoch_order(1, 7, 0) == std::vector<index_t>{0});
  CHECK_THROWS_AS(data::epoch_order(-1, 7, 0), OptionError);
  CHECK_THROWS_AS(data::epoch_order(1, 7, -1), OptionError);
}

TEST_CASE("batch sampler: every sample once, whatever the sizes") {
  for (const index_t samples : {0, 1, 2, 7, 12}) {
    for (const index_t size : {1, 2, 3, 12, 100}) {
      const BatchSampler sampler(samples, {.size = size, .seed = 5});
      std::multiset<index_t> seen;
      const auto batches = sampler.epoch(2);
      CHECK(index_t(batches.size()) == sampler.count());
      for (const auto& batch : batches) {
        CHECK(!batch.empty());
        CHECK(index_t(batch.size()) <= size);
        seen.insert(batch.begin(), batch.end());
      }
      CHECK(index_t(seen.size()) == samples);
      CHECK(index_t(std::set<index_t>(seen.begin(), seen.end()).size()) == samples);
      CHECK(sampler.dropped() == 0);
    }
  }
  const BatchSampler published(5, {.size = 2, .shuffle = false});
  CHECK(published.epoch(9) == std::vector<std::vector<index_t>>{{0, 1}, {2, 3}, {4}});
}

TEST_CASE("batch sampler: dropping is asked for, counted, and never total") {
  const BatchSampler sampler(7, {.size = 3, .drop_last = true});
  CHECK(sampler.count() == 2);
  CHECK(sampler.dropped() == 1);
  CHECK(sampler.epoch(0).size() == 2);
  CHECK_THROWS_AS(BatchSampler(2, {.size = 3, .drop_last = true}), OptionError);
  CHECK_THROWS_AS(BatchSampler(2, {.size = 0}), OptionError);
  CHECK_THROWS_AS(BatchSampler(-1, {.size = 1}), OptionError);
}

}  // namespace batch_test
