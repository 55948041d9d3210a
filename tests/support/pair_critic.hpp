/// A critic of the losses of mutual information, as the oracle has it.
#pragma once

#include "lacuna/losses/mutual_information.hpp"
#include "lacuna/nn/linear.hpp"

namespace lacuna::test {

/// Scores of all pairs of rows of two batches: F_ij = w₃·relu(W₂ relu(W₁ [q_i; u_j] + b₁) + b₂) + b₃.
/// q (N, first), u (N, second) → (N, N).
template <class T = float, class D = Cpu>
struct PairCritic {
  struct Options {
    index_t first, second, hidden = 64;
  };
  Linear<T, D> in, middle, out;

  PairCritic() = default;
  PairCritic(Options o, Random& random)
      : in({.in_features = o.first + o.second, .out_features = o.hidden}, random),
        middle({.in_features = o.hidden, .out_features = o.hidden}, random),
        out({.in_features = o.hidden, .out_features = 1}, random) {}

  Variable<T, 2, D> operator()(const Variable<T, 2, D>& q, const Variable<T, 2, D>& u) const {
    lacuna::detail::expect_axis("PairCritic", "second argument", u.shape(), 0, q.extent(0));
    const auto hidden = middle(in(lacuna::detail::all_pairs(q, u), Activation::relu), Activation::relu);
    return reshape(out(hidden), std::array<index_t, 2>{q.extent(0), q.extent(0)});
  }
  static void reflect(auto& self, auto&& visit) {
    visit("in", self.in);
    visit("middle", self.middle);
    visit("out", self.out);
  }
};

}  // namespace lacuna::test
