#include "lacuna/zoo/calibrated.hpp"

#include <doctest/doctest.h>

#include "zoo/small_models.hpp"

namespace lacuna {
namespace calibrated_tests {
namespace {

using Validation = data::Split<data::Role::validation>;
using Test = data::Split<data::Role::test>;

/// Two vectors that carry the label with errors of different size, the second absent from every fourth sample.
template <data::Role role>
data::Split<role> two_streams(index_t samples, std::uint64_t seed) {
  const RandomStream noise = Random(seed).stream();
  data::Split<role> split;
  for (const char* name : {"a", "b"})
    split.modalities.push_back({name, Tensor<float, 3>({samples, 1, 1}), Mask<2>::full({samples, 1}, 1)});
  for (index_t n = 0; n < samples; ++n) {
    const auto draw = [&](int i) { return noise.normal(std::uint64_t(4 * n + i)); };
    const double y = 2 + draw(0);
    split.labels.push_back(float(y));
    split.ids.push_back(std::to_string(n));
    split.modalities[0].frames(n, index_t(0), index_t(0)) = float(y + 0.2 * draw(1));
    split.modalities[1].frames(n, index_t(0), index_t(0)) = float(y + 0.6 * draw(2));
    if (n % 4 == 3) split.modalities[1].present(n, index_t(0)) = 0;
  }
  return split;
}
/// The first stream where it is there, else the second.
std::vector<double> answers(const data::Batch<float>& batch) {
  std::vector<double> result;
  for (index_t b = 0; b < batch.size(); ++b)
    result.push_back(double(batch.streams[batch.streams[0].present(b, 0) ? 0 : 1].frames(b, 0, 0)));
  return result;
}

TEST_CASE("intervals: of every subset of streams they hold what they promise, within the binomial interval") {
  const auto validation = two_streams<data::Role::validation>(1600, 1);
  const auto test = two_streams<data::Role::test>(4000, 2);
  const auto kept = zoo::validation_errors(answers, validation, 2.0);
  CHECK(kept.counts == std::vector<index_t>{1200, 1200, 1600, 1600});  // both; the second; the first; nothing
  for (const double coverage : {0.8, 0.9})
    for (const std::vector<std::uint8_t>& present : {std::vector<std::uint8_t>{1, 1}, {1, 0}, {0, 1}, {0, 0}}) {
      missing::MissingSpec spec{.name = "x"};
      for (const auto one : present) spec.absent.push_back(std::uint8_t(!one));
      const missing::MaskSet masks[] = {missing::sample_masks(spec, test)};
      const auto given = train::unchecked_predictions<float>(
          [](const auto& part) { return lab::predict_or_prior(answers, part, 2.0); }, test, masks);
      const double half = kept.half_width(present, coverage);
      double inside = 0, count = 0;
      for (index_t n = 0; n < test.size(); ++n) {
        if (present[1] && n % 4 == 3) continue;
        inside += std::abs(given(0, n) - double(test.labels[std::size_t(n)])) <= half;
        ++count;
      }
      // four deviations: of the share among `count` samples, and of the quantile of 1200 errors or more
      const double deviation = std::sqrt(coverage * (1 - coverage) * (1 / count + 1 / 1200.0));
      INFO(coverage << " " << int(present[0]) << int(present[1]) << ": " << inside / count);
      CHECK(std::abs(inside / count - coverage) < 4 * deviation);
    }
  CHECK(kept.half_width(std::vector<std::uint8_t>{1, 0}, 0.9) <
        0.5 * kept.half_width(std::vector<std::uint8_t>{0, 1}, 0.9));
  CHECK(kept.half_width(std::vector<std::uint8_t>{0, 0}, 0.9) == doctest::Approx(1.645).epsilon(0.1));
  CHECK(zoo::calibrated_subsets(6).size() == 64);
  CHECK(zoo::calibrated_subsets(8).size() == 18);
  CHECK_THROWS_AS(kept.half_width(std::vector<std::uint8_t>{1, 0}, 1.5), OptionError);
  Validation unlabelled = validation;
  unlabelled.labels.clear();
  CHECK_THROWS_AS(zoo::validation_errors(answers, unlabelled, 2.0), Error);
}

TEST_CASE("balance: what automatic decides by the shares of training, and that the user's word wins") {
  CHECK(zoo::imbalance(std::vector<double>{0.8, 0.15, 0.05}) == doctest::Approx(16));
  CHECK(zoo::imbalance(std::vector<double>{0.5, 0, 0.5}) == 1);
  CHECK(zoo::imbalance(std::vector<double>{}) == 1);
  zoo::Request request{{"a", "b"}, {2, 2}, 3, {}, "f32", "cpu", {0.8, 0.15, 0.05}};
  const auto made = [&](const std::string& text) { return zoo::registry().make(zoo::parse_model(text), request); };
  const auto has = [](const lab::System& system, const char* setting) {
    return (" " + system.recipe + " ").find(std::string(" ") + setting + " ") != std::string::npos;
  };
  const auto sdumc = made("sdumc-robust"), corrkd = made("corrkd-robust");
  CHECK((has(sdumc, "balance=weights") && has(sdumc, "select_on=uar")));
  CHECK((has(corrkd, "balance=samples") && has(corrkd, "select_on=uar")));
  REQUIRE(sdumc.notes.size() == 1);
  CHECK(sdumc.notes[0] ==
        "the largest class has 16 times the samples of the smallest: classes weigh alike in the loss "
        "(balance=weights), the epoch is chosen by uar; balance=none trains them as they are");
  CHECK(has(made("sdumc-robust:select_on=accuracy"), "select_on=accuracy"));
  CHECK(made("sdumc-robust:balance=none").notes.empty());
  CHECK(has(made("sdumc-robust:balance=none"), "balance=none"));
  CHECK(has(made("corrkd-robust:order=shuffled"), "order=shuffled"));
  CHECK(has(made("corrkd-robust:order=shuffled"), "balance=none"));
  CHECK(made("early-fusion").notes.empty());
  for (const auto& shares : {std::vector<double>{0.6, 0.2, 0.2}, std::vector<double>{}}) {
    request.prior = shares;
    CHECK(has(made("sdumc-robust"), "balance=none"));
  }
  CHECK_THROWS_WITH_AS(made("early-fusion:balance=weights"), doctest::Contains("needs classes and their shares"),
                       OptionError);
  request.prior = {0.6, 0.2, 0.2};
  CHECK(zoo::Training::balanced_weights({0.8, 0.2, 0}) == std::vector<double>{0.625, 2.5, 0});
  CHECK_THROWS_WITH_AS(made("early-fusion:prior=0.5/0.5"), doctest::Contains("2 shares for 3 classes"), OptionError);
  CHECK_THROWS_WITH_AS(made("early-fusion:prior=1/0/1"), doctest::Contains("class 1 has the share 0"), OptionError);
  CHECK_THROWS_WITH_AS(made("early-fusion:select_on=mae"), doctest::Contains("no metric 'mae'"), OptionError);
  CHECK_THROWS_WITH_AS(made("sdumc:balance=weights"), doctest::Contains("weighs no classes"), OptionError);
  request.classes = 0;
  request.prior = {};
  CHECK_THROWS_WITH_AS(made("early-fusion:temperature=on"), doctest::Contains("real labels have none"), OptionError);
}

/// Emotion-like: three classes as 80, 15 and 5 of 100 when it was recorded, as 30, 35, 35 later; within a class nothing changes.
template <data::Role role>
void fill(data::Split<role>& split, index_t samples, const std::vector<double>& shares, std::uint64_t seed) {
  const RandomStream stream = Random(seed).stream();
  for (const char* name : {"a", "b"})
    split.modalities.push_back({name, Tensor<float, 3>({samples, 1, 3}), Mask<2>::full({samples, 1}, 1)});
  for (index_t n = 0; n < samples; ++n) {
    const double u = stream.uniform(std::uint64_t(8 * n));
    const index_t k = u < shares[0] ? 0 : u < shares[0] + shares[1] ? 1 : 2;
    split.classes.push_back(k);
    split.ids.push_back(std::to_string(n));
    for (index_t m = 0; m < 2; ++m)
      for (index_t d = 0; d < 3; ++d)
        split.modalities[std::size_t(m)].frames(n, index_t(0), d) =
            float(1.2 * (d == k) + stream.normal(std::uint64_t(8 * n + 1 + 3 * m + d)));
  }
}
data::Dataset shifted() {
  data::Dataset set;
  set.name = "shifted";
  set.class_count = 3;
  fill(set.train, 900, {0.8, 0.15, 0.05}, 1);
  fill(set.validation, 300, {0.8, 0.15, 0.05}, 2);
  fill(set.test, 1500, {0.3, 0.35, 0.35}, 3);
  return set;
}

struct Answered {
  State state;
  double uar = 0, log_loss = 0;
};
Answered answered(const std::string& spec, const data::Dataset& set) {
  zoo::Request request = test::request_for(set);
  request.prior = zoo::prior_of(set.train, 3);
  const data::Dataset learning = lab::without_test(set);
  const auto trained = zoo::registry().make(zoo::parse_model(spec), request).train({.data = learning, .seed = 1});
  Answered result;
  result.state = zoo::with_card(trained->state, zoo::registry().card(spec, "f32", set, trained->state));
  const auto batch = test::first<float>(set.test, set.test.size());
  const auto numbers = trained->predict(batch);
  const Predictor predictor(result.state);
  const auto out = predictor.outputs(batch, {.probabilities = true});
  CHECK(std::equal(numbers.begin(), numbers.end(), out.values.begin(), out.values.end()));
  result.uar = train::score_of(train::scores(train::targets_of(set.test, 3), numbers), "uar");
  result.log_loss = train::log_loss(out.probabilities, set.test.classes);
  return result;
}

TEST_CASE(
    "a shift of the classes' shares: balance, prior and temperature, and the stored model answers as the training "
    "did") {
  const data::Dataset set = shifted();
  const std::string base = "early-fusion:epochs=12:learning_rate=3e-3";
  const auto plain = answered(base, set), weights = answered(base + ":balance=weights:select_on=uar", set),
             samples = answered(base + ":balance=samples:select_on=uar", set),
             prior = answered(base + ":prior=uniform", set), hot = answered(base + ":temperature=on", set);
  MESSAGE("uar: as it is " << plain.uar << ", weights " << weights.uar << ", samples " << samples.uar << ", prior "
                           << prior.uar);
  for (const Answered* better : {&weights, &samples, &prior}) CHECK(better->uar > plain.uar + 0.05);
  CHECK(hot.uar == plain.uar);
  const auto kept = zoo::calibration_of(hot.state, 2, 3);
  CHECK((kept.temperature > 0.2 && kept.temperature < 5 && kept.temperature != 1));

  // the shares of the test part, found without its labels
  Predictor predictor(plain.state);
  const auto batch = test::first<float>(set.test, set.test.size());
  const auto found =
      train::estimated_prior(predictor.outputs(batch, {.probabilities = true}).probabilities, predictor.card().prior);
  for (const std::size_t k : {0u, 1u, 2u}) CHECK(std::abs(found[k] - (k == 0 ? 0.3 : 0.35)) < 0.12);
  predictor.assume(found);
  const auto out = predictor.outputs(batch, {.probabilities = true});
  CHECK(train::log_loss(out.probabilities, set.test.classes) < plain.log_loss);
  CHECK_THROWS_AS(predictor.assume({0.5, 0.5}), OptionError);
  CHECK_THROWS_AS(predictor.half_width(std::vector<std::uint8_t>{1, 1}, 0.9), OptionError);

  // together: the mean of probabilities, each with its own calibration
  const Predictor both(zoo::ensemble_of({plain.state, prior.state}));
  const auto mean = both.outputs(batch, {.probabilities = true});
  const auto one = Predictor(plain.state).outputs(batch, {.probabilities = true});
  const auto two = Predictor(prior.state).outputs(batch, {.probabilities = true});
  for (index_t n : {index_t(0), index_t(7)}) {
    const auto k = index_t(mean.values[std::size_t(n)]);
    CHECK(mean.probabilities(n, k) == doctest::Approx(0.5 * (one.probabilities(n, k) + two.probabilities(n, k))));
    CHECK(mean.deviation[std::size_t(n)] ==
          doctest::Approx(0.5 * std::abs(one.probabilities(n, k) - two.probabilities(n, k))));
  }
}

TEST_CASE("ensembles: the mean of the answers, their deviation, intervals, and what an input is worth") {
  const data::Dataset set = data::synthetic({.samples = 200, .seed = 7, .max_frames = 3});
  const data::Dataset learning = lab::without_test(set);
  const std::string spec = "early-fusion-drop:epochs=3:learning_rate=3e-3";
  const auto system = zoo::registry().make(zoo::parse_model(spec), test::request_for(set));
  std::vector<State> members;
  for (const std::uint64_t seed : {1, 2, 3}) {
    const auto trained = system.train({.data = learning, .seed = seed});
    members.push_back(zoo::with_card(trained->state, zoo::registry().card(spec, "f32", set, trained->state)));
  }
  const auto sample = [&](index_t n) {
    Sample frames;
    for (const auto& modality : set.test.modalities) {
      index_t length = 0;
      while (length < modality.present.extent(1) && modality.present(n, length)) ++length;
      if (length > 0) frames.push_back({modality.name, Frames(&modality.frames(n, 0, 0), length, modality.features())});
    }
    return frames;
  };
  State file = zoo::ensemble_of(members);
  const Predictor together(file);
  CHECK(together.card().spec == "ensemble of 3: " + spec);
  for (const index_t n : {index_t(0), index_t(1)}) {
    std::vector<double> values;
    for (const State& member : members) {
      const Predictor alone(member);
      values.push_back(alone(sample(n)).value);
      CHECK(std::isnan(alone(sample(n)).deviation));
    }
    const double mean = (values[0] + values[1] + values[2]) / 3;
    double squares = 0;
    for (const double value : values) squares += (value - mean) * (value - mean) / 3;
    const Answer answer = together(sample(n));
    CHECK(answer.value == doctest::Approx(mean));
    CHECK(answer.deviation == doctest::Approx(std::sqrt(squares)).epsilon(1e-6));
  }
  CHECK(together(Sample{}).value == together.card().prior[0]);
  CHECK(together(Sample{}).deviation == 0);
  const Predictor twice(zoo::ensemble_of({members[0], members[0]}));
  CHECK(twice(sample(0)).value == Predictor(members[0])(sample(0)).value);
  CHECK(twice(sample(0)).deviation == 0);
  CHECK_THROWS_WITH_AS(together(sample(0), {.embedding = true}), doctest::Contains("has no embedding"), Error);

  // intervals: of a member by its file, of the ensemble by errors of its own
  CHECK_THROWS_WITH_AS(together(sample(0), {.coverage = 0.9}), doctest::Contains("no errors of a validation split"),
                       OptionError);
  State own;
  own.put_fields(zoo::validation_errors(
      [&](const data::Batch<float>& batch) {
        const auto values = together.outputs(batch).values;
        return std::vector<double>(values.begin(), values.end());
      },
      set.validation, together.card().prior[0]));
  file.put("calibration", own);
  for (const Predictor& predictor : {Predictor(members[0]), Predictor(file)}) {
    const Answer sure = predictor(sample(0), {.coverage = 0.9}), less = predictor({sample(0)[0]}, {.coverage = 0.9});
    CHECK(sure.upper - sure.value == doctest::Approx(sure.value - sure.lower));
    CHECK(less.upper - less.lower > sure.upper - sure.lower);
    CHECK(std::isinf(predictor(sample(0), {.coverage = 0.999}).upper));  // 50 samples of validation are too few for it
    CHECK(std::isnan(predictor(sample(0)).upper));
  }

  const auto effects = together.explain(sample(0));
  REQUIRE(effects.size() == 3);
  for (const Effect& effect : effects) {
    Sample rest;
    for (const auto& one : sample(0))
      if (one.name != effect.input) rest.push_back(one);
    CHECK(effect.without == doctest::Approx(together(rest).value));
    CHECK(effect.change == doctest::Approx(together(sample(0)).value - effect.without));
  }

  CHECK_THROWS_WITH_AS(zoo::ensemble_of({members[0]}), doctest::Contains("at least two"), OptionError);
  CHECK_THROWS_WITH_AS(zoo::ensemble_of({members[0], file}), doctest::Contains("an ensemble itself"), OptionError);
  State other = members[1];
  other.put("about/streams", std::vector<std::string>{"x", "y", "z"});
  CHECK_THROWS_WITH_AS(zoo::ensemble_of({members[0], other}), doctest::Contains("other streams than"), OptionError);
  State damaged = members[0];
  damaged.put("calibration/counts", std::vector<index_t>{1});
  CHECK_THROWS_WITH_AS(Predictor{damaged}, doctest::Contains("calibration/errors"), IoError);
  damaged = file;
  damaged.put("member-1/about/streams", std::vector<std::string>{"x", "y", "z"});
  CHECK_THROWS_WITH_AS(Predictor{damaged}, doctest::Contains("does not fit the ensemble"), IoError);
}

}  // namespace
}  // namespace calibrated_tests
}  // namespace lacuna
