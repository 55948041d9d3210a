/// Linear layer and the multilayer perceptron made of it.
///
/// ```cpp
/// Mlp<float> trunk({.sizes = {8, 16, 16}, .dropout = 0.1}, random);   // relu behind every layer
/// Linear<float> head({.in_features = 16, .out_features = 3}, random);
/// const auto scores = head(trunk(first, Context::train(random)));     // (B, 8) -> (B, 3)
/// cross_entropy(scores, labels).backward();
/// ```
#pragma once

#include "lacuna/nn/init.hpp"
#include "lacuna/nn/module.hpp"
#include "lacuna/ops/activation.hpp"
#include "lacuna/ops/dropout.hpp"
#include "lacuna/ops/linear.hpp"

namespace lacuna {

/// y = x Wᵀ + b over the last axis.  x (..., in) → y (..., out); weight (out, in), bias (out).
/// Start: both uniform in ±1/√in.  Throws ShapeError when the last axis of x is not `in`.
template <class T = float, class D = Cpu>
struct Linear {
  struct Options {
    index_t in_features, out_features;
    bool bias = true;
  };
  Parameter<T, 2, D> weight;
  Parameter<T, 1, D> bias;

  Linear() = default;
  Linear(Options options, Random& random) {
    if (options.in_features < 1 || options.out_features < 1)
      throw OptionError(
          detail::cat("Linear: sizes must be positive, found ", options.in_features, " -> ", options.out_features));
    const double bound = 1.0 / std::sqrt(double(options.in_features));
    weight = Parameter<T, 2, D>(init::uniform<T, 2, D>({options.out_features, options.in_features}, bound, random));
    if (options.bias) bias = Parameter<T, 1, D>(init::uniform<T, 1, D>({options.out_features}, bound, random));
  }

  template <int R>
  Variable<T, R, D> operator()(const Variable<T, R, D>& x, Activation activation = Activation::none) const {
    return linear<T, R, D>(x, weight, bias, activation);
  }
  static void reflect(auto& self, auto&& visit) {
    visit("weight", self.weight);
    visit("bias", self.bias);
  }
};

/// Multilayer perceptron: x ← dropout(relu(Linear(x))) for every layer, the last one included.
/// x (..., sizes[0]) → (..., sizes.back()).
template <class T = float, class D = Cpu>
struct Mlp {
  struct Options {
    std::vector<index_t> sizes;  ///< input size, then the size of every layer
    double dropout = 0;
  };
  std::vector<Linear<T, D>> layers;
  double dropout = 0;

  Mlp() = default;
  Mlp(const Options& options, Random& random) : dropout(options.dropout) {
    if (options.sizes.size() < 2) throw OptionError("Mlp: needs an input size and at least one layer");
    for (std::size_t i = 0; i + 1 < options.sizes.size(); ++i)
      layers.emplace_back(typename Linear<T, D>::Options{options.sizes[i], options.sizes[i + 1]}, random);
  }

  template <int R>
  Variable<T, R, D> operator()(Variable<T, R, D> x, const Context& context) const {
    detail::expect_made("Mlp", layers);
    for (const auto& layer : layers) x = linear_relu_dropout<T, R, D>(x, layer.weight, layer.bias, dropout, context);
    return x;
  }
  static void reflect(auto& self, auto&& visit) { visit("layers", self.layers); }
};

}  // namespace lacuna
