/// Losses between predictions and real targets.
#pragma once

#include "lacuna/ops/arithmetic.hpp"

namespace lacuna {
namespace detail {

/// Factor of every sample in a mean over the present ones: present[b] / Σ present; all zero when none is present.
template <class D>
std::vector<double> sample_factors(const char* operation, index_t batch, const Mask<1, D>& present) {
  std::vector<double> factors(static_cast<std::size_t>(batch), 1.0);
  if (present.defined()) {
    expect_shape(operation, "present", present.shape(), Shape{batch});
    const std::vector<std::uint8_t> mask = present.to_vector();
    for (std::size_t b = 0; b < factors.size(); ++b) factors[b] = mask[b] ? 1.0 : 0.0;
  }
  double total = 0;
  for (const double factor : factors) total += factor;
  for (double& factor : factors) factor = total > 0 ? factor / total : 0.0;
  return factors;
}

/// factors (B), repeated over the `width` numbers of every sample and divided by width.
template <class T, int R, class D>
Tensor<T, R, D> spread_factors(const std::vector<double>& factors, const std::array<index_t, std::size_t(R)>& extents) {
  const index_t width = factors.empty() ? 0 : Shape(extents).size() / index_t(factors.size());
  std::vector<T> all(static_cast<std::size_t>(Shape(extents).size()));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = T(factors[i / std::size_t(width)] / double(width));
  return Tensor<T, R, D>::from(extents, all);
}

/// Σ_i factor_i (a_i - b_i)², accumulated in double.
template <class T, int R, class D>
double weighted_squares(const Tensor<T, R, D>& a, const Tensor<T, R, D>& b, const Tensor<T, R, D>& factors) {
  const std::vector<T> x = a.to_vector(), y = b.to_vector(), w = factors.to_vector();
  double total = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (w[i] == T(0)) continue;  // an absent sample may hold anything
    const double difference = double(x[i]) - double(y[i]);
    total += double(w[i]) * difference * difference;
  }
  return total;
}

/// slot += factor · w ∘ (a - b), 0 where w is 0.
template <class T, int R, class D>
void contribute_weighted_difference(T factor, const Tensor<T, R, D>& a, const Tensor<T, R, D>& b,
                                    const Tensor<T, R, D>& weights, GradientSlot<T> slot) {
  const T* x = a.data();
  const T* y = b.data();
  const T* w = weights.data();
  Kernels<D>::contribute(a.size(), slot,
                         [=](index_t i) { return w[i] == T(0) ? T(0) : factor * w[i] * (x[i] - y[i]); });
}

}  // namespace detail

/// Mean squared error, (1/n) Σ (prediction − target)², n = numbers of the present samples.
/// prediction and target (B, ...) of equal shape; present (B), 1 = present, or undefined for all. Gradient flows to both.
/// Absent samples take no part; 0 when none is present.
template <class T, int R, class D>
  requires(R >= 1)
Variable<T, 0, D> mse_loss(const Variable<T, R, D>& prediction, const Variable<T, R, D>& target,
                           const Mask<1, D>& present = {}) {
  detail::expect_shape("mse_loss", "target", target.shape(), prediction.shape());
  const auto factors = detail::sample_factors<D>("mse_loss", prediction.extent(0), present);
  const auto weights = detail::spread_factors<T, R, D>(factors, prediction.value().extents());
  const double value = detail::weighted_squares(prediction.value(), target.value(), weights);
  return record(
      "mse_loss", Tensor<T, 0, D>::full({}, T(value)),
      [=](const Tensor<T, 0, D>& dy) {
        const T twice = T(2) * dy.to_vector()[0];
        const auto a = prediction.value(), b = target.value();
        if (const auto slot = prediction.gradient_slot())
          detail::contribute_weighted_difference(twice, a, b, weights, slot);
        if (const auto slot = target.gradient_slot()) detail::contribute_weighted_difference(-twice, a, b, weights, slot);
      },
      prediction, target);
}

}  // namespace lacuna
