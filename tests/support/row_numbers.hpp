/// What a row gives: outputs, the objective that weighs them, gradients, and how two such results compare.
#pragma once

#include <cmath>
#include <cstring>

#include "lacuna/ops/arithmetic.hpp"
#include "lacuna/ops/reduction.hpp"
#include "lacuna/ops/shape.hpp"
#include "support/row_inputs.hpp"

namespace lacuna::test {

/// What a row computed, each output as one line of numbers. Every output must pass its gradient on.
template <class T, class D = Cpu>
using Outputs = std::vector<Variable<T, 1, D>>;

/// `Row::build` of any row in one type on one device. The checks take it in place of the row: each is compiled once, not
/// once a row.
template <class T, class D = Cpu>
using Build = Outputs<T, D> (*)(const Inputs<T, D>&);

template <class Row, class T, class D = Cpu>
constexpr Build<T, D> build_of = [](const Inputs<T, D>& in) -> Outputs<T, D> { return Row::build(in); };

template <class T, class D>
Variable<T, 0, D> objective(const Outputs<T, D>& outputs) {
  Random random(99);
  Variable<T, 0, D> total(Tensor<T, 0, D>::full({}, T(0)));
  for (const auto& output : outputs) {
    const RandomStream stream = random.stream();
    std::vector<T> weights(static_cast<std::size_t>(output.size()));
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = T(float(2 * stream.uniform(i) - 1));
    const Variable<T, 1, D> cotangent(Tensor<T, 1, D>::from({output.size()}, weights));
    total = total + sum(multiply(output, cotangent));
  }
  return total;
}
template <class T, class D>
Variable<T, 0, D> objective(Build<T, D> build, const Inputs<T, D>& in) {
  return objective(build(in));
}
template <class Row, class T, class D>
Variable<T, 0, D> objective(const Inputs<T, D>& in) {
  return objective(build_of<Row, T, D>, in);
}

/// Every output and the gradient of the objective to every leaf, on the host.
template <class T>
struct Numbers {
  std::vector<std::vector<T>> outputs, gradients;
};

template <class T, class D>
Numbers<T> evaluate(Build<T, D> build, const Inputs<T, D>& in) {
  Numbers<T> numbers;
  in.zero_grad();
  const Outputs<T, D> outputs = build(in);
  for (const auto& output : outputs) numbers.outputs.push_back(output.value().to_vector());
  const auto total = objective(outputs);
  if (total.requires_grad()) total.backward();
  for (const auto& node : in.nodes())
    numbers.gradients.push_back(node->has_gradient ? node->gradient.to_vector()
                                                   : std::vector<T>(std::size_t(node->value.size()), T(0)));
  return numbers;
}

namespace detail {

using lacuna::detail::cat;

template <class T>
bool same_bits(const std::vector<std::vector<T>>& a, const std::vector<std::vector<T>>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i].size() != b[i].size() ||
        (!a[i].empty() && std::memcmp(a[i].data(), b[i].data(), a[i].size() * sizeof(T)) != 0))
      return false;
  return true;
}

template <class T>
bool same_numbers(const std::vector<std::vector<T>>& a, const std::vector<std::vector<T>>& b) {
  return a == b;  // 0 and -0 are one number, NaN is none
}

/// Largest |a - b| over max(largest |b|, floor); infinite where sizes differ or a number is not finite.
template <class A, class B>
double error(const std::vector<A>& a, const std::vector<B>& b, double floor) {
  if (a.size() != b.size()) return INFINITY;
  double largest = floor, worst = 0;
  for (const B number : b) largest = std::max(largest, std::abs(double(number)));
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(double(a[i]) - double(b[i]));
    if (!(difference <= worst)) worst = std::isnan(difference) ? INFINITY : difference;
  }
  return worst / largest;
}

/// A leaf of any rank, as `check_gradients` wants it.
template <class T, class D>
struct AnyLeaf {
  using scalar = T;
  NodeHandle<T, D> handle;
  const NodeHandle<T, D>& node() const { return handle; }
  void zero_grad() const { handle->has_gradient = false; }
  Array<T, D> grad() const {
    if (handle->has_gradient) return handle->gradient;
    Array<T, D> zeros(handle->value.shape());
    zeros.assign(std::vector<T>(std::size_t(zeros.size()), T(0)));
    return zeros;
  }
};

}  // namespace detail

}  // namespace lacuna::test
