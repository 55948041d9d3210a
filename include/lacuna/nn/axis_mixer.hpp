/// Perceptrons along one axis after the other.  (MLP-Mixer: Tolstikhin et al., NeurIPS 2021; CubeMLP: Sun et al., ACM MM
/// 2022)
///
///   AxisMixer  y = R x + W₂ gelu(W₁ norm x) over the last axis, or norm last: norm(R x + W₂ gelu(W₁ x))
///              R a matrix, or the identity                                          (..., in) → (..., out)
///   CubeMixer  AxisMixer over time, over modalities, over features                  (B, T, M, F) → (B, T', M', F')
///
/// A mixer over time sees every frame: what is absent is 0 in x, and gives what W₁ and the norm make of 0. Throws
/// OptionError where the identity would have to change a size.
#pragma once

#include <optional>

#include "lacuna/nn/linear.hpp"
#include "lacuna/nn/norm.hpp"
#include "lacuna/ops/manipulation.hpp"

namespace lacuna {

struct AxisMixerOptions {
  index_t in, hidden, out;
  bool projected = true;  ///< R is a matrix, not the identity
  bool bias = true, norm_first = true;
  double dropout = 0;  ///< of what is added
  double epsilon = 1e-6;
};

template <class T = float, class D = Cpu>
struct AxisMixer {
  using Options = AxisMixerOptions;
  Linear<T, D> fc1, fc2;
  std::optional<Linear<T, D>> residual;
  LayerNorm<T, D> norm;
  bool norm_first = true;
  double dropout = 0;

  AxisMixer() = default;
  AxisMixer(const Options& o, Random& random)
      : fc1({.in_features = o.in, .out_features = o.hidden, .bias = o.bias}, random),
        fc2({.in_features = o.hidden, .out_features = o.out, .bias = o.bias}, random),
        norm({.num_features = o.norm_first ? o.in : o.out, .epsilon = o.epsilon}),
        norm_first(o.norm_first),
        dropout(o.dropout) {
    if (o.projected) residual = Linear<T, D>({.in_features = o.in, .out_features = o.out, .bias = false}, random);
    if (!o.projected && o.in != o.out)
      throw OptionError(detail::cat("mixer: an axis of ", o.in, " becomes ", o.out, ": its block must be projected"));
  }
  template <int R>
  Variable<T, R, D> operator()(const Variable<T, R, D>& x, const Context& context = {}) const {
    const auto mixed = fc2(fc1(norm_first ? norm(x) : x, Activation::gelu));
    const auto sum = (residual ? (*residual)(x) : x) + lacuna::dropout(mixed, dropout, context);
    return norm_first ? sum : norm(sum);
  }
  static void reflect(auto& self, auto&& visit) {
    visit("fc1", self.fc1);
    visit("fc2", self.fc2);
    visit("norm", self.norm);
    visit("residual", self.residual);
  }
};

template <class T = float, class D = Cpu>
struct CubeMixer {
  std::array<AxisMixer<T, D>, 3> mixers;  ///< time, modalities, features

  CubeMixer() = default;
  CubeMixer(const std::array<AxisMixerOptions, 3>& o, Random& random)
      : mixers{AxisMixer<T, D>(o[0], random), AxisMixer<T, D>(o[1], random), AxisMixer<T, D>(o[2], random)} {}

  Variable<T, 4, D> operator()(const Variable<T, 4, D>& x, const Context& context = {}) const {
    const auto over_time = permute(mixers[0](permute(x, {0, 2, 3, 1}), context), {0, 3, 1, 2});
    const auto over_modalities = transpose(mixers[1](transpose(over_time, 2, 3), context), 2, 3);
    return mixers[2](over_modalities, context);
  }
  static void reflect(auto& self, auto&& visit) {
    static constexpr const char* names[3][4] = {{"mlp_l.fc1", "mlp_l.fc2", "ln_l", "res_projection_l"},
                                                {"mlp_k.fc1", "mlp_k.fc2", "ln_k", "res_projection_k"},
                                                {"mlp_d.fc1", "mlp_d.fc2", "ln_d", "res_projection_d"}};
    for (std::size_t i = 0; i < 3; ++i) {
      auto& mixer = self.mixers[i];
      visit(names[i][0], mixer.fc1);
      visit(names[i][1], mixer.fc2);
      visit(names[i][2], mixer.norm);
      visit(names[i][3], mixer.residual);
    }
  }
};

}  // namespace lacuna
