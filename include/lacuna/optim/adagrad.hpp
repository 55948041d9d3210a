/// Steps that shrink with the squares seen so far.
/// (Adagrad: Duchi, Hazan & Singer, JMLR 2011; Adadelta: Zeiler 2012)
#pragma once

#include "lacuna/kernels/cpu/optimizer.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/optim/optimizer.hpp"

namespace lacuna::optim {

struct AdagradOptions {
  double learning_rate = 1e-2;
  double learning_rate_decay = 0, initial = 0, epsilon = 1e-10;
  double weight_decay = 0;  ///< g ← g + decay · p
};

struct AdagradMethod {
  using Options = AdagradOptions;
  static constexpr const char* name = "Adagrad";

  static detail::SlotNames slots(const Options&) { return {"sum", nullptr, nullptr}; }
  static double start(const Options& o) { return o.initial; }
  static void check(const Options& o) {
    detail::expect_at_least_0(name, "learning_rate_decay", o.learning_rate_decay);
    detail::expect_at_least_0(name, "initial", o.initial);
    detail::expect_at_least_0(name, "epsilon", o.epsilon);
    detail::expect_at_least_0(name, "weight_decay", o.weight_decay);
  }
  template <class T, class D>
  static void step(const Options& o, const StepContext& c, index_t n, T* p, const T* g, const rules::Slots<T>& slots) {
    const rules::Adagrad<T> rule{T(c.learning_rate / (1 + double(c.t - 1) * o.learning_rate_decay)), T(o.epsilon)};
    Kernels<D>::Optimizer::optimizer_step(rule, n, c.gradient_factor, c.decay * o.weight_decay, p, g, slots);
  }
};

/// s ← s + g², from `initial` on;  p ← p − rate/(1 + (t−1) learning_rate_decay) · g/(√s + ε).
template <class T = float, class D = Cpu>
class Adagrad : public Optimizer<AdagradMethod, T, D> {
 public:
  using Optimizer<AdagradMethod, T, D>::Optimizer;
};
template <class M>
Adagrad(const M&, AdagradOptions = {}, std::vector<ParameterGroup> = {})
    -> Adagrad<detail::scalar_of<M>, detail::place_of<M>>;

struct AdadeltaOptions {
  double learning_rate = 1;
  double rho = 0.9, epsilon = 1e-6;
  double weight_decay = 0;  ///< g ← g + decay · p
};

struct AdadeltaMethod {
  using Options = AdadeltaOptions;
  static constexpr const char* name = "Adadelta";

  static detail::SlotNames slots(const Options&) { return {"mean_square", "mean_square_step", nullptr}; }
  static void check(const Options& o) {
    detail::expect_beta(name, "rho", o.rho);
    detail::expect_option(o.epsilon > 0, name,
                          "epsilon must be positive: the first step is √epsilon / √(v + epsilon) · g");
    detail::expect_at_least_0(name, "weight_decay", o.weight_decay);
  }
  template <class T, class D>
  static void step(const Options& o, const StepContext& c, index_t n, T* p, const T* g, const rules::Slots<T>& slots) {
    const rules::Adadelta<T> rule{T(c.learning_rate), T(o.rho), T(1 - o.rho), T(o.epsilon)};
    Kernels<D>::Optimizer::optimizer_step(rule, n, c.gradient_factor, c.decay * o.weight_decay, p, g, slots);
  }
};

/// v ← ρv + (1−ρ)g²;  d = √(u+ε)/√(v+ε) · g;  u ← ρu + (1−ρ)d²;  p ← p − rate · d, rate usually 1.
template <class T = float, class D = Cpu>
class Adadelta : public Optimizer<AdadeltaMethod, T, D> {
 public:
  using Optimizer<AdadeltaMethod, T, D>::Optimizer;
};
template <class M>
Adadelta(const M&, AdadeltaOptions = {}, std::vector<ParameterGroup> = {})
    -> Adadelta<detail::scalar_of<M>, detail::place_of<M>>;

}  // namespace lacuna::optim
