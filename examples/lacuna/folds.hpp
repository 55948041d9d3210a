// experiment --folds K: the same comparison on K folds of training and validation, and which model it speaks for.
#pragma once

#include <cmath>

#include "data.hpp"
#include "lacuna/data/cross_validation.hpp"
#include "lacuna/train/csv.hpp"
#include "terminal.hpp"

namespace program {

/// Fold k as the data of a run of its own. The test split of the data is in none of them.
inline Data fold_of(const Data& whole, index_t k, index_t count) {
  Data data = whole;
  data.set = std::make_shared<lacuna::data::Dataset>(lacuna::data::fold(*whole.set, k, {.count = count}));
  data.known.reset();  // of the test split
  data.crc = fingerprint(*data.set);
  return data;
}

/// One number of a model on one fold: the mean over all conditions of all protocols, which selection of epochs takes too.
inline double over_conditions(const lab::Results& results, const std::string& model, const std::string& metric) {
  double sum = 0, count = 0;
  for (const lab::Summary& one : results.summaries)
    if (one.model == model && !one.average) sum += lab::score_of(one.mean, metric), ++count;
  return sum / count;
}

struct FoldTable {
  std::vector<lab::Results> folds;

  const std::string& metric() const { return folds.at(0).metrics.at(0); }
  /// One row per model, fold and average or condition; the last ones of a fold are means over all conditions.
  std::string csv() const {
    std::string text = "model,fold,protocol,condition,average,metric,mean\n";
    const auto row = [&](const std::string& model, std::size_t fold, const std::string& protocol,
                         const std::string& name, bool average, const std::string& metric, double mean) {
      using lacuna::train::csv_field;
      text += csv_field(model) + ',' + std::to_string(fold + 1) + ',' + csv_field(protocol) + ',' + csv_field(name) +
              ',' + (average ? "1" : "0") + ',' + metric + ',' + lacuna::train::csv_number(mean) + '\n';
    };
    for (std::size_t k = 0; k < folds.size(); ++k)
      for (const std::string& metric : folds[k].metrics) {
        for (const lab::Summary& one : folds[k].summaries)
          row(one.model, k, one.protocol, one.name, one.average, metric, lab::score_of(one.mean, metric));
        for (const lab::ModelInfo& model : folds[k].models)
          row(model.name, k, "all", "all conditions", true, metric, over_conditions(folds[k], model.name, metric));
      }
    return text;
  }
  /// Mean ± deviation over folds of every average, and of all conditions; the best of the last column is what they speak for.
  std::string text() const {
    const lab::Results& first = folds.at(0);
    const bool lower = lacuna::train::is_error(metric());
    std::vector<std::pair<std::string, std::string>> columns;  // protocol and average
    for (const lab::ProtocolInfo& protocol : first.protocols)
      for (const std::string& name : lab::average_names(first, protocol)) columns.emplace_back(protocol.name, name);
    std::vector<std::vector<std::string>> rows{{metric_title(metric())}};
    for (const auto& [protocol, name] : columns) rows[0].push_back(protocol + " " + name);
    rows[0].push_back("all conditions");
    const auto cell = [&](const std::vector<double>& values) {
      const double mean = mean_of(values);
      double squares = 0;
      for (const double one : values) squares += (one - mean) * (one - mean);
      return shown_number(mean, metric()) + " ± " +
             shown_number(std::sqrt(squares / double(values.size() - 1)), metric());
    };
    std::string chosen;
    double best = std::numeric_limits<double>::quiet_NaN();
    for (const lab::ModelInfo& model : first.models) {
      rows.push_back({model.title()});
      for (const auto& [protocol, name] : columns) {
        std::vector<double> values;
        for (const lab::Results& fold : folds) {
          const lab::Summary* one = lab::find_summary(fold, model.name, protocol, name, true);
          values.push_back(one != nullptr ? lab::score_of(one->mean, metric()) : std::nan(""));
        }
        rows.back().push_back(cell(values));
      }
      std::vector<double> values;
      for (const lab::Results& fold : folds) values.push_back(over_conditions(fold, model.name, metric()));
      rows.back().push_back(cell(values));
      const double mean = mean_of(values);
      if (std::isnan(best) || (lower ? mean < best : mean > best)) best = mean, chosen = model.name;
    }
    return text_table(rows) + "\nby " + metric() + " over all conditions, mean of " + std::to_string(folds.size()) +
           " folds of training and validation: " + chosen + " (" + shown_number(best, metric()) +
           "); the test split took no part\n";
  }

 private:
  static double mean_of(const std::vector<double>& values) {
    double sum = 0;
    for (const double one : values) sum += one;
    return sum / double(values.size());
  }
};

}  // namespace program
