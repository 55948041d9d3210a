/// Steps divided by a running root mean square of the gradient.  (Tieleman & Hinton 2012; centred: Graves 2013)
///
/// ```cpp
/// optim::RmsProp optimizer(model, {.learning_rate = 1e-3});
/// optimizer.zero_grad();
/// cross_entropy(model(first), labels).backward();
/// optimizer.step();
/// ```
#pragma once

#include "lacuna/kernels/cpu/optimizer.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/optim/optimizer.hpp"

namespace lacuna::optim {

struct RmsPropOptions {
  double learning_rate = 1e-2;
  double alpha = 0.99, epsilon = 1e-8, momentum = 0;
  bool centered = false;    ///< the running mean of the gradient is taken out of the square
  double weight_decay = 0;  ///< g ← g + decay · p
};

struct RmsPropMethod {
  using Options = RmsPropOptions;
  static constexpr const char* name = "RmsProp";

  static detail::SlotNames slots(const Options& o) {
    return {"mean_square", o.momentum != 0 ? "momentum" : nullptr, o.centered ? "mean_gradient" : nullptr};
  }
  static void check(const Options& o) {
    detail::expect_beta(name, "alpha", o.alpha);
    detail::expect_at_least_0(name, "epsilon", o.epsilon);
    detail::expect_at_least_0(name, "momentum", o.momentum);
    detail::expect_at_least_0(name, "weight_decay", o.weight_decay);
  }
  template <class T, class D>
  static void step(const Options& o, const StepContext& c, index_t n, T* p, const T* g, const rules::Slots<T>& slots) {
    const rules::RmsProp<T> rule{T(c.learning_rate), T(o.alpha), T(1 - o.alpha), T(o.epsilon), T(o.momentum)};
    Kernels<D>::Optimizer::optimizer_step(rule, n, c.gradient_factor, c.decay * o.weight_decay, p, g, slots);
  }
};

/// v ← αv + (1−α)g²;  u = g/(√v + ε), centred: √(v − ḡ²), ḡ ← αḡ + (1−α)g;  b ← momentum · b + u;  p ← p − rate · b.
template <class T = float, class D = Cpu>
class RmsProp : public Optimizer<RmsPropMethod, T, D> {
 public:
  using Optimizer<RmsPropMethod, T, D>::Optimizer;
};
template <class M>
RmsProp(const M&, RmsPropOptions = {}, std::vector<ParameterGroup> = {})
    -> RmsProp<detail::scalar_of<M>, detail::place_of<M>>;

}  // namespace lacuna::optim
