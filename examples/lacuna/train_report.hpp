// What `lacuna train` says of a model: metrics.json and a table. Means and deviations over the seeds are those of the
// laboratory; beside them baselines and, where it is known, the best attainable error.
//
// JSON has no NaN: a metric that is not defined (the correlation of a constant, say) is null, and so is the deviation of a
// single seed. The file depends on nothing but the numbers: no date, no duration, no machine.
#pragma once

#include <cstdio>

#include "lacuna/lab/results_json.hpp"
#include "lacuna/train/evaluate.hpp"

namespace program {

struct Baseline {
  std::string name;
  std::vector<lacuna::train::ConditionScores> test;
};
/// What no predictor can undercut on average, and the share of the way there from the best constant.
struct Attainable {
  std::string condition;
  double mae = 0, share_of_the_way = 0;
  std::vector<std::pair<std::string, double>> of_baselines = {};  ///< their shares, by name
};

struct TrainReport {
  lacuna::lab::ModelRuns model;
  std::vector<std::string> conditions;  ///< as they are called here
  lacuna::index_t classes = 0;          ///< K; 0: real labels
  bool signs = true;                    ///< real labels are around zero (train::has_signs)
  nlohmann::ordered_json config = {}, data = {};
  std::vector<Baseline> baselines = {};
  std::vector<Attainable> attainable = {};
  std::vector<lacuna::lab::Row> rows = {};      ///< seed after seed, conditions in order; empty: no labels
  std::vector<lacuna::lab::Summary> over = {};  ///< over the seeds, one per condition
};

/// Scores the runs of a model. Without labels there are none.
inline TrainReport train_report(lacuna::lab::ModelRuns model, const lacuna::lab::Plan& plan,
                                const lacuna::train::Targets& targets, std::vector<std::string> conditions) {
  TrainReport report{std::move(model), std::move(conditions), targets.classes,
                     lacuna::train::has_signs(targets.values)};
  if (targets.values.empty()) return report;
  report.rows = lacuna::lab::rows_of(report.model, plan.protocols, targets);
  for (auto& summary : lacuna::lab::summaries_of(report.rows, plan.protocols))
    if (!summary.average) report.over.push_back(std::move(summary));
  return report;
}

inline nlohmann::ordered_json metrics_json(const TrainReport& report) {
  using Json = nlohmann::ordered_json;
  using lacuna::detail::json_scores;
  const auto by_condition = [&](const auto& scores_of) {
    Json json = Json::object();
    for (std::size_t c = 0; c < report.over.size(); ++c) json[report.conditions[c]] = json_scores(scores_of(c));
    return json;
  };
  Json json{{"lacuna", lacuna::detail::cat(LACUNA_VERSION_MAJOR, ".", LACUNA_VERSION_MINOR, ".", LACUNA_VERSION_PATCH)},
            {"model", report.model.name},
            {"config", report.config},
            {"data", report.data},
            {"seeds", Json::array()}};
  std::size_t first = 0;
  for (const auto& run : report.model.runs) {
    json["seeds"].push_back(
        {{"seed", run.seed},
         {"epochs", run.epochs},
         {"best_epoch", run.best_epoch},
         {"validation_score", run.validation_score},
         {"test", by_condition([&](std::size_t c) -> const auto& { return report.rows[first + c].values; })}});
    first += report.over.size();
  }
  json["mean"] = by_condition([&](std::size_t c) -> const auto& { return report.over[c].mean; });
  json["standard_deviation"] = by_condition([&](std::size_t c) -> const auto& { return report.over[c].deviation; });
  json["baselines"] = Json::object();
  for (const auto& baseline : report.baselines) {
    Json test = Json::object();
    for (const auto& [condition, scores] : baseline.test) test[condition] = json_scores(scores);
    json["baselines"][baseline.name] = std::move(test);
  }
  for (const auto& best : report.attainable) {
    Json& entry = json["best_attainable"][best.condition];
    entry = {{"mae", best.mae}, {"share_of_the_way", best.share_of_the_way}};
    for (const auto& [name, share] : best.of_baselines) entry["of_baselines"][name] = share;
  }
  for (const auto& failure : report.model.failures)
    json["failed"].push_back({{"seed", failure.seed}, {"error", failure.what}});
  return json;
}

/// One block per condition; rows are predictors, columns the metrics that most papers report.
inline void print(const TrainReport& report, std::FILE* to = stdout) {
  using lacuna::train::Scores;
  const auto shown = lacuna::train::shown_metrics(report.classes, report.signs);
  std::size_t width = 22;
  for (const auto& condition : report.conditions) width = std::max(width, condition.size());
  const auto row = [&](const std::string& name, const Scores& values) {
    std::fprintf(to, "  %-*s", int(width) - 2, name.c_str());
    for (const char* column : shown) {
      const double value = lacuna::train::score_of(values, column);
      std::isnan(value) ? std::fprintf(to, "  %11s", "-") : std::fprintf(to, "  %11.4f", value);
    }
    std::fputc('\n', to);
  };
  for (std::size_t c = 0; c < report.over.size(); ++c) {
    const std::string& condition = report.conditions[c];
    std::fprintf(to, "%s%-*s", c ? "\n" : "", int(width), condition.c_str());
    for (const char* column : shown) std::fprintf(to, "  %11s", column);
    std::fputc('\n', to);
    for (const auto& baseline : report.baselines)
      for (const auto& [name, values] : baseline.test)
        if (name == condition) row(baseline.name, values);
    row(report.model.name, report.over[c].mean);
    if (const std::size_t seeds = report.model.runs.size(); seeds > 1)
      row(lacuna::detail::cat("  deviation, ", seeds, " seeds"), report.over[c].deviation);
    for (const auto& best : report.attainable) {
      if (best.condition != condition) continue;
      std::fprintf(to, "  %-*s  %11.4f  of the way from the best constant: %s %.1f %%", int(width) - 2,
                   "best attainable", best.mae, report.model.name.c_str(), 100 * best.share_of_the_way);
      for (const auto& [name, share] : best.of_baselines) std::fprintf(to, ", %s %.1f %%", name.c_str(), 100 * share);
      std::fputc('\n', to);
    }
  }
}

}  // namespace program
