/// Group normalisation over time and the features of one group.  (Wu & He, ECCV 2018)
///
///   y = (x − mean) / √(variance + ε) · weight + bias,  mean and variance of every sample over all frames and the C/groups
///   features of a group                                                                     x (B, T, C) → same
///
/// Every frame counts, zeros of padding included. Start: weight 1, bias 0. Throws OptionError unless groups divides C.
#pragma once

#include "lacuna/nn/module.hpp"
#include "lacuna/ops/elementwise.hpp"
#include "lacuna/ops/manipulation.hpp"
#include "lacuna/ops/norm.hpp"
#include "lacuna/ops/shape.hpp"

namespace lacuna {

template <class T = float, class D = Cpu>
struct GroupNorm {
  struct Options {
    index_t num_channels, num_groups;
    double epsilon = 1e-5;
  };
  index_t groups = 1;
  double epsilon = 1e-5;
  Parameter<T, 1, D> weight, bias;

  GroupNorm() = default;
  explicit GroupNorm(Options o)
      : groups(o.num_groups),
        epsilon(o.epsilon),
        weight(Tensor<T, 1, D>::full({o.num_channels}, T(1))),
        bias(Tensor<T, 1, D>::zeros({o.num_channels})) {
    if (o.num_groups < 1 || o.num_channels % o.num_groups)
      throw OptionError(
          detail::cat("GroupNorm: ", o.num_groups, " groups do not divide ", o.num_channels, " features"));
  }
  Variable<T, 3, D> operator()(const Variable<T, 3, D>& x) const {
    const index_t batch = x.extent(0), frames = x.extent(1), width = x.extent(2), each = width / groups;
    const auto grouped = permute(reshape(x, std::array<index_t, 4>{batch, frames, groups, each}), {0, 2, 1, 3});
    const auto rows = reshape(grouped, std::array<index_t, 3>{batch, groups, frames * each});
    const auto unit = layer_norm<T, 3, D>(rows, {}, {}, epsilon);
    const auto back = permute(reshape(unit, std::array<index_t, 4>{batch, groups, frames, each}), {0, 2, 1, 3});
    const Variable<T, 1, D>&w = weight, &b = bias;
    return reshape(back, std::array<index_t, 3>{batch, frames, width}) * w + b;
  }
  static void reflect(auto& self, auto&& visit) {
    visit("weight", self.weight);
    visit("bias", self.bias);
  }
};

}  // namespace lacuna
