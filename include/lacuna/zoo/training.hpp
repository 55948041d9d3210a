/// How a registered model is trained: the options of training that users name, and the schedule they stand for.
///
///     zoo::Training training{.fit = {.epochs = 60}, .schedule = zoo::Course::cosine};
///     train::fit(model, corpus, training.resolved());
///
/// The factor of the rate in epoch t = 0, 1, ... of n:
///     constant      1
///     staircase     (t+1)/warmup while it rises, then decay^floor((t-warmup+1)/decay_every)
///     cosine        (1 + cos(pi t/n))/2
///     flat_cosine   a cosine down to 2 % over four fifths of the epochs, which then stays
#pragma once

#include "lacuna/train/fit_options.hpp"

namespace lacuna::zoo {

enum class Course { constant, staircase, cosine, flat_cosine };

struct Training {
  train::FitOptions fit = {};
  Course schedule = Course::constant;
  index_t warmup = 5, decay_every = 10;  ///< of the staircase
  double decay = 0.9;

  /// What a user may set.
  static void reflect(auto& self, auto&& visit) {
    visit("epochs", self.fit.epochs);
    visit("batch", self.fit.batch);
    visit("learning_rate", self.fit.learning_rate);
    visit("schedule", self.schedule);
    visit("warmup", self.warmup);
    visit("decay", self.decay);
    visit("decay_every", self.decay_every);
    visit("weight_decay", self.fit.weight_decay);
    visit("gradient_clip", self.fit.gradient_clip);
    visit("average", self.fit.average);
    visit("patience", self.fit.patience);
    visit("order", self.fit.order);
  }

  /// Checked, with the schedule filled in. Throws OptionError.
  train::FitOptions resolved() const {
    train::FitOptions options = fit;
    options.check();
    switch (schedule) {
      case Course::constant:
        options.schedule = optim::constant(1);
        break;
      case Course::staircase:
        options.schedule =
            warmup == 0 ? optim::step_decay(decay_every, decay) : optim::warmup_staircase(warmup, decay_every, decay);
        break;
      case Course::cosine:
        options.schedule = optim::cosine(fit.epochs);
        break;
      case Course::flat_cosine:
        options.schedule = optim::cosine(std::max<index_t>(1, fit.epochs * 4 / 5), 0.02);
        break;
    }
    return options;
  }
};

}  // namespace lacuna::zoo
