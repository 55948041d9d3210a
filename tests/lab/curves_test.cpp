#include "lacuna/lab/curves.hpp"

#include <doctest/doctest.h>

#include "lab/small_experiment.hpp"
#include "lacuna/lab/predictions.hpp"
#include "lacuna/lab/results_csv.hpp"
#include "lacuna/lab/results_json.hpp"
#include "lacuna/lab/system.hpp"
#include "lacuna/models/baselines/early_fusion.hpp"
#include "lacuna/terminal.hpp"

namespace lacuna {
namespace {

using lab::Curve, lab::CurveEnd;

/// MAE under condition c is errors[c], of every sample.
lab::ModelRuns model_with(const std::string& name, const train::Targets& targets, const std::vector<double>& errors) {
  lab::ModelRuns model{name, "", {test::run_with_offset(1, targets.values, errors.size(), 0)}};
  for (std::size_t c = 0; c < errors.size(); ++c)
    for (std::size_t n = 0; n < targets.values.size(); ++n)
      model.runs[0].predictions(index_t(c), index_t(n)) = targets.values[n] + errors[c];
  return model;
}

TEST_CASE("curves: the step that gains, worked out by hand") {
  const test::SmallExperiment experiment({"p1-intra"});
  const auto curve = [&](std::vector<double> errors) {
    errors.resize(11, errors.back());
    return lab::curves_of({model_with("one", experiment.targets, errors)}, experiment.plan.protocols,
                          experiment.targets, "mae", {.draws = 100})
        .at(0);
  };
  const Curve falling = curve({0.5, 0.6, 0.8, 0.81, 0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.5});
  CHECK(falling.falls);
  CHECK(falling.gain == doctest::Approx(-0.01));  // every step loses, this one least
  CHECK(falling.from == "rate-0.2");
  CHECK(falling.to == "rate-0.3");
  CHECK(falling.end == CurveEnd::open);  // there is no constant to compare with
  CHECK(curve({0.5, 0.5}).falls);        // staying is no gain
  const Curve rising = curve({0.5, 0.6, 0.8, 0.7, 0.9});
  CHECK_FALSE(rising.falls);
  CHECK(rising.gain == doctest::Approx(0.1));
  CHECK(rising.interval.low == doctest::Approx(0.1));
  CHECK(rising.from == "rate-0.2");
  CHECK(rising.to == "rate-0.3");
}

TEST_CASE("curves: a gain within its interval is none; its interval is that of the paired bootstrap") {
  test::SmallExperiment experiment({"p1-intra"});
  std::vector<double> errors(11, 1);
  auto model = model_with("one", experiment.targets, errors);
  // under rate-0.1 half of the samples are better by 0.3 and half are worse by 0.2: a gain of 0.05
  for (index_t n = 0; n < 12; ++n) model.runs[0].predictions.data()[12 + n] += n % 2 ? 0.2 : -0.3;
  for (std::size_t c = 2; c < 11; ++c)
    for (index_t n = 0; n < 12; ++n) model.runs[0].predictions.data()[index_t(c) * 12 + n] += double(c);
  const lab::BootstrapOptions options{.draws = 400, .level = 0.9, .seed = 5};
  const auto of = [&](const char* metric) {
    return lab::curves_of({model}, experiment.plan.protocols, experiment.targets, metric, options).at(0);
  };
  const Curve curve = of("mae");
  CHECK(curve.gain == doctest::Approx(0.05));
  CHECK(curve.from == "rate-0.0");
  CHECK(curve.interval.low < 0);
  CHECK(curve.interval.high > 0.05);
  CHECK(curve.falls);
  const auto interval = lab::bootstrap(
      12,
      [](std::span<const double> counts) {
        double sum = 0, all = 0;
        for (std::size_t n = 0; n < 12; ++n) sum += counts[n] * (n % 2 ? -0.2 : 0.3), all += counts[n];
        return sum / all;
      },
      options);
  CHECK(curve.interval.low == doctest::Approx(interval.low).epsilon(1e-9));
  CHECK(curve.interval.high == doctest::Approx(interval.high).epsilon(1e-9));
}

TEST_CASE("curves: shares of right answers fall, errors rise; the last rate must be the constant predictor") {
  test::SmallExperiment experiment({"p2", "p1-intra", "none"});
  lab::ModelRuns &constant = experiment.models[0], &other = experiment.models[1];
  const auto ends = [&] {
    std::vector<CurveEnd> all;
    for (const Curve& curve :
         lab::curves_of(experiment.models, experiment.plan.protocols, experiment.targets, "acc2_non0", {.draws = 20})) {
      CHECK(curve.metric == "acc2_non0");
      all.push_back(curve.end);
    }
    return all;
  };
  constexpr CurveEnd open = CurveEnd::open;
  CHECK(ends() == std::vector<CurveEnd>{open, CurveEnd::constant, open, CurveEnd::other});
  const std::size_t last = 7 + 10;
  for (auto& run : other.runs)
    std::copy_n(constant.runs[0].predictions.data() + index_t(last) * 12, 12,
                run.predictions.data() + index_t(last) * 12);
  CHECK(ends() == std::vector<CurveEnd>{open, CurveEnd::constant, open, CurveEnd::constant});
  other.runs[1].predictions(index_t(last), 3) += 1e-12;  // exactly
  CHECK(ends().back() == CurveEnd::other);
}

TEST_CASE("curves: samples of one frame: p1-intra is a step from complete data to the constant predictor") {
  const auto corpus =
      data::synthetic({.samples = 20, .seed = 2, .validation = 5, .test = 12, .min_frames = 1, .max_frames = 1});
  const auto plan = lab::make_plan({"p1-intra"}, corpus.test);
  const auto targets = train::targets_of(corpus.test, 0);
  const double prior = lab::prior(corpus.train, 0);
  const auto knows_all = [&](const data::Batch<float>& batch) {
    std::vector<double> labels;
    for (const index_t n : batch.samples) labels.push_back(targets.values[std::size_t(n)]);
    return labels;
  };
  lab::Run run, mean;
  run.predictions = lab::predictions(knows_all, corpus.test, plan, prior);
  mean.predictions = Tensor<double, 2>::full({11, 12}, prior);
  for (index_t c = 0; c < 11; ++c)
    for (index_t n = 0; n < 12; ++n) CHECK(run.predictions(c, n) == (c < 5 ? targets.values[std::size_t(n)] : prior));
  const auto curves =
      lab::curves_of({{"constant", "", {mean}}, {"one", "", {run}}}, plan.protocols, targets, "mae", {.draws = 50});
  CHECK(curves[1].falls);
  CHECK(curves[1].gain == 0);  // of the steps where nothing changes
  CHECK_FALSE(std::signbit(curves[1].gain));
  CHECK(curves[1].end == CurveEnd::constant);
}

TEST_CASE("curves: a trained model loses with every rate, down to the constant predictor") {
  const auto corpus = data::synthetic({.samples = 400, .seed = 3, .validation = 100, .test = 300, .max_frames = 6});
  const auto system = lab::make_system<models::EarlyFusion<>>(
      "early-fusion", "", {.epochs = 10, .batch = 32, .learning_rate = 2e-3, .schedule = optim::constant(1)},
      [inputs = corpus.dimensions()](std::uint64_t seed) {
        return models::EarlyFusion<>({.inputs = inputs, .drop = missing::mrm_preset("mplmm")}, Random(seed));
      });
  const auto plan = lab::make_plan({"p2", "p3", "p1-intra"}, corpus.test, {.seed = 1});
  const double prior = lab::prior(corpus.train, 0);
  const auto targets = train::targets_of(corpus.test, 0);
  lab::Run mean;
  mean.predictions = Tensor<double, 2>::full({index_t(plan.size()), corpus.test.size()}, prior);
  std::vector<lab::ModelRuns> models{{"constant", "", {mean}}, {"early-fusion", "", {}}};
  for (const std::uint64_t seed : {1, 2}) {
    lab::Run run;
    run.seed = seed;
    run.predictions = lab::predictions(system.train({.data = lab::without_test(corpus), .seed = seed})->predict,
                                       corpus.test, plan, prior);
    models[1].runs.push_back(run);
  }
  const auto results = lab::make_results(models, plan.protocols, targets, {"mae"}, "constant", {.draws = 500});
  REQUIRE(results.curves.size() == 6);
  for (const Curve& curve : results.curves) {
    CAPTURE(curve.model);
    CAPTURE(curve.protocol);
    CAPTURE(curve.from);
    CAPTURE(curve.gain);
    CAPTURE(curve.interval.low);
    CHECK(curve.falls);
    CHECK(curve.end == (curve.protocol == "p1-intra" ? CurveEnd::constant : CurveEnd::open));
  }
  const auto first_of = [&](const char* condition) {
    return lab::score_of(lab::find_summary(results, "early-fusion", "p1-intra", condition, false)->mean, "mae");
  };
  CHECK(first_of("rate-0.0") < 0.6 * first_of("rate-1.0"));

  // in all tables
  CHECK(lab::results_text(lab::results_from_json(lab::results_text(results))) == lab::results_text(results));
  auto without = lab::to_json(results);
  without.erase("curves");  // a file of before
  CHECK(lab::results_from_json(without.dump()).curves.empty());
  const std::string csv = lab::curves_csv(results), text = program::terminal_text(results);
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 7);
  CHECK(csv.find("early-fusion,p1-intra,mae,rate-") != std::string::npos);
  CHECK(csv.find(",1,constant\n") != std::string::npos);
  CHECK(text.find("mae over the missing rate") != std::string::npos);
  CHECK(text.find("NO") == std::string::npos);
}

}  // namespace
}  // namespace lacuna
