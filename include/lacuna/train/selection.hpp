/// Which epoch is kept: the one with the best mean, over the conditions, of one metric on the validation split: the MAE
/// of real labels, the weighted F1 of classes, or what the model asks for (targets.hpp).
///
/// The split is a type of its own (data/dataset.hpp): a test split does not convert to it, so no test data can take
/// part.
#pragma once

#include <limits>

#include "lacuna/train/evaluate.hpp"

namespace lacuna::train {

class Selector {
 public:
  Selector() = default;
  explicit Selector(std::vector<missing::Condition> conditions, index_t batch = 96)
      : conditions_(std::move(conditions)), batch_(batch) {}

  /// What the validation of one epoch found.
  struct Result {
    std::vector<ConditionScores> scores;
    double score = 0;
    bool best = false;  ///< strictly better than everything before
  };

  /// Its score is what selection minimises, an error or 1 − a share of right answers. Throws Error when a prediction is
  /// not finite.
  template <Learner M>
  Result validate(const M& model, const data::Split<data::Role::validation>& split) {
    Result result;
    Evaluation evaluation = evaluate(model, split, conditions_, batch_);
    const std::string metric = selection_metric(model, {{}, evaluation.classes});
    for (ConditionResult& one : evaluation.conditions) {
      result.score += selection_loss(metric, one.metrics) / double(conditions_.size());
      result.scores.push_back({std::move(one.condition), std::move(one.metrics)});
    }
    result.best = result.score < best_;
    if (result.best) best_ = result.score;
    epochs_without_improvement_ = result.best ? 0 : epochs_without_improvement_ + 1;
    return result;
  }

  double best() const { return best_; }
  /// Epochs since the best one.
  index_t epochs_without_improvement() const { return epochs_without_improvement_; }
  const std::vector<missing::Condition>& conditions() const { return conditions_; }

  void save_state(State& state) const {
    state.put("best", best_);
    state.put("epochs_without_improvement", epochs_without_improvement_);
  }
  void load_state(const State& state) {
    state.get("best", best_);
    state.get("epochs_without_improvement", epochs_without_improvement_);
  }

 private:
  std::vector<missing::Condition> conditions_;
  index_t batch_ = 96, epochs_without_improvement_ = 0;
  double best_ = std::numeric_limits<double>::infinity();
};

}  // namespace lacuna::train
