/// Stochastic gradient descent with momentum.  (Polyak 1964; Nesterov 1983, as in Sutskever et al., ICML 2013)
///
/// ```cpp
/// optim::Sgd optimizer(model, {.learning_rate = 0.1, .momentum = 0.9});
/// optimizer.zero_grad();
/// cross_entropy(model(first), labels).backward();
/// optimizer.step();
/// ```
#pragma once

#include "lacuna/kernels/cpu/optimizer.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/optim/optimizer.hpp"

namespace lacuna::optim {

struct SgdOptions {
  double learning_rate = 1e-3;
  double momentum = 0, dampening = 0;
  double weight_decay = 0;  ///< g ← g + decay · p
  bool nesterov = false;
};

struct SgdMethod {
  using Options = SgdOptions;
  static constexpr const char* name = "Sgd";

  static detail::SlotNames slots(const Options& o) {
    return {o.momentum != 0 ? "momentum" : nullptr, nullptr, nullptr};
  }
  static void check(const Options& o) {
    detail::expect_at_least_0(name, "momentum", o.momentum);
    detail::expect_at_least_0(name, "weight_decay", o.weight_decay);
    detail::expect_option(!o.nesterov || (o.momentum > 0 && o.dampening == 0), name,
                          "nesterov needs a momentum and no dampening");
  }
  template <class T, class D>
  static void step(const Options& o, const StepContext& c, index_t n, T* p, const T* g, const rules::Slots<T>& slots) {
    const rules::Sgd<T> rule{T(c.learning_rate), T(o.momentum), T(1 - o.dampening), c.t == 1, o.nesterov};
    Kernels<D>::Optimizer::optimizer_step(rule, n, c.gradient_factor, c.decay * o.weight_decay, p, g, slots);
  }
};

/// b ← g in the first step, then momentum · b + (1 − dampening) · g;  p ← p − rate · b, nesterov: p − rate · (g +
/// momentum · b).
template <class T = float, class D = Cpu>
class Sgd : public Optimizer<SgdMethod, T, D> {
 public:
  using Optimizer<SgdMethod, T, D>::Optimizer;
};
template <class M>
Sgd(const M&, SgdOptions = {}, std::vector<ParameterGroup> = {}) -> Sgd<detail::scalar_of<M>, detail::place_of<M>>;

}  // namespace lacuna::optim
