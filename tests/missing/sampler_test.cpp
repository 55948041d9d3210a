/// Modality random missing: laws of the presets, and what does not depend on the batch.
#include "lacuna/missing/sampler.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "missing/count.hpp"

using namespace lacuna;
using lacuna::test::count;
using missing::MrmOptions;
using missing::Pattern;

namespace {

std::vector<Mask<2>> full(index_t batch, const std::vector<index_t>& frames) {
  std::vector<Mask<2>> masks;
  for (const index_t t : frames) masks.push_back(Mask<2>::full({batch, t}, 1));
  return masks;
}
std::vector<index_t> keys(index_t count) {
  std::vector<index_t> list(static_cast<std::size_t>(count));
  std::iota(list.begin(), list.end(), index_t(0));
  return list;
}
Pattern streams_of(const std::vector<Mask<2>>& masks, index_t n) {
  Pattern pattern;
  for (const auto& mask : masks) pattern.push_back(count(mask, n) > 0);
  return pattern;
}
/// How often each pattern of streams was drawn, in the order of all_subsets.
std::vector<double> frequencies(const MrmOptions& options, index_t modalities, index_t draws = 7000) {
  const auto masks = missing::sample_masks(options, full(draws, std::vector<index_t>(std::size_t(modalities), 1)),
                                           keys(draws), Random(5));
  const auto all = missing::all_subsets(modalities);
  std::vector<double> share(all.size() + 1, 0);
  for (index_t n = 0; n < draws; ++n)
    share[std::size_t(std::find(all.begin(), all.end(), streams_of(masks, n)) - all.begin())] += 1 / double(draws);
  return share;
}

}  // namespace

TEST_CASE("MRM presets: frequencies of the patterns") {
  const auto close = [](const std::vector<double>& found, const std::vector<double>& expected) {
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) CHECK(std::abs(found[i] - expected[i]) < 0.02);
  };
  const double half = 0.5 / 6, most = 0.7 / 6;
  auto uniform = missing::mrm_preset("uniform");
  uniform.frame_probability = 0;
  close(frequencies(uniform, 3), {half, half, half, half, half, half, 0.5, 0});
  close(frequencies(missing::mrm_preset("mplmm"), 3), {most, most, most, most, most, most, 0.3, 0});
  close(frequencies(missing::mrm_preset("cmad"), 3),
        {2 / 14., 3 / 14., 3 / 14., 1 / 14., 1 / 14., 3 / 14., 1 / 14., 0});
  auto gcnet = missing::mrm_preset("gcnet");
  gcnet.stream_rate = 0.4;  // one guaranteed, each other kept with probability 0.4
  close(frequencies(gcnet, 3), {.12, .12, .12, .16, .16, .16, .16, 0});
  CHECK_THROWS_AS(missing::mrm_preset("cmad", 4), OptionError);
  CHECK_THROWS_AS(missing::mrm_preset("nobody"), OptionError);
}

TEST_CASE("MRM presets: rates of frames") {
  const index_t n = 4000, frames = 20;
  for (const char* name : {"uniform", "lnln"}) {
    auto options = missing::mrm_preset(name);
    options.stream_probability = 0;
    const auto masks = missing::sample_masks(options, full(n, {frames, frames}), keys(n), Random(1));
    double kept = 0, whole = 0, together = 0;
    for (index_t i = 0; i < n; ++i) {
      const double a = double(count(masks[0], i)) / double(frames), b = double(count(masks[1], i)) / double(frames);
      kept += a / double(n);
      whole += (a == 1) / double(n);
      together += (a - 0.5) * (b - 0.5) / double(n);
    }
    const bool lnln = std::string(name) == "lnln";
    CHECK(std::abs(kept - (lnln ? 0.75 : 0.5)) < 0.02);
    CHECK(std::abs(whole - (lnln ? 0.5 + 0.5 / 21 : 0.5 / 20)) < 0.02);
    CHECK(std::abs(together - (lnln ? 0.0625 : 0)) < 0.01);  // each modality has its own rate
  }
  MrmOptions fixed{.rate_law = missing::RateLaw::fixed, .frame_rate = 0.25, .stream_probability = 0};
  const auto quarter = missing::sample_masks(fixed, full(9, {8, 1}), keys(9), Random(1));
  for (index_t i = 0; i < 9; ++i) CHECK(count(quarter[0], i) == 6);
  MrmOptions shared{.rate_law = missing::RateLaw::shared, .stream_probability = 0};
  const auto same = missing::sample_masks(shared, full(50, {30, 30}), keys(50), Random(1));
  for (index_t i = 0; i < 50; ++i)
    if (count(same[0], i) + count(same[1], i) > 1) CHECK(count(same[0], i) == count(same[1], i));
  MrmOptions tenths{.rate_law = missing::RateLaw::tenths, .stream_probability = 0};
  const auto steps = missing::sample_masks(tenths, full(200, {10}), keys(200), Random(1));
  for (index_t i = 0; i < 200; ++i) CHECK(count(steps[0], i) >= 1);
}

TEST_CASE("MRM: something stays, unless it was absent before; one frame, one sample, any number of modalities") {
  for (const index_t modalities : {1, 2, 3, 6}) {
    std::vector<index_t> frames;
    for (index_t m = 0; m < modalities; ++m) frames.push_back(1 + m % 3);
    auto present = full(400, frames);
    for (std::size_t m = 0; m < frames.size(); ++m)
      for (index_t t = 0; t < frames[m]; ++t) {
        present[m](7, t) = 0;  // wholly absent
        if (m > 0) present[m](8, t) = 0;
      }
    MrmOptions options;
    options.rate_law = missing::RateLaw::fixed;
    options.frame_rate = 1;
    const auto kept = missing::sample_masks(options, present, keys(400), Random(2));
    for (index_t n = 0; n < 400; ++n) {
      index_t left = 0;
      for (const auto& mask : kept) left += count(mask, n);
      CHECK(left == (n == 7 ? 0 : 1));
    }
    CHECK(count(kept[0], 8) == 1);
    const auto one = missing::sample_masks(options, full(1, frames), keys(1), Random(2));
    CHECK(one.size() == frames.size());
    const auto none = missing::sample_masks(options, full(0, frames), keys(0), Random(2));
    CHECK(none[0].size() == 0);
  }
  MrmOptions losing{.stream_probability = 1, .keep_one = false};
  losing.pattern_weights = {0, 1, 0};
  losing.frame_probability = 0;
  auto without = full(1, {2, 2});
  without[1] = Mask<2>::zeros({1, 2});
  CHECK(count(missing::sample_masks(losing, without, keys(1), Random(1))[0], 0) == 0);
  losing.keep_one = true;  // the pattern names only what the sample lacks: it keeps what it has
  CHECK(count(missing::sample_masks(losing, without, keys(1), Random(1))[0], 0) == 2);
}

TEST_CASE("MRM: weights by how many modalities are left") {
  const auto even = missing::weights_by_size(4, [](index_t r) { return r < 4 ? 1.0 : 0.0; });
  const auto patterns = missing::all_subsets(4);
  REQUIRE(even.size() == patterns.size());
  std::vector<double> of_size(5, 0.0);
  for (std::size_t i = 0; i < even.size(); ++i)
    of_size[std::size_t(std::count(patterns[i].begin(), patterns[i].end(), 1))] += even[i];
  for (std::size_t r = 1; r < 4; ++r) CHECK(of_size[r] == doctest::Approx(1));
  CHECK(of_size[4] == 0);
  CHECK(even[0] == even[3]);
  // of two or three modalities they are the equal weights of incomplete patterns
  const auto three = missing::weights_by_size(3, [](index_t r) { return r < 3 ? 1.0 : 0.0; });
  for (std::size_t i = 1; i < 6; ++i) CHECK(three[i] == three[0]);
}

TEST_CASE("MRM: a mask belongs to its sample and its step") {
  const MrmOptions options;
  const Random step(9);
  const auto straight = missing::sample_masks(options, full(30, {5, 9}), keys(30), step);
  auto turned = keys(30);
  std::reverse(turned.begin(), turned.end());
  const auto back = missing::sample_masks(options, full(30, {5, 9}), turned, step);
  for (std::size_t m = 0; m < 2; ++m)
    for (index_t n = 0; n < 30; ++n)
      for (index_t t = 0; t < straight[m].extent(1); ++t) CHECK(straight[m](n, t) == back[m](29 - n, t));
  const std::vector<index_t> some{17};
  const auto alone = missing::sample_masks(options, full(1, {5, 9}), some, step);
  for (index_t t = 0; t < 9; ++t) CHECK(alone[1](0, t) == straight[1](17, t));
  CHECK(missing::sample_masks(options, full(30, {5, 9}), keys(30), Random(10))[1].to_vector() !=
        straight[1].to_vector());
  // one pattern of streams for the batch
  MrmOptions together{.frame_probability = 0, .stream_probability = 1, .unit = missing::Unit::batch};
  const auto alike = missing::sample_masks(together, full(20, {2, 2, 2}), keys(20), step);
  for (index_t n = 1; n < 20; ++n) CHECK(streams_of(alike, n) == streams_of(alike, 0));
}

TEST_CASE("MRM: options out of range are refused") {
  const auto refused = [](MrmOptions options) {
    CHECK_THROWS_AS(missing::sample_masks(options, full(1, {2, 2}), keys(1), Random(1)), OptionError);
  };
  refused({.frame_probability = 2});
  refused({.sampling = missing::Sampling::numpy});
  refused({.stream_probability = NAN});
  refused({.pattern_weights = {1, 1}});
  refused({.pattern_weights = {0, 0, 0}});
  refused({.stream_rate = 1.5});
  refused({.unit = missing::Unit::frame});
}
