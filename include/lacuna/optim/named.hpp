/// An optimizer that is chosen by name, at run time.
///
///     optim::NamedOptimizer<float> optimizer(packed, {.name = "adamw", .weight_decay = 1e-2});
///     optimizer.step(learning_rate, clip_factor(packed, 1.0));
///
///     adam, adamw, sgd, rmsprop, adagrad, lion, lamb
/// Decay is that of the method: part of the gradient for adam, sgd, rmsprop and adagrad, apart from it for the others.
/// Throws OptionError for another name, and what the method throws.
#pragma once

#include <memory>
#include <string>

#include "lacuna/core/precompile.hpp"
#include "lacuna/optim/adagrad.hpp"
#include "lacuna/optim/adam.hpp"
#include "lacuna/optim/lamb.hpp"
#include "lacuna/optim/lion.hpp"
#include "lacuna/optim/rmsprop.hpp"
#include "lacuna/optim/sgd.hpp"

namespace lacuna::optim {

struct NamedOptimizerOptions {
  std::string name = "adam";
  double weight_decay = 0;
  double momentum = 0.9;                              ///< of sgd
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  ///< of adam, adamw and lamb

  static constexpr const char* names[] = {"adam", "adamw", "sgd", "rmsprop", "adagrad", "lion", "lamb"};
  /// Throws OptionError.
  void check() const {
    std::string known;
    for (const char* one : names) {
      if (name == one) return;
      known += (known.empty() ? "" : ", ") + std::string(one);
    }
    throw OptionError("optimizer: there is no '" + name + "'; there are " + known);
  }
};

template <class T = float, class D = Cpu>
class NamedOptimizer {
 public:
  NamedOptimizer(const Packed<T, D>& packed, const NamedOptimizerOptions& o);

  void step(double learning_rate, const GradientFactor<D>& factor = {}) { held_->step(learning_rate, factor); }
  void save_state(State& state) const { held_->save_state(state); }
  void load_state(const State& state) { held_->load_state(state); }

 private:
  struct Held {
    virtual ~Held() = default;
    virtual void step(double learning_rate, const GradientFactor<D>& factor) = 0;
    virtual void save_state(State& state) const = 0;
    virtual void load_state(const State& state) = 0;
  };
  template <class Method>
  struct Holder final : Held {
    Method method;
    Holder(const Packed<T, D>& packed, const typename Method::Options& o) : method(packed, o) {}
    void step(double learning_rate, const GradientFactor<D>& factor) override {
      method.set_learning_rate(learning_rate);
      method.step_scaled(factor);
    }
    void save_state(State& state) const override { method.save_state(state); }
    void load_state(const State& state) override { method.load_state(state); }
  };
  template <class Method>
  void hold(const Packed<T, D>& packed, const typename Method::Options& o) {
    held_ = std::make_unique<Holder<Method>>(packed, o);
  }
  std::unique_ptr<Held> held_;
};

// Not inline: seven methods that only one file compiles, where lacuna::precompiled is linked.
template <class T, class D>
NamedOptimizer<T, D>::NamedOptimizer(const Packed<T, D>& packed, const NamedOptimizerOptions& o) {
  o.check();
  if (o.name == "adam")
    hold<Adam<T, D>>(packed,
                     {.beta1 = o.beta1, .beta2 = o.beta2, .epsilon = o.epsilon, .weight_decay = o.weight_decay});
  else if (o.name == "adamw")
    hold<AdamW<T, D>>(packed,
                      {.beta1 = o.beta1, .beta2 = o.beta2, .epsilon = o.epsilon, .weight_decay = o.weight_decay});
  else if (o.name == "sgd")
    hold<Sgd<T, D>>(packed, {.momentum = o.momentum, .weight_decay = o.weight_decay});
  else if (o.name == "rmsprop")
    hold<RmsProp<T, D>>(packed, {.weight_decay = o.weight_decay});
  else if (o.name == "adagrad")
    hold<Adagrad<T, D>>(packed, {.weight_decay = o.weight_decay});
  else if (o.name == "lion")
    hold<Lion<T, D>>(packed, {.weight_decay = o.weight_decay});
  else
    hold<Lamb<T, D>>(packed, {.beta1 = o.beta1, .beta2 = o.beta2, .weight_decay = o.weight_decay});
}

LACUNA_PRECOMPILE(template class NamedOptimizer<float, Cpu>)
LACUNA_PRECOMPILE(template class NamedOptimizer<double, Cpu>)

}  // namespace lacuna::optim
