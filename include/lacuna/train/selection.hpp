/// Which epoch is kept: the one with the best mean, over the conditions, of one metric on the validation split: the MAE
/// of real labels, the weighted F1 of classes, or what the model asks for (truth.hpp).
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

  struct Verdict {
    std::vector<ConditionScores> scores;
    double score = 0;
    bool best = false;  ///< strictly better than everything before
  };

  /// Its score is what selection minimises, an error or 1 − a share of right answers. Throws Error when a prediction is
  /// not finite.
  template <Learner M>
  Verdict judge(const M& model, const data::Split<data::Role::validation>& split) {
    Verdict verdict;
    Evaluation evaluation = evaluate(model, split, conditions_, batch_);
    const std::string metric = selection_metric(model, {{}, evaluation.classes});
    for (ConditionResult& result : evaluation.conditions) {
      verdict.score += selection_loss(metric, result.metrics) / double(conditions_.size());
      verdict.scores.push_back({std::move(result.condition), std::move(result.metrics)});
    }
    verdict.best = verdict.score < best_;
    if (verdict.best) best_ = verdict.score;
    stale_ = verdict.best ? 0 : stale_ + 1;
    return verdict;
  }

  double best() const { return best_; }
  /// Epochs since the best one.
  index_t stale() const { return stale_; }
  const std::vector<missing::Condition>& conditions() const { return conditions_; }

  void save_state(State& state) const {
    state.put("best", best_);
    state.put("stale", stale_);
  }
  void load_state(const State& state) {
    state.get("best", best_);
    state.get("stale", stale_);
  }

 private:
  std::vector<missing::Condition> conditions_;
  index_t batch_ = 96, stale_ = 0;
  double best_ = std::numeric_limits<double>::infinity();
};

}  // namespace lacuna::train
