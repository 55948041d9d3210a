/// The results of a whole run, as JSON and as a table: a model trained from several seeds, beside baselines and, where
/// it is known, the best attainable error.
///
/// JSON has no NaN: a metric that is not defined (the correlation of a constant, say) is null. `standard_deviation` is
/// that of the seeds (dividing by their number less one), null for a single seed. The file depends on nothing but the
/// numbers: no date, no duration, no machine.
#pragma once

#include <cstdio>
#include <nlohmann/json.hpp>

#include "lacuna/train/evaluate.hpp"

namespace lacuna::train {

struct SeedReport {
  std::uint64_t seed = 0;
  index_t epochs = 0, best_epoch = 0;
  double validation_score = 0;
  std::vector<ConditionScores> test;
};
struct BaselineReport {
  std::string name;
  std::vector<ConditionScores> test;
};
/// What no predictor can undercut on average, and the share of the way there from the best constant.
struct AttainableReport {
  std::string condition;
  double mae = 0, share_of_the_way = 0;
  std::vector<std::pair<std::string, double>> of_baselines = {};  ///< their shares, by name
};

struct Report {
  std::string model;
  index_t classes = 0;  ///< K; 0: real labels
  bool signs = true;    ///< real labels are around zero (has_signs)
  nlohmann::ordered_json config, data;
  std::vector<SeedReport> seeds;
  std::vector<BaselineReport> baselines;
  std::vector<AttainableReport> attainable;
};

inline std::vector<ConditionScores> condition_scores(const Evaluation& evaluation) {
  std::vector<ConditionScores> all;
  for (const auto& result : evaluation.conditions) all.push_back({result.condition, result.metrics});
  return all;
}

/// Over the seeds, for every condition and metric. All seeds have the same ones.
inline std::vector<ConditionScores> mean_over_seeds(const std::vector<SeedReport>& seeds) {
  std::vector<ConditionScores> mean = seeds.at(0).test;
  for (std::size_t c = 0; c < mean.size(); ++c)
    for (std::size_t m = 0; m < mean[c].values.size(); ++m) {
      double sum = 0;
      for (const auto& seed : seeds) sum += seed.test[c].values[m].second;
      mean[c].values[m].second = sum / double(seeds.size());
    }
  return mean;
}
inline std::vector<ConditionScores> deviation_over_seeds(const std::vector<SeedReport>& seeds) {
  std::vector<ConditionScores> deviation = mean_over_seeds(seeds);
  for (std::size_t c = 0; c < deviation.size(); ++c)
    for (std::size_t m = 0; m < deviation[c].values.size(); ++m) {
      double& value = deviation[c].values[m].second;
      double squares = 0;
      for (const auto& seed : seeds) squares += std::pow(seed.test[c].values[m].second - value, 2);
      value = std::sqrt(squares / double(seeds.size() - 1));  // 0/0 = NaN for one seed
    }
  return deviation;
}

inline nlohmann::ordered_json to_json(const std::vector<ConditionScores>& conditions) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [condition, values] : conditions) {
    json[condition] = nlohmann::ordered_json::object();
    for (const auto& [name, value] : values)
      json[condition][name] = std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
  }
  return json;
}

inline nlohmann::ordered_json to_json(const Report& report) {
  using Json = nlohmann::ordered_json;
  Json json;
  json["lacuna"] = detail::cat(LACUNA_VERSION_MAJOR, ".", LACUNA_VERSION_MINOR, ".", LACUNA_VERSION_PATCH);
  json["model"] = report.model;
  json["config"] = report.config;
  json["data"] = report.data;
  json["seeds"] = Json::array();
  for (const auto& seed : report.seeds)
    json["seeds"].push_back({{"seed", seed.seed},
                             {"epochs", seed.epochs},
                             {"best_epoch", seed.best_epoch},
                             {"validation_score", seed.validation_score},
                             {"test", to_json(seed.test)}});
  json["mean"] = to_json(mean_over_seeds(report.seeds));
  json["standard_deviation"] = to_json(deviation_over_seeds(report.seeds));
  json["baselines"] = Json::object();
  for (const auto& baseline : report.baselines) json["baselines"][baseline.name] = to_json(baseline.test);
  if (!report.attainable.empty()) json["best_attainable"] = Json::object();
  for (const auto& best : report.attainable) {
    Json& entry = json["best_attainable"][best.condition];
    entry = {{"mae", best.mae}, {"share_of_the_way", best.share_of_the_way}};
    for (const auto& [name, share] : best.of_baselines) entry["of_baselines"][name] = share;
  }
  return json;
}

/// One block per condition; rows are predictors, columns the metrics that most papers report.
inline void print(const Report& report, std::FILE* to = stdout) {
  const auto shown = shown_metrics(report.classes, report.signs);
  std::size_t width = 22;
  for (const auto& scores : report.seeds.at(0).test) width = std::max(width, scores.condition.size());
  const auto row = [&](const std::string& name, const Scores& values) {
    std::fprintf(to, "  %-*s", int(width) - 2, name.c_str());
    for (const char* column : shown)
      for (const auto& [key, value] : values)
        if (key == column) std::isnan(value) ? std::fprintf(to, "  %11s", "-") : std::fprintf(to, "  %11.4f", value);
    std::fputc('\n', to);
  };
  const auto mean = mean_over_seeds(report.seeds), deviation = deviation_over_seeds(report.seeds);
  for (std::size_t c = 0; c < mean.size(); ++c) {
    std::fprintf(to, "%s%-*s", c ? "\n" : "", int(width), mean[c].condition.c_str());
    for (const char* column : shown) std::fprintf(to, "  %11s", column);
    std::fputc('\n', to);
    for (const auto& baseline : report.baselines)
      for (const auto& [condition, values] : baseline.test)
        if (condition == mean[c].condition) row(baseline.name, values);
    row(report.model, mean[c].values);
    if (report.seeds.size() > 1) row(detail::cat("  deviation, ", report.seeds.size(), " seeds"), deviation[c].values);
    for (const auto& best : report.attainable) {
      if (best.condition != mean[c].condition) continue;
      std::fprintf(to, "  %-*s  %11.4f  of the way from the best constant: %s %.1f %%", int(width) - 2,
                   "best attainable", best.mae, report.model.c_str(), 100 * best.share_of_the_way);
      for (const auto& [name, share] : best.of_baselines) std::fprintf(to, ", %s %.1f %%", name.c_str(), 100 * share);
      std::fputc('\n', to);
    }
  }
}

}  // namespace lacuna::train
