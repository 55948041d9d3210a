/// q(y | x): a normal distribution whose mean and log-variance two small networks read off x.  (Barber & Agakov 2003; in
/// MMIM: Han, Chen & Poria, EMNLP 2021)
///
///   log q(y | x) = Σ_d −(μ − y)²/(2 e^ℓ) − ℓ/2,  μ = W₂ relu(W₁ x),  ℓ = W₄ relu(W₃ x)      x (B, in), y (B, out) → (B)
///
/// up to the constant −d/2 log 2π. Its mean over (x, y) is, up to the entropy of y, a lower bound of their mutual
/// information.
///
/// `held`: the estimator gets no gradient, what it judges does. `scale` off leaves −ℓ/2 away, as MMIM's code does, so
/// that a large ℓ maximises it. Samples are judged one by one: mask the result for absent ones.
#pragma once

#include "lacuna/nn/linear.hpp"
#include "lacuna/ops/elementwise.hpp"
#include "lacuna/ops/reduction.hpp"

namespace lacuna {

template <class T = float, class D = Cpu>
struct GaussianEstimator {
  Linear<T, D> mu_1, mu_2, log_1, log_2;

  GaussianEstimator() = default;
  /// Hidden layers of the size of y.
  GaussianEstimator(index_t x, index_t y, Random& random)
      : mu_1({.in_features = x, .out_features = y}, random),
        mu_2({.in_features = y, .out_features = y}, random),
        log_1({.in_features = x, .out_features = y}, random),
        log_2({.in_features = y, .out_features = y}, random) {}

  Variable<T, 1, D> operator()(const Variable<T, 2, D>& x, const Variable<T, 2, D>& y, bool held = false,
                               bool scale = true) const {
    const auto layer = [held](const Linear<T, D>& l, const Variable<T, 2, D>& in, Activation a) {
      const Variable<T, 2, D>& w = l.weight;
      const Variable<T, 1, D>& b = l.bias;
      return linear<T, 2, D>(in, held ? w.detach() : w, held ? b.detach() : b, a);
    };
    const auto mu = layer(mu_2, layer(mu_1, x, Activation::relu), Activation::none);
    const auto log = layer(log_2, layer(log_1, x, Activation::relu), Activation::none);
    const auto fit = square(mu - y) / (2.0 * exp(log));
    return -1.0 * sum(scale ? fit + 0.5 * log : fit, 1);
  }
  static void reflect(auto& self, auto&& visit) {
    visit("mlp_mu.0", self.mu_1);
    visit("mlp_mu.2", self.mu_2);
    visit("mlp_logvar.0", self.log_1);
    visit("mlp_logvar.2", self.log_2);
  }
};

}  // namespace lacuna
