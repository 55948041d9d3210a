/// Adam with bias correction; weight decay as part of the gradient (Adam) or apart from it (AdamW); AMSGrad.
/// (Kingma & Ba, ICLR 2015; Loshchilov & Hutter, ICLR 2019; Reddi, Kale & Kumar, ICLR 2018)
///
/// ```cpp
/// optim::AdamW optimizer(model, {.learning_rate = 1e-3, .weight_decay = 1e-2});
/// optimizer.zero_grad();
/// cross_entropy(model(first), labels).backward();
/// clip_gradient_norm(model, 1.0);
/// optimizer.step();
/// ```
#pragma once

#include "lacuna/core/precompile.hpp"
#include "lacuna/kernels/cpu/optimizer.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/optim/optimizer.hpp"

namespace lacuna::optim {

struct AdamOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0;  ///< g ← g + decay · p, before the moments
  bool amsgrad = false;     ///< v̂ from the largest v so far
};
struct AdamWOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 1e-2;  ///< p ← p − rate · decay · p, apart from the moments
  bool amsgrad = false;        ///< v̂ from the largest v so far
};

template <class O>
struct AdamMethodOf {
  using Options = O;
  static constexpr bool decoupled = std::is_same_v<O, AdamWOptions>;
  static constexpr const char* name = decoupled ? "AdamW" : "Adam";

  static detail::SlotNames slots(const Options& o) {
    return {"first_moment", "second_moment", o.amsgrad ? "largest_second_moment" : nullptr};
  }
  static void check(const Options& o) {
    detail::expect_beta(name, "beta1", o.beta1);
    detail::expect_beta(name, "beta2", o.beta2);
    detail::expect_at_least_0(name, "epsilon", o.epsilon);
    detail::expect_at_least_0(name, "weight_decay", o.weight_decay);
  }
  template <class T, class D>
  static void step(const Options& o, const StepContext& c, index_t n, T* p, const T* g, const rules::Slots<T>& slots) {
    const double correction1 = 1 - std::pow(o.beta1, double(c.t)), correction2 = 1 - std::pow(o.beta2, double(c.t));
    const rules::Adam<T> rule{T(o.beta1),
                              T(o.beta2),
                              T(1 - o.beta1),
                              T(1 - o.beta2),
                              T(c.learning_rate / correction1),
                              T(1 / std::sqrt(correction2)),
                              T(o.epsilon),
                              T(1 - c.learning_rate * c.decay * (decoupled ? o.weight_decay : 0))};
    Kernels<D>::Optimizer::optimizer_step(rule, n, c.gradient_factor, decoupled ? 0 : c.decay * o.weight_decay, p, g,
                                          slots);
  }
};
using AdamMethod = AdamMethodOf<AdamOptions>;
using AdamWMethod = AdamMethodOf<AdamWOptions>;

/// m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²,  p ← p − rate · m̂ / (√v̂ + ε),  m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ).
template <class T = float, class D = Cpu>
class Adam : public Optimizer<AdamMethod, T, D> {
 public:
  using Optimizer<AdamMethod, T, D>::Optimizer;
  Array<T, D>& first_moment() { return this->state_array(0); }
  Array<T, D>& second_moment() { return this->state_array(1); }
};
template <class M>
Adam(const M&, AdamOptions = {}, std::vector<ParameterGroup> = {}) -> Adam<detail::scalar_of<M>, detail::place_of<M>>;

/// The step of Adam; before it p ← (1 − rate · decay) p, so that the decay of a weight does not depend on its gradients.
template <class T = float, class D = Cpu>
class AdamW : public Optimizer<AdamWMethod, T, D> {
 public:
  using Optimizer<AdamWMethod, T, D>::Optimizer;
  Array<T, D>& first_moment() { return this->state_array(0); }
  Array<T, D>& second_moment() { return this->state_array(1); }
};
template <class M>
AdamW(const M&, AdamWOptions = {}, std::vector<ParameterGroup> = {})
    -> AdamW<detail::scalar_of<M>, detail::place_of<M>>;

#define LACUNA_DETAIL_ADAM(T)                                     \
  LACUNA_PRECOMPILE(template class Optimizer<AdamMethod, T, Cpu>) \
  LACUNA_PRECOMPILE(template class Adam<T, Cpu>)
LACUNA_DETAIL_ADAM(float)
LACUNA_DETAIL_ADAM(double)
#undef LACUNA_DETAIL_ADAM

}  // namespace lacuna::optim
