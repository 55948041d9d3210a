/// Convolution over time; formula in lacuna/ops/conv1d.hpp.
#pragma once

#include "lacuna/nn/init.hpp"
#include "lacuna/nn/module.hpp"
#include "lacuna/ops/conv1d.hpp"

namespace lacuna {

/// x (B, T, in) → (B, T', out); weight (out, in/groups, kernel), bias (out). Without padding options the length stays
/// (for stride 1), the odd frame of padding on the right. Start: both uniform in ±1/√(kernel · in/groups).
template <class T = float, class D = Cpu>
struct Conv1d {
  struct Options {
    index_t in_channels, out_channels, kernel = 1, stride = 1, dilation = 1, groups = 1;
    index_t pad_left = -1, pad_right = -1;  ///< -1: together dilation (kernel − 1), half on each side
    bool bias = true;
  };
  Conv1dOptions options;
  Parameter<T, 3, D> weight;
  Parameter<T, 1, D> bias;

  Conv1d() = default;
  Conv1d(const Options& o, Random& random) {
    if (o.in_channels < 1 || o.out_channels < 1 || o.kernel < 1 || o.groups < 1 || o.in_channels % o.groups ||
        o.out_channels % o.groups)
      throw OptionError(detail::cat("Conv1d: ", o.in_channels, " -> ", o.out_channels, " channels, kernel ", o.kernel,
                                    ", ", o.groups, " groups: sizes must be positive and channels divide into groups"));
    const index_t reach = o.dilation * (o.kernel - 1);
    options = {o.stride, o.dilation, o.groups, o.pad_left >= 0 ? o.pad_left : reach / 2,
               o.pad_right >= 0 ? o.pad_right : reach - reach / 2};
    const double bound = 1.0 / std::sqrt(double(o.kernel * (o.in_channels / o.groups)));
    weight =
        Parameter<T, 3, D>(init::uniform<T, 3, D>({o.out_channels, o.in_channels / o.groups, o.kernel}, bound, random));
    if (o.bias) bias = Parameter<T, 1, D>(init::uniform<T, 1, D>({o.out_channels}, bound, random));
  }
  Variable<T, 3, D> operator()(const Variable<T, 3, D>& x) const { return conv1d<T, D>(x, weight, bias, options); }
  static void reflect(auto& self, auto&& visit) {
    visit("weight", self.weight);
    visit("bias", self.bias);
  }
};

}  // namespace lacuna
