// Streams of one source go missing together: in conditions, under rates, in what training takes away.
#include "lacuna/missing/groups.hpp"

#include <doctest/doctest.h>

#include "lacuna/lab/plan.hpp"
#include "lacuna/missing/protocol.hpp"
#include "lacuna/missing/sampler.hpp"
#include "lacuna/missing/sampling.hpp"
#include "lacuna/models/take_away.hpp"
#include "missing/count.hpp"

namespace groups_of_streams {

using namespace lacuna;
using missing::Pattern;
using Names = std::vector<std::string>;

const Names four{"audio", "text", "text_bert", "simulated_text"};

std::vector<std::string> names_of(const std::vector<missing::MissingSpec>& specs) {
  std::vector<std::string> names;
  for (const auto& spec : specs) names.push_back(spec.name);
  return names;
}
std::vector<Mask<2>> full(index_t samples, const std::vector<index_t>& frames) {
  std::vector<Mask<2>> masks;
  for (const index_t t : frames) masks.push_back(Mask<2>::full({samples, t}, 1));
  return masks;
}
std::vector<std::string> ids(index_t samples) {
  std::vector<std::string> list;
  for (index_t n = 0; n < samples; ++n) list.push_back("clip" + std::to_string(n));
  return list;
}
/// Audio and simulated text are there together or not at all, and so are text and text_bert.
bool together(const std::vector<Mask<2>>& keep, index_t n) {
  const auto there = [&](std::size_t m) { return test::count(keep[m], n) > 0; };
  return there(0) == there(3) && there(1) == there(2);
}

}  // namespace groups_of_streams

TEST_CASE("groups: by name, a simulated text with the sound it was heard in") {
  using namespace groups_of_streams;
  const missing::Groups groups(four);
  CHECK(groups.names() == Names{"audio", "text"});
  CHECK(groups.spread({1, 0}) == Pattern{1, 0, 0, 1});
  CHECK(groups.gather({0, 0, 1, 0}) == Pattern{0, 1});
  CHECK(missing::Groups(Names{"speech_hubert", "simulated", "asr_text", "text"}).size() == 2);
  CHECK(missing::Groups(Names{"video", "text", "simulated_text"}).size() == 3);  // there is no sound to go with
  CHECK(missing::Groups(Names{"fou", "fac", "kar", "m0", "m1"}).size() == 5);
  CHECK(missing::Groups(std::size_t(3)).size() == 3);
}

TEST_CASE("groups: conditions and protocols are of sources") {
  using namespace groups_of_streams;
  CHECK(missing::without({"text"}, four).absent == Pattern{0, 1, 1, 0});
  CHECK(missing::without({"text_bert"}, four).absent == Pattern{0, 1, 1, 0});
  CHECK(missing::without({"audio"}, four).absent == Pattern{1, 0, 0, 1});
  CHECK(names_of(missing::subset_specs(four, 3)) == Names{"complete", "without-text", "without-audio"});
  CHECK(missing::subset_specs(four, 3)[2].absent ==
        Pattern{1, 0, 0, 1});  // the stand-in too, though it is none of the three
  const auto p1 = missing::protocol_p1(four);
  CHECK(names_of(p1.conditions) == Names{"audio", "text", "audio+text"});
  CHECK(p1.conditions[0].absent == Pattern{0, 1, 1, 0});
  CHECK(p1.averages[0].of.size() == 2);
  CHECK(missing::protocol_p4(four).conditions.size() == 2);
  CHECK_THROWS_WITH_AS((void)lab::protocol_by_name("p4", {"text", "text_bert"}, 1),
                       doctest::Contains("no incomplete subset"), OptionError);
  const auto p3 = lab::protocol_by_name("p3", four, 1);
  CHECK(p3.conditions[4].keep_ends == Pattern{0, 1, 1, 0});
}

TEST_CASE("groups: whole streams go together at any rate, and equal frames where there are as many") {
  using namespace groups_of_streams;
  const auto present = full(200, {5, 7, 7, 4});
  for (const auto unit : {missing::Unit::sample, missing::Unit::batch}) {
    const auto set = missing::sample_masks({.rate = 0.5, .unit = unit, .seed = 3}, ids(200), four, present);
    index_t texts = 0;
    for (index_t n = 0; n < 200; ++n) {
      CHECK(together(set.keep, n));
      texts += test::count(set.keep[1], n) > 0;
    }
    if (unit == missing::Unit::sample) CHECK((texts > 70 && texts < 130));
  }
  for (const auto how : {missing::Sampling::exact, missing::Sampling::bernoulli, missing::Sampling::numpy}) {
    const auto set =
        missing::sample_masks({.rate = 0.4, .sampling = how, .keep_one = false, .seed = 3}, ids(200), four, present);
    CHECK(set.keep[1].to_vector() == set.keep[2].to_vector());
    CHECK(set.keep[0].to_vector() != present[0].to_vector());
  }
}

TEST_CASE("groups: what training takes away, by patterns, weights and rates") {
  using namespace groups_of_streams;
  std::vector<index_t> keys;
  for (index_t n = 0; n < 400; ++n) keys.push_back(n);
  const auto present = full(400, {5, 7, 7, 4});
  const missing::Groups groups(four);
  for (const std::string preset : {"uniform", "lnln", "mplmm", "gcnet"}) {
    const auto kept = missing::sample_masks(missing::mrm_preset(preset, 4), present, keys, Random(1), groups);
    index_t audio = 0, text = 0;
    for (index_t n = 0; n < 400; ++n) {
      if (preset != "uniform" && preset != "lnln") CHECK(together(kept, n));  // the others take frames too
      audio += test::count(kept[0], n) > 0;
      text += test::count(kept[1], n) > 0;
    }
    CHECK(kept[1].to_vector() == kept[2].to_vector());
    if (preset == "mplmm") CHECK((audio > 220 && audio < 300 && text > 220 && text < 300));  // .65 of 400 = 260
  }
  missing::MrmOptions weighted = missing::mrm_preset("mplmm", 4);
  weighted.stream_probability = 1;
  weighted.pattern_weights.assign(15, 0.0);
  weighted.pattern_weights[0] = 3;  // audio alone
  weighted.pattern_weights[5] = 1;  // audio and text_bert: the first stream of text is not in it, so audio alone
  const auto kept = missing::sample_masks(weighted, present, keys, Random(1), groups);
  for (index_t n = 0; n < 400; ++n)
    CHECK((test::count(kept[0], n) == 5 && test::count(kept[3], n) == 4 && test::count(kept[1], n) == 0));
  weighted.pattern_weights.assign(15, 0.0);
  weighted.pattern_weights[2] = 1;  // text_bert alone
  CHECK_THROWS_WITH_AS((void)missing::sample_masks(weighted, present, keys, Random(1), groups),
                       doctest::Contains("only patterns of streams that come from others"), OptionError);
}

TEST_CASE("groups: a stand-in loses the samples whose sound training took away") {
  using namespace groups_of_streams;
  data::Batch<float> batch;
  for (const index_t t : {3, 2, 4})
    batch.streams.push_back({Tensor<float, 3>::full({40, t, 2}, 1), Mask<2>::full({40, t}, 1)});
  for (index_t n = 0; n < 40; ++n) batch.samples.push_back(n);
  models::TrainingBatch<float> taught;
  taught.whole = batch.streams;
  std::vector<Mask<2>> present;
  for (std::size_t m = 0; m < 2; ++m) {
    present.push_back(batch.streams[m].present);
    taught.had.push_back(Present<Cpu>::of(any_present(present[m])));
  }
  taught.has = taught.had;
  Random random(4);
  models::take_away(taught, missing::mrm_preset("mplmm", 2), batch, present, {"audio", "text", "simulated"},
                    Context::train(random), "it");
  taught.see();
  index_t gone = 0;
  for (index_t n = 0; n < 40; ++n) {
    const bool audio = test::count(taught.seen[0].present, n) > 0;
    CHECK(test::count(taught.seen[2].present, n) == (audio ? 4 : 0));
    CHECK(taught.seen[2].frames(n, 3, 1) == (audio ? 1.0f : 0.0f));
    gone += !audio;
  }
  CHECK((gone > 5 && gone < 30));
  models::take_away(taught, missing::mrm_preset("mplmm", 2), batch, present, {"audio", "text", "other"},
                    Context::train(random), "it");
}
