/// Distillation along the edges of a graph of modalities, whose weights are learned.  (DMD: Li, Wang & Cui, CVPR 2023)
///
///   z_m  = [W_logit logit_m, W_repr repr_m],  e_ji = W_edge [z_j, z_i],  edges = softmax over the six ordered pairs of e/8
///   reg  = 10 Σ_ji (mean_B edge_ji − prior_ji)²,  w = edge + prior
///   logit = Σ_ji mean_B w |logit_j − sg logit_i|
///   repr  = 10 Σ_ji mean_B w ‖repr_j − sg repr_i‖₁, or with `cosine` 10 Σ_ji mean_B w (1 − cos(repr_j, sg repr_i))
/// sg: no gradient. Pairs (j, i), j outer. `published`: the cosine form is mean_B w · mean_B max(0, cos), which pushes
/// apart (github.com/mdswyz/DMD). A pair of which a sample lacks a modality has weight 0.
#pragma once

#include <array>

#include "lacuna/nn/linear.hpp"
#include "lacuna/ops/manipulation.hpp"
#include "lacuna/ops/mask.hpp"
#include "lacuna/ops/softmax.hpp"

namespace lacuna::models {

/// Σ x y / √((Σ x² + ε)(Σ y² + ε)) over an axis.
template <class T, int R, class D>
Variable<T, R - 1, D> cosine(const Variable<T, R, D>& x, const Variable<T, R, D>& y, int axis, double epsilon = 1e-12) {
  return sum(x * y, axis) / sqrt((sum(square(x), axis) + epsilon) * (sum(square(y), axis) + epsilon));
}

template <class T = float, class D = Cpu>
struct GraphDistillation {
  using Rows = Variable<T, 2, D>;
  static constexpr std::size_t to[6] = {0, 0, 1, 1, 2, 2}, from[6] = {1, 2, 0, 2, 0, 1};

  struct Options {
    index_t outputs, width, hidden;
    std::array<double, 6> favoured;  ///< the prior is its softmax at temperature 0.25
    bool cosine = false, published = false;
  };
  struct Result {
    Rows edges;  ///< (6, B)
    Variable<T, 0, D> reg, logit, repr;
  };
  Options options{};
  std::array<double, 6> prior{};
  Linear<T, D> logit, repr, edge;

  GraphDistillation() = default;
  GraphDistillation(const Options& o, Random& random)
      : options(o),
        logit({.in_features = o.outputs, .out_features = o.hidden}, random),
        repr({.in_features = o.width, .out_features = o.hidden}, random),
        edge({.in_features = 4 * o.hidden, .out_features = 1}, random) {
    double total = 0;
    for (std::size_t p = 0; p < 6; ++p) total += prior[p] = std::exp(o.favoured[p] / 0.25);
    for (double& one : prior) one /= total;
  }

  /// has: which samples have a modality; undefined for all.
  Result operator()(const std::array<Rows, 3>& logits, const std::array<Rows, 3>& reprs,
                    const std::array<Mask<1, D>, 3>& has = {}) const {
    std::array<Rows, 3> z;
    for (std::size_t m = 0; m < 3; ++m) z[m] = concat({logit(logits[m]), repr(reprs[m])}, -1);
    std::vector<Rows> energies;
    for (std::size_t p = 0; p < 6; ++p) energies.push_back(edge(concat({z[to[p]], z[from[p]]}, -1)));
    Result r;
    const auto edges = softmax(scale(concat(energies, -1), 1.0 / 8));  // (B, 6)
    r.edges = transpose(edges);
    for (std::size_t p = 0; p < 6; ++p) {
      const auto own = select(edges, 1, index_t(p));
      auto w = own + prior[p];
      for (const std::size_t m : {to[p], from[p]})
        if (has[m].defined()) w = apply_mask(w, has[m]);
      const Rows &x = reprs[to[p]], y = reprs[from[p]].detach();
      add(r.reg, square(mean(own) - prior[p]));
      add(r.logit, mean(w * sum(abs(logits[to[p]] - logits[from[p]].detach()), 1)));
      if (!options.cosine)
        add(r.repr, mean(w * sum(abs(x - y), 1)));
      else if (options.published)
        add(r.repr, mean(w) * mean(relu(models::cosine(x, y, 1))));
      else
        add(r.repr, mean(w * (1.0 - models::cosine(x, y, 1))));
    }
    r.reg = 10.0 * r.reg;
    r.repr = 10.0 * r.repr;
    return r;
  }
  static void reflect(auto& self, auto&& visit) {
    visit("W_logit", self.logit);
    visit("W_repr", self.repr);
    visit("W_edge", self.edge);
  }

 private:
  static void add(Variable<T, 0, D>& total, const Variable<T, 0, D>& term) {
    total = total.defined() ? total + term : term;
  }
};

}  // namespace lacuna::models
