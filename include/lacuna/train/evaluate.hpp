/// Predictions of a model over a split, whatever is missing, and how good they are.
///
///     train::print(train::evaluate(model, corpus.test));                      under the conditions the model is meant for
///     const auto specs = missing::protocol_p1(corpus.modality_names()).conditions;
///     const auto all = train::evaluate(model, corpus.test, specs);            all.conditions[c].metrics
///
/// Selection in training, the laboratory and the programs all go through `under_masks`: batches are consecutive samples,
/// gathered once for all conditions. No model sees labels.
#pragma once

#include <algorithm>
#include <cstdio>
#include <span>

#include "lacuna/autograd/node.hpp"
#include "lacuna/data/batch.hpp"
#include "lacuna/missing/sampling.hpp"
#include "lacuna/train/history.hpp"
#include "lacuna/train/targets.hpp"

namespace lacuna::train {

/// f(condition, first, batch) for every batch of the split under each of the mask sets; `first`: its first sample. Throws
/// OptionError for batches of nothing.
template <class T, data::Role role, class F>
void under_masks(const data::Split<role>& split, std::span<const missing::MaskSet> masks, index_t batch, F&& f) {
  for (const auto& samples : data::consecutive_batches(split, batch)) {
    const auto complete = data::gather<T>(split, samples);
    for (std::size_t c = 0; c < masks.size(); ++c) f(index_t(c), samples.front(), missing::apply(masks[c], complete));
  }
}

/// (C, N): a prediction per mask set and sample, NaN where the model gives it. predict(batch) → one number per sample. Throws
/// ShapeError for another number of them.
template <class T, class Predict, data::Role role>
Tensor<double, 2> unchecked_predictions(const Predict& predict, const data::Split<role>& split,
                                        std::span<const missing::MaskSet> masks, index_t batch = 96) {
  const NoGrad no_graph;
  Tensor<double, 2> result({index_t(masks.size()), split.size()});
  under_masks<T>(split, masks, batch, [&](index_t c, index_t begin, const data::Batch<T>& part) {
    const auto some = predict(part);
    if (index_t(some.size()) != part.size())
      throw ShapeError(detail::cat("predict: ", some.size(), " predictions for ", part.size(), " samples"));
    for (index_t i = 0; i < part.size(); ++i) result(c, begin + i) = some[std::size_t(i)];
  });
  return result;
}
/// The same for whoever measures: throws Error when one is not finite, with its sample.
template <class T, class Predict, data::Role role>
Tensor<double, 2> predictions(const Predict& predict, const data::Split<role>& split,
                              std::span<const missing::MaskSet> masks, index_t batch = 96) {
  const auto result = unchecked_predictions<T>(predict, split, masks, batch);
  for (index_t c = 0; c < index_t(masks.size()); ++c)
    for (index_t i = 0; i < split.size(); ++i)
      if (!std::isfinite(result(c, i)))
        throw Error(detail::cat("prediction of sample '", split.ids[std::size_t(i)], "' under '",
                                masks[std::size_t(c)].name, "' is ", result(c, i), ", expected a finite number"));
  return result;
}

/// Throws what the model does where the streams of a split are not those that it knows.
template <Learner M, data::Role role>
void expect_streams(const M& model, const data::Split<role>& split) {
  if constexpr (requires { model.expect_streams(split.modality_names()); })
    model.expect_streams(split.modality_names());
}

/// One prediction per sample of the split, in its order, NaN where the model gives it.
template <Learner M, data::Role role>
std::vector<double> predict(const M& model, const data::Split<role>& split, const missing::MissingSpec& spec = {},
                            index_t batch = 96) {
  expect_streams(model, split);
  const missing::MaskSet masks[] = {missing::sample_masks(spec, split)};
  return unchecked_predictions<typename M::scalar>([&](const auto& part) { return model.predict(part); }, split, masks,
                                                   batch)
      .to_vector();
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

/// Under the given specs, whose masks are drawn here; without any under those the model is meant for. Throws OptionError for
/// a split that has labels of the other kind alone.
template <Learner M, data::Role role>
Evaluation evaluate(const M& model, const data::Split<role>& split, std::vector<missing::MissingSpec> specs = {},
                    index_t batch = 96) {
  expect_streams(model, split);
  const Targets targets = targets_for(model, split);
  if (targets.values.empty() && !(split.labels.empty() && split.classes.empty()))
    throw OptionError(detail::cat("evaluate: the model predicts ", targets.classes > 0 ? "classes" : "real labels",
                                  ", the ", data::to_string(role), " split has ",
                                  targets.classes > 0 ? "real labels" : "class ids",
                                  " alone; `predict` needs no labels"));
  if (specs.empty()) specs = conditions_of(model, split.modality_names());
  std::vector<missing::MaskSet> masks;
  for (const auto& spec : specs) masks.push_back(missing::sample_masks(spec, split));
  const auto numbers =
      predictions<typename M::scalar>([&](const auto& part) { return model.predict(part); }, split, masks, batch);
  Evaluation evaluation{split.ids, targets.values, targets.classes, {}};
  for (std::size_t c = 0; c < specs.size(); ++c) {
    const double* row = numbers.data() + index_t(c) * split.size();
    ConditionResult result{specs[c].name, {row, row + split.size()}, {}};
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
