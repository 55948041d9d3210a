/// Metrics as curves over the missing rate: does less data never help?
///
/// Of every model and every protocol of rates, the step between neighbouring rates at which the metric gains most, for
/// an error falls most: the one whose interval reaches furthest above 0. A gain has the bootstrap interval of
/// lab/compare.hpp, over test samples, seeds averaged. A curve falls when no step gains beyond its interval: when 0, or
/// a loss, lies in the interval of every step. Every step is judged on its own: at a level of 95 %, one in forty of
/// steps without any difference is called a gain. Samples of one frame make p1-intra a step: nothing changes until the
/// rate that erases the frame.
///
/// At rate 1 nothing is left, and predictions must be those of the constant predictor, exactly.
#pragma once

#include "lacuna/lab/results.hpp"

namespace lacuna::lab {

/// Throws OptionError for a metric that these labels do not have.
inline std::vector<Curve> curves_of(const std::vector<ModelRuns>& models, const std::vector<ProtocolInfo>& protocols,
                                    const train::Targets& targets, const std::string& metric,
                                    const BootstrapOptions& options = {}) {
  const index_t samples = index_t(targets.values.size());
  const double sign = train::is_error(metric) ? -1 : 1;
  const ModelRuns* constant = nullptr;
  for (const ModelRuns& model : models)
    if (model.name == "constant" && !model.runs.empty()) constant = &model;
  const auto part = [&](const Run& run, std::size_t condition) {
    return std::span<const double>(run.predictions.data() + index_t(condition) * samples, std::size_t(samples));
  };
  std::vector<Curve> curves;
  for (const ModelRuns& model : models) {
    std::size_t first = 0;
    for (const ProtocolInfo& protocol : protocols) {
      const std::size_t begin = std::exchange(first, first + protocol.conditions.size());
      if (!protocol.rates) continue;
      Curve curve{model.name, protocol.name, metric};
      const auto& conditions = protocol.conditions;
      std::vector<Statistic> statistics;
      for (std::size_t c = 0; c < conditions.size(); ++c) {
        std::vector<std::span<const double>> seeds;
        for (const Run& run : model.runs) seeds.push_back(part(run, begin + c));
        statistics.push_back(metric_statistic(metric, targets, seeds));
      }
      const auto drawn = replicates(samples, statistics, options);
      const std::vector<double> once(std::size_t(samples), 1.0);
      for (std::size_t i = 0; i + 1 < conditions.size(); ++i) {
        std::vector<double> gains = drawn[i + 1];
        for (std::size_t d = 0; d < gains.size(); ++d) gains[d] = sign * (gains[d] - drawn[i][d]);
        const Interval interval = percentile_interval(std::move(gains), options.level);
        if (i > 0 && !(interval.low > curve.interval.low)) continue;
        curve.from = conditions[i].name;
        curve.to = conditions[i + 1].name;
        curve.gain = sign * (statistics[i + 1](once) - statistics[i](once)) + 0.0;  // no gain is 0, not -0
        curve.interval = interval;
        curve.falls = interval.low <= 0;
      }
      if (conditions.back().rate == 1 && constant != nullptr) {
        curve.end = CurveEnd::constant;
        const std::size_t last = first - 1;
        const auto wanted = part(constant->runs[0], last);
        for (const Run& run : model.runs)
          if (!std::equal(wanted.begin(), wanted.end(), part(run, last).begin())) curve.end = CurveEnd::other;
      }
      curves.push_back(std::move(curve));
    }
  }
  return curves;
}

}  // namespace lacuna::lab
