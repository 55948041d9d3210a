/// Adam with bias correction; decay coupled to the gradient (Adam) or apart from it (AdamW); AMSGrad.
/// (Kingma & Ba, ICLR 2015; Loshchilov & Hutter, ICLR 2019; Reddi, Kale & Kumar, ICLR 2018)
#pragma once

#include "lacuna/optim/optimizer.hpp"

namespace lacuna {

struct AdamOptions {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0;     ///< coupled: g ← g + decay · p, before the moments
  double decoupled_decay = 0;  ///< AdamW: p ← p − rate · decay · p
  bool amsgrad = false;        ///< v̂ from the largest v so far
};

struct AdamMethod {
  using Options = AdamOptions;
  static constexpr const char* name = "Adam";

  static detail::SlotNames slots(const Options& o) {
    return {"first_moment", "second_moment", o.amsgrad ? "largest_second_moment" : nullptr};
  }
  static void check(const Options& o) {
    detail::expect_beta(name, "beta1", o.beta1);
    detail::expect_beta(name, "beta2", o.beta2);
    detail::expect_at_least_0(name, "epsilon", o.epsilon);
    detail::expect_at_least_0(name, "weight_decay", o.weight_decay);
    detail::expect_at_least_0(name, "decoupled_decay", o.decoupled_decay);
  }
  template <class T, class D>
  static void step(const Options& o, const StepContext& c, index_t n, T* p, const T* g, const rules::Slots<T>& slots) {
    const double correction1 = 1 - std::pow(o.beta1, double(c.t)), correction2 = 1 - std::pow(o.beta2, double(c.t));
    const rules::Adam<T> rule{T(o.beta1),
                              T(o.beta2),
                              T(1 - o.beta1),
                              T(1 - o.beta2),
                              T(c.rate / correction1),
                              T(1 / std::sqrt(correction2)),
                              T(o.epsilon),
                              T(1 - c.rate * c.decay * o.decoupled_decay)};
    Kernels<D>::optimizer_step(rule, n, c.gradient_factor, c.decay * o.weight_decay, p, g, slots);
  }
};

/// m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²,  p ← p − rate · m̂ / (√v̂ + ε),  m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ).
template <class T = float, class D = Cpu>
class Adam : public Optimizer<AdamMethod, T, D> {
 public:
  using Optimizer<AdamMethod, T, D>::Optimizer;
  Array<T, D>& first_moment() { return this->state_array(0); }
  Array<T, D>& second_moment() { return this->state_array(1); }
};

}  // namespace lacuna
