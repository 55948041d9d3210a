/// The results of an experiment as plain values: one row per (model, seed, protocol, condition), means and deviations
/// over seeds, averages of protocols, and differences between models with their intervals.
///
/// Nothing here depends on when or how fast things ran: the same experiment gives the same numbers, bit for bit.
/// Durations and training curves are kept apart (`Record`). Deviations divide by the number of seeds less one; NaN for
/// one seed.
#pragma once

#include "lacuna/lab/predictions.hpp"
#include "lacuna/lab/statistic.hpp"

namespace lacuna::lab {

using train::score_of, train::Scores;

/// One trained model and its predictions (C, N), conditions in the order of the plan.
struct Run {
  std::uint64_t seed = 0;
  index_t epochs = 0, best_epoch = 0;
  double validation_score = std::numeric_limits<double>::quiet_NaN();  ///< what selection minimised
  index_t parameters = 0;
  Tensor<double, 2> predictions;
};
/// A training that did not come to its end: it is in no mean.
struct Failure {
  std::uint64_t seed = 0;
  std::string what;  ///< in which phase, and why
};
struct ModelRuns {
  std::string name, recipe;
  std::vector<Run> runs;
  std::vector<Failure> failures = {};
};
/// Whether one of its trainings came to its end.
inline bool has_runs(const std::vector<ModelRuns>& models, const std::string& name) {
  for (const ModelRuns& model : models)
    if (model.name == name) return !model.runs.empty();
  return false;
}

struct Row {
  std::string model;
  std::uint64_t seed = 0;
  std::string protocol, condition;
  index_t present = -1;
  double rate = 0;
  std::string masks;
  Scores values;
};
/// Over the seeds of a model. `name` is a condition, or an average of the protocol.
struct Summary {
  std::string model, protocol, name;
  bool average = false;
  index_t seeds = 0;
  Scores mean, deviation;
};
/// model − reference, means over seeds; the interval is over test samples.
struct Difference {
  std::string model, reference, protocol, name;
  bool average = false;
  std::string metric;
  double value = 0;
  Interval interval;
};
/// What a curve over the missing rate ends in, where its last rate is 1: the constant predictor, or anything else.
enum class CurveEnd { open, constant, other };
/// Whether a metric only gets worse with the missing rate (lab/curves.hpp).
struct Curve {
  std::string model, protocol, metric;
  std::string from = {}, to = {};  ///< the conditions of the step that gains most
  double gain = 0;                 ///< of that step: positive is better
  Interval interval = {};
  bool falls = true;  ///< no step gains beyond its interval
  CurveEnd end = CurveEnd::open;
};
struct RunInfo {
  std::uint64_t seed = 0;
  index_t epochs = 0, best_epoch = 0;
  double validation_score = 0;
};
struct ModelInfo {
  std::string name, recipe;
  index_t parameters = 0;
  std::vector<RunInfo> runs;
  std::vector<Failure> failures = {};

  /// As tables show it: with how many of its trainings failed.
  std::string title() const {
    if (failures.empty()) return name;
    if (runs.empty()) return name + " (failed)";
    return detail::cat(name, " (", failures.size(), " of ", failures.size() + runs.size(), " seeds failed)");
  }
};

struct Results {
  std::vector<std::pair<std::string, std::string>> config, data;  ///< name and value, as they are shown
  index_t classes = 0, samples = 0;                               ///< K or 0 for real labels; of the test split
  std::vector<std::string> metrics;                               ///< those with intervals; the first is the headline
  std::string reference;
  std::vector<ModelInfo> models;
  std::vector<ProtocolInfo> protocols;
  std::vector<Row> rows;
  std::vector<Summary> summaries;
  std::vector<Difference> differences;
  std::vector<Curve> curves;
};

/// Rows of one model, seed after seed, in the order of the plan.
inline std::vector<Row> rows_of(const ModelRuns& model, const std::vector<ProtocolInfo>& protocols,
                                const train::Targets& targets) {
  std::vector<Row> rows;
  for (const Run& run : model.runs) {
    index_t c = 0;
    for (const auto& protocol : protocols)
      for (const auto& condition : protocol.conditions) {
        const double* from = run.predictions.data() + c++ * run.predictions.extent(1);
        rows.push_back({model.name, run.seed, protocol.name, condition.name, condition.present, condition.rate,
                        condition.masks, train::scores(targets, {from, std::size_t(run.predictions.extent(1))})});
      }
  }
  return rows;
}

/// Mean and standard deviation of equally named scores.
inline std::pair<Scores, Scores> mean_and_deviation(const std::vector<Scores>& seeds) {
  Scores mean = seeds.at(0), deviation = mean;
  for (std::size_t m = 0; m < mean.size(); ++m) {
    double sum = 0, squares = 0;
    for (const Scores& one : seeds) sum += one.at(m).second;
    mean[m].second = sum / double(seeds.size());
    for (const Scores& one : seeds) squares += std::pow(one[m].second - mean[m].second, 2);
    deviation[m].second = std::sqrt(squares / double(seeds.size() - 1));  // 0/0 = NaN for one seed
  }
  return {mean, deviation};
}

/// Averages of a protocol for one seed: the rows of its conditions, in order → scores by name of the average.
inline std::vector<std::pair<std::string, Scores>> average_scores(const ProtocolInfo& protocol,
                                                                  std::span<const Row> conditions) {
  std::vector<std::pair<std::string, Scores>> result;
  if (conditions.empty()) return result;
  for (std::size_t m = 0; m < conditions[0].values.size(); ++m) {
    std::vector<double> numbers;
    for (const Row& row : conditions) numbers.push_back(row.values[m].second);
    const auto means = averages_of(protocol, numbers);
    if (result.empty())
      for (const auto& [name, value] : means) result.emplace_back(name, Scores{});
    for (std::size_t a = 0; a < means.size(); ++a)
      result[a].second.emplace_back(conditions[0].values[m].first, means[a].second);
  }
  return result;
}

/// Summaries of one model from its rows: of every protocol the averages, then the conditions.
inline std::vector<Summary> summaries_of(const std::vector<Row>& rows, const std::vector<ProtocolInfo>& protocols) {
  std::vector<Summary> all;
  std::size_t conditions = 0, begin = 0;
  for (const auto& protocol : protocols) conditions += protocol.conditions.size();
  const std::size_t seeds = conditions == 0 ? 0 : rows.size() / conditions;
  for (const auto& protocol : protocols) {
    const std::size_t count = protocol.conditions.size();
    std::vector<std::vector<std::pair<std::string, Scores>>> averages, singles;
    for (std::size_t s = 0; s < seeds; ++s) {
      const std::span<const Row> part(rows.data() + s * conditions + begin, count);
      averages.push_back(average_scores(protocol, part));
      singles.emplace_back();
      for (const Row& row : part) singles.back().emplace_back(row.condition, row.values);
    }
    for (const auto* kind : {&averages, &singles})
      for (std::size_t i = 0; seeds > 0 && i < kind->at(0).size(); ++i) {
        std::vector<Scores> of_seeds;
        for (const auto& seed : *kind) of_seeds.push_back(seed[i].second);
        auto [mean, deviation] = mean_and_deviation(of_seeds);
        all.push_back({rows[0].model, protocol.name, kind->at(0)[i].first, kind == &averages, index_t(seeds),
                       std::move(mean), std::move(deviation)});
      }
    begin += count;
  }
  return all;
}

/// The largest mean of a column, or the smallest of an error; NaN without any.
inline double best_of(const Results& results, const std::string& protocol, const std::string& name,
                      const std::string& metric) {
  double best = std::numeric_limits<double>::quiet_NaN();
  for (const Summary& one : results.summaries) {
    if (one.protocol != protocol || one.name != name) continue;
    const double value = score_of(one.mean, metric);
    if (std::isnan(best) || (lacuna::train::is_error(metric) ? value < best : value > best)) best = value;
  }
  return best;
}

inline const Summary* find_summary(const Results& results, const std::string& model, const std::string& protocol,
                                   const std::string& name, bool average) {
  for (const Summary& one : results.summaries)
    if (one.model == model && one.protocol == protocol && one.name == name && one.average == average) return &one;
  return nullptr;
}

/// The averages of a protocol by name, AUILC included.
inline std::vector<std::string> average_names(const Results& results, const ProtocolInfo& protocol) {
  std::vector<std::string> names;
  if (results.summaries.empty()) return names;
  for (const Summary& one : results.summaries)
    if (one.average && one.protocol == protocol.name && one.model == results.summaries[0].model)
      names.push_back(one.name);
  return names;
}

}  // namespace lacuna::lab
