/// Differences between models with bootstrap intervals: every model less a reference, under every average and
/// condition.
///
/// A replicate resamples the test samples, the same ones for all models, seeds and conditions; the seeds of a model are
/// averaged within it. So an interval tells what another test split would have done, not what other seeds would.
#pragma once

#include "lacuna/lab/curves.hpp"

namespace lacuna::lab {

/// Throws OptionError when there is no model of the name `reference`, or no such metric.
inline std::vector<Difference> compare(const std::vector<ModelRuns>& models, const std::vector<ProtocolInfo>& protocols,
                                       const train::Targets& targets, const std::vector<std::string>& metrics,
                                       const std::string& reference, const BootstrapOptions& options = {}) {
  std::size_t base = 0;
  while (base < models.size() && models[base].name != reference) ++base;
  if (base == models.size()) throw OptionError("differences: there is no model '" + reference + "' to compare with");
  std::vector<const ConditionInfo*> conditions;
  for (const auto& protocol : protocols)
    for (const auto& condition : protocol.conditions) conditions.push_back(&condition);
  // Conditions of equal masks have equal predictions: one statistic for them.
  std::vector<std::size_t> number(conditions.size()), distinct;
  for (std::size_t c = 0; c < conditions.size(); ++c) {
    std::size_t i = 0;
    while (i < distinct.size() && conditions[distinct[i]]->masks != conditions[c]->masks) ++i;
    if (i == distinct.size()) distinct.push_back(c);
    number[c] = i;
  }
  const index_t samples = index_t(targets.values.size());
  const auto draws = std::size_t(options.draws);
  std::vector<Difference> all;
  for (const std::string& metric : metrics) {
    // [model][distinct condition] → statistic, its value on the samples as they are, and its replicates
    const std::vector<double> once(std::size_t(samples), 1.0);
    const auto work = [&](const ModelRuns& model) {
      std::vector<Statistic> statistics;
      for (const std::size_t c : distinct) {
        std::vector<std::span<const double>> seeds;
        for (const Run& run : model.runs)
          seeds.emplace_back(run.predictions.data() + index_t(c) * samples, std::size_t(samples));
        statistics.push_back(metric_statistic(metric, targets, seeds));
      }
      auto result = replicates(samples, statistics, options);
      for (std::size_t i = 0; i < statistics.size(); ++i) result[i].push_back(statistics[i](once));
      return result;
    };
    const auto reference_draws = work(models[base]);
    for (std::size_t m = 0; m < models.size(); ++m) {
      if (m == base) continue;
      auto difference = work(models[m]);  // [condition][draw]; the last one is that of the true samples
      for (std::size_t i = 0; i < difference.size(); ++i)
        for (std::size_t d = 0; d <= draws; ++d) difference[i][d] -= reference_draws[i][d];
      std::size_t begin = 0;
      for (const auto& protocol : protocols) {
        const auto add = [&](const std::string& name, bool average, std::vector<double> values) {
          const double value = values.back();
          values.pop_back();
          all.push_back({models[m].name, reference, protocol.name, name, average, metric, value,
                         percentile_interval(std::move(values), options.level)});
        };
        std::vector<double> at(protocol.conditions.size());
        std::vector<std::string> names;
        std::vector<std::vector<double>> averages;
        for (std::size_t d = 0; d <= draws; ++d) {
          for (std::size_t c = 0; c < at.size(); ++c) at[c] = difference[number[begin + c]][d];
          // all averages are linear, so that of the difference is the difference of those
          const auto means = averages_of(protocol, at);
          if (averages.empty()) {
            averages.resize(means.size());
            for (const auto& [name, value] : means) names.push_back(name);
          }
          for (std::size_t a = 0; a < means.size(); ++a) averages[a].push_back(means[a].second);
        }
        for (std::size_t a = 0; a < averages.size(); ++a) add(names[a], true, std::move(averages[a]));
        for (std::size_t c = 0; c < at.size(); ++c)
          add(protocol.conditions[c].name, false, difference[number[begin + c]]);
        begin += at.size();
      }
    }
  }
  return all;
}

/// Everything from the runs. The first metric is the headline.
inline Results make_results(const std::vector<ModelRuns>& models, const std::vector<ProtocolInfo>& protocols,
                            const train::Targets& targets, std::vector<std::string> metrics,
                            const std::string& reference, const BootstrapOptions& options = {}) {
  Results results;
  results.classes = targets.classes;
  results.samples = index_t(targets.values.size());
  results.metrics = std::move(metrics);
  results.reference = reference;
  results.protocols = protocols;
  std::vector<ModelRuns> finished;  // of the others there is nothing to compute
  for (const ModelRuns& model : models) {
    if (!model.runs.empty()) finished.push_back(model);
    ModelInfo info{model.name, model.recipe, model.runs.empty() ? 0 : model.runs[0].parameters, {}, model.failures};
    for (const Run& run : model.runs) info.runs.push_back({run.seed, run.epochs, run.best_epoch, run.validation_score});
    results.models.push_back(std::move(info));
    const std::vector<Row> rows = rows_of(model, protocols, targets);
    for (auto& summary : summaries_of(rows, protocols)) results.summaries.push_back(std::move(summary));
    results.rows.insert(results.rows.end(), rows.begin(), rows.end());
  }
  results.differences = compare(finished, protocols, targets, results.metrics, reference, options);
  for (const std::string& metric : results.metrics)
    for (Curve& curve : curves_of(finished, protocols, targets, metric, options))
      results.curves.push_back(std::move(curve));
  return results;
}

}  // namespace lacuna::lab
