#include "lacuna/data/oddities.hpp"

#include <doctest/doctest.h>

#include "lacuna/core/random.hpp"
#include "lacuna/data/synthetic.hpp"

using namespace lacuna;

namespace {

/// One modality (N, 1, 3) of noise, labels of noise, in three splits.
data::Dataset noise_set() {
  data::Dataset set;
  set.name = "noise";
  const auto fill = [](auto& split, index_t n, std::uint64_t key) {
    const RandomStream random{3, key};
    data::Modality m{"sound", Tensor<float, 3>({n, 1, 3}), Mask<2>::full({n, 1}, 1)};
    for (index_t i = 0; i < m.frames.size(); ++i) m.frames.data()[i] = float(2 * random.uniform(std::uint64_t(i)) - 1);
    split.modalities = {m};
    for (index_t i = 0; i < n; ++i) {
      split.labels.push_back(float(6 * random.uniform(std::uint64_t(1000 + i)) - 3));
      split.ids.push_back(std::to_string(i));
    }
  };
  fill(set.train, 60, 1);
  fill(set.validation, 30, 2);
  fill(set.test, 30, 3);
  return set;
}
std::string odd_lines(const data::Dataset& set) {
  std::string text;
  for (const data::Note& note : data::oddities(set))
    text += (text.empty() ? "" : "|") + std::string(note.always ? "!" : "") + note.text;
  return text;
}

}  // namespace

TEST_CASE("odd data: nothing is said about plain data") {
  CHECK(odd_lines(noise_set()) == "");
  CHECK(odd_lines(data::synthetic({.samples = 300})) == "");
  CHECK(odd_lines({}) == "");
}

TEST_CASE("odd data: values that stand for none, in labels and in features") {
  auto set = noise_set();
  for (const std::size_t i : {3u, 8u, 9u}) set.train.labels[i] = -10;
  set.validation.labels[2] = set.validation.labels[3] = -10;
  CHECK(odd_lines(set) == "!3 of 60 labels of train are -10, far from all others: does it stand for no label?");
  set = noise_set();
  set.test.modalities[0].frames(4, 0, 1) = set.test.modalities[0].frames(5, 0, 1) = -999;
  CHECK(
      odd_lines(set) ==
      "!2 numbers of test sound, in 1 of 3 features, are -999, far from all others there: does it stand for no value?");
  set = noise_set();
  for (index_t i = 0; i < 30; ++i) set.test.modalities[0].frames(i, 0, 2) = 1;  // a border is no placeholder
  CHECK(odd_lines(set) == "");
}

TEST_CASE("odd data: zeros that count as present, constant features") {
  auto set = noise_set();
  for (index_t i = 0; i < 60; i += 3)
    for (index_t f = 0; f < 3; ++f) set.train.modalities[0].frames(i, 0, f) = 0;
  CHECK(odd_lines(set) ==
        "!20 of 60 present vectors of train sound are all zeros, of 60 samples: are they absent? A mask or length, or "
        "infer_padding, would say so");
  for (index_t i = 0; i < 60; i += 3) set.train.modalities[0].present(i, 0) = 0;
  CHECK(odd_lines(set) == "");
  for (index_t i = 0; i < 60; ++i) set.train.modalities[0].frames(i, 0, 1) = 7;
  CHECK(odd_lines(set) == "1 of 3 features of train sound are constant: they tell nothing");
}

TEST_CASE("odd data: labels far from 0, of one number, or another scale in a split") {
  auto set = noise_set();
  for (auto* labels : {&set.train.labels, &set.validation.labels, &set.test.labels})
    for (float& y : *labels) y += 4;
  CHECK(odd_lines(set).find("(deviation 1.") != std::string::npos);
  CHECK(odd_lines(set).find(", not around 0: scores of signs say nothing") != std::string::npos);
  set = noise_set();
  for (float& y : set.test.labels) y += 3;
  CHECK(odd_lines(set).find("!labels of test lie around ") == 0);
  set = noise_set();
  for (float& y : set.train.labels) y = 2;
  CHECK(odd_lines(set).find("!all labels of train are 2: there is nothing to learn") == 0);
}

TEST_CASE("odd data: another class prior, classes that never come") {
  auto set = noise_set();
  set.class_count = 3;
  const auto classes = [](auto& split, index_t every) {
    for (index_t i = 0; i < split.size(); ++i) split.classes.push_back(i % every == 0);
    split.labels.clear();
  };
  classes(set.train, 2);
  classes(set.validation, 2);
  classes(set.test, 10);
  CHECK(odd_lines(set) ==
        "!1 of 3 classes have no sample in train|!classes of test come in other shares than in train (40 % lie "
        "elsewhere): look at macro F1 or the mean recall, not at accuracy");
}

TEST_CASE("odd data: a label in the middle that recurs where all others differ; one class") {
  auto set = noise_set();
  for (const std::size_t i : {1u, 5u, 9u, 22u, 40u, 41u}) set.train.labels[i] = -1;
  CHECK(odd_lines(set) == "!6 of 60 labels of train are -1, the others nearly all differ: does it stand for no label?");
  for (float& y : set.train.labels) y = std::round(y * 2) / 2;  // a scale of steps has no such number
  CHECK(odd_lines(set).find("stand for no label") == std::string::npos);
  set = noise_set();
  set.class_count = 2;
  for (auto* split : {&set.train.classes, &set.validation.classes, &set.test.classes}) split->assign(30, 1);
  set.train.classes.resize(60, 1);
  set.train.labels.clear(), set.validation.labels.clear(), set.test.labels.clear();
  CHECK(odd_lines(set) == "!all samples of train are of one class: there is nothing to learn");
}

TEST_CASE("odd data: one number of a feature far from all others") {
  auto set = noise_set();
  set.train.modalities[0].frames(7, 0, 1) = 3e38f;
  CHECK(odd_lines(set).find("!1 of 3 features of train sound have one number a hundred times as large as all others "
                            "(the first: 3e+38): is it a slip, or damaged?") == 0);
  set = noise_set();
  set.test.modalities[0].frames(2, 0, 2) = -999;  // once alone
  CHECK(odd_lines(set).find("!1 of 3 features of test sound have one number") == 0);
  set.test.modalities[0].frames(2, 0, 2) = 30;  // an outlier
  CHECK(odd_lines(set) == "");
}

TEST_CASE("odd data: one label far from all others, labels of one number without a scale") {
  auto set = noise_set();
  set.train.labels[7] = 1e6f;
  CHECK(odd_lines(set).find("!one of 60 labels of train is 1e+06, far from all others: is it right?") == 0);
  set.train.labels[7] = 9;  // an outlier, no mistake
  CHECK(odd_lines(set).find("far from all others") == std::string::npos);
  set = noise_set();
  for (auto* labels : {&set.train.labels, &set.validation.labels, &set.test.labels})
    for (float& y : *labels) y = 0.1f;  // whose mean is rounded
  CHECK(odd_lines(set) == "!all labels of train are 0.1: there is nothing to learn");
}

TEST_CASE("odd data: features on another scale than in train, splits that are labelled otherwise, few to select on") {
  const auto changed = [](auto change) {
    auto set = noise_set();
    auto& frames = set.test.modalities[0].frames;
    for (index_t i = 0; i < 30; ++i)
      for (index_t f = 0; f < 3; ++f) change(frames(i, 0, f), f);
    return odd_lines(set);
  };
  const std::string all =
      "!3 of 3 features of test sound lie elsewhere than in train, or are spread otherwise (of 30 "
      "samples): are they on one scale?";
  CHECK(changed([](float& x, index_t) { x += 500; }) == all);
  CHECK(changed([](float& x, index_t) { x *= 1000; }) == all);
  CHECK(changed([](float& x, index_t) { x /= 1000; }) == all);
  CHECK(changed([](float& x, index_t f) { x *= f == 0 ? 1000.0f : 1.0f; }) == "");  // one feature may be so
  CHECK(changed([](float& x, index_t) { x = 2 * x + 1; }) == "");
  auto set = noise_set();
  set.test.modalities[0].present = Mask<2>::zeros({30, 1});
  CHECK(odd_lines(set) == "");

  set = noise_set();
  set.test.labels.clear();
  CHECK(odd_lines(set) == "");  // to be predicted
  set.test.classes.assign(30, 1);
  CHECK(odd_lines(set) ==
        "!test has classes alone, train real labels: as it is, what is learnt cannot be judged by it");
  set.train.classes.assign(60, 1);
  CHECK(odd_lines(set) ==
        "!test has classes alone, train real labels: as it is, what is learnt cannot be judged by it");

  set = noise_set();
  for (const index_t few : {1, 4}) {
    auto& split = set.validation;
    split.ids.resize(std::size_t(few));
    split.labels.resize(std::size_t(few));
    split.modalities[0] = {"sound", Tensor<float, 3>::zeros({few, 1, 3}), Mask<2>::full({few, 1}, 1)};
    CHECK(odd_lines(set).find(few == 1 ? "!valid has 1 sample: what is chosen" : "!valid has 4 samples: what") !=
          std::string::npos);
  }
}
