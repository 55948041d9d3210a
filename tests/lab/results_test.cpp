#include <doctest/doctest.h>

#include "lab/small_experiment.hpp"
#include "lacuna/lab/results_csv.hpp"
#include "lacuna/lab/results_json.hpp"
#include "lacuna/terminal.hpp"

namespace lacuna {
namespace {

using lab::Results, lab::Summary;

const Summary& summary(const Results& results, const std::string& model, const std::string& protocol,
                       const std::string& name) {
  for (const bool average : {true, false})
    if (const auto* one = lab::find_summary(results, model, protocol, name, average)) return *one;
  throw Error("no summary " + name);
}

TEST_CASE("results: averages over conditions, over r present modalities and over seeds, worked out by hand") {
  const test::SmallExperiment experiment;
  const Results results = experiment.results();
  const std::string model = experiment.models[1].name;
  // MAE under condition c (from 0) is offset (c + 1), offsets 0.5 and 0.75 for the seeds, 2 for the constant
  CHECK(results.rows.size() == 3 * 18);
  CHECK(lab::score_of(results.rows[18].values, "mae") == doctest::Approx(0.5));
  CHECK(results.rows[18 + 6].condition == "audio+text+video");
  CHECK(lab::score_of(results.rows[18 + 6].values, "mae") == doctest::Approx(3.5));
  const auto check = [&](const char* protocol, const char* name, double mean_of_c) {
    CAPTURE(name);
    const Summary one = summary(results, model, protocol, name);
    CHECK(one.seeds == 2);
    CHECK(lab::score_of(one.mean, "mae") == doctest::Approx(0.625 * mean_of_c));
    CHECK(lab::score_of(one.deviation, "mae") == doctest::Approx(0.25 / std::sqrt(2.0) * mean_of_c));
    CHECK(lab::score_of(summary(results, "constant", protocol, name).mean, "mae") == doctest::Approx(2 * mean_of_c));
    CHECK(std::isnan(lab::score_of(summary(results, "constant", protocol, name).deviation, "mae")));
  };
  check("p1", "average of incomplete", 3.5);
  check("p1", "average of all", 4);
  check("p1", "r=1", 2);
  check("p1", "r=2", 5);
  check("p1", "r=3", 7);
  check("p1", "text", 2);
  check("p1-intra", "average of rates 0.0 to 1.0", 13);  // conditions 8 ... 18
  check("p1-intra", "average of rates 0.1 to 1.0", 13.5);
  check("p1-intra", "AUILC", 13);  // linear in the rate, over a range of 1
  check("p1-intra", "rate-1.0", 18);
}

TEST_CASE("results: a training that failed is in no mean, and every table says so") {
  test::SmallExperiment experiment({"p1"});
  experiment.models[1].runs.pop_back();
  experiment.models[1].failures.push_back({2, "training: epoch 1, batch 2: loss is inf"});
  const lab::ModelRuns half = experiment.models[1];
  experiment.models.push_back({"none", "", {}, {{1, "training: a"}, {2, "evaluation: b"}}});
  const Results results = lab::results_from_json(lab::results_text(experiment.results()));
  CHECK(summary(results, half.name, "p1", "average of all").seeds == 1);
  CHECK(lab::score_of(summary(results, half.name, "p1", "average of all").mean, "mae") == doctest::Approx(2));
  CHECK(lab::find_summary(results, "none", "p1", "average of all", true) == nullptr);
  CHECK(results.models[1].title() == half.name + " (1 of 2 seeds failed)");
  CHECK(results.models[2].title() == "none (failed)");
  const std::string shown = program::terminal_text(results);
  CHECK(shown.find("none (failed)") != std::string::npos);
  CHECK(shown.find("failed: none seed 2, evaluation: b\n") != std::string::npos);
}

TEST_CASE("results: differences are those of the means; a model that is always right by a constant has no spread") {
  const test::SmallExperiment experiment;
  const Results results = experiment.results();
  bool found = false;
  for (const auto& one : results.differences) {
    CHECK(one.model == experiment.models[1].name);
    CHECK(one.reference == "constant");
    const double expected = lab::score_of(summary(results, one.model, one.protocol, one.name).mean, one.metric) -
                            lab::score_of(summary(results, "constant", one.protocol, one.name).mean, one.metric);
    CHECK(one.value == doctest::Approx(expected).epsilon(1e-10));
    if (one.metric != "mae") continue;
    CHECK(one.interval.low == doctest::Approx(expected).epsilon(1e-10));
    CHECK(one.interval.high == doctest::Approx(expected).epsilon(1e-10));
    found = true;
  }
  CHECK(found);
  // averages and conditions of both protocols (5 + 7 and 3 + 11), for two metrics
  CHECK(results.differences.size() == 2 * 26);
  CHECK_THROWS_AS(lab::compare(experiment.models, experiment.plan.protocols, experiment.targets, {"mae"}, "nobody"),
                  OptionError);
}

TEST_CASE("results: the interval of a difference is that of the bootstrap of the difference") {
  test::SmallExperiment experiment({"none"});
  const RandomStream stream = Random(4).stream();
  for (std::size_t m = 0; m < 2; ++m)
    for (auto& run : experiment.models[m].runs)
      for (index_t n = 0; n < 12; ++n) run.predictions(0, n) += stream.normal(std::uint64_t(n) + 100 * m);
  const auto all = lab::compare(experiment.models, experiment.plan.protocols, experiment.targets, {"mae"}, "constant",
                                {.draws = 300, .level = 0.9, .seed = 6});
  const auto interval = lab::bootstrap(
      12,
      [&](std::span<const double> counts) {
        double sum = 0;
        for (index_t n = 0; n < 12; ++n) {
          const auto miss = [&](const lab::Run& run) {
            return std::abs(run.predictions(0, n) - experiment.targets.values[std::size_t(n)]);
          };
          const auto& seeds = experiment.models[1].runs;
          sum += counts[std::size_t(n)] * ((miss(seeds[0]) + miss(seeds[1])) / 2 - miss(experiment.models[0].runs[0]));
        }
        return sum / 12;
      },
      {.draws = 300, .level = 0.9, .seed = 6});
  REQUIRE(all.size() == 2);  // the average "complete" and the condition of that name
  for (const auto& one : all) {
    CHECK(one.interval.low == doctest::Approx(interval.low).epsilon(1e-10));
    CHECK(one.interval.high == doctest::Approx(interval.high).epsilon(1e-10));
    CHECK(one.interval.high - one.interval.low > 0.1);
  }
}

TEST_CASE("results: JSON and back is the same text; NaN is null; damage is named") {
  const Results results = test::SmallExperiment().results();
  const std::string text = lab::results_text(results);
  CHECK(text.find("null") != std::string::npos);  // the deviation of one seed
  CHECK(text.find("nan") == std::string::npos);
  const Results again = lab::results_from_json(text, "file.json");
  CHECK(lab::results_text(again) == text);
  CHECK(lab::rows_csv(again) == lab::rows_csv(results));
  CHECK(lab::averages_csv(again) == lab::averages_csv(results));
  CHECK(lab::differences_csv(again) == lab::differences_csv(results));
  CHECK(program::terminal_text(again) == program::terminal_text(results));
  CHECK_THROWS_WITH_AS(lab::results_from_json(text.substr(0, text.size() / 2), "file.json"),
                       doctest::Contains("file.json: holds no results"), IoError);
  CHECK_THROWS_WITH_AS(lab::results_from_json("{}", "file.json"), doctest::Contains("format"), IoError);
  CHECK_THROWS_WITH_AS(lab::results_from_json("{\"format\": 2}", "file.json"), doctest::Contains("has format 2"),
                       IoError);
  auto json = nlohmann::ordered_json::parse(text);
  json["protocols"][0]["averages"][0]["of"][0] = 99;
  CHECK_THROWS_WITH_AS(lab::results_from_json(json.dump(), "file.json"), doctest::Contains("condition 99 of 7"),
                       IoError);
}

TEST_CASE("results: CSV has one row per model, seed, protocol and condition, fields quoted where they must be") {
  const Results results = test::SmallExperiment().results();
  const std::string text = lab::rows_csv(results);
  CHECK(std::count(text.begin(), text.end(), '\n') == 1 + 3 * 18);
  CHECK(text.rfind("model,seed,protocol,condition,present,rate,masks,mae,", 0) == 0);
  CHECK(text.find("\"one, \"\"two\"\" & <three>\",2,p1,audio+text+video,3,0,") != std::string::npos);
  CHECK(text.find(",p1-intra,rate-0.5,,0.5,") != std::string::npos);
  const std::string averages = lab::averages_csv(results);
  CHECK(averages.find("constant,p1,r=2,1,1,10,nan,") != std::string::npos);
}

TEST_CASE("results: hashes of masks tell conditions apart and stand in every row") {
  const Results results = test::SmallExperiment().results();
  std::vector<std::string> hashes;
  for (const auto& row : results.rows) {
    CHECK(row.masks.size() == 16);
    if (row.model == "constant") hashes.push_back(row.masks);
  }
  std::sort(hashes.begin(), hashes.end());
  CHECK(std::unique(hashes.begin(), hashes.end()) == hashes.end());
}

TEST_CASE("results: the best of a column is marked in the terminal, percent for shares") {
  const std::string text = program::terminal_text(test::SmallExperiment().results());
  CHECK(text.find("2.1875 ± 0.6187 *") != std::string::npos);
  CHECK(text.find("acc2_non0, %") != std::string::npos);
  CHECK(text.find("mae, less that of constant") != std::string::npos);
}

}  // namespace
}  // namespace lacuna
