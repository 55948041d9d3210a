/// Scores of predicted classes, and the area under a score over rates of missing data.
///
/// `confusion` takes the labels first, the predictions second (class ids 0..K-1) and counts C[k][j]: label k, predicted
/// j. Everything else is a function of these counts. With C_kk right ones, row sums S_k (support) and column sums P_k:
///     precision_k = C_kk / P_k      recall_k = C_kk / S_k      f1_k = 2 C_kk / (S_k + P_k)      0 for 0/0
///     accuracy            sum C_kk / N, also called weighted accuracy (WA)
///     uar                 mean recall of the classes that occur among the labels (unweighted average recall, UA)
///     f1_weighted, precision_weighted    mean weighted by S_k
///     f1_macro            mean over the classes that occur among labels or predictions (scikit-learn)
///     f1_macro_all        mean over all K, where a class that never occurs counts 0
///     f1_micro            of all decisions together; equals accuracy where each sample has one class
///     one_vs_rest_f1      for each k the problem "is it k": F1 of both its classes weighted by their labels
///                         (IEMOCAP papers)
///     one_vs_rest_accuracy
///                         for each k the share of right decisions on "is it k"
/// auilc(rate, metric) = sum 1/2 (m_i + m_i+1)(r_i+1 - r_i), the area under indices line chart (Yuan et al., TFR-Net
/// 2021); auilc_normalized divides by the width of the range of rates, so that a constant score is its own area.
///
/// Units: all scores lie in 0..1. Samples without a label have no place here: leave them out.
/// Throws ShapeError when lengths differ, nothing is there, or a curve has one point; OptionError for less than one
/// class; Error for ids outside 0..K-1, for rates that do not increase, and for numbers that are not finite.
#pragma once

#include <cmath>
#include <span>
#include <vector>

#include "lacuna/core/shape.hpp"
#include "lacuna/train/metrics.hpp"

namespace lacuna::train {

/// Counts of K classes.
struct Confusion {
  index_t classes = 0;
  std::vector<index_t> counts;  ///< (K, K) row-major

  index_t at(index_t label, index_t prediction) const { return counts[std::size_t(label * classes + prediction)]; }
  index_t right(index_t k) const { return at(k, k); }
  /// Samples with this label.
  index_t support(index_t k) const {
    index_t sum = 0;
    for (index_t j = 0; j < classes; ++j) sum += at(k, j);
    return sum;
  }
  /// Samples predicted to be of this class.
  index_t predicted(index_t k) const {
    index_t sum = 0;
    for (index_t j = 0; j < classes; ++j) sum += at(j, k);
    return sum;
  }
  index_t total() const {
    index_t sum = 0;
    for (const index_t count : counts) sum += count;
    return sum;
  }
};

inline Confusion confusion(std::span<const index_t> label, std::span<const index_t> prediction, index_t classes) {
  if (classes < 1) throw OptionError(detail::cat("confusion: ", classes, " classes, expected at least 1"));
  if (label.size() != prediction.size())
    throw ShapeError(detail::cat("confusion: ", label.size(), " labels, ", prediction.size(), " predictions"));
  if (label.empty()) throw ShapeError("confusion: no samples");
  Confusion result{classes, std::vector<index_t>(std::size_t(Shape{classes, classes}.size()), 0)};
  for (std::size_t i = 0; i < label.size(); ++i) {
    if (label[i] < 0 || label[i] >= classes)
      throw Error(detail::cat("confusion: label ", i, " is class ", label[i], ", expected 0..", classes - 1));
    if (prediction[i] < 0 || prediction[i] >= classes)
      throw Error(detail::cat("confusion: prediction ", i, " is class ", prediction[i], ", expected 0..", classes - 1));
    ++result.counts[std::size_t(label[i] * classes + prediction[i])];
  }
  return result;
}

}  // namespace lacuna::train

namespace lacuna::detail {

inline double ratio_or_zero(index_t part, index_t whole) { return whole == 0 ? 0 : double(part) / double(whole); }

/// (f(0), ..., f(K-1))
template <class F>
std::vector<double> per_class(const train::Confusion& c, F&& f) {
  std::vector<double> scores;
  for (index_t k = 0; k < c.classes; ++k) scores.push_back(f(k));
  return scores;
}

/// Mean of the scores with these weights; 0 when all weights are.
template <class F>
double weighted_mean(const std::vector<double>& scores, F&& weight) {
  double sum = 0, weights = 0;
  for (std::size_t k = 0; k < scores.size(); ++k) {
    sum += scores[k] * double(weight(index_t(k)));
    weights += double(weight(index_t(k)));
  }
  return weights == 0 ? 0 : sum / weights;
}

}  // namespace lacuna::detail

namespace lacuna::train {

inline std::vector<double> precision(const Confusion& c) {
  return detail::per_class(c, [&](index_t k) { return detail::ratio_or_zero(c.right(k), c.predicted(k)); });
}
inline std::vector<double> recall(const Confusion& c) {
  return detail::per_class(c, [&](index_t k) { return detail::ratio_or_zero(c.right(k), c.support(k)); });
}
inline std::vector<double> f1(const Confusion& c) {
  return detail::per_class(
      c, [&](index_t k) { return detail::ratio_or_zero(2 * c.right(k), c.support(k) + c.predicted(k)); });
}
inline double accuracy(const Confusion& c) {
  index_t right = 0;
  for (index_t k = 0; k < c.classes; ++k) right += c.right(k);
  return detail::ratio_or_zero(right, c.total());
}
inline double uar(const Confusion& c) {
  return detail::weighted_mean(recall(c), [&](index_t k) { return c.support(k) > 0; });
}
inline double f1_weighted(const Confusion& c) {
  return detail::weighted_mean(f1(c), [&](index_t k) { return c.support(k); });
}
inline double precision_weighted(const Confusion& c) {
  return detail::weighted_mean(precision(c), [&](index_t k) { return c.support(k); });
}
inline double f1_macro(const Confusion& c) {
  return detail::weighted_mean(f1(c), [&](index_t k) { return c.support(k) + c.predicted(k) > 0; });
}
inline double f1_macro_all(const Confusion& c) {
  return detail::weighted_mean(f1(c), [](index_t) { return 1; });
}
inline double f1_micro(const Confusion& c) { return accuracy(c); }

inline std::vector<double> one_vs_rest_f1(const Confusion& c) {
  const index_t total = c.total();
  return detail::per_class(c, [&](index_t k) {
    const index_t right = c.right(k), wrong = c.support(k) + c.predicted(k) - 2 * right, rest = total - right - wrong;
    const std::vector<double> both = {detail::ratio_or_zero(2 * right, 2 * right + wrong),
                                      detail::ratio_or_zero(2 * rest, 2 * rest + wrong)};
    return detail::weighted_mean(both, [&](index_t i) { return i == 0 ? c.support(k) : total - c.support(k); });
  });
}
inline std::vector<double> one_vs_rest_accuracy(const Confusion& c) {
  const index_t total = c.total();
  return detail::per_class(c, [&](index_t k) {
    return detail::ratio_or_zero(total - (c.support(k) + c.predicted(k) - 2 * c.right(k)), total);
  });
}

struct ClassificationMetric {
  const char* name;
  double (*of)(const Confusion&);
  bool mean;  ///< of a number per sample
};
/// The scores that are one number, in the order of all tables.
inline constexpr ClassificationMetric classification_metric_list[] = {
    {"accuracy", accuracy, true},
    {"uar", uar, false},
    {"f1_weighted", f1_weighted, false},
    {"f1_macro", f1_macro, false},
    {"f1_macro_all", f1_macro_all, false},
    {"f1_micro", f1_micro, true},
    {"precision_weighted", precision_weighted, false},
};
inline Scores classification_metrics(const Confusion& c) {
  Scores all;
  for (const ClassificationMetric& metric : classification_metric_list) all.emplace_back(metric.name, metric.of(c));
  return all;
}
/// Labels first, predictions second.
inline Scores classification_metrics(std::span<const index_t> label, std::span<const index_t> prediction,
                                     index_t classes) {
  return classification_metrics(confusion(label, prediction, classes));
}

inline double auilc(std::span<const double> rate, std::span<const double> metric) {
  if (rate.size() != metric.size())
    throw ShapeError(detail::cat("auilc: ", rate.size(), " rates, ", metric.size(), " scores"));
  if (rate.size() < 2) throw ShapeError(detail::cat("auilc: ", rate.size(), " points, expected at least 2"));
  double area = 0;
  for (std::size_t i = 0; i < rate.size(); ++i) {
    if (!std::isfinite(rate[i]) || !std::isfinite(metric[i]))
      throw Error(detail::cat("auilc: point ", i, " is (", rate[i], ", ", metric[i], "), expected finite numbers"));
    if (i == 0) continue;
    if (!(rate[i] > rate[i - 1]))
      throw Error(detail::cat("auilc: rate ", i, " is ", rate[i], " after ", rate[i - 1], "; rates must increase"));
    area += 0.5 * (metric[i - 1] + metric[i]) * (rate[i] - rate[i - 1]);
  }
  return area;
}
inline double auilc_normalized(std::span<const double> rate, std::span<const double> metric) {
  const double area = auilc(rate, metric);
  return area / (rate.back() - rate.front());
}

}  // namespace lacuna::train
