/// One-dimensional convolution over time (cross-correlation, as in every deep-learning library):
///   y[b,t,o] = bias[o] + Σ_{c,j} weight[o,c,j] · x[b, t·stride + j·dilation − pad_left, group(o)·in/groups + c],
/// with x = 0 outside.
#pragma once

#include "lacuna/autograd/record.hpp"
#include "lacuna/kernels/cpu/conv1d.hpp"
#include "lacuna/kernels/cpu/reduce.hpp"
#include "lacuna/kernels/kernels.hpp"

namespace lacuna {

struct Conv1dOptions {
  index_t stride = 1, dilation = 1, groups = 1;
  index_t pad_left = 0, pad_right = 0;
};

/// x (B, T, in), weight (out, in/groups, kernel), bias (out) or undefined → (B, T', out),
/// T' = ⌊(T + pad_left + pad_right − dilation (kernel−1) − 1) / stride⌋ + 1, or 0 when the kernel is longer than that.
/// A causal convolution pads dilation (kernel−1) on the left. Absent frames are numbers like any other: set them to
/// zero first (`apply_mask`). Throws ShapeError when the sizes do not fit, OptionError for a stride, dilation or
/// number of groups below 1 or a negative padding.
template <class T, class D>
Variable<T, 3, D> conv1d(const Variable<T, 3, D>& x, const Variable<T, 3, D>& weight,
                         const Variable<T, 1, D>& bias = {}, Conv1dOptions o = {}) {
  if (o.stride < 1 || o.dilation < 1 || o.groups < 1 || o.pad_left < 0 || o.pad_right < 0)
    throw OptionError("conv1d: stride, dilation and groups must be at least 1, padding at least 0");
  const index_t frames = x.extent(1), in = x.extent(2), out = weight.extent(0), kernel = weight.extent(2);
  if (in % o.groups || out % o.groups)
    throw ShapeError(detail::cat("conv1d: ", in, " and ", out, " channels must divide into ", o.groups, " groups"));
  detail::expect_axis("conv1d", "weight", weight.shape(), 1, in / o.groups);
  if (kernel < 1) throw ShapeError("conv1d: the kernel is empty");
  if (bias.defined()) detail::expect_shape("conv1d", "bias", bias.shape(), Shape{out});
  const index_t room = frames + o.pad_left + o.pad_right - o.dilation * (kernel - 1) - 1;
  const Conv1dSizes sizes{x.extent(0), frames,     in,       out,        kernel,
                          o.stride,    o.dilation, o.groups, o.pad_left, room < 0 ? 0 : room / o.stride + 1};
  Tensor<T, 3, D> y({sizes.batch, sizes.steps, out});
  Kernels<D>::Conv1d::conv1d(sizes, x.data(), weight.data(), bias.data_or_null(), y.data(), weight.packed());
  const auto backward = [=](const Tensor<T, 3, D>& dy) {
    if (const auto slot = x.gradient_slot())
      Kernels<D>::Conv1d::conv1d_input_gradient(sizes, weight.data(), dy.data(), slot);
    if (const auto slot = weight.gradient_slot())
      Kernels<D>::Conv1d::conv1d_weight_gradient(sizes, x.data(), dy.data(), slot);
    if (const auto slot = bias.gradient_slot())
      Kernels<D>::Reduce::column_sums(sizes.batch * sizes.steps, out, dy.data(), slot);
  };
  return record("conv1d", y, backward, x, weight, bias);
}

}  // namespace lacuna
