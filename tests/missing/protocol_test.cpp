/// Patterns, absences drawn for a split, protocols, and masks in files.
#include "lacuna/missing/protocol.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "io/temporary.hpp"
#include "lacuna/missing/mask_file.hpp"
#include "lacuna/missing/sampling.hpp"
#include "missing/count.hpp"

using namespace lacuna;
using lacuna::test::count;
using missing::MissingSpec;
using missing::Pattern;
using missing::Unit;

namespace {

struct Samples {
  std::vector<std::string> ids, names;
  std::vector<Mask<2>> present;
};

/// Unaligned lengths; sample 3 has no second modality, sample 5 has nothing at all.
Samples samples(index_t count, std::vector<index_t> frames = {7, 1, 12}) {
  Samples s;
  for (index_t n = 0; n < count; ++n) s.ids.push_back("clip" + std::to_string(n));
  for (std::size_t m = 0; m < frames.size(); ++m) {
    s.names.push_back("m" + std::to_string(m));
    Mask<2> mask({count, frames[m]});
    for (index_t n = 0; n < count; ++n)
      for (index_t t = 0; t < frames[m]; ++t)
        mask(n, t) = t <= (n + index_t(m)) % frames[m] && !(n == 3 && m == 1) && n != 5;
    s.present.push_back(mask);
  }
  return s;
}
missing::MaskSet sample_masks(const MissingSpec& a, const Samples& s) {
  return missing::sample_masks(a, s.ids, s.names, s.present);
}
bool within(const Mask<2>& small, const Mask<2>& large) {
  for (index_t i = 0; i < small.size(); ++i)
    if (small.data()[i] > large.data()[i]) return false;
  return true;
}

}  // namespace

TEST_CASE("patterns: every subset once, small ones first") {
  const std::vector<Pattern> three{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {1, 1, 0}, {1, 0, 1}, {0, 1, 1}};
  CHECK(missing::proper_subsets(3) == three);
  CHECK(missing::all_subsets(3).back() == Pattern{1, 1, 1});
  CHECK(missing::proper_subsets(1).empty());
  CHECK(missing::all_subsets(6).size() == 63);
  auto six = missing::all_subsets(6);
  std::sort(six.begin(), six.end());
  CHECK(std::unique(six.begin(), six.end()) == six.end());
  CHECK(missing::pattern_name({1, 0, 1}, {"text", "audio", "video"}) == "text+video");
  CHECK(missing::pattern_name({0, 0}, {"text", "audio"}) == "nothing");
  CHECK_THROWS_AS(missing::proper_subsets(0), OptionError);
  CHECK_THROWS_AS(missing::proper_subsets(17), OptionError);
}

TEST_CASE("protocols: conditions and named averages") {
  const std::vector<std::string> names{"l", "a", "v"};
  const auto p1 = missing::protocol_p1(names);
  REQUIRE(p1.conditions.size() == 7);
  CHECK(p1.conditions[0].name == "l");
  CHECK(p1.conditions[5].name == "a+v");
  CHECK(p1.conditions[6].name == "l+a+v");
  CHECK(p1.conditions[0].absent == Pattern{0, 1, 1});
  // CorrKD's row of MOSI: the six-condition average the paper prints, and the seven-condition one others print
  const std::vector<double> row{81.20, 66.52, 60.72, 83.56, 82.41, 73.74, 83.94};
  const auto means = missing::averages_of(p1.averages, row);
  REQUIRE(means.size() == 2);
  CHECK(means[0].first == "average of incomplete");
  CHECK(means[0].second == doctest::Approx(74.69).epsilon(1e-4));
  CHECK(means[1].first == "average of all");
  CHECK(means[1].second == doctest::Approx(76.01).epsilon(1e-4));
  CHECK_THROWS_AS(missing::averages_of(p1.averages, std::vector<double>(6)), ShapeError);
  CHECK(std::isnan(missing::averages_of({{"of nothing", {}}}, row)[0].second));
  CHECK(missing::protocol_p1({"one"}).conditions.size() == 1);
  CHECK(missing::protocol_p1(std::vector<std::string>(6, "x")).conditions.size() == 63);

  const auto intra = missing::protocol_p1_intra(1);
  REQUIRE(intra.conditions.size() == 11);
  CHECK(intra.conditions[10].rate == 1.0);
  CHECK(intra.averages[0].name == "average of rates 0.0 to 1.0");
  CHECK(intra.averages[1].name == "average of rates 0.1 to 1.0");
  CHECK_THROWS_AS(missing::apply(intra.conditions[3], data::Batch<float>{}), OptionError);
  const auto p2 = missing::protocol_p2(1);
  REQUIRE(p2.conditions.size() == 7);
  CHECK(p2.conditions[6].name == "rate-0.7");
  CHECK(p2.averages.size() == 1);
  CHECK(missing::protocol_p3(1111, 3, 0).conditions.size() == 10);
  const auto p4 = missing::protocol_p4(names);
  CHECK(p4.conditions.size() == 6);
  CHECK(p4.averages.size() == 1);
}

TEST_CASE("absence: whole modalities") {
  const Samples s = samples(8);
  const auto set = sample_masks({.name = "without", .absent = {0, 1, 1}}, s);
  for (index_t n = 0; n < 8; ++n) {
    CHECK(count(set.keep[0], n) == count(s.present[0], n));
    CHECK(count(set.keep[1], n) + count(set.keep[2], n) == 0);
  }
  CHECK(sample_masks({}, s).stream_rate() == doctest::Approx((1 + 3) / 24.0));
  CHECK_THROWS_AS(sample_masks({.absent = {1, 0}}, s), OptionError);
  CHECK_THROWS_AS(sample_masks({.rate = 1.5}, s), OptionError);
  CHECK_THROWS_AS(sample_masks({.fill = missing::Fill::substitute}, s), OptionError);
}

TEST_CASE("absence: frames, exactly the rate, more at a larger rate, nothing at 1") {
  const Samples s = samples(40);
  missing::MaskSet before;
  for (const auto& absence : missing::protocol_p1_intra(3).conditions) {
    const auto set = sample_masks(absence, s);
    for (std::size_t m = 0; m < 3; ++m)
      for (index_t n = 0; n < 40; ++n) {
        const index_t had = count(s.present[m], n);
        CHECK(count(set.keep[m], n) == had - std::lround(absence.rate * double(had)));
      }
    for (std::size_t m = 0; m < 3; ++m) {
      CHECK(within(set.keep[m], s.present[m]));
      if (!before.keep.empty()) CHECK(within(set.keep[m], before.keep[m]));
    }
    before = set;
  }
  for (const auto& mask : before.keep) CHECK(std::count(mask.data(), mask.data() + mask.size(), 1) == 0);
  // with the rule, a sample that had something keeps one frame
  for (const auto how : {missing::Sampling::exact, missing::Sampling::bernoulli, missing::Sampling::numpy}) {
    const auto kept = sample_masks({.rate = 1, .sampling = how, .seed = 3}, s);
    for (index_t n = 0; n < 40; ++n)
      CHECK(count(kept.keep[0], n) + count(kept.keep[1], n) + count(kept.keep[2], n) == (n == 5 ? 0 : 1));
  }
}

TEST_CASE("absence: streams at a rate, at least one stays") {
  const index_t n = 3000;
  Samples s;
  for (index_t i = 0; i < n; ++i) s.ids.push_back(std::to_string(i));
  s.names = {"a", "b", "c"};
  for (int m = 0; m < 3; ++m) s.present.push_back(Mask<2>::full({n, 2}, 1));
  for (const auto& absence : missing::protocol_p2(5).conditions) {
    const auto set = sample_masks(absence, s);
    CHECK(set.stream_rate() == doctest::Approx(std::min(absence.rate, 2.0 / 3)).epsilon(0.05));
    for (index_t i = 0; i < n; ++i) {
      index_t left = 0;
      for (const auto& mask : set.keep) {
        CHECK((count(mask, i) == 0 || count(mask, i) == 2));  // whole streams
        left += count(mask, i) > 0;
      }
      CHECK(left >= 1);
    }
  }
  const auto free = sample_masks({.rate = 0.7, .unit = Unit::sample, .keep_one = false, .seed = 5}, s);
  CHECK(free.stream_rate() == doctest::Approx(0.7).epsilon(0.05));
  // one pattern for all; over seeds every modality goes and stays
  std::vector<int> gone(3, 0);
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const auto same = sample_masks({.rate = 0.5, .unit = Unit::batch, .seed = seed}, s);
    for (std::size_t m = 0; m < 3; ++m) {
      const auto ones = std::count(same.keep[m].data(), same.keep[m].data() + same.keep[m].size(), 1);
      CHECK((ones == 0 || ones == same.keep[m].size()));
      gone[m] += ones == 0;
    }
  }
  for (const int times : gone) CHECK((times > 10 && times < 50));
}

TEST_CASE("masks: keyed by id, whatever the order of samples and modalities; other seeds, other masks") {
  const Samples s = samples(20);
  Samples turned = s;
  std::reverse(turned.ids.begin(), turned.ids.end());
  for (auto& mask : turned.present) {
    const Mask<2> from = mask;
    mask = from.clone();  // s keeps its own
    for (index_t n = 0; n < 20; ++n)
      for (index_t t = 0; t < mask.extent(1); ++t) mask(n, t) = from(19 - n, t);
  }
  for (const Unit unit : {Unit::frame, Unit::sample}) {
    const MissingSpec absence{.name = "x", .rate = 0.5, .unit = unit, .seed = 11};
    const auto one = sample_masks(absence, s), two = sample_masks(absence, turned);
    CHECK(one.hash() == two.hash());
    CHECK(two.aligned(s.ids).keep[2].to_vector() == one.keep[2].to_vector());
    CHECK(sample_masks(absence, s).hash() == one.hash());
    CHECK(sample_masks({.name = "x", .rate = 0.5, .unit = unit, .seed = 12}, s).hash() != one.hash());
  }
  CHECK(sample_masks({.name = "x"}, s).hash() ==
        "7148a8f9269210bd");  // the fingerprint of a file made today is that of next year
  CHECK_THROWS_AS(sample_masks({}, s).aligned({"nobody"}), Error);
}

TEST_CASE("masks: applied to batches in any order; zeros, or a substitute stream") {
  const Samples s = samples(8);
  const auto set = sample_masks({.rate = 0.6, .seed = 2}, s);
  const auto batch_of = [&](const std::vector<index_t>& picked) {
    data::Batch<float> batch;
    for (std::size_t m = 0; m < 3; ++m) {
      const index_t frames = s.present[m].extent(1);
      data::Stream<float> stream{Tensor<float, 3>::full({index_t(picked.size()), frames, 2}, float(m + 1)),
                                 Mask<2>({index_t(picked.size()), frames})};
      for (std::size_t b = 0; b < picked.size(); ++b)
        for (index_t t = 0; t < frames; ++t) stream.present(index_t(b), t) = s.present[m](picked[b], t);
      batch.streams.push_back(stream);
    }
    batch.samples.assign(picked.begin(), picked.end());
    return batch;
  };
  const std::vector<index_t> picked{6, 0, 5, 6};
  const auto batch = batch_of(picked), applied = missing::apply(set, batch);
  for (std::size_t m = 0; m < 3; ++m)
    for (std::size_t b = 0; b < picked.size(); ++b)
      for (index_t t = 0; t < s.present[m].extent(1); ++t) {
        CHECK(applied.streams[m].present(index_t(b), t) == set.keep[m](picked[b], t));
        CHECK(applied.streams[m].frames(index_t(b), t, 1) == (set.keep[m](picked[b], t) ? float(m + 1) : 0.0f));
        CHECK(batch.streams[m].frames(index_t(b), t, 1) == float(m + 1));
      }
  auto other = sample_masks({.absent = {1, 0, 0}, .fill = missing::Fill::substitute, .substitute = 2}, s);
  const auto filled = missing::apply(other, batch);
  for (index_t t = 0; t < 7; ++t) {
    const bool here = batch.streams[0].present(0, t) && batch.streams[2].present(0, t);
    CHECK(filled.streams[0].present(0, t) == here);
    CHECK(filled.streams[0].frames(0, t, 0) == (here ? 3.0f : 0.0f));
  }
  auto outside = batch;
  outside.samples[0] = 8;
  CHECK_THROWS_AS(missing::apply(set, outside), ShapeError);
  auto fewer = batch, more = batch;  // masks of one data set, samples of another
  fewer.streams.pop_back();
  more.streams.push_back(batch.streams[0]);
  for (const auto* wrong : {&fewer, &more}) {
    CHECK_THROWS_WITH_AS(missing::apply(set, *wrong), doctest::Contains("of 3 modalities for"), ShapeError);
    CHECK_THROWS_AS(missing::apply(missing::without({"a"}, {"a", "b", "c"}), *wrong), OptionError);
  }
}

TEST_CASE("masks in files: come back equal; a changed file is refused") {
  const Samples s = samples(9);
  std::vector<missing::MaskSet> sets;
  for (const auto& absence : missing::protocol_p1_intra(4).conditions) sets.push_back(sample_masks(absence, s));
  const test::TemporaryFolder folder;
  const std::string path = folder / "masks.npz";
  missing::save_masks(path, sets);
  const auto back = missing::load_masks(path);
  REQUIRE(back.size() == sets.size());
  for (std::size_t c = 0; c < sets.size(); ++c) {
    CHECK(back[c].name == sets[c].name);
    CHECK(back[c].ids == sets[c].ids);
    CHECK(back[c].hash() == sets[c].hash());
    for (std::size_t m = 0; m < 3; ++m) CHECK(back[c].keep[m].to_vector() == sets[c].keep[m].to_vector());
  }
  CHECK_THROWS_AS(missing::save_masks(path, {}), OptionError);
  auto other = sets;
  other[1].ids[0] = "stranger";
  CHECK_THROWS_AS(missing::save_masks(path, other), OptionError);
  {  // one mask is not what its hash says
    io::NpzWriter file(folder / "changed.npz");
    file.add("format", std::int64_t(1));
    file.add("ids", std::vector<std::string>{"a"});
    file.add("modalities", std::vector<std::string>{"m"});
    file.add("conditions", std::vector<std::string>{"c"});
    file.add("hashes", std::vector<std::string>{"0123456789abcdef"});
    file.add("fills", std::span<const std::int64_t>(std::vector<std::int64_t>{0, -1}), Shape{1, 2});
    file.add("mask/0/0", Mask<2>::full({1, 3}, 1));
    file.close();
  }
  CHECK_THROWS_WITH_AS(missing::load_masks(folder / "changed.npz"), doctest::Contains("hash"), IoError);
}
