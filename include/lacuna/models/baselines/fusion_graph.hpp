/// The dynamic fusion graph: what all subsets of three modalities say together.  (Graph-MFN: Zadeh, Liang, Poria, Cambria
/// & Morency, ACL 2018)
///
///   ε = σ(E [v_0; v_1; v_2])                                            19 efficacies, one for every edge
///   v_01 = L [ε v_0; ε v_1],  v_02, v_12 likewise,  v_012 = L [ε v of all six subsets before it]
///   y = L [ε v of all seven],  L two linear layers of their own each
#pragma once

#include <utility>

#include "lacuna/nn/subnetwork.hpp"
#include "lacuna/ops/elementwise.hpp"
#include "lacuna/ops/shape.hpp"
#include "lacuna/ops/slice.hpp"

namespace lacuna::models {

/// The dynamic fusion graph of three vertices (B, d_l), (B, d_a), (B, d_v).
template <class T = float, class D = Cpu>
struct FusionGraph {
  using Rows = Variable<T, 2, D>;
  static constexpr index_t efficacies = 19, between = 100;

  bool squashed = true;                 ///< ε behind a sigmoid
  std::vector<TwoLayers<T, D>> vertex;  ///< (0 1), (0 2), (1 2), (0 1 2)
  TwoLayers<T, D> summary, efficacy;
  Linear<T, D> efficacy_out;

  FusionGraph() = default;
  FusionGraph(const std::vector<index_t>& sizes, index_t inner, index_t out, bool squash, Random& random)
      : squashed(squash) {
    const auto linear = [&](index_t in, index_t hidden, index_t to) {
      return TwoLayers<T, D>(in, hidden, to, random, Activation::none);
    };
    const index_t a = sizes[0], b = sizes[1], c = sizes[2];
    for (const index_t in : {a + b, a + c, b + c, a + b + c + 3 * inner}) vertex.push_back(linear(in, between, inner));
    summary = linear(a + b + c + 4 * inner, between, out);
    efficacy = linear(a + b + c, between, inner);
    efficacy_out = Linear<T, D>({.in_features = inner, .out_features = efficacies}, random);
  }
  /// ĉ, and ε (B, 19).
  std::pair<Rows, Rows> operator()(const std::vector<Rows>& v) const {
    auto e = efficacy_out(efficacy(concat(v, -1)));
    if (squashed) e = sigmoid(e);
    index_t next = 0;
    const auto weighted = [&](const std::vector<Rows>& parts) {
      std::vector<Rows> all;
      for (const Rows& part : parts) all.push_back(part * slice(e, 1, next++, 1));
      return concat(all, -1);
    };
    const auto ab = vertex[0](weighted({v[0], v[1]}));
    const auto ac = vertex[1](weighted({v[0], v[2]}));
    const auto bc = vertex[2](weighted({v[1], v[2]}));
    const auto abc = vertex[3](weighted({v[0], v[1], v[2], ab, ac, bc}));
    return {summary(weighted({v[0], v[1], v[2], ab, ac, bc, abc})), e};
  }
  static void reflect(auto& self, auto&& visit) {
    visit("vertex", self.vertex);
    visit("summary", self.summary);
    visit("efficacy", self.efficacy);
    visit("efficacy_out", self.efficacy_out);
  }
};

}  // namespace lacuna::models
