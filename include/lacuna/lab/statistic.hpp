/// The metrics of train/ one at a time, and as statistics of resampled test samples.
///
/// metric_value("mae", targets, predictions) is what train::scores says under that name. metric_statistic gives the same
/// number where every count is 1, up to rounding; a mean over samples is resampled without looking at predictions
/// again. Throws OptionError for a metric that these labels do not have.
#pragma once

#include <memory>

#include "lacuna/lab/bootstrap.hpp"
#include "lacuna/train/targets.hpp"

namespace lacuna::detail {

struct RealMetric {
  const char* name;
  double (*of)(std::span<const double>, std::span<const double>);
  bool mean;  ///< of a number per sample, over the samples where it is defined
};
inline constexpr RealMetric real_metrics[] = {
    {"mae", train::mae, true},
    {"mse", train::mse, true},
    {"rmse", train::rmse, false},
    {"pearson", train::pearson, false},
    {"ccc", train::ccc, false},
    {"acc2_has0", train::acc2_has0, true},
    {"f1_has0", train::f1_has0, false},
    {"acc2_non0", train::acc2_non0, true},
    {"f1_non0", train::f1_non0, false},
    {"acc3", train::acc3, true},
    {"acc5", train::acc5, true},
    {"acc7", train::acc7, true},
    {"sims_acc2", train::sims_acc2, true},
    {"sims_acc3", train::sims_acc3, true},
    {"sims_acc5", train::sims_acc5, true},
    {"sims_f1", train::sims_f1, false},
};

struct ClassMetric {
  const char* name;
  double (*of)(const train::Confusion&);
};
inline constexpr ClassMetric class_metrics[] = {
    {"accuracy", train::accuracy},
    {"uar", train::uar},
    {"f1_weighted", train::f1_weighted},
    {"f1_macro", train::f1_macro},
    {"f1_macro_all", train::f1_macro_all},
    {"f1_micro", train::f1_micro},
    {"precision_weighted", train::precision_weighted},
};

inline std::vector<index_t> class_ids(std::span<const double> numbers, index_t classes, const char* what) {
  std::vector<index_t> ids;
  for (const double number : numbers) {
    if (!(number >= 0 && number < double(classes)) || number != std::floor(number))
      throw Error(cat("metric: a ", what, " is ", number, ", expected a class 0..", classes - 1));
    ids.push_back(index_t(number));
  }
  return ids;
}

inline const RealMetric* find_real_metric(const std::string& name) {
  for (const RealMetric& metric : real_metrics)
    if (name == metric.name) return &metric;
  return nullptr;
}
inline const ClassMetric* find_class_metric(const std::string& name) {
  for (const ClassMetric& metric : class_metrics)
    if (name == metric.name) return &metric;
  return nullptr;
}

}  // namespace lacuna::detail

namespace lacuna::lab {

inline std::vector<std::string> metric_names(index_t classes) {
  std::vector<std::string> names;
  if (classes > 0)
    for (const auto& metric : detail::class_metrics) names.emplace_back(metric.name);
  else
    for (const auto& metric : detail::real_metrics) names.emplace_back(metric.name);
  return names;
}

inline void check_metric(const std::string& name, index_t classes) {
  std::string known;
  for (const std::string& one : metric_names(classes)) {
    if (one == name) return;
    known += (known.empty() ? "" : ", ") + one;
  }
  throw OptionError("there is no metric '" + name + "' of " + (classes > 0 ? "class ids" : "real labels") +
                    "; there are " + known);
}

inline double metric_value(const std::string& name, const train::Targets& targets,
                           std::span<const double> predictions) {
  check_metric(name, targets.classes);
  if (targets.classes == 0) return detail::find_real_metric(name)->of(targets.values, predictions);
  return detail::find_class_metric(name)->of(
      train::confusion(detail::class_ids(targets.values, targets.classes, "label"),
                       detail::class_ids(predictions, targets.classes, "prediction"), targets.classes));
}

/// Mean over several predictions of the same samples (seeds): the metric as a function of how often a sample occurs.
inline Statistic metric_statistic(const std::string& name, const train::Targets& targets,
                                  const std::vector<std::span<const double>>& predictions) {
  check_metric(name, targets.classes);
  const auto* real = targets.classes == 0 ? detail::find_real_metric(name) : nullptr;
  const std::size_t samples = targets.values.size();
  const bool mean = real != nullptr ? real->mean : name == "accuracy" || name == "f1_micro";
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
  return [all, classes = targets.classes, of = detail::find_class_metric(name)->of](std::span<const double> counts) {
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
