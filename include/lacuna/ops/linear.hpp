/// y = activation(x Wᵀ + b) over the last axis, as one fused operation.
#pragma once

#include "lacuna/autograd/record.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/ops/activation.hpp"

namespace lacuna {

/// x (..., in) → y (..., out); weight (out, in); bias (out), or undefined for none.
/// Throws ShapeError when the last axis of x is not `in` or the bias is not (out).
template <class T, int R, class D>
  requires(R >= 1)
Variable<T, R, D> linear(const Variable<T, R, D>& x, const Variable<T, 2, D>& weight, const Variable<T, 1, D>& bias,
                         Activation activation = Activation::none) {
  if (!slope_from_value(activation)) return activate(linear(x, weight, bias), activation);  // its argument must be kept
  const index_t rows = x.shape().rows(), in = weight.extent(1), out = weight.extent(0);
  detail::expect_axis("linear", "x", x.shape(), -1, in);
  if (bias.defined()) detail::expect_shape("linear", "bias", bias.shape(), Shape{out});
  auto extents = x.value().extents();
  extents[R - 1] = out;
  Tensor<T, R, D> y(extents);
  Kernels<D>::linear(rows, in, out, x.data(), weight.data(), bias.defined() ? bias.data() : nullptr, activation,
                     y.data());
  const auto backward = [=](const Tensor<T, R, D>& dy) {
    Tensor<T, R, D> through = dy;  // gradient before the activation
    if (activation != Activation::none) {
      through = Tensor<T, R, D>(dy.extents());
      Kernels<D>::activation_gradient(activation, dy.size(), y.data(), dy.data(), {through.data(), true});
    }
    const T* g = through.data();
    if (const auto slot = x.gradient_slot())
      Kernels<D>::template gemm<T>(rows, in, out, {g, out}, {weight.data(), in}, slot.beta(), slot.data, in);
    if (const auto slot = weight.gradient_slot())
      Kernels<D>::template gemm<T>(out, in, rows, {g, out, true}, {x.data(), in}, slot.beta(), slot.data, in);
    if (bias.defined())
      if (const auto slot = bias.gradient_slot()) Kernels<D>::column_sums(rows, out, g, slot);
  };
  if (!bias.defined()) return record("linear", y, backward, x, weight);
  return record("linear", y, backward, x, weight, bias);
}

}  // namespace lacuna
