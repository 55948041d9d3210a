/// Adam with a rectified start, and Adam that looks ahead.
/// (RAdam: Liu et al., ICLR 2020; NAdam: Dozat, ICLR workshop 2016)
#pragma once

#include "lacuna/kernels/cpu/optimizer.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/optim/optimizer.hpp"

namespace lacuna::optim {

struct RAdamOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0;  ///< g ← g + decay · p
};

struct RAdamMethod {
  using Options = RAdamOptions;
  static constexpr const char* name = "RAdam";

  static detail::SlotNames slots(const Options&) { return {"first_moment", "second_moment", nullptr}; }
  static void check(const Options& o) {
    detail::expect_beta(name, "beta1", o.beta1);
    detail::expect_beta(name, "beta2", o.beta2);
    detail::expect_at_least_0(name, "epsilon", o.epsilon);
    detail::expect_at_least_0(name, "weight_decay", o.weight_decay);
  }
  template <class T, class D>
  static void step(const Options& o, const StepContext& c, index_t n, T* p, const T* g, const rules::Slots<T>& slots) {
    const double t = double(c.t), power = std::pow(o.beta2, t), correction2 = 1 - power;
    const double limit = 2 / (1 - o.beta2) - 1, rho = limit - 2 * t * power / correction2;
    const bool plain = !(rho > 5);
    const double rectified =
        plain ? 1
              : std::sqrt((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho)) * std::sqrt(correction2);
    const rules::RAdam<T> rule{T(o.beta1),
                               T(o.beta2),
                               T(1 - o.beta1),
                               T(1 - o.beta2),
                               T(c.learning_rate / (1 - std::pow(o.beta1, t)) * rectified),
                               T(o.epsilon),
                               plain};
    Kernels<D>::Optimizer::optimizer_step(rule, n, c.gradient_factor, c.decay * o.weight_decay, p, g, slots);
  }
};

/// ρ∞ = 2/(1−β₂) − 1, ρ = ρ∞ − 2tβ₂ᵗ/(1−β₂ᵗ). While ρ ≤ 5: p ← p − rate · m̂; then p ← p − rate · m̂ · r · √(1−β₂ᵗ)/(√v +
/// ε), r = √((ρ−4)(ρ−2)ρ∞ / ((ρ∞−4)(ρ∞−2)ρ)).
template <class T = float, class D = Cpu>
class RAdam : public Optimizer<RAdamMethod, T, D> {
 public:
  using Optimizer<RAdamMethod, T, D>::Optimizer;
};
template <class M>
RAdam(const M&, RAdamOptions = {}, std::vector<ParameterGroup> = {})
    -> RAdam<detail::scalar_of<M>, detail::place_of<M>>;

struct NAdamOptions {
  double learning_rate = 2e-3;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0;  ///< g ← g + decay · p
  double momentum_decay = 0.004;
};

struct NAdamMethod {
  using Options = NAdamOptions;
  static constexpr const char* name = "NAdam";
  static constexpr bool keeps_progress = true;  ///< the product of all μ so far

  static detail::SlotNames slots(const Options&) { return {"first_moment", "second_moment", nullptr}; }
  static void check(const Options& o) {
    detail::expect_beta(name, "beta1", o.beta1);
    detail::expect_beta(name, "beta2", o.beta2);
    detail::expect_at_least_0(name, "epsilon", o.epsilon);
    detail::expect_at_least_0(name, "weight_decay", o.weight_decay);
    detail::expect_at_least_0(name, "momentum_decay", o.momentum_decay);
  }
  template <class T, class D>
  static void step(const Options& o, const StepContext& c, index_t n, T* p, const T* g, const rules::Slots<T>& slots) {
    const double t = double(c.t);
    const auto momentum = [&](double at) { return o.beta1 * (1 - 0.5 * std::pow(0.96, at * o.momentum_decay)); };
    const double now = momentum(t), next = momentum(t + 1), product = *c.progress *= now;
    const rules::NAdam<T> rule{T(o.beta1),
                               T(o.beta2),
                               T(1 - o.beta1),
                               T(1 - o.beta2),
                               T(c.learning_rate * (1 - now) / (1 - product)),
                               T(c.learning_rate * next / (1 - product * next)),
                               T(1 / std::sqrt(1 - std::pow(o.beta2, t))),
                               T(o.epsilon)};
    Kernels<D>::Optimizer::optimizer_step(rule, n, c.gradient_factor, c.decay * o.weight_decay, p, g, slots);
  }
};

/// μ_t = β₁(1 − ½·0.96^(t·momentum_decay)), P_t = Π μ;
/// p ← p − rate · [(1−μ_t)/(1−P_t) · g + μ_{t+1}/(1−P_{t+1}) · m] / (√v̂ + ε).
template <class T = float, class D = Cpu>
class NAdam : public Optimizer<NAdamMethod, T, D> {
 public:
  using Optimizer<NAdamMethod, T, D>::Optimizer;
};
template <class M>
NAdam(const M&, NAdamOptions = {}, std::vector<ParameterGroup> = {})
    -> NAdam<detail::scalar_of<M>, detail::place_of<M>>;

}  // namespace lacuna::optim
