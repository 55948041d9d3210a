/// Folds of training and validation samples: every sample once, nothing of the test split, what belongs together together.
#include "lacuna/data/cross_validation.hpp"

#include <doctest/doctest.h>

#include <set>

namespace cross_validation_test {

using namespace lacuna;

template <data::Role role>
void fill(data::Split<role>& split, index_t first, index_t count, index_t frames, auto&& id_of) {
  split.modalities.push_back({"a", Tensor<float, 3>::zeros({count, frames, 2}), Mask<2>::zeros({count, frames})});
  for (index_t i = 0; i < count; ++i) {
    split.ids.push_back(id_of(first + i));
    split.classes.push_back((first + i) % 3);
    split.modalities[0].frames(i, 0, 1) = float(first + i);
    split.modalities[0].present(i, 0) = (first + i) % 5 != 0;  // some lack it
  }
}
data::Dataset numbered(index_t train, index_t validation, auto&& id_of) {
  data::Dataset set;
  set.name = "numbered";
  set.class_count = 3;
  fill(set.train, 0, train, 2, id_of);
  fill(set.validation, train, validation, 3, id_of);
  fill(set.test, 1000, 10, 1, id_of);
  return set;
}
const auto plain = [](index_t n) { return detail::cat("s", n); };

TEST_CASE("folds: every sample is tested once and is itself everywhere") {
  const data::Dataset set = numbered(48, 12, plain);
  std::multiset<std::string> tested;
  for (index_t k = 0; k < 3; ++k) {
    const data::Dataset fold = data::fold(set, k, {.count = 3});
    CHECK(fold.test.size() == 20);
    CHECK(fold.validation.size() == 8);  // the share that validation had: a fifth of what is left
    CHECK(fold.train.size() == 32);
    std::set<std::string> all;
    const auto check = [&](const auto& split) {
      for (index_t i = 0; i < split.size(); ++i) {
        const std::string& id = split.ids[std::size_t(i)];
        const index_t n = std::stoll(id.substr(1));
        CHECK(n < 60);  // nothing of the test split
        all.insert(id);
        CHECK(split.classes[std::size_t(i)] == n % 3);
        CHECK(split.modalities[0].frames.extent(1) == 3);
        CHECK(split.modalities[0].frames(i, 0, 1) == float(n));
        CHECK(split.modalities[0].present(i, 0) == (n % 5 != 0));
        CHECK(split.modalities[0].present(i, 2) == 0);
      }
    };
    check(fold.train), check(fold.validation), check(fold.test);
    CHECK(all.size() == 60);
    tested.insert(fold.test.ids.begin(), fold.test.ids.end());
    index_t of_class[3] = {};
    for (const index_t one : fold.test.classes) ++of_class[one];
    for (const index_t count : of_class) CHECK((count == 6 || count == 7));  // dealt evenly
    CHECK(data::fold(set, k, {.count = 3}).train.ids == fold.train.ids);
    CHECK(data::fold(set, k, {.count = 3, .seed = 2}).train.ids != fold.train.ids);
  }
  CHECK(tested.size() == 60);
  CHECK(std::set<std::string>(tested.begin(), tested.end()).size() == 60);
}

TEST_CASE("folds: videos and conversations stay whole") {
  const data::Dataset films = numbered(80, 16, [](index_t n) { return detail::cat("film", n / 4, "_", n % 4); });
  data::Dataset talk = numbered(80, 16, plain);
  const auto number = [](auto& split, index_t first) {
    for (index_t i = 0; i < split.size(); ++i) {
      split.conversations.push_back((first + i) / 4);
      split.speakers.push_back(i % 2);
    }
  };
  number(talk.train, 0), number(talk.validation, 80), number(talk.test, 0);
  for (const data::Dataset* set : {&films, static_cast<const data::Dataset*>(&talk)})
    for (index_t k = 0; k < 2; ++k) {
      const data::Dataset fold = data::fold(*set, k, {.count = 2});
      std::set<std::string> seen;
      const auto check = [&](const auto& split) {
        std::set<std::string> own;
        for (index_t i = 0; i < split.size(); ++i) {
          const auto n = index_t(split.modalities[0].frames(i, 0, 1));
          own.insert(detail::cat(n / 4));
          if (i % 4 != 0) CHECK(split.modalities[0].frames(i - 1, 0, 1) == float(n - 1));  // one after the other
        }
        for (const auto& group : own) CHECK(seen.insert(group).second);
      };
      check(fold.train), check(fold.validation), check(fold.test);
      CHECK(seen.size() == 24);
    }
}

TEST_CASE("folds: what cannot be dealt is refused") {
  const data::Dataset set = numbered(48, 12, plain);
  CHECK_THROWS_AS(data::fold(set, 0, {.count = 1}), OptionError);
  CHECK_THROWS_AS(data::fold(set, 3, {.count = 3}), OptionError);
  CHECK_THROWS_AS(data::fold(numbered(48, 0, plain), 0), OptionError);
  CHECK_THROWS_AS(data::fold(numbered(6, 2, plain), 0), OptionError);
  CHECK(data::video_of("v_1_12") == "v_1");
  CHECK(data::video_of("v[3]") == "v");
  CHECK(data::video_of("v$_$3") == "v");
  CHECK(data::video_of("v_a") == "v_a");
}

}  // namespace cross_validation_test
