/// Normalisation layers; formulas in lacuna/ops/norm.hpp.
///
/// ```cpp
/// const LayerNorm<float> norm({.num_features = 8});
/// const auto y = norm(frames);                       // every frame by itself: mean 0, variance 1, then weight and bias
/// ```
#pragma once

#include "lacuna/core/context.hpp"
#include "lacuna/nn/init.hpp"
#include "lacuna/nn/module.hpp"
#include "lacuna/ops/norm.hpp"

namespace lacuna {

/// Over the last axis: x (..., num_features) → same. Start: weight 1, bias 0.
template <class T = float, class D = Cpu>
struct LayerNorm {
  struct Options {
    index_t num_features;
    double epsilon = 1e-5;
    bool affine = true;
  };
  double epsilon = 1e-5;
  Parameter<T, 1, D> weight, bias;  ///< undefined when not affine

  LayerNorm() = default;
  explicit LayerNorm(Options o) : epsilon(o.epsilon) {
    if (!o.affine) return;
    weight = Parameter<T, 1, D>(Tensor<T, 1, D>::full({o.num_features}, T(1)));
    bias = Parameter<T, 1, D>(Tensor<T, 1, D>::zeros({o.num_features}));
  }
  template <int R>
  Variable<T, R, D> operator()(const Variable<T, R, D>& x) const {
    return layer_norm<T, R, D>(x, weight, bias, epsilon);
  }
  static void reflect(auto& self, auto&& visit) {
    visit("weight", self.weight);
    visit("bias", self.bias);
  }
};

/// By the root mean square of the last axis: x (..., num_features) → same. Start: weight 1.
template <class T = float, class D = Cpu>
struct RmsNorm {
  struct Options {
    index_t num_features;
    double epsilon = 1e-6;
  };
  double epsilon = 1e-6;
  Parameter<T, 1, D> weight;

  RmsNorm() = default;
  explicit RmsNorm(Options o) : epsilon(o.epsilon), weight(Tensor<T, 1, D>::full({o.num_features}, T(1))) {}
  template <int R>
  Variable<T, R, D> operator()(const Variable<T, R, D>& x) const {
    return rms_norm<T, R, D>(x, weight, epsilon);
  }
  static void reflect(auto& self, auto&& visit) { visit("weight", self.weight); }
};

/// Per feature over all leading axes: x (..., num_features) → same. Absent rows take no part and become 0.
/// The running statistics are buffers: stored and copied with the model, and left alone by optimizers and by `freeze`. A
/// training call moves them, so it must not share the module with another thread; inference may.
template <class T = float, class D = Cpu>
struct BatchNorm {
  struct Options {
    index_t num_features;
    double momentum = 0.1, epsilon = 1e-5;
    bool affine = true;
  };
  BatchNormOptions options;
  Parameter<T, 1, D> weight, bias;  ///< undefined when not affine
  Buffer<T, 1, D> running_mean, running_variance;

  BatchNorm() = default;
  explicit BatchNorm(Options o)
      : options{o.momentum, o.epsilon},
        running_mean(Tensor<T, 1, D>::zeros({o.num_features})),
        running_variance(Tensor<T, 1, D>::full({o.num_features}, T(1))) {
    if (!o.affine) return;
    weight = Parameter<T, 1, D>(Tensor<T, 1, D>::full({o.num_features}, T(1)));
    bias = Parameter<T, 1, D>(Tensor<T, 1, D>::zeros({o.num_features}));
  }
  template <int R>
  Variable<T, R, D> operator()(const Variable<T, R, D>& x, const Context& context,
                               const Mask<R - 1, D>& present = {}) const {
    return batch_norm<T, R, D>(x, weight, bias, running_mean.array(), running_variance.array(), context.training(),
                               options, present);
  }
  static void reflect(auto& self, auto&& visit) {
    visit("weight", self.weight);
    visit("bias", self.bias);
    visit("running_mean", self.running_mean);
    visit("running_variance", self.running_variance);
  }
};

}  // namespace lacuna
