/// y = activation(x Wᵀ + b) over the last axis, as one fused operation.
#pragma once

#include "lacuna/autograd/record.hpp"
#include "lacuna/core/precompile.hpp"
#include "lacuna/kernels/cpu/activation.hpp"
#include "lacuna/kernels/cpu/elementwise.hpp"
#include "lacuna/kernels/cpu/gemm.hpp"
#include "lacuna/kernels/cpu/linear.hpp"
#include "lacuna/kernels/cpu/reduce.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/ops/activation.hpp"
#include "lacuna/ops/dropout.hpp"

namespace lacuna {

namespace detail {

/// What the gradient g (rows, out) of x Wᵀ + b means for all three.
template <class T, int R, class D>
void linear_gradient(const Saved<T, R, D>& x, const Variable<T, 2, D>& weight, const Variable<T, 1, D>& bias,
                     const T* g) {
  const index_t rows = x.shape().rows(), in = weight.extent(1), out = weight.extent(0);
  if (const auto slot = x.gradient_slot())
    Kernels<D>::Gemm::template gemm<T>(rows, in, out, {g, out}, {weight.data(), in}, slot.beta(), slot.data, in);
  if (const auto slot = weight.gradient_slot())
    Kernels<D>::Gemm::template gemm<T>(out, in, rows, {g, out, true}, {x.data(), in}, slot.beta(), slot.data, in);
  if (const auto slot = bias.gradient_slot()) Kernels<D>::Reduce::column_sums(rows, out, g, slot);
}

/// True where `through`, the gradient behind the activation (max(x, 0) perhaps with dropout, `factor` its scale), was
/// computed together with its sums for the bias. On a device that is a launch less. `through` may be dy.
template <class T, int R, class D>
bool gradient_with_bias([[maybe_unused]] Activation activation, [[maybe_unused]] T factor,
                        [[maybe_unused]] const Tensor<T, R, D>& y, [[maybe_unused]] const Tensor<T, R, D>& dy,
                        [[maybe_unused]] Tensor<T, R, D>& through, [[maybe_unused]] const Variable<T, 1, D>& bias) {
  if constexpr (requires(index_t n, T * to, GradientSlot<T> s) {
                  Kernels<D>::Linear::activation_gradient_sums(activation, n, n, factor, y.data(), dy.data(), to, s);
                })
    if (activation == Activation::relu || activation == Activation::tanh)
      if (const auto slot = bias.gradient_slot()) {
        Kernels<D>::Linear::activation_gradient_sums(activation, dy.shape().rows(), bias.size(), factor, y.data(),
                                                     dy.data(), through.data(), slot);
        return true;
      }
  return false;
}

}  // namespace detail

/// x (..., in) → y (..., out); weight (out, in); bias (out), or undefined for none.
/// Throws ShapeError when the last axis of x is not `in` or the bias is not (out).
template <class T, int R, class D>
requires(R >= 1) Variable<T, R, D> linear(const Variable<T, R, D>& x, const Variable<T, 2, D>& weight,
                                          const Variable<T, 1, D>& bias, Activation activation = Activation::none) {
  if (!slope_from_value(activation)) return activate(linear(x, weight, bias), activation);  // its argument must be kept
  const index_t rows = x.shape().rows(), in = weight.extent(1), out = weight.extent(0);
  detail::expect_axis("linear", "x", x.shape(), -1, in);
  if (bias.defined()) detail::expect_shape("linear", "bias", bias.shape(), Shape{out});
  auto extents = x.value().extents();
  extents[R - 1] = out;
  Tensor<T, R, D> y(extents);
  Kernels<D>::Linear::linear(rows, in, out, x.data(), weight.data(), bias.data_or_null(), activation, y.data(),
                             weight.packed());
  if (!detail::recorded(x, weight, bias)) return Variable<T, R, D>(y);
  const Tensor<T, R, D> slope = activation == Activation::none ? Tensor<T, R, D>() : y;  // what the way back reads
  const auto backward = [weight, bias, activation, slope, x = detail::Saved(x)](const Tensor<T, R, D>& dy) {
    if (activation == Activation::none) return detail::linear_gradient(x, weight, bias, dy.data());
    Tensor<T, R, D> through = detail::in_place_of(dy);  // gradient before the activation
    if (detail::gradient_with_bias(activation, T(1), slope, dy, through, bias))
      return detail::linear_gradient(x, weight, {}, std::as_const(through).data());
    Kernels<D>::Activations::activation_gradient(activation, dy.size(), slope.data(), dy.data(),
                                                 {through.data(), true});
    detail::linear_gradient(x, weight, bias, std::as_const(through).data());
  };
  return record("linear", y, backward, x, weight, bias);
}

/// y = dropout(relu(x Wᵀ + b)), what a hidden layer is: dropout as in ops/dropout.hpp, drawn from the same streams. It
/// is one pass behind the product, and its backward draws nothing: y is 0 exactly where nothing goes back.
template <class T, int R, class D>
requires(R >= 1) Variable<T, R, D> linear_relu_dropout(const Variable<T, R, D>& x, const Variable<T, 2, D>& weight,
                                                       const Variable<T, 1, D>& bias, double p,
                                                       const Context& context) {
  if (context.dropout(p) != Dropout::drawn) return dropout(linear(x, weight, bias, Activation::relu), p, context);
  const index_t rows = x.shape().rows(), in = weight.extent(1), out = weight.extent(0);
  detail::expect_axis("linear", "x", x.shape(), -1, in);
  if (bias.defined()) detail::expect_shape("linear", "bias", bias.shape(), Shape{out});
  auto extents = x.value().extents();
  extents[R - 1] = out;
  Tensor<T, R, D> y(extents);
  const auto keep = functors::Keep::with(context.random->stream(), p);
  Kernels<D>::Linear::linear_relu_dropped(rows, in, out, x.data(), weight.data(), bias.data_or_null(), keep, y.data());
  const auto backward = [weight, bias, y, factor = T(keep.scale), x = detail::Saved(x)](const Tensor<T, R, D>& dy) {
    Tensor<T, R, D> through = detail::in_place_of(dy);
    if (detail::gradient_with_bias(Activation::relu, factor, y, dy, through, bias))
      return detail::linear_gradient(x, weight, {}, std::as_const(through).data());
    Kernels<D>::Elementwise::dropped_relu_gradient(dy.size(), factor, y.data(), dy.data(),
                                                   GradientSlot<T>{through.data(), true});
    detail::linear_gradient(x, weight, bias, std::as_const(through).data());
  };
  return record("linear_relu_dropout", y, backward, x, weight, bias);
}

#define LACUNA_DETAIL_LINEAR(T, R)                                                                              \
  LACUNA_PRECOMPILE(template Variable<T, R, Cpu> linear(const Variable<T, R, Cpu>&, const Variable<T, 2, Cpu>&, \
                                                        const Variable<T, 1, Cpu>&, Activation))
LACUNA_DETAIL_LINEAR(float, 2)
LACUNA_DETAIL_LINEAR(float, 3)
LACUNA_DETAIL_LINEAR(double, 2)
LACUNA_DETAIL_LINEAR(double, 3)
#undef LACUNA_DETAIL_LINEAR

}  // namespace lacuna
