/// Steps of one size, along the sign of a momentum; half the state of Adam.  (Chen et al., NeurIPS 2023)
///
/// ```cpp
/// optim::Lion optimizer(model, {.learning_rate = 1e-4});   // a tenth of what Adam would take
/// optimizer.zero_grad();
/// cross_entropy(model(first), labels).backward();
/// optimizer.step();
/// ```
#pragma once

#include "lacuna/kernels/cpu/optimizer.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/optim/optimizer.hpp"

namespace lacuna::optim {

struct LionOptions {
  double learning_rate = 1e-4;
  double beta1 = 0.9, beta2 = 0.99;
  double weight_decay = 0;  ///< apart from the gradient: p ← p − rate · decay · p
};

struct LionMethod {
  using Options = LionOptions;
  static constexpr const char* name = "Lion";

  static detail::SlotNames slots(const Options&) { return {"momentum", nullptr, nullptr}; }
  static void check(const Options& o) {
    detail::expect_beta(name, "beta1", o.beta1);
    detail::expect_beta(name, "beta2", o.beta2);
    detail::expect_at_least_0(name, "weight_decay", o.weight_decay);
  }
  template <class T, class D>
  static void step(const Options& o, const StepContext& c, index_t n, T* p, const T* g, const rules::Slots<T>& slots) {
    const rules::Lion<T> rule{T(c.learning_rate), T(o.beta1),     T(o.beta2),
                              T(1 - o.beta1),     T(1 - o.beta2), T(1 - c.learning_rate * c.decay * o.weight_decay)};
    Kernels<D>::Optimizer::optimizer_step(rule, n, c.gradient_factor, 0, p, g, slots);
  }
};

/// u = sign(β₁m + (1−β₁)g), sign(0) = 0;  p ← p − rate · (u + decay · p);  m ← β₂m + (1−β₂)g.
template <class T = float, class D = Cpu>
class Lion : public Optimizer<LionMethod, T, D> {
 public:
  using Optimizer<LionMethod, T, D>::Optimizer;
};
template <class M>
Lion(const M&, LionOptions = {}, std::vector<ParameterGroup> = {}) -> Lion<detail::scalar_of<M>, detail::place_of<M>>;

}  // namespace lacuna::optim
