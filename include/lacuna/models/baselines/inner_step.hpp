/// Gradients through a step of gradient descent: what meta-learning minimises.  (MAML: Finn, Abbeel & Levine, ICML 2017)
///
///   θ* = θ − η ∂A(θ, φ)/∂θ,   L = A(θ, φ) + B(θ*, φ)
///   ∂L/∂θ = ∂A/∂θ + v − η (∂²A/∂θ²) v,   ∂L/∂φ = ∂A/∂φ + ∂B/∂φ − η (∂²A/∂φ∂θ) v,   v = ∂B/∂θ at θ*
///
/// The product of the second derivatives with v is a central difference of first gradients at θ ± h v, with h |v| =
/// ∛ε (1 + |θ|): exact but for about ε^⅔, 1e-10 in double and 1e-4 in float, times η. It wants no second derivative of
/// any operation, so that A may be any loss of any network. `second_order` off: the first-order form, without it.
///
/// ```cpp
/// const auto moves = [](const std::string& path) { return path.starts_with("classifier."); };   // θ; the rest is φ
/// const auto total = models::through_inner_step(network, moves, {.rate = 1e-3}, train_loss, validation_loss);
/// total.backward();      // as of any other loss: train_loss(network) and validation_loss(network) are Variables
/// ```
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "lacuna/nn/module.hpp"
#include "lacuna/ops/elementwise.hpp"

namespace lacuna {
namespace detail {

/// Numbers of every parameter of a module, in the order of its reflection.
using ParameterNumbers = std::vector<std::vector<double>>;

/// of(parameter): a tensor, as its value or its gradient.
template <class M, class Of>
ParameterNumbers parameter_numbers(const M& module, Of&& of) {
  ParameterNumbers all;
  for_each_parameter(module, [&](const std::string&, const auto& parameter) {
    const auto x = of(parameter).to_vector();
    all.emplace_back(x.begin(), x.end());
  });
  return all;
}
template <class M>
ParameterNumbers parameter_values(const M& module) {
  return parameter_numbers(module, [](const auto& parameter) { return parameter.value(); });
}
template <class M>
ParameterNumbers parameter_gradients(const M& module) {
  return parameter_numbers(module, [](const auto& parameter) { return parameter.grad(); });
}
inline void add_scaled(ParameterNumbers& to, const ParameterNumbers& x, double factor) {
  for (std::size_t p = 0; p < to.size(); ++p)
    for (std::size_t i = 0; i < to[p].size(); ++i) to[p][i] += factor * x[p][i];
}
/// θ ← start + factor · direction, where `moves`; gradients are forgotten.
template <class M, class Moves>
void move_parameters(M& module, Moves&& moves, const ParameterNumbers& start, const ParameterNumbers& direction,
                     double factor) {
  std::size_t p = 0;
  for_each_parameter(module, [&](const std::string& path, auto& parameter) {
    using T = typename std::remove_cvref_t<decltype(parameter)>::scalar;
    if (moves(path)) {
      std::vector<T> numbers;
      for (std::size_t i = 0; i < start[p].size(); ++i) numbers.push_back(T(start[p][i] + factor * direction[p][i]));
      parameter.mutable_data();  // what was packed of it is out of date
      parameter.node()->value.assign(numbers);
    }
    parameter.zero_grad();
    ++p;
  });
}

}  // namespace detail

namespace models {

struct InnerStepOptions {
  double rate = 1e-3;  ///< η
  bool second_order = true;
};

/// θ ← θ − rate ∂A/∂θ of `module`, in place, θ being the parameters whose path `moves` takes. Gives the gradients of all
/// parameters at the start, and A.
template <class M, class Moves, class Loss>
auto take_inner_step(M& module, Moves&& moves, double rate, Loss&& loss) {
  zero_grad(module);
  const auto a = loss(std::as_const(module));
  a.backward();
  const auto gradients = lacuna::detail::parameter_gradients(module);
  lacuna::detail::move_parameters(module, moves, lacuna::detail::parameter_values(module), gradients, -rate);
  return std::pair{gradients, a.item()};
}

/// A + B as a variable whose gradients are those above. `inner` and `outer` are given copies of the module, the first
/// one up to three times: what it draws at random has to be the same every time.
template <class M, class Moves, class Inner, class Outer>
auto through_inner_step(const M& module, Moves&& moves, const InnerStepOptions& o, Inner&& inner, Outer&& outer) {
  using Number = std::remove_cvref_t<decltype(inner(module))>;
  using T = typename Number::scalar;
  using D = typename Number::device;
  M fast = module;
  const auto start = lacuna::detail::parameter_values(module);
  const auto step = take_inner_step(fast, moves, o.rate, inner);
  auto total = step.first;
  const Number b = outer(std::as_const(fast));
  b.backward();
  const auto v = lacuna::detail::parameter_gradients(fast);
  lacuna::detail::add_scaled(total, v, 1);

  double length = 0, size = 0;
  std::size_t p = 0;
  for_each_parameter(module, [&](const std::string& path, const auto&) {
    for (std::size_t i = 0; moves(path) && i < v[p].size(); ++i)
      length += v[p][i] * v[p][i], size += start[p][i] * start[p][i];
    ++p;
  });
  if (o.second_order && length > 0 && std::isfinite(length)) {
    const double h = std::cbrt(double(std::numeric_limits<T>::epsilon())) * (1 + std::sqrt(size)) / std::sqrt(length);
    for (const double side : {1.0, -1.0}) {
      lacuna::detail::move_parameters(fast, moves, start, v, side * h);
      inner(std::as_const(fast)).backward();
      lacuna::detail::add_scaled(total, lacuna::detail::parameter_gradients(fast), -side * o.rate / (2 * h));
    }
  }

  // Σ g · (p − p as it is): 0, with the gradient g
  Number result(Tensor<T, 0, D>::full({}, step.second + b.item()));
  p = 0;
  for_each_parameter(module, [&](const std::string&, const auto& parameter) {
    using P = std::remove_cvref_t<decltype(parameter)>;
    const auto& g = total[p++];
    if (!parameter.requires_grad() || std::all_of(g.begin(), g.end(), [](double x) { return x == 0; })) return;
    const Variable<T, P::rank, D>& x = parameter;
    const std::vector<T> weights(g.begin(), g.end());
    result = result +
             sum(multiply(x - x.detach(), Variable<T, P::rank, D>(Tensor<T, P::rank, D>::from(x.extents(), weights))));
  });
  return result;
}

}  // namespace models
}  // namespace lacuna
