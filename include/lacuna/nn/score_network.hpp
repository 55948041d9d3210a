/// Score-based diffusion of sequences under a condition: a U-net of four levels, its loss and its sampler.  (Song et al.,
/// ICLR 2021; in IMDer: Wang, Li & Cui, NeurIPS 2023)
///
///   std(t) = √((σ²ᵗ − 1)/(2 ln σ)),  g(t) = σᵗ,  e = swish(W [sin 2πVt, cos 2πVt]), V fixed, N(0, 30²)
///   level  h ← h + E(h; c), h ← h + W e, h ← swish(group norm h)      E a crossmodal Transformer (nn/crossmodal.hpp)
///   down   h = convolution of x, then three of stride 2; c likewise by convolutions of its own
///   up     transposed convolutions of [h, the level of that length] and of c,  score = (h + E(h; c)) / std(t)
///   loss   mean over the batch of Σ (score(x + z std, c + z std, t) std + z)²,  z ~ N(0, 1)
///   sample x ← x + g² Δ score(x, c + z' std, t) + √Δ g z, `steps` times from t = 1 to eps; the last without noise
///
/// x and c (B, T, width), T divisible by 8; t (B). Every frame counts: what is absent is 0. (In the source c is disturbed by
/// the same z in the loss.)
#pragma once

#include <cmath>
#include <string>

#include "lacuna/nn/conv1d.hpp"
#include "lacuna/nn/conv_transpose1d.hpp"
#include "lacuna/nn/crossmodal.hpp"
#include "lacuna/nn/group_norm.hpp"
#include "lacuna/ops/mask.hpp"
#include "lacuna/ops/reduction.hpp"

namespace lacuna {

struct ScoreNetworkOptions {
  std::array<index_t, 4> channels = {32, 64, 128, 256};  ///< of the levels; the first is the width of x
  std::array<index_t, 4> groups = {4, 32, 32, 32};       ///< of the norms on the way down
  std::array<index_t, 3> groups_up = {32, 32, 32};       ///< deepest first
  index_t embedding = 256;                               ///< of t
  index_t num_heads = 8, layers = 4;
  double attention_dropout = 0, embedding_dropout = 0;
  double sigma = 25;
};

template <class T = float, class D = Cpu>
struct ScoreNetwork {
  using Frames = Variable<T, 3, D>;
  using Rows = Variable<T, 2, D>;
  using Options = ScoreNetworkOptions;

  /// What a level adds to its convolution.
  struct Level {
    CrossmodalTransformer<T, D> attention;
    Linear<T, D> dense;
    GroupNorm<T, D> norm;
  };
  struct Result {
    std::vector<Frames> norms;  ///< before swish, downwards and upwards
    Frames score;
  };

  Options options{};
  Parameter<T, 1, D> frequencies;  ///< V: not trained
  Linear<T, D> embed;
  std::array<Conv1d<T, D>, 4> down, condition_down;  ///< of the condition but for the first
  std::array<ConvTranspose1d<T, D>, 4> up, condition_up;
  std::array<Level, 4> level;
  std::array<Level, 3> level_up;
  CrossmodalTransformer<T, D> attention_last;

  ScoreNetwork() = default;
  ScoreNetwork(const Options& o, Random& random) : options(o) {
    frequencies = Parameter<T, 1, D>(init::normal<T, 1, D>({o.embedding / 2}, 30.0, random));
    frequencies.freeze();
    embed = Linear<T, D>({.in_features = o.embedding / 2 * 2, .out_features = o.embedding}, random);
    const auto attention = [&](index_t width) {
      return CrossmodalTransformer<T, D>({.embed_dim = width,
                                          .num_heads = o.num_heads,
                                          .layers = o.layers,
                                          .causal = true,
                                          .attention_dropout = o.attention_dropout,
                                          .embedding_dropout = o.embedding_dropout},
                                         random);
    };
    const auto make = [&](index_t width, index_t groups) {
      return Level{attention(width), Linear<T, D>({.in_features = o.embedding, .out_features = width}, random),
                   GroupNorm<T, D>({.num_channels = width, .num_groups = groups})};
    };
    const auto& c = o.channels;
    for (std::size_t i = 0; i < 4; ++i) {
      const index_t in = i == 0 ? c[0] : c[i - 1];
      const typename Conv1d<T, D>::Options conv{.in_channels = in,
                                                .out_channels = c[i],
                                                .kernel = 3,
                                                .stride = i == 0 ? 1 : 2,
                                                .pad_left = 1,
                                                .pad_right = 1,
                                                .bias = false};
      down[i] = {conv, random};
      if (i > 0) condition_down[i] = {conv, random};
      level[i] = make(c[i], o.groups[i]);
    }
    for (std::size_t i = 0; i < 4; ++i) {  // from the deepest up
      const index_t in = c[3 - i], out = i == 3 ? c[0] : c[2 - i];
      const index_t stride = i == 3 ? 1 : 2;
      const bool last = i == 3;
      up[i] = {{i == 0 ? in : 2 * in, out, 3, stride, last}, random};
      condition_up[i] = {{in, out, 3, stride, last}, random};
      if (!last) level_up[i] = make(out, o.groups_up[i]);
    }
    attention_last = attention(c[0]);
  }

  double std_of(double t) const {
    const double s = options.sigma;
    return std::sqrt((std::pow(s, 2 * t) - 1) / (2 * std::log(s)));
  }
  double diffusion(double t) const { return std::pow(options.sigma, t); }

  Result operator()(const Frames& x, const Frames& condition, const std::vector<double>& t,
                    const Context& context = {}) const {
    if (x.extent(1) % 8)
      throw ShapeError(detail::cat("ScoreNetwork: ", x.extent(1), " frames, expected a multiple of 8"));
    Result r;
    const Rows e = embedded(t);
    const auto through = [&](const Level& l, Frames h, const Frames& c) {
      h = h + l.attention(h, {}, c, {}, context);
      const auto shift = l.dense(e);
      h = h + reshape(shift, std::array<index_t, 3>{shift.extent(0), 1, shift.extent(1)});
      r.norms.push_back(l.norm(h));
      return silu(r.norms.back());
    };
    std::array<Frames, 4> skip;
    Frames h = x, c = condition;
    for (std::size_t i = 0; i < 4; ++i) {
      if (i > 0) c = condition_down[i](c);
      skip[i] = h = through(level[i], down[i](h), c);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      c = condition_up[i](c);
      h = up[i](i == 0 ? h : concat({h, skip[3 - i]}, -1));
      if (i < 3) h = through(level_up[i], h, c);
    }
    h = h + attention_last(h, {}, c, {}, context);
    r.score = h / Frames(spread(t, [&](double at) { return std_of(at); }));
    return r;
  }

  /// z (B, T, width). counted (B): the samples that are judged; undefined: all. None: 0.
  Variable<T, 0, D> loss(const Frames& x, const Frames& condition, const std::vector<double>& t,
                         const Tensor<T, 3, D>& z, const Context& context = {}, const Mask<1, D>& counted = {}) const {
    const Frames noise(z), std(spread(t, [&](double at) { return std_of(at); }));
    const auto score = (*this)(x + noise * std, condition + noise * std, t, context).score;
    auto each = sum(sum(square(score * std + noise), 2), 1);
    index_t count = x.extent(0);
    if (counted.defined()) {
      each = apply_mask(each, counted);
      const auto all = counted.to_vector();
      count = index_t(std::count(all.begin(), all.end(), 1));
    }
    return scale(sum(each), count > 0 ? 1.0 / double(count) : 0.0);
  }

  /// normal(): a tensor (B, T, width) of N(0, 1), first the start, then for every step the condition's and x's.
  template <class Normal>
  Frames sample(const Frames& condition, index_t steps, Normal&& normal, double eps = 1e-3) const {
    const NoGrad off;
    const std::size_t batch = std::size_t(condition.extent(0));
    Frames x = scale(Frames(normal()), std_of(1)), mean = x;
    const double width = steps > 1 ? (1 - eps) / double(steps - 1) : 1 - eps;
    for (index_t i = 0; i < steps; ++i) {
      const double t = 1 - double(i) * width, g = diffusion(t);
      const auto disturbed = condition + scale(Frames(normal()), std_of(t));
      mean = x + scale((*this)(x, disturbed, std::vector<double>(batch, t)).score, g * g * width);
      x = mean + scale(Frames(normal()), std::sqrt(width) * g);
    }
    return mean;
  }

  static void reflect(auto& self, auto&& visit) {
    visit("embed.0.W", self.frequencies);
    visit("embed.1", self.embed);
    for (std::size_t i = 0; i < 4; ++i) {
      const std::string n = std::to_string(i + 1), m = std::to_string(4 - i);
      visit(("conv" + n).c_str(), self.down[i]);
      if (i > 0) visit(("conv" + n + "_cond").c_str(), self.condition_down[i]);
      visit(("attention_" + n).c_str(), self.level[i].attention);
      visit(("dense" + n + ".dense").c_str(), self.level[i].dense);
      visit(("gnorm" + n).c_str(), self.level[i].norm);
      visit(("tconv" + m).c_str(), self.up[i]);
      visit(("tconv" + m + "_cond").c_str(), self.condition_up[i]);
      if (i == 3) continue;
      visit(("attention_t" + m).c_str(), self.level_up[i].attention);
      visit(("dense" + std::to_string(i + 5) + ".dense").c_str(), self.level_up[i].dense);
      visit(("tgnorm" + m).c_str(), self.level_up[i].norm);
    }
    visit("attention_t1", self.attention_last);
  }

 private:
  Rows embedded(const std::vector<double>& t) const {
    const std::vector<T> v = frequencies.value().to_vector();
    std::vector<T> code;
    for (const double at : t)
      for (const bool cosine : {false, true})
        for (const T f : v) {
          const double angle = 2 * std::acos(-1.0) * double(f) * at;
          code.push_back(T(cosine ? std::cos(angle) : std::sin(angle)));
        }
    return silu(embed(Rows(Tensor<T, 2, D>::from({index_t(t.size()), index_t(2 * v.size())}, code))));
  }
  template <class F>
  static Tensor<T, 3, D> spread(const std::vector<double>& t, F&& f) {
    std::vector<T> all;
    for (const double at : t) all.push_back(T(f(at)));
    return Tensor<T, 3, D>::from({index_t(t.size()), 1, 1}, all);
  }
};

}  // namespace lacuna
