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

/// How classes of unequal size count in training. none: as often as they occur. weights: the loss of a sample of class k
/// counts 1 / (K share_k). samples: drawn with replacement, all classes equally likely (train::Order::balanced).
/// automatic: none, or what `balance_by` says where the largest class has more than `imbalance_limit` times the samples
/// of the smallest (zoo/balance.hpp).
enum class Balance { none, weights, samples, automatic };

enum class Course { constant, staircase, cosine, flat_cosine };

struct Training {
  train::FitOptions fit = {};
  Course schedule = Course::constant;
  index_t warmup = 5, decay_every = 10;  ///< of the staircase
  double decay = 0.9;
  Balance balance = Balance::none;
  Balance balance_by =
      Balance::weights;      ///< what automatic stands for: weights, where the objective has a place for them
  bool temperature = false;  ///< calibrate class probabilities by validation (zoo/calibration.hpp)
  std::string prior = {};    ///< shares of the classes that answers assume: training, uniform, a/b/c

  /// What a user may set.
  static void reflect(auto& self, auto&& visit) {
    visit("epochs", self.fit.epochs);
    visit("batch", self.fit.batch);
    visit("learning_rate", self.fit.learning_rate);
    visit("schedule", self.schedule);
    visit("warmup", self.warmup, Facts{.range = Range::at_least(0)});
    visit("decay", self.decay, Facts{.range = Range::above(0)});
    visit("decay_every", self.decay_every, Facts{.range = Range::at_least(1)});
    visit("weight_decay", self.fit.weight_decay);
    visit("gradient_clip", self.fit.gradient_clip);
    visit("average", self.fit.average);
    visit("patience", self.fit.patience);
    visit("order", self.fit.order);
    visit("precision", self.fit.precision);
    visit("balance", self.balance);
    visit("select_on", self.fit.select_on);
    visit("temperature", self.temperature);
    visit("prior", self.prior);
  }

  /// Checked, with the schedule and the weights of the classes filled in. shares: of the classes in the training split,
  /// or none. Throws OptionError.
  train::FitOptions resolved(const std::vector<double>& shares = {}) const {
    train::FitOptions options = fit;
    if (balance == Balance::weights) options.class_weights = balanced_weights(shares);
    if (balance == Balance::samples) options.order = train::Order::balanced;
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

  /// 1 / (K share_k) over the K classes that have samples, 0 for others. Throws OptionError without shares.
  static std::vector<double> balanced_weights(const std::vector<double>& shares) {
    if (shares.empty())
      throw OptionError(
          "balance = weights: needs classes and their shares in the training split (zoo::Request::prior); real labels "
          "have none");
    double present = 0;
    for (const double share : shares) present += share > 0;
    std::vector<double> weights;
    for (const double share : shares) weights.push_back(share > 0 ? 1 / (present * share) : 0);
    return weights;
  }
};

}  // namespace lacuna::zoo
