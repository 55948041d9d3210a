/// Which epoch is kept: the one with the best mean, over the conditions, of one metric on the validation split: the MAE
/// of real labels, the weighted F1 of classes, or what the model asks for (targets.hpp).
///
/// The split is a type of its own (data/dataset.hpp): a test split does not convert to it, so no test data can take
/// part.
#pragma once

#include "lacuna/train/evaluate.hpp"

namespace lacuna::train {

class Selector {
 public:
  Selector() = default;
  /// metric: by name; empty: the one the model asks for.
  explicit Selector(std::vector<missing::MissingSpec> conditions, index_t batch = 96, std::string metric = {})
      : conditions_(std::move(conditions)), batch_(batch), metric_(std::move(metric)) {}

  struct Result {
    std::vector<ConditionScores> scores;
    double score = 0;  ///< what selection minimises: an error, or 1 − a share of right answers
  };

  /// Throws Error when a prediction is not finite.
  template <Learner M>
  Result validate(const M& model, const data::Split<data::Role::validation>& split) const {
    Result verdict;
    Evaluation evaluation = evaluate(model, split, conditions_, batch_);
    const std::string metric = metric_.empty() ? selection_metric(model, {{}, evaluation.classes}) : metric_;
    for (ConditionResult& result : evaluation.conditions) {
      verdict.score += selection_loss(metric, result.metrics) / double(conditions_.size());
      verdict.scores.push_back({std::move(result.condition), std::move(result.metrics)});
    }
    return verdict;
  }
  const std::vector<missing::MissingSpec>& conditions() const { return conditions_; }

 private:
  std::vector<missing::MissingSpec> conditions_;
  index_t batch_ = 96;
  std::string metric_;
};

}  // namespace lacuna::train
