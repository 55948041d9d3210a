/// A simple phase before the rest of a training: a part of a model learns a task of its own.
#pragma once

#include "lacuna/autograd/node.hpp"
#include "lacuna/models/phase.hpp"

namespace lacuna::models {

/// The options of a simple phase before the rest: Adam with a constant rate over shuffled batches, the epoch with the
/// least loss on the validation split is kept; without such a split the last one.
struct PretrainOptions {
  index_t epochs = 30, batch = 64;
  double learning_rate = 1e-3;
  double gradient_clip = 1;  ///< largest norm of the gradient; 0 = no limit

  /// Throws OptionError.
  void check(const char* model) const { check_fields(model, *this); }
  static void reflect(auto& self, auto&& visit) {
    visit("pretrain_epochs", self.epochs, Facts{.range = Range::at_least(1)});
    visit("pretrain_batch", self.batch, Facts{.range = Range::at_least(1)});
    visit("pretrain_learning_rate", self.learning_rate, Facts{.range = Range::above(0)});
    visit("pretrain_gradient_clip", self.gradient_clip, Facts{.range = Range::at_least(0)});
  }
};

/// Such a phase. loss(batch, context) → a variable (), the mean over the samples of a TrainingBatch.
template <class T, class D, class Feed, class Loss>
Phase<T, D> pretraining(std::string name, const PretrainOptions& o, const Feed& feed, Loss loss,
                        Function<Packed<T, D>()> pack, Function<void(const PhaseRecord&)> finish) {
  Phase<T, D> phase{.name = std::move(name), .pack = std::move(pack), .epochs = o.epochs, .batch = o.batch};
  phase.rate = [rate = o.learning_rate](index_t) { return rate; };
  phase.gradient_clip = o.gradient_clip;
  phase.order = [samples = feed.train_size()](index_t, Random& random) { return random.permutation(samples); };
  phase.loss = [feed, loss](std::span<const index_t> some, const Context& context) {
    return Objective<T, D>().add("task", 1, loss(feed.train(some), context)).result();
  };
  phase.finish = std::move(finish);
  if (feed.validation_size() == 0) return phase;
  phase.validate = [feed, loss, batch = o.batch](double) {
    const NoGrad off;
    double mean = 0;
    const index_t checks = feed.validation_size();
    std::vector<index_t> some;
    for (index_t begin = 0; begin < checks; begin += batch) {
      some.clear();
      for (index_t i = begin; i < std::min(begin + batch, checks); ++i) some.push_back(i);
      mean += double(loss(feed.validation(some), Context{}).item()) * double(some.size()) / double(checks);
    }
    return mean;
  };
  return phase;
}

}  // namespace lacuna::models
