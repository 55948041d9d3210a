/// Results as CSV tables.
///     rows:         model,seed,protocol,condition,present,rate,masks,<every metric>
///     averages:     model,protocol,condition,average,seeds,<metric>,<metric>_deviation,...     over the seeds
///     differences:  model,reference,protocol,condition,average,metric,difference,low,high
///     curves:       model,protocol,metric,from,to,gain,low,high,falls,end     the step that gains most
///     (lab/curves.hpp)
/// `present` is empty where the number of modalities differs between samples; `average` is 1 for an average of the
/// protocol, 0 for one of its conditions. Numbers read back exactly; nan where a metric is not defined.
#pragma once

#include "lacuna/lab/results.hpp"
#include "lacuna/train/csv.hpp"

namespace lacuna::lab {

inline std::string rows_csv(const Results& results) {
  using train::csv_field, train::csv_number;
  std::string text;
  for (const Row& row : results.rows) {
    if (text.empty()) {
      text = "model,seed,protocol,condition,present,rate,masks";
      for (const auto& [name, value] : row.values) text += ',' + csv_field(name);
      text += '\n';
    }
    text += csv_field(row.model) + ',' + std::to_string(row.seed) + ',' + csv_field(row.protocol) + ',' +
            csv_field(row.condition) + ',' + (row.present < 0 ? std::string() : std::to_string(row.present)) + ',' +
            csv_number(row.rate) + ',' + row.masks;
    for (const auto& [name, value] : row.values) text += ',' + csv_number(value);
    text += '\n';
  }
  return text;
}

inline std::string averages_csv(const Results& results) {
  using train::csv_field, train::csv_number;
  std::string text;
  for (const Summary& summary : results.summaries) {
    if (text.empty()) {
      text = "model,protocol,condition,average,seeds";
      for (const auto& [name, value] : summary.mean)
        text += ',' + csv_field(name) + ',' + csv_field(name + "_deviation");
      text += '\n';
    }
    text += csv_field(summary.model) + ',' + csv_field(summary.protocol) + ',' + csv_field(summary.name) + ',' +
            (summary.average ? "1" : "0") + ',' + std::to_string(summary.seeds);
    for (std::size_t m = 0; m < summary.mean.size(); ++m)
      text += ',' + csv_number(summary.mean[m].second) + ',' + csv_number(summary.deviation[m].second);
    text += '\n';
  }
  return text;
}

inline std::string differences_csv(const Results& results) {
  using train::csv_field, train::csv_number;
  std::string text = "model,reference,protocol,condition,average,metric,difference,low,high\n";
  for (const Difference& one : results.differences)
    text += csv_field(one.model) + ',' + csv_field(one.reference) + ',' + csv_field(one.protocol) + ',' +
            csv_field(one.name) + ',' + (one.average ? "1" : "0") + ',' + csv_field(one.metric) + ',' +
            csv_number(one.value) + ',' + csv_number(one.interval.low) + ',' + csv_number(one.interval.high) + '\n';
  return text;
}

/// By CurveEnd.
inline constexpr const char* curve_ends[] = {"open", "constant", "other"};

inline std::string curves_csv(const Results& results) {
  using train::csv_field, train::csv_number;
  std::string text = "model,protocol,metric,from,to,gain,low,high,falls,end\n";
  for (const Curve& one : results.curves)
    text += csv_field(one.model) + ',' + csv_field(one.protocol) + ',' + csv_field(one.metric) + ',' +
            csv_field(one.from) + ',' + csv_field(one.to) + ',' + csv_number(one.gain) + ',' +
            csv_number(one.interval.low) + ',' + csv_number(one.interval.high) + ',' + (one.falls ? "1" : "0") + ',' +
            curve_ends[int(one.end)] + '\n';
  return text;
}

}  // namespace lacuna::lab
