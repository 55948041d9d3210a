/// A normalising flow over the features of every frame: what can be run backwards.  (Glow: Kingma & Dhariwal, NeurIPS 2018;
/// in DiCMoR: Wang et al., ICCV 2023)
///
///   a coupling  [a; b] = x,  (ℓ; u) = net(a),  s = σ(ℓ + 2),  y = [a; (b + u) s],  log det = Σ log s
///   net = W₃ relu W₂ relu W₁, W₃ and its bias times exp(3 scale), all three 0 at the start
///   the flow    couplings one after the other, behind each the features in reverse order         (B, T, d) → same
///
/// so that every feature is changed by every second coupling. `mixed` off leaves their order as it is, as DiCMoR's code does:
/// the first half of the features then never changes. Frames are independent: mask the result for absent ones.
///
/// ```cpp
/// const NormalizingFlow<float> flow({.width = 8, .hidden = 16, .steps = 4}, random);
/// const auto [z, log_det] = flow(frames);               // (B, T, 8), (B, T)
/// const auto again = flow.inverse(z);                   // frames
/// ```
#pragma once

#include "lacuna/nn/linear.hpp"
#include "lacuna/ops/elementwise.hpp"
#include "lacuna/ops/manipulation.hpp"
#include "lacuna/ops/reduction.hpp"
#include "lacuna/ops/shape.hpp"
#include "lacuna/ops/slice.hpp"

namespace lacuna {

/// y = (W x + b) exp(3 scale), everything 0 at the start.
template <class T = float, class D = Cpu>
struct ZeroStart {
  Linear<T, D> linear;
  Parameter<T, 1, D> scale;

  ZeroStart() = default;
  ZeroStart(index_t in, index_t out, Random& random)
      : linear({.in_features = in, .out_features = out}, random), scale(Tensor<T, 1, D>::zeros({out})) {
    linear.weight = Parameter<T, 2, D>(Tensor<T, 2, D>::zeros({out, in}));
    linear.bias = Parameter<T, 1, D>(Tensor<T, 1, D>::zeros({out}));
  }
  template <int R>
  Variable<T, R, D> operator()(const Variable<T, R, D>& x) const {
    const Variable<T, 1, D>& s = scale;
    return linear(x) * exp(3.0 * s);
  }
  static void reflect(auto& self, auto&& visit) {
    visit("conv", self.linear);
    visit("scale", self.scale);
  }
};

template <class T = float, class D = Cpu>
struct AffineCoupling {
  using Frames = Variable<T, 3, D>;
  Linear<T, D> in, hidden;
  ZeroStart<T, D> out;

  AffineCoupling() = default;
  AffineCoupling(index_t width, index_t inner, Random& random)
      : in({.in_features = width - width / 2, .out_features = inner}, random),
        hidden({.in_features = inner, .out_features = inner}, random),
        out(inner, 2 * (width / 2), random) {}

  struct Parts {
    Frames a, b, shift, log_scale;
  };
  Parts parts(const Frames& x) const {
    const index_t first = in.weight.extent(1), rest = x.extent(2) - first;
    const auto a = slice(x, 2, 0, first);
    const auto net = out(hidden(in(a, Activation::relu), Activation::relu));
    // log σ(ℓ + 2)
    return {a, slice(x, 2, first, rest), slice(net, 2, rest, rest), -softplus(-2.0 - slice(net, 2, 0, rest))};
  }
  static void reflect(auto& self, auto&& visit) {
    visit("coupling.net.0", self.in);
    visit("coupling.net.2", self.hidden);
    visit("coupling.net.4", self.out);
  }
};

template <class T = float, class D = Cpu>
struct NormalizingFlow {
  using Frames = Variable<T, 3, D>;
  struct Options {
    index_t width, hidden = 64, steps = 32;
    bool mixed = true;
  };
  struct Result {
    Frames z;
    Variable<T, 2, D> log_det;  ///< (B, T)
  };
  bool mixed = true;
  std::vector<AffineCoupling<T, D>> steps;

  NormalizingFlow() = default;
  NormalizingFlow(const Options& o, Random& random) : mixed(o.mixed) {
    if (o.width < 2 || o.hidden < 1 || o.steps < 1)
      throw OptionError(detail::cat("NormalizingFlow: ", o.steps, " steps of ", o.hidden, " hidden over ", o.width,
                                    " features; it needs a step, and two features"));
    for (index_t i = 0; i < o.steps; ++i) steps.emplace_back(o.width, o.hidden, random);
  }
  Result operator()(Frames x) const {
    detail::expect_made("NormalizingFlow", steps);
    Variable<T, 2, D> log_det;
    for (const auto& step : steps) {
      const auto p = step.parts(x);
      x = concat({p.a, (p.b + p.shift) * exp(p.log_scale)}, -1);
      if (mixed) x = flip(x, -1);
      const auto own = sum(p.log_scale, 2);
      log_det = log_det.defined() ? log_det + own : own;
    }
    return {x, log_det};
  }
  Frames inverse(Frames z) const {
    detail::expect_made("NormalizingFlow", steps);
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
      if (mixed) z = flip(z, -1);
      const auto p = step->parts(z);
      z = concat({p.a, p.b * exp(-p.log_scale) - p.shift}, -1);
    }
    return z;
  }
  static void reflect(auto& self, auto&& visit) { visit("steps", self.steps); }
};

}  // namespace lacuna
