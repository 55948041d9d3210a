/// How a model is trained.
#pragma once

#include <cmath>
#include <string>

#include "lacuna/optim/schedule.hpp"
#include "lacuna/train/csv.hpp"

namespace lacuna::train {

enum class Order { shuffled, published };  ///< published: as they stand in the file, every epoch the same

struct FitOptions {
  index_t epochs = 25;
  index_t batch = 96;
  double learning_rate = 5e-4;
  /// Factor of the learning rate in epoch 0, 1, ...; the default is that of SDUMC.
  optim::Schedule schedule = optim::warmup_staircase(5, 10, 0.9);
  double weight_decay = 1e-5;  ///< coupled: part of the gradient, before the moments
  double gradient_clip = 0;    ///< largest norm of the whole gradient; 0 = no limit
  /// Decay per step of an exponential average of the weights, which then is what is validated and kept; 0 = none. Early
  /// steps weigh more: the decay of step t is at most (1 + t) / (10 + t).
  double average = 0;
  index_t patience = 0;  ///< epochs without a better validation score before it stops; 0 = never
  Order order = Order::shuffled;
  std::uint64_t seed = 1;

  double learning_rate_at(index_t epoch) const { return learning_rate * schedule(epoch); }

  /// f(name, member) for all but the schedule: storing and comparing are written once.
  static void visit(auto& self, auto&& f) {
    f("epochs", self.epochs);
    f("batch", self.batch);
    f("learning_rate", self.learning_rate);
    f("weight_decay", self.weight_decay);
    f("gradient_clip", self.gradient_clip);
    f("average", self.average);
    f("patience", self.patience);
    f("order", self.order);
    f("seed", self.seed);
  }

  /// Throws OptionError.
  void check() const {
    const auto refuse = [](const char* name, double found, const char* expected) {
      throw OptionError(detail::cat("fit: ", name, " is ", csv_number(found), ", expected ", expected));
    };
    if (epochs < 1) refuse("epochs", double(epochs), "at least 1");
    if (batch < 1) refuse("batch", double(batch), "at least 1");
    if (!(learning_rate > 0) || !std::isfinite(learning_rate))
      refuse("learning_rate", learning_rate, "a positive number");
    if (!(weight_decay >= 0) || !std::isfinite(weight_decay)) refuse("weight_decay", weight_decay, "0 or more");
    if (!(gradient_clip >= 0) || !std::isfinite(gradient_clip)) refuse("gradient_clip", gradient_clip, "0 or more");
    if (!(average >= 0 && average < 1)) refuse("average", average, "0 or more, below 1");
    if (patience < 0) refuse("patience", double(patience), "0 or more");
  }
};

}  // namespace lacuna::train
