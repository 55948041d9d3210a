#include "lacuna/data/leakage.hpp"

#include <doctest/doctest.h>

#include "io/temporary.hpp"
#include "lacuna/data/batch.hpp"
#include "lacuna/data/load.hpp"
#include "lacuna/data/synthetic.hpp"
#include "support/paths.hpp"

using namespace lacuna;
using data::find_leaks;
using test::contains;

namespace {

/// One more modality (N, T, D) in all splits, from f(label, class, sample, frame, feature).
template <class F>
void add_modality(data::Dataset& set, const std::string& name, index_t frames, index_t features, F&& f) {
  const auto add = [&](auto& split, std::uint64_t key) {
    const RandomStream noise{5, key};
    data::Modality m{name, Tensor<float, 3>({split.size(), frames, features}),
                     Mask<2>::full({split.size(), frames}, 1)};
    for (index_t i = 0; i < split.size(); ++i)
      for (index_t t = 0; t < frames; ++t)
        for (index_t d = 0; d < features; ++d) {
          const double label = split.labels.empty() ? 0 : double(split.labels[std::size_t(i)]);
          const index_t kind = split.classes.empty() ? 0 : split.classes[std::size_t(i)];
          const double random = 2 * noise.uniform(std::uint64_t((i * frames + t) * features + d)) - 1;
          m.frames(i, t, d) = float(f(label, kind, t, d, random));
        }
    split.modalities.push_back(m);
  };
  add(set.train, 1);
  add(set.validation, 2);
  add(set.test, 3);
}
data::Dataset corpus(index_t samples = 200) { return data::synthetic({.samples = samples, .seed = 11}); }

/// Classes in place of the labels: how many of two borders lie below.
data::Dataset class_corpus() {
  data::Dataset set = corpus(300);
  const auto change = [](auto& split) {
    for (const float label : split.labels) split.classes.push_back((label > -0.5f) + (label > 0.5f));
    split.labels.clear();
  };
  change(set.train);
  change(set.validation);
  change(set.test);
  set.class_count = 3;
  return set;
}
std::string only_leak(const data::Dataset& set, const data::LeakageOptions& options = {}) {
  const auto leaks = find_leaks(set, options);
  return leaks.empty() ? "none" : leaks.size() > 1 ? "several" : leaks[0].name;
}

}  // namespace

TEST_CASE("leakage: nothing is said about clean data") {
  CHECK(only_leak(corpus()) == "none");
  CHECK(only_leak(class_corpus()) == "none");
  CHECK(only_leak(data::synthetic({.samples = 30})) == "none");
  CHECK(only_leak(data::Dataset{}) == "none");
  data::refuse_leaks(corpus());
}

TEST_CASE("leakage: one feature that follows the labels, by a line or by their order, in any frame") {
  auto set = corpus();
  add_modality(set, "extra", 1, 4,
               [](double y, index_t, index_t, index_t d, double r) { return d == 2 ? 3 - 2 * y : r; });
  const auto leaks = find_leaks(set);
  REQUIRE(leaks.size() == 1);
  CHECK(leaks[0].name == "extra");
  CHECK(contains(leaks[0].text, "the labels can be read off 'extra': feature 2 alone reaches R2 1.0000"));
  CHECK(find_leaks(set, {.allowed = {"extra"}}).empty());
  CHECK(contains(test::message_of<Error>([&] { data::refuse_leaks(set); }), "synthetic: the labels can be read off"));
  data::refuse_leaks(set, {.allowed = {"extra"}});

  set = corpus();
  add_modality(set, "bent", 1, 1, [](double y, index_t, index_t, index_t, double) { return std::atan(3 * y); });
  CHECK(only_leak(set) == "bent");
  set = corpus();
  add_modality(set, "last", 4, 2,
               [](double y, index_t, index_t t, index_t d, double r) { return t == 3 && d == 0 ? y : r; });
  CHECK(only_leak(set) == "last");
  set = corpus();  // a good modality is none
  add_modality(set, "good", 1, 1, [](double y, index_t, index_t, index_t, double r) { return y + 0.5 * r; });
  CHECK(only_leak(set) == "none");
}

TEST_CASE("leakage: labels spread over features") {
  auto set = corpus();
  add_modality(set, "mixed", 1, 3,
               [](double y, index_t, index_t, index_t d, double r) { return d == 2 ? r : 0.0 * y; });
  // features a, b with a + b = y: no feature alone tells
  const auto mix = [](auto& split) {
    auto& x = split.modalities.back().frames;
    for (index_t i = 0; i < split.size(); ++i) {
      x(i, 0, 0) = 3 * x(i, 0, 2);
      x(i, 0, 1) = split.labels[std::size_t(i)] - x(i, 0, 0);
    }
  };
  mix(set.train);
  const auto leaks = find_leaks(set);
  REQUIRE(leaks.size() == 1);
  CHECK(contains(leaks[0].text, "'mixed': a ridge reaches R2"));
  set = corpus(60);  // more features than samples
  add_modality(set, "wide", 1, 300,
               [](double y, index_t, index_t, index_t d, double r) { return y * double(d % 3) + 0.05 * r; });
  CHECK(only_leak(set) == "wide");
}

TEST_CASE("leakage: labels in the difference of two features that are nearly one") {
  auto set = corpus(60);
  double last = 0;
  add_modality(set, "twin", 1, 2, [&](double y, index_t, index_t, index_t d, double random) {
    if (d == 0) last = 40 * random;
    return d == 0 ? last + y : last;
  });
  CHECK(only_leak(set) == "twin");
}

TEST_CASE("leakage: classes, as a number, as one-hot rows, as a code") {
  auto set = class_corpus();
  add_modality(set, "number", 1, 2,
               [](double, index_t k, index_t, index_t d, double r) { return d == 1 ? double((k * 7) % 5) : r; });
  const auto leaks = find_leaks(set);
  REQUIRE(leaks.size() == 1);
  CHECK(contains(leaks[0].text, "'number': feature 1 alone reaches mean recall 1.0000"));
  set = class_corpus();
  add_modality(set, "hot", 1, 3, [](double, index_t k, index_t, index_t d, double r) { return (d == k) + 0.2 * r; });
  CHECK(only_leak(set) == "hot");
  set = class_corpus();  // each feature takes the same value in two classes
  add_modality(set, "code", 1, 3, [](double, index_t k, index_t, index_t d, double) { return d == k; });
  CHECK(only_leak(set) == "code");
  set = class_corpus();  // a constant feature and the place in the file are no features of a class
  std::sort(set.train.classes.begin(), set.train.classes.end());
  add_modality(set, "constant", 1, 1, [](double, index_t, index_t, index_t, double) { return 1; });
  CHECK(only_leak(set) == "none");
}

TEST_CASE("leakage: samples in two splits, by their ids or by all they hold") {
  auto set = corpus();
  CHECK(only_leak(set) == "none");
  const auto name = [](auto& split, const std::string& prefix) {
    for (std::size_t i = 0; i < split.ids.size(); ++i) split.ids[i] = prefix + std::to_string(i);
  };
  name(set.train, "a");
  name(set.validation, "b");
  name(set.test, "c");
  CHECK(only_leak(set) == "none");
  set.test.ids[3] = "a7";
  auto leaks = find_leaks(set);
  REQUIRE(leaks.size() == 1);
  CHECK(leaks[0].name == "splits");
  CHECK(contains(leaks[0].text, "1 ids stand in two splits, the first is 'a7' of test, also in train"));
  CHECK(find_leaks(set, {.allowed = {"splits"}}).empty());

  set = corpus();
  set.test = {};  // the first three samples of train once more
  const std::vector<index_t> first = {0, 1, 2};
  for (const auto& m : set.train.modalities) {
    const auto some = data::gather<float>(m, first);
    set.test.modalities.push_back({m.name, some.frames, some.present});
  }
  set.test.labels = {0, 0, 0};
  set.test.ids = {"0", "1", "2"};
  leaks = find_leaks(set);
  REQUIRE(leaks.size() == 1);
  CHECK(contains(leaks[0].text,
                 "3 samples have the same features in two splits, the first is sample 0 of test, also in train"));
}

TEST_CASE("leakage: samples that differ by rounding stand in two splits; codes, levels and neighbours do not") {
  const auto copy = [](data::Dataset& set, auto&& change) {  // samples 3 and 4 of train become 0 and 1 of test
    for (std::size_t m = 0; m < set.train.modalities.size(); ++m) {
      const data::Modality& from = set.train.modalities[m];
      data::Modality& to = set.test.modalities[m];
      const index_t t = from.frames.extent(1), d = from.features();
      for (index_t n = 0; n < 2; ++n)
        for (index_t i = 0; i < t; ++i) {
          to.present(n, i) = from.present(n + 3, i);
          for (index_t f = 0; f < d; ++f) to.frames(n, i, f) = change(m, i, f, from.frames(n + 3, i, f));
        }
    }
  };
  const auto leak = [](const data::Dataset& set) {
    const auto leaks = find_leaks(set);
    return leaks.empty() ? std::string("none") : leaks[0].text;
  };
  const auto with = [&](auto&& change) {
    data::Dataset set = corpus();
    copy(set, change);
    return leak(set);
  };
  using index = index_t;
  const std::string said = "2 samples have the same features up to rounding in two splits";
  CHECK(contains(with([](std::size_t, index, index, float x) { return x * (1 + 1.2e-7f); }), said));
  CHECK(contains(with([](std::size_t, index, index, float x) { return float(double(x) * 1.0000005); }), said));
  CHECK(contains(
      with([](std::size_t m, index, index f, float x) { return m == 1 && f == 0 ? std::round(x * 100) / 100 : x; }),
      said));
  CHECK(contains(with([](std::size_t m, index t, index f, float x) {  // the last bit of one number
                   return m == 0 && t == 0 && f == 0 ? std::nextafter(x, 1e9f) : x;
                 }),
                 said));
  // two features, or one by more than rounding: another sample
  CHECK(with([](std::size_t, index, index f, float x) { return f < 2 ? std::round(x * 100) / 100 : x; }) == "none");
  CHECK(with([](std::size_t m, index, index f, float x) { return m == 1 && f == 0 ? x + 1 : x; }) == "none");

  // integers that are large are codes, wherever they lie; few levels are shared by chance; so is a line of one variable
  const auto coded = [&](auto&& number) {
    data::Dataset set = corpus();
    for (std::size_t m = 0; m < set.train.modalities.size(); ++m) {
      const auto fill = [&](data::Modality& modality, index_t first) {
        const index_t n = modality.frames.extent(0), t = modality.frames.extent(1), d = modality.features();
        for (index_t i = 0; i < n; ++i)
          for (index_t j = 0; j < t; ++j)
            for (index_t f = 0; f < d; ++f) modality.frames(i, j, f) = float(number(first + i, j, f));
      };
      fill(set.train.modalities[m], 0);
      fill(set.validation.modalities[m], 10000);
      fill(set.test.modalities[m], 20000);
    }
    return leak(set);
  };
  CHECK(coded([](index i, index j, index f) { return 8000000 + i + j + 64 * f; }) == "none");
  CHECK(coded([](index i, index j, index f) { return 1000 + 1e-3 * double((i * 7919 + j * 31 + f * 17) % 1000); }) ==
        "none");
  const RandomStream noise{9, 1};  // hardly varies: every sample is near every other one
  CHECK(coded([&](index i, index j, index f) {
          return 1000 + 1e-4 * std::floor(5 * noise.uniform(std::uint64_t(i * 4096 + j * 64 + f)));
        }) == "none");
  CHECK(coded([](index i, index j, index f) { return double((i * 37 + j * 5 + f) % 11) / 5 + double(i) / 1e5; }) ==
        "none");
}

TEST_CASE("leakage: the real sets" * doctest::skip(!test::have_data())) {
  for (const char* name : {"mfeat_six_views.npz", "mosi_utt_bclstm.npz", "mosi_dev_wordaligned.npz", "mmmo_seq.npz"}) {
    const auto set = data::load_npz(test::data_dir() + "/" + name);
    CAPTURE(name);
    CHECK(only_leak(set) == "none");
  }
}
