/// What predictions are judged by: real labels, or class ids; and the scores of both kinds.
///
/// Real labels y (N): all of regression_metrics, MAE first. Class ids 0..K−1 (N): all of classification_metrics,
/// accuracy first; predictions are then class ids too, as numbers. Samples of which something is absent count like all
/// others.
///
/// A model says by an optional member which of them it predicts:
///     index_t predicts_classes() const     K, or 0 for real labels
/// Without it: real labels where the split has them, else class ids.
/// Another optional member says what selection looks at, by the name of a metric: const char* selects_on() const.
/// Without it: MAE for real labels, weighted F1 for classes.
#pragma once

#include <algorithm>
#include <string_view>

#include "lacuna/core/number_text.hpp"
#include "lacuna/train/classification_metrics.hpp"
#include "lacuna/train/learner.hpp"
#include "lacuna/train/metrics.hpp"

namespace lacuna::detail {

/// Class ids that stand as numbers.
inline std::vector<index_t> class_ids(std::span<const double> numbers, index_t classes, const char* what) {
  std::vector<index_t> ids;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const double number = numbers[i];
    if (!(number >= 0 && number < double(classes)) || number != std::floor(number))
      throw Error(
          cat("scores: ", what, " ", i, " is ", general_text(number, 6), ", expected a class 0..", classes - 1));
    ids.push_back(index_t(number));
  }
  return ids;
}

}  // namespace lacuna::detail

namespace lacuna::train {

struct Targets {
  std::vector<double> values;  ///< (N); empty: the split has none
  index_t classes = 0;         ///< K; 0: real labels
};

/// `classes`: K wanted, 0: real labels wanted. Empty when the split does not have them.
template <data::Role role>
Targets targets_of(const data::Split<role>& split, index_t classes) {
  if (classes == 0) return {{split.labels.begin(), split.labels.end()}, 0};
  return {{split.classes.begin(), split.classes.end()}, classes};
}
/// Real labels where the split has them, else its class ids.
template <data::Role role>
Targets targets_of(const data::Split<role>& split) {
  index_t classes = 0;
  if (split.labels.empty())
    for (const index_t k : split.classes) classes = std::max(classes, k + 1);
  return targets_of(split, classes);
}
/// Those that the model predicts.
template <Learner M, data::Role role>
Targets targets_for(const M& model, const data::Split<role>& split) {
  if constexpr (requires { model.predicts_classes(); })
    return targets_of(split, model.predicts_classes());
  else
    return targets_of(split);
}

/// All metrics of either kind, by name. Throws Error for a predicted class that is none.
inline Scores scores(const Targets& targets, std::span<const double> predictions) {
  if (targets.classes == 0) return regression_metrics(targets.values, predictions);
  return classification_metrics(detail::class_ids(targets.values, targets.classes, "label"),
                                detail::class_ids(predictions, targets.classes, "prediction"), targets.classes);
}

/// True for metrics of which less is better.
inline bool is_error(std::string_view metric) { return metric == "mae" || metric == "mse" || metric == "rmse"; }

/// The metric that selection looks at.
template <Learner M>
std::string selection_metric(const M& model, const Targets& targets) {
  if constexpr (requires { model.selects_on(); })
    return model.selects_on();
  else
    return targets.classes > 0 ? "f1_weighted" : "mae";
}
/// What selection minimises: the metric where it is an error, else 1 − it. Throws OptionError when there is no such
/// metric, Error when it is not defined on these samples.
inline double selection_loss(const std::string& metric, const Scores& scores) {
  for (const auto& [name, value] : scores) {
    if (name != metric) continue;
    if (!std::isfinite(value))
      throw Error("selection: '" + metric + "' is not defined on the validation split; select on another metric");
    return is_error(metric) ? value : 1 - value;
  }
  throw OptionError("selection: there is no metric '" + metric + "' for these labels");
}

}  // namespace lacuna::train
