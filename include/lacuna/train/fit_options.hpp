/// How a model is trained.
#pragma once

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "lacuna/core/fields.hpp"
#include "lacuna/core/precision.hpp"
#include "lacuna/missing/sampler.hpp"
#include "lacuna/models/training_batch.hpp"
#include "lacuna/optim/named.hpp"
#include "lacuna/optim/schedule.hpp"

namespace lacuna::train {

/// shuffled: every sample once, in another order in every epoch. published: as they stand in the file, every epoch the
/// same. balanced: as many samples, drawn with replacement so that all classes are equally likely; for class ids.
enum class Order { shuffled, published, balanced };

/// Whether steps on a GPU are recorded into a CUDA graph and replayed, with the same bits as steps that are run
/// (train/replayed_steps.hpp). automatic: of models that say they may be (models::Model::replayable); on: of every
/// `models::Model`, whose objective must then keep to what is said there; off: every step is run. On the host every step
/// is run.
enum class ReplaySteps { automatic, on, off };

/// A loss in the place of the model's own task: a function of scores (B, outputs) and targets for either precision, or
/// for one of them. See models::Targets for what it is told.
///
///     .loss = [](const auto& scores, const auto& targets) {
///       return mean(log_cosh(scores - std::decay_t<decltype(scores)>(targets.values)));
///     }
class LossFunction {
 public:
  LossFunction() = default;
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, LossFunction>) LossFunction(const F& function) {
    if constexpr (std::is_constructible_v<models::OwnLoss<float>, const F&>) narrow_ = function;
    if constexpr (std::is_constructible_v<models::OwnLoss<double>, const F&>) wide_ = function;
    static_assert(std::is_constructible_v<models::OwnLoss<float>, const F&> ||
                      std::is_constructible_v<models::OwnLoss<double>, const F&>,
                  "a loss is called with Variable<T, 2> scores and models::Targets<T>, and returns Variable<T, 0>");
  }
  explicit operator bool() const { return narrow_ || wide_; }
  template <class T, class D>
  models::OwnLoss<T, D> as() const {
    if constexpr (std::is_same_v<models::OwnLoss<T, D>, models::OwnLoss<float>>)
      return narrow_;
    else if constexpr (std::is_same_v<models::OwnLoss<T, D>, models::OwnLoss<double>>)
      return wide_;
    else
      throw OptionError("fit: a loss of one's own on another device than the host is set as model.own_loss");
  }

 private:
  models::OwnLoss<float> narrow_;
  models::OwnLoss<double> wide_;
};

struct FitOptions {
  index_t epochs = 25;
  index_t batch = 96;
  double learning_rate = 5e-4;
  /// Factor of the rate in epoch 0, 1, ...; the default is that of SDUMC.
  optim::Schedule schedule = optim::warmup_staircase(5, 10, 0.9);
  std::string optimizer = "adam";  ///< or adamw, sgd, rmsprop, adagrad, lion, lamb (optim/named.hpp)
  double momentum = 0.9;           ///< of sgd
  double weight_decay = 1e-5;      ///< as the optimizer has it; adam: part of the gradient, before the moments
  double gradient_clip = 0;        ///< largest norm of the whole gradient; 0 = no limit
  /// Decay per step of an exponential average of the weights, which then is what is validated and kept; 0 = none. Early
  /// steps weigh more: the decay of step t is at most (1 + t) / (10 + t).
  double average = 0;
  index_t patience = 0;  ///< epochs without a better validation score before it stops; 0 = never
  Order order = Order::shuffled;
  std::uint64_t seed = 1;
  Precision precision = Precision::full;            ///< of products of floats, on a GPU
  std::string select_on = {};                       ///< metric by which the epoch is chosen; empty: the model's own
  std::vector<double> class_weights = {};           ///< of the classes in the task's cross-entropy; empty: 1 each
  std::optional<missing::MrmOptions> missing = {};  ///< what training takes away; none: what the model's options say
  LossFunction loss = {};                           ///< none: the model's own
  ReplaySteps replay = ReplaySteps::automatic;      ///< of steps on a GPU; changes no bit

  double learning_rate_at(index_t epoch) const { return learning_rate * schedule(epoch); }

  /// All but the schedule, what is no number, and what changes none.
  static void reflect(auto& self, auto&& visit) {
    visit("epochs", self.epochs, Facts{.range = Range::at_least(1)});
    visit("batch", self.batch, Facts{.range = Range::at_least(1)});
    visit("learning_rate", self.learning_rate, Facts{.range = Range::above(0)});
    visit("momentum", self.momentum, Facts{.range = Range::half_open(0, 1)});
    visit("weight_decay", self.weight_decay, Facts{.range = Range::at_least(0)});
    visit("gradient_clip", self.gradient_clip, Facts{.range = Range::at_least(0)});
    visit("average", self.average, Facts{.range = Range::half_open(0, 1)});
    visit("patience", self.patience, Facts{.range = Range::at_least(0)});
    visit("order", self.order);
    visit("seed", self.seed);
    visit("precision", self.precision);
  }

  /// Throws OptionError.
  void check() const {
    check_fields("fit", *this);
    optim::NamedOptimizerOptions{.name = optimizer}.check();
    for (const double weight : class_weights)
      if (!(weight >= 0) || !std::isfinite(weight))
        throw OptionError(detail::cat("fit: a class weight is ", weight, ", expected at least 0"));
  }
};

}  // namespace lacuna::train
