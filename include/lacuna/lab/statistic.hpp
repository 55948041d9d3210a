/// The metrics of train/ as statistics of resampled test samples.
///
/// metric_statistic gives the number of train::scores where every count is 1, up to rounding; a mean over samples is
/// resampled without looking at predictions again. Throws OptionError for a metric that these labels do not have.
#pragma once

#include <memory>

#include "lacuna/lab/bootstrap.hpp"
#include "lacuna/train/targets.hpp"

namespace lacuna::lab {

inline std::vector<std::string> metric_names(index_t classes) {
  std::vector<std::string> names;
  if (classes > 0)
    for (const auto& metric : train::classification_metric_list) names.emplace_back(metric.name);
  else
    for (const auto& metric : train::regression_metric_list) names.emplace_back(metric.name);
  return names;
}

/// Its place in the list of its kind. Throws OptionError where there is no such metric of these labels.
inline std::size_t check_metric(const std::string& name, index_t classes) {
  std::string known;
  const auto names = metric_names(classes);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return i;
    known += (i ? ", " : "") + names[i];
  }
  throw OptionError("there is no metric '" + name + "' of " + (classes > 0 ? "class ids" : "real labels") +
                    "; there are " + known);
}

/// Mean over several predictions of the same samples (seeds): the metric as a function of how often a sample occurs.
inline Statistic metric_statistic(const std::string& name, const train::Targets& targets,
                                  const std::vector<std::span<const double>>& predictions) {
  const std::size_t place = check_metric(name, targets.classes);
  const auto* real = targets.classes == 0 ? &train::regression_metric_list[place] : nullptr;
  const std::size_t samples = targets.values.size();
  const bool mean = real != nullptr ? real->mean : train::classification_metric_list[place].mean;
  if (mean) {
    struct Shares {
      std::vector<double> value, weight;
    };
    auto shares =
        std::make_shared<Shares>(Shares{std::vector<double>(samples, 0.0), std::vector<double>(samples, 1.0)});
    for (const auto& some : predictions)
      for (std::size_t n = 0; n < samples; ++n) {
        const double one = real != nullptr ? real->of(std::span(&targets.values[n], 1), some.subspan(n, 1))
                                           : double(some[n] == targets.values[n]);
        if (std::isnan(one))
          shares->weight[n] = 0;
        else
          shares->value[n] += one / double(predictions.size());
      }
    return [shares](std::span<const double> counts) {
      double sum = 0, weight = 0;
      for (std::size_t n = 0; n < counts.size(); ++n) {
        sum += counts[n] * shares->value[n];
        weight += counts[n] * shares->weight[n];
      }
      return weight > 0 ? sum / weight : std::numeric_limits<double>::quiet_NaN();
    };
  }
  if (real != nullptr) {
    std::vector<std::vector<double>> all;
    for (const auto& some : predictions) all.emplace_back(some.begin(), some.end());
    return [labels = targets.values, all, real](std::span<const double> counts) {
      double sum = 0;
      std::vector<double> y, p;
      for (const auto& some : all) {
        y.clear(), p.clear();
        for (std::size_t n = 0; n < counts.size(); ++n)
          for (double left = counts[n]; left > 0; --left) y.push_back(labels[n]), p.push_back(some[n]);
        sum += real->of(y, p);
      }
      return sum / double(all.size());
    };
  }
  const std::vector<index_t> labels = detail::class_ids(targets.values, targets.classes, "label");
  std::vector<std::vector<index_t>> all;
  for (const auto& some : predictions) {
    all.push_back(detail::class_ids(some, targets.classes, "prediction"));
    for (std::size_t n = 0; n < samples; ++n) all.back()[n] += labels[n] * targets.classes;  // cell of the confusion
  }
  return [all, classes = targets.classes,
          of = train::classification_metric_list[place].of](std::span<const double> counts) {
    double sum = 0;
    train::Confusion confusion{classes, std::vector<index_t>(std::size_t(classes * classes))};
    for (const auto& cells : all) {
      std::fill(confusion.counts.begin(), confusion.counts.end(), 0);
      for (std::size_t n = 0; n < counts.size(); ++n) confusion.counts[std::size_t(cells[n])] += index_t(counts[n]);
      sum += of(confusion);
    }
    return sum / double(all.size());
  };
}

}  // namespace lacuna::lab
