/// Predictions of a model over a split, and how good they are.
#pragma once

#include <algorithm>
#include <cstdio>
#include <span>

#include "lacuna/autograd/node.hpp"
#include "lacuna/data/batch.hpp"
#include "lacuna/train/history.hpp"
#include "lacuna/train/targets.hpp"

namespace lacuna::train {

/// One prediction per sample of the split, in its order. No sample sees labels; batches are consecutive samples.
template <Learner M, data::Role role>
std::vector<double> predict(const M& model, const data::Split<role>& split, const missing::Condition& condition = {},
                            index_t batch = 96) {
  const NoGrad no_graph;
  std::vector<double> predictions;
  for (const auto& samples : data::consecutive_batches(split, batch)) {
    const auto part = data::gather<typename M::scalar>(split, samples);
    const std::vector<double> some = model.predict(missing::apply(condition, part));
    if (some.size() != samples.size())
      throw ShapeError(detail::cat("predict: ", some.size(), " predictions for ", samples.size(), " samples"));
    predictions.insert(predictions.end(), some.begin(), some.end());
  }
  return predictions;
}

/// Predictions and metrics under one condition.
struct ConditionResult {
  std::string condition;
  std::vector<double> predictions;
  Scores metrics;  ///< empty when the split has no labels
};

struct Evaluation {
  std::vector<std::string> ids;
  std::vector<double> labels;  ///< real labels or class ids; empty when the split has none
  index_t classes = 0;         ///< K; 0: real labels
  std::vector<ConditionResult> conditions;
};

/// Under the given conditions; without any under those the model is meant for.
template <Learner M, data::Role role>
Evaluation evaluate(const M& model, const data::Split<role>& split, std::vector<missing::Condition> conditions = {},
                    index_t batch = 96) {
  std::vector<std::string> modalities;
  for (const auto& modality : split.modalities) modalities.push_back(modality.name);
  if (conditions.empty()) conditions = conditions_of(model, modalities);
  const Targets targets = targets_for(model, split);
  Evaluation evaluation{split.ids, targets.values, targets.classes, {}};
  for (const auto& condition : conditions) {
    ConditionResult result{condition.name, predict(model, split, condition, batch), {}};
    if (!targets.values.empty()) result.metrics = scores(targets, result.predictions);
    evaluation.conditions.push_back(std::move(result));
  }
  return evaluation;
}

/// One row per sample and condition: id, condition, label (empty when there is none), prediction. Labels are floats.
inline std::string predictions_csv(const Evaluation& evaluation) {
  std::string text = "id,condition,label,prediction\n";
  for (const auto& result : evaluation.conditions)
    for (std::size_t i = 0; i < result.predictions.size(); ++i)
      text += csv_field(evaluation.ids[i]) + ',' + csv_field(result.condition) + ',' +
              (evaluation.labels.empty() ? std::string() : csv_number(float(evaluation.labels[i]))) + ',' +
              csv_number(result.predictions[i]) + '\n';
  return text;
}

/// Whether scores for labels around zero (acc2, f1, acc5, acc7) say something: a label is below zero. Stars from 1 to 5 are
/// all of one sign.
inline bool has_signs(std::span<const double> labels) {
  return std::any_of(labels.begin(), labels.end(), [](double label) { return label < 0; });
}
/// The metrics that most papers report. classes: K; 0: of real labels. signs: labels are around zero.
inline std::vector<const char*> shown_metrics(index_t classes, bool signs) {
  if (classes > 0) return {"accuracy", "uar", "f1_weighted", "f1_macro"};
  if (!signs) return {"mae", "pearson"};
  return {"mae", "pearson", "acc2_has0", "f1_has0", "acc2_non0", "f1_non0", "acc5", "acc7"};
}

/// A table: one row per condition.
inline void print(const Evaluation& evaluation, std::FILE* to = stdout) {
  const auto shown = shown_metrics(evaluation.classes, has_signs(evaluation.labels));
  std::size_t width = 9;
  for (const auto& result : evaluation.conditions) width = std::max(width, result.condition.size());
  std::fprintf(to, "%-*s", int(width), "condition");
  for (const char* name : shown) std::fprintf(to, "  %11s", name);
  std::fputc('\n', to);
  for (const auto& result : evaluation.conditions) {
    std::fprintf(to, "%-*s", int(width), result.condition.c_str());
    for (const char* name : shown)
      for (const auto& [key, value] : result.metrics)
        if (key == name) std::fprintf(to, "  %11.4f", value);
    std::fputc('\n', to);
  }
}

}  // namespace lacuna::train
