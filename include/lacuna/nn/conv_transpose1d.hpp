/// The transposed convolution over time: frames spread out, and a convolution between them.
///
///   y[t] = b + Σ over i, k with t = stride · i − pad + k of x[i] W[·, ·, k]       x (B, T, in) → (B, stride · T, out)
///
/// weight (in, out, kernel), bias (out). Half of the kernel is cut off in front, and as much behind as leaves stride · T
/// frames: PyTorch's padding kernel/2, output_padding stride − 1. The kernel is odd. Absent frames must be 0. Start: both
/// uniform in ±1/√(kernel · out).
#pragma once

#include "lacuna/nn/init.hpp"
#include "lacuna/nn/module.hpp"
#include "lacuna/ops/conv1d.hpp"
#include "lacuna/ops/manipulation.hpp"
#include "lacuna/ops/shape.hpp"

namespace lacuna {

template <class T = float, class D = Cpu>
struct ConvTranspose1d {
  struct Options {
    index_t in_channels, out_channels, kernel = 3, stride = 2;
    bool bias = true;
  };
  index_t stride = 2;
  Parameter<T, 3, D> weight;
  Parameter<T, 1, D> bias;

  ConvTranspose1d() = default;
  ConvTranspose1d(const Options& o, Random& random) : stride(o.stride) {
    if (o.in_channels < 1 || o.out_channels < 1 || o.kernel < 1 || o.kernel % 2 == 0 || o.stride < 1 ||
        o.stride > o.kernel)
      throw OptionError(detail::cat("ConvTranspose1d: ", o.in_channels, " -> ", o.out_channels, " channels, kernel ",
                                    o.kernel, ", stride ", o.stride, ": expected an odd kernel, not below the stride"));
    const double bound = 1.0 / std::sqrt(double(o.kernel * o.out_channels));
    weight = Parameter<T, 3, D>(init::uniform<T, 3, D>({o.in_channels, o.out_channels, o.kernel}, bound, random));
    if (o.bias) bias = Parameter<T, 1, D>(init::uniform<T, 1, D>({o.out_channels}, bound, random));
  }
  Variable<T, 3, D> operator()(const Variable<T, 3, D>& x) const {
    const index_t batch = x.extent(0), frames = x.extent(1), width = x.extent(2), kernel = weight.extent(2);
    Variable<T, 3, D> spread = x;
    if (stride > 1) {
      std::vector<Variable<T, 3, D>> parts{x};
      const Variable<T, 3, D> zero(Tensor<T, 3, D>::zeros({batch, frames, width}));
      parts.insert(parts.end(), std::size_t(stride - 1), zero);
      spread = reshape(stack(parts, 2), std::array<index_t, 3>{batch, frames * stride, width});
    }
    const Variable<T, 3, D>& w = weight;
    const index_t half = kernel / 2;
    return conv1d<T, D>(spread, flip(permute(w, {1, 0, 2}), 2), bias, {1, 1, 1, kernel - 1 - half, kernel - 1 - half});
  }
  static void reflect(auto& self, auto&& visit) {
    visit("weight", self.weight);
    visit("bias", self.bias);
  }
};

}  // namespace lacuna
