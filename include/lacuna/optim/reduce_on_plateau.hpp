/// The learning rate that follows a result: lowered when a metric has stopped improving.
///     better (smaller is better):  m < best (1 - threshold), or m < best - threshold where `relative` is false
///     better (larger is better):   m > best (1 + threshold), or m > best + threshold
/// After more than `patience` observations in a row without a better one: rate ← max(rate · factor, min_learning_rate).
///
///     optim::ReduceOnPlateau plateau(1e-3, {.patience = 3});
///     every epoch: train with plateau.learning_rate(); plateau.observe(validation_loss);
///
/// An observation that is NaN (nothing was measured) is no improvement. Throws OptionError for options out of range.
/// Source: PyTorch's ReduceLROnPlateau.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "lacuna/core/shape.hpp"

namespace lacuna::optim {

class ReduceOnPlateau {
 public:
  struct Options {
    bool maximize = false;  ///< true: a larger metric is better
    double factor = 0.1;
    index_t patience = 10;
    double threshold = 1e-4;  ///< what counts as better than the best: by more than this
    bool relative = true;     ///< threshold as a fraction of the best, or in units of the metric
    index_t cooldown = 0;     ///< observations after a reduction in which none is counted as bad
    double min_learning_rate = 0;
    double eps = 1e-8;  ///< a reduction by no more than this is not made
  };
  /// All that changes; a checkpoint stores it.
  struct State {
    double learning_rate, best;
    index_t bad = 0, cooling = 0;
  };

  Options options;
  State state;

  explicit ReduceOnPlateau(double learning_rate) : ReduceOnPlateau(learning_rate, Options{}) {}
  ReduceOnPlateau(double learning_rate, const Options& chosen)
      : options(chosen), state{learning_rate, (chosen.maximize ? -1 : 1) * std::numeric_limits<double>::infinity()} {
    if (!(chosen.factor > 0 && chosen.factor < 1))
      throw OptionError(
          detail::cat("reduce_on_plateau: factor is ", chosen.factor, ", expected a number between 0 and 1"));
    if (!(chosen.threshold >= 0) || (chosen.relative && chosen.threshold >= 1))
      throw OptionError(detail::cat("reduce_on_plateau: threshold is ", chosen.threshold,
                                    ", expected at least 0, and below 1 ", "where it is relative"));
    if (!std::isfinite(learning_rate) || !(chosen.min_learning_rate >= 0) || !(chosen.eps >= 0))
      throw OptionError(detail::cat("reduce_on_plateau: learning_rate ", learning_rate, ", min_learning_rate ",
                                    chosen.min_learning_rate, " and eps ", chosen.eps,
                                    " must be finite, the last two not negative"));
    if (chosen.patience < 0 || chosen.cooldown < 0)
      throw OptionError(detail::cat("reduce_on_plateau: patience ", chosen.patience, " and cooldown ", chosen.cooldown,
                                    " must not be negative"));
  }

  /// The rate to use now.
  double learning_rate() const { return state.learning_rate; }
  /// Tells it the metric reached with this rate; returns the rate to go on with.
  double observe(double metric) {
    if (better(metric)) {
      state.best = metric;
      state.bad = 0;
    } else {
      ++state.bad;
    }
    if (state.cooling > 0) {
      --state.cooling;
      state.bad = 0;
    }
    if (state.bad > options.patience) {
      const double lowered = std::max(state.learning_rate * options.factor, options.min_learning_rate);
      if (state.learning_rate - lowered > options.eps) state.learning_rate = lowered;
      state.cooling = options.cooldown;
      state.bad = 0;
    }
    return state.learning_rate;
  }

 private:
  bool better(double metric) const {
    const double sign = options.maximize ? -1 : 1;
    if (options.relative) return sign * metric < sign * (state.best * (1 - sign * options.threshold));
    return sign * metric < sign * state.best - options.threshold;
  }
};

}  // namespace lacuna::optim
