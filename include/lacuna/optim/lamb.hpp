/// Adam whose step has, tensor by tensor, the length of the parameters: for large batches.  (You et al., ICLR 2020)
#pragma once

#include "lacuna/kernels/cpu/optimizer.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/optim/optimizer.hpp"

namespace lacuna::optim {

struct LambOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-6;
  double weight_decay = 0;  ///< part of the direction
};

struct LambMethod {
  using Options = LambOptions;
  static constexpr const char* name = "Lamb";
  static constexpr bool per_tensor = true;

  static detail::SlotNames slots(const Options&) { return {"first_moment", "second_moment", nullptr}; }
  static void check(const Options& o) {
    detail::expect_beta(name, "beta1", o.beta1);
    detail::expect_beta(name, "beta2", o.beta2);
    detail::expect_at_least_0(name, "epsilon", o.epsilon);
    detail::expect_at_least_0(name, "weight_decay", o.weight_decay);
  }
  template <class T, class D>
  static void step(const Options& o, const StepContext& c, index_t n, T* p, const T* g, const rules::Slots<T>& slots) {
    const double t = double(c.t);
    const rules::Lamb<T> rule{T(o.beta1),
                              T(o.beta2),
                              T(1 - o.beta1),
                              T(1 - o.beta2),
                              T(1 / (1 - std::pow(o.beta1, t))),
                              T(1 / std::sqrt(1 - std::pow(o.beta2, t))),
                              T(o.epsilon),
                              T(c.decay * o.weight_decay)};
    Kernels<D>::Optimizer::lamb_step(rule, n, c.learning_rate, c.gradient_factor, p, g, slots);
  }
};

/// r = m̂/(√v̂ + ε) + decay · p;  p ← p − rate · (‖p‖/‖r‖) · r, ratio 1 where a norm is 0.
template <class T = float, class D = Cpu>
class Lamb : public Optimizer<LambMethod, T, D> {
 public:
  using Optimizer<LambMethod, T, D>::Optimizer;
};
template <class M>
Lamb(const M&, LambOptions = {}, std::vector<ParameterGroup> = {}) -> Lamb<detail::scalar_of<M>, detail::place_of<M>>;

}  // namespace lacuna::optim
