#include <doctest/doctest.h>

#include "lab/small_experiment.hpp"
#include "lacuna/report_html.hpp"
#include "lacuna/train_report.hpp"

namespace lacuna {
namespace {

/// Walks over the tags of a document: the first that is not closed in order, or "".
std::string first_unbalanced(const std::string& text) {
  std::vector<std::string> open;
  for (std::size_t at = text.find('<'); at != std::string::npos; at = text.find('<', at + 1)) {
    if (text.compare(at, 2, "<!") == 0) continue;
    const std::size_t end = text.find('>', at);
    if (end == std::string::npos) return text.substr(at, 40);
    const bool closing = text[at + 1] == '/', alone = text[end - 1] == '/';
    const std::size_t from = at + 1 + closing;
    const std::string name = text.substr(from, text.find_first_of(" />", from) - from);
    if (closing) {
      if (open.empty() || open.back() != name) return "</" + name;
      open.pop_back();
    } else if (!alone) {
      open.push_back(name);
    }
    at = end;
  }
  return open.empty() ? "" : "<" + open.back();
}

std::vector<program::Record> records() {
  return {{"constant", 0, {}, {}, 0, 0.01, 0.02},
          {"one, \"two\" & <three>", 1, {3, 2, 1}, {0.9, 0.7, 0.8}, 2, 1.5, 0.2},
          {"one, \"two\" & <three>", 2, {3, 2, 1}, {0.8, 0.9, 0.7}, 3, 1.4, 0.2}};
}

TEST_CASE("html: special characters are written as entities, control characters not at all") {
  CHECK(program::escaped("a<b>&\"c\"'d'") == "a&lt;b&gt;&amp;&quot;c&quot;&#39;d&#39;");
  CHECK(program::escaped(std::string("x\x01y\n")) == "x\xEF\xBF\xBDy\n");
  CHECK(program::escaped("Übung ± 3") == "Übung ± 3");
  CHECK(program::shortened("abcdefghij", 20) == "abcdefghij");
  CHECK(program::shortened("abcdefghij", 4) == "ab…ij");
  CHECK(program::shortened("aübcdefghiüj", 4) == "a…j");
}

TEST_CASE("chart: ticks are round and cover the range") {
  CHECK(program::ticks(0, 1, 5) == std::vector<double>{0, 0.2, 0.4, 0.6000000000000001, 0.8, 1});
  CHECK(program::ticks(-30, 70, 5) == std::vector<double>{-20, 0, 20, 40, 60});
  for (const auto& [low, high] : {std::pair(0.913, 0.924), std::pair(-3e4, 8e5), std::pair(5.0, 5.0)}) {
    const auto at = program::ticks(low, high);
    CHECK(at.size() >= 3);
    CHECK(at.size() <= 9);
    CHECK(at.front() >= low - 1e-9);
  }
  CHECK(program::tick_text(0.25, 0.05) == "0.25");
  CHECK(program::tick_text(0.2, 0.1) == "0.2");
  CHECK(program::tick_text(-0.0, 10) == "0");
  CHECK(program::tick_text(2.5, 2.5) == "2.5");
}

TEST_CASE("chart: a number that is not defined leaves a gap, and no number is written as nan") {
  const double nan = std::nan("");
  const std::string gap =
      program::line_chart({{"a", {0, 1, 2, 3}, {1, nan, 3, 4}, {nan, nan, 1, 1}, 0, false}}, {"x", "y"});
  CHECK(gap.find("nan") == std::string::npos);
  CHECK(std::count(gap.begin(), gap.end(), 'M') == 2);  // two pieces of line
  CHECK(program::line_chart({{"a", {0}, {nan}, {}, 0, false}}, {"x", "y"}).find("no number is defined") !=
        std::string::npos);
  CHECK(first_unbalanced(program::line_chart({{"a", {1}, {5}, {}, 0, false}}, {"x", "y"})).empty());
  const std::string intervals = program::interval_chart({{"m", 1, nan, nan, 0, "text"}}, "x");
  CHECK(intervals.find("nan") == std::string::npos);
}

TEST_CASE("report: every element is closed, names are escaped, nothing comes from elsewhere") {
  const auto results = test::SmallExperiment({"none", "p1", "p1-intra", "p2"}).results();
  const std::string text = program::report_html(results, records());
  CHECK(first_unbalanced(text) == "");
  CHECK(first_unbalanced("<p><b></p></b>") == "</p");  // the check itself
  CHECK(text.find("<three>") == std::string::npos);
  CHECK(text.find("&lt;three&gt;") != std::string::npos);
  CHECK(text.find("<others>") == std::string::npos);
  for (const char* outside : {"http:", "https:", "src=", "url(", "@import", "<script", "<link", "<iframe"}) {
    CAPTURE(outside);
    std::string rest = text;  // the name of SVG's namespace is no address that is visited
    for (std::size_t at; (at = rest.find("http://www.w3.org/2000/svg")) != std::string::npos;) rest.erase(at, 26);
    CHECK(rest.find(outside) == std::string::npos);
  }
  CHECK(text.find("prefers-color-scheme: dark") != std::string::npos);
  CHECK(text.find("nan") == std::string::npos);
  for (const auto& protocol : results.protocols)
    for (const auto& condition : protocol.conditions) CHECK(text.find(condition.masks) != std::string::npos);
  for (const char* part : {"Averages", "Curves", "Differences from constant", "Subsets", "Trainings", "Setting"})
    CHECK(text.find("<h2>" + std::string(part)) != std::string::npos);
  CHECK(text == program::report_html(results, records()));
}

TEST_CASE("report: one model, one seed, no curves, class ids") {
  test::SmallExperiment experiment({"none"});
  experiment.models.pop_back();
  experiment.targets.classes = 4;
  for (double& value : experiment.targets.values) value = 2;
  for (index_t n = 0; n < 12; ++n) experiment.models[0].runs[0].predictions(0, n) = double(n % 4);
  auto results = lab::make_results(experiment.models, experiment.plan.protocols, experiment.targets, {"accuracy"},
                                   "constant", {.draws = 5});
  CHECK(results.differences.empty());
  CHECK(lab::score_of(results.rows.at(0).values, "accuracy") == doctest::Approx(0.25));
  const std::string text = program::report_html(results, {});
  CHECK(first_unbalanced(text) == "");
  CHECK(text.find(">25.00<") != std::string::npos);
}

TEST_CASE("chart: numbers that differ by their rounding alone are drawn, and end") {
  const double y = 0.1 + 0.2;
  CHECK(program::ticks(0.3, y).size() < 20);
  CHECK(program::ticks(1e12, 1e12 + 1e-4).size() < 20);
  CHECK(program::line_chart({{"flat", {0, 1}, {0.3, y}, {}}}, {"x", "y"}).size() > 100);
}

TEST_CASE("train's report: mean and deviation over seeds, null for what is not defined") {
  test::SmallExperiment experiment({"none"});
  lab::ModelRuns model = experiment.models[1];
  model.failures.push_back({3, "no luck"});
  auto report = program::train_report(model, experiment.plan, experiment.targets, {"complete"});
  report.config = {{"epochs", 3}};
  report.baselines = {{"constant", {{"complete", {{"mae", 1}, {"pearson", std::nan("")}}}}}};
  report.attainable = {{"complete", 0.25, 0.9}};
  const auto json = program::metrics_json(report);
  CHECK(json["mean"]["complete"]["mae"].get<double>() == doctest::Approx(0.625));
  CHECK(json["standard_deviation"]["complete"]["mae"].get<double>() == doctest::Approx(0.25 / std::sqrt(2.0)));
  CHECK(json["seeds"].size() == 2);
  CHECK(json["seeds"][1]["seed"] == 2);
  CHECK(json["seeds"][1]["test"]["complete"]["mae"].get<double>() == doctest::Approx(0.75));
  CHECK(json["baselines"]["constant"]["complete"]["mae"] == 1.0);
  CHECK(json["baselines"]["constant"]["complete"]["pearson"].is_null());
  CHECK(json["best_attainable"]["complete"]["share_of_the_way"] == 0.9);
  CHECK(json["config"]["epochs"] == 3);
  CHECK(json["failed"][0]["error"] == "no luck");
  CHECK(json.dump().find("nan") == std::string::npos);
  model.runs.pop_back();
  const auto one = program::metrics_json(program::train_report(model, experiment.plan, experiment.targets, {"all"}));
  CHECK(one["standard_deviation"]["all"]["mae"].is_null());
  const auto unlabelled = program::metrics_json(program::train_report(model, experiment.plan, {}, {"all"}));
  CHECK(unlabelled["seeds"].size() == 1);
  CHECK(unlabelled["mean"].empty());
}

}  // namespace
}  // namespace lacuna
