/// Scores of real predictions. Every function takes the labels first, the predictions second: spans of doubles, equally
/// long. With label y, prediction p and means over all samples:
///     mae = mean |y - p|     mse = mean (y - p)^2     rmse = sqrt(mse)
///     pearson = cov(y, p) / (sd(y) sd(p))             NaN when one side is constant
///     ccc = 2 cov(y, p) / (var(y) + var(p) + (mean y - mean p)^2)      population moments; NaN when both are one
///                                                     constant    (concordance, Lin 1989)
/// Sentiment, as in MMSA and LNLN:
///     acc2_has0, f1_has0    classes y >= 0 against p >= 0, all samples
///     acc2_non0, f1_non0    samples with y != 0, classes y > 0 against p > 0; NaN when there are none
///     acc3, acc5, acc7      both clipped to +-1, +-2, +-3 and rounded, half to even, as NumPy does; share of equal ones
///     sims_acc2, _acc3, _acc5, sims_f1
///                           as in CH-SIMS: both clipped to +-1, bins closed on the right with edges {0}, {-.1, .1},
///                           {-.7, -.1, .1, .7}, so that 0 counts as negative; sims_f1 on two bins
/// Every f1 here is the mean of the F1 of both classes weighted by their number of labels (scikit-learn's `weighted`).
///
/// Units: mae and rmse those of the label; shares lie in 0..1. Samples without a label have no place here: leave them
/// out. Throws ShapeError when the spans differ in length or are empty, Error when a number is not finite.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"

namespace lacuna {
namespace detail {

inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

inline void check_finite(const char* metric, const char* argument, std::span<const double> numbers) {
  for (std::size_t i = 0; i < numbers.size(); ++i)
    if (!std::isfinite(numbers[i]))
      throw Error(cat(metric, ": ", argument, " ", i, " of ", numbers.size(), " is ", numbers[i],
                      ", expected a finite number"));
}

inline void check_scores(const char* metric, std::span<const double> label, std::span<const double> prediction) {
  if (label.size() != prediction.size())
    throw ShapeError(cat(metric, ": ", label.size(), " labels, ", prediction.size(), " predictions"));
  if (label.empty()) throw ShapeError(cat(metric, ": no samples"));
  check_finite(metric, "label", label);
  check_finite(metric, "prediction", prediction);
}

/// Mean of f(label, prediction).
template <class F>
double mean_over(std::span<const double> label, std::span<const double> prediction, F&& f) {
  double sum = 0;
  for (std::size_t i = 0; i < label.size(); ++i) sum += f(label[i], prediction[i]);
  return sum / double(label.size());
}

struct Moments {
  double label_mean, prediction_mean, label_variance, prediction_variance, covariance;
};

/// Population moments in two passes. The variance of a constant is exactly 0, whatever rounding does to its mean.
inline Moments moments(std::span<const double> label, std::span<const double> prediction) {
  const auto mean = [](std::span<const double> numbers) {
    const auto [low, high] = std::minmax_element(numbers.begin(), numbers.end());
    if (*low == *high) return *low;
    double sum = 0;
    for (const double number : numbers) sum += number;
    return sum / double(numbers.size());
  };
  const double y = mean(label), p = mean(prediction);
  return {y, p, mean_over(label, label, [y](double a, double) { return (a - y) * (a - y); }),
          mean_over(prediction, prediction, [p](double a, double) { return (a - p) * (a - p); }),
          mean_over(label, prediction, [y, p](double a, double b) { return (a - y) * (b - p); })};
}

/// Counts of a problem with two classes.
struct TwoClasses {
  std::int64_t true_positive = 0, false_positive = 0, false_negative = 0, true_negative = 0;

  void count(bool label, bool prediction) {
    ++(label ? (prediction ? true_positive : false_negative) : (prediction ? false_positive : true_negative));
  }
  std::int64_t total() const { return true_positive + false_positive + false_negative + true_negative; }
  double accuracy() const { return total() ? double(true_positive + true_negative) / double(total()) : not_a_number; }
  /// F1 of both classes weighted by their number of labels.
  double f1_weighted() const {
    if (total() == 0) return not_a_number;
    const auto f1 = [this](std::int64_t right) {
      const std::int64_t all = 2 * right + false_positive + false_negative;
      return all ? 2 * double(right) / double(all) : 0;
    };
    return (f1(true_positive) * double(true_positive + false_negative) +
            f1(true_negative) * double(true_negative + false_positive)) /
           double(total());
  }
};

inline TwoClasses has0(std::span<const double> label, std::span<const double> prediction) {
  TwoClasses counts;
  for (std::size_t i = 0; i < label.size(); ++i) counts.count(label[i] >= 0, prediction[i] >= 0);
  return counts;
}
inline TwoClasses non0(std::span<const double> label, std::span<const double> prediction) {
  TwoClasses counts;
  for (std::size_t i = 0; i < label.size(); ++i)
    if (label[i] != 0) counts.count(label[i] > 0, prediction[i] > 0);
  return counts;
}
inline TwoClasses sims2(std::span<const double> label, std::span<const double> prediction) {
  TwoClasses counts;
  for (std::size_t i = 0; i < label.size(); ++i) counts.count(label[i] > 0, prediction[i] > 0);
  return counts;
}

/// Whole number nearest to x, ties to the even one; whatever the rounding mode of the processor.
inline double round_half_to_even(double x) {
  const double below = std::floor(x), rest = x - below;
  if (rest != 0.5) return rest < 0.5 ? below : below + 1;
  return std::fmod(below, 2) == 0 ? below : below + 1;
}

inline double rounded_accuracy(std::span<const double> label, std::span<const double> prediction, double limit) {
  const auto level = [limit](double x) { return round_half_to_even(std::clamp(x, -limit, limit)); };
  return mean_over(label, prediction, [&](double y, double p) { return double(level(y) == level(p)); });
}

inline double binned_accuracy(std::span<const double> label, std::span<const double> prediction,
                              std::span<const double> edges) {
  const auto bin = [edges](double x) {
    return std::count_if(edges.begin(), edges.end(), [x](double edge) { return x > edge; });
  };
  return mean_over(label, prediction, [&](double y, double p) { return double(bin(y) == bin(p)); });
}

inline constexpr double sims3_edges[] = {-0.1, 0.1};
inline constexpr double sims5_edges[] = {-0.7, -0.1, 0.1, 0.7};

}  // namespace detail

namespace train {

inline double mae(std::span<const double> label, std::span<const double> prediction) {
  detail::check_scores("mae", label, prediction);
  return detail::mean_over(label, prediction, [](double y, double p) { return std::abs(y - p); });
}
inline double mse(std::span<const double> label, std::span<const double> prediction) {
  detail::check_scores("mse", label, prediction);
  return detail::mean_over(label, prediction, [](double y, double p) { return (y - p) * (y - p); });
}
inline double rmse(std::span<const double> label, std::span<const double> prediction) {
  return std::sqrt(mse(label, prediction));
}
inline double pearson(std::span<const double> label, std::span<const double> prediction) {
  detail::check_scores("pearson", label, prediction);
  const detail::Moments m = detail::moments(label, prediction);
  const double scale = std::sqrt(m.label_variance) * std::sqrt(m.prediction_variance);
  return scale == 0 ? detail::not_a_number : std::clamp(m.covariance / scale, -1.0, 1.0);
}
inline double ccc(std::span<const double> label, std::span<const double> prediction) {
  detail::check_scores("ccc", label, prediction);
  const detail::Moments m = detail::moments(label, prediction);
  const double offset = m.label_mean - m.prediction_mean;
  const double scale = m.label_variance + m.prediction_variance + offset * offset;
  return scale == 0 ? detail::not_a_number : 2 * m.covariance / scale;
}
inline double acc2_has0(std::span<const double> label, std::span<const double> prediction) {
  detail::check_scores("acc2_has0", label, prediction);
  return detail::has0(label, prediction).accuracy();
}
inline double f1_has0(std::span<const double> label, std::span<const double> prediction) {
  detail::check_scores("f1_has0", label, prediction);
  return detail::has0(label, prediction).f1_weighted();
}
inline double acc2_non0(std::span<const double> label, std::span<const double> prediction) {
  detail::check_scores("acc2_non0", label, prediction);
  return detail::non0(label, prediction).accuracy();
}
inline double f1_non0(std::span<const double> label, std::span<const double> prediction) {
  detail::check_scores("f1_non0", label, prediction);
  return detail::non0(label, prediction).f1_weighted();
}
inline double acc3(std::span<const double> label, std::span<const double> prediction) {
  detail::check_scores("acc3", label, prediction);
  return detail::rounded_accuracy(label, prediction, 1);
}
inline double acc5(std::span<const double> label, std::span<const double> prediction) {
  detail::check_scores("acc5", label, prediction);
  return detail::rounded_accuracy(label, prediction, 2);
}
inline double acc7(std::span<const double> label, std::span<const double> prediction) {
  detail::check_scores("acc7", label, prediction);
  return detail::rounded_accuracy(label, prediction, 3);
}
inline double sims_acc2(std::span<const double> label, std::span<const double> prediction) {
  detail::check_scores("sims_acc2", label, prediction);
  return detail::sims2(label, prediction).accuracy();
}
inline double sims_acc3(std::span<const double> label, std::span<const double> prediction) {
  detail::check_scores("sims_acc3", label, prediction);
  return detail::binned_accuracy(label, prediction, detail::sims3_edges);
}
inline double sims_acc5(std::span<const double> label, std::span<const double> prediction) {
  detail::check_scores("sims_acc5", label, prediction);
  return detail::binned_accuracy(label, prediction, detail::sims5_edges);
}
inline double sims_f1(std::span<const double> label, std::span<const double> prediction) {
  detail::check_scores("sims_f1", label, prediction);
  return detail::sims2(label, prediction).f1_weighted();
}

/// Values by name, in an order.
using Scores = std::vector<std::pair<std::string, double>>;
/// The value of that name; NaN where there is none.
inline double score_of(const Scores& scores, const std::string& name) {
  for (const auto& [key, value] : scores)
    if (key == name) return value;
  return detail::not_a_number;
}

struct RegressionMetric {
  const char* name;
  double (*of)(std::span<const double> label, std::span<const double> prediction);
  bool mean;  ///< of a number per sample, over the samples where it is defined
};
/// Every score of this header, in the order of all tables.
inline constexpr RegressionMetric regression_metric_list[] = {
    {"mae", mae, true},
    {"mse", mse, true},
    {"rmse", rmse, false},
    {"pearson", pearson, false},
    {"ccc", ccc, false},
    {"acc2_has0", acc2_has0, true},
    {"f1_has0", f1_has0, false},
    {"acc2_non0", acc2_non0, true},
    {"f1_non0", f1_non0, false},
    {"acc3", acc3, true},
    {"acc5", acc5, true},
    {"acc7", acc7, true},
    {"sims_acc2", sims_acc2, true},
    {"sims_acc3", sims_acc3, true},
    {"sims_acc5", sims_acc5, true},
    {"sims_f1", sims_f1, false},
};
inline Scores regression_metrics(std::span<const double> label, std::span<const double> prediction) {
  Scores all;
  for (const RegressionMetric& metric : regression_metric_list)
    all.emplace_back(metric.name, metric.of(label, prediction));
  return all;
}

}  // namespace train
}  // namespace lacuna
