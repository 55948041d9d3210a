// What was never filled: every use of it is an answer for nothing, or an exception with words, and no crash.
#include <doctest/doctest.h>

#include <functional>

#include "io/temporary.hpp"
#include "lacuna/data/batch.hpp"
#include "lacuna/data/cross_validation.hpp"
#include "lacuna/data/describe.hpp"
#include "lacuna/data/duplicates.hpp"
#include "lacuna/data/leakage.hpp"
#include "lacuna/data/oddities.hpp"
#include "lacuna/data/standardize.hpp"
#include "lacuna/data/trainable.hpp"
#include "lacuna/missing/mask_set.hpp"
#include "lacuna/missing/sampling.hpp"
#include "lacuna/models/baselines/constant.hpp"
#include "lacuna/models/baselines/ridge.hpp"

namespace default_constructed {

using namespace lacuna;

TEST_CASE("default-constructed data, masks and simple models answer for nothing or say what is missing") {
  const data::Dataset set;
  data::Split<data::Role::test> nothing, ids;
  ids.ids = {"a"};
  data::Dataset named;
  named.train.modalities.emplace_back();
  named.train.ids = {"a"};
  const missing::MaskSet masks;
  const index_t first[] = {0};
  const std::pair<const char*, std::function<void()>> calls[] = {
      {"groups", [&] { set.groups(); }},
      {"dimensions", [&] { named.dimensions(); }},
      {"features", [&] { data::Modality{}.features(); }},
      {"leaks", [&] { data::find_leaks(set); }},
      {"leaks of a modality without numbers", [&] { data::find_leaks(named); }},
      {"oddities", [&] { data::oddities(set); }},
      {"oddities of a modality without numbers", [&] { data::oddities(named); }},
      {"repeats", [&] { data::find_repeats(set); }},
      {"repeats of a modality without numbers", [&] { data::find_repeats(named); }},
      {"describe", [&] { data::describe(set); }},
      {"describe a modality without numbers", [&] { data::describe(named); }},
      {"json", [&] { data::to_json(data::DatasetStatistics{}); }},
      {"fold", [&] { data::fold(set, 0); }},
      {"trainable", [&] { data::require_trainable(set); }},
      {"gather", [&] { data::gather<float>(nothing, std::span<const index_t>{}); }},
      {"gather a sample", [&] { data::gather<float>(nothing, first); }},
      {"gather from a modality without numbers", [&] { data::gather<float>(named.train, first); }},
      {"standardize", [&] { data::Standardizer{}(set); }},
      {"standardize a modality", [&] { data::Standardizer{}(named); }},
      {"standardize by nothing", [&] { data::Standardizer{}.apply(0, Tensor<float, 3>{}, Mask<2>{}); }},
      {"fit of nothing", [&] { data::Standardizer::fit(named.train); }},
      {"rate", [&] { masks.stream_rate(); }},
      {"hash", [&] { masks.hash(); }},
      {"aligned", [&] { masks.aligned({"a"}); }},
      {"apply masks", [&] { missing::apply(missing::MissingSpec{}, data::Batch<float>{}); }},
      {"ridge", [&] { models::Ridge{}(ids); }},
      {"ridge of nothing", [&] { models::Ridge(set.train, set.validation); }},
      {"constant", [&] { models::Constant{set.train}; }},
  };
  for (const auto& [what, call] : calls) {
    CAPTURE(what);
    std::string words = "none";
    try {
      call();
    } catch (const Error& error) {
      words = error.what();
    }
    CHECK(words.size() > 3);
    CHECK(words.find('\n') == std::string::npos);
  }
  CHECK(test::contains(test::message_of<Error>([&] { models::Ridge{}(ids); }), "ridge"));
}

}  // namespace default_constructed
