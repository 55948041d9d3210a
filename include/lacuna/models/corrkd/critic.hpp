/// The statistics networks of CorrKD's response distillation, and its choice of negative pairs.
#pragma once

#include "lacuna/kernels/cpu/information_losses.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/losses/batch.hpp"
#include "lacuna/losses/mutual_information.hpp"
#include "lacuna/models/corrkd/options.hpp"
#include "lacuna/nn/linear.hpp"

namespace lacuna::models {

/// Scores of all pairs of rows: q (N, first), u (N, second) → (N, N).
/// mlp: F_ij = wᵀ relu(… relu(W [q_i; u_j] + b)) + c with `layers` hidden layers. bilinear: F_ij = u_jᵀ (W q_i + b).
template <class T = float, class D = Cpu>
struct ResponseCritic {
  CriticKind kind = CriticKind::mlp;
  std::vector<Linear<T, D>> hidden;
  Linear<T, D> out;

  ResponseCritic() = default;
  ResponseCritic(index_t first, index_t second, const CorrkdCriticOptions& o, Random& random) : kind(o.kind) {
    if (kind == CriticKind::bilinear) {
      out = Linear<T, D>({.in_features = first, .out_features = second}, random);
      return;
    }
    index_t width = first + second;
    for (index_t i = 0; i < o.layers; ++i) {
      hidden.emplace_back(typename Linear<T, D>::Options{.in_features = width, .out_features = o.hidden}, random);
      width = o.hidden;
    }
    out = Linear<T, D>({.in_features = width, .out_features = 1}, random);
  }

  Variable<T, 2, D> operator()(const Variable<T, 2, D>& q, const Variable<T, 2, D>& u) const {
    detail::expect_axis("ResponseCritic", "second argument", u.shape(), 0, q.extent(0));
    if (kind == CriticKind::bilinear) return linear(out(q), u, Variable<T, 1, D>());
    auto x = detail::all_pairs(q, u);
    for (const auto& layer : hidden) x = layer(x, Activation::relu);
    return reshape(out(x), std::array<index_t, 2>{q.extent(0), q.extent(0)});
  }
  static void reflect(auto& self, auto&& visit) {
    visit("hidden", self.hidden);
    visit("out", self.out);
  }
};

/// A permutation without fixed points (Sattolo 1986); of one element: the identity.
inline List<index_t> derangement(index_t n, Random& random) {
  List<index_t> order(static_cast<std::size_t>(n));
  for (index_t i = 0; i < n; ++i) order[std::size_t(i)] = i;
  for (index_t i = n - 1; i > 0; --i) std::swap(order[std::size_t(i)], order[std::size_t(random.below(i))]);
  return order;
}

/// A critic whose scores off the diagonal are, all over row i, the one of the pair (i, σ(i)), σ a derangement drawn at
/// every call: the mean over i ≠ j is then that over the shuffled pairs.
template <class Critic>
struct ShuffledPairs {
  const Critic& critic;
  Random* random;

  template <class T, class D>
  Variable<T, 2, D> operator()(const Variable<T, 2, D>& q, const Variable<T, 2, D>& u) const {
    if (random == nullptr)
      throw OptionError(
          "CorrKD: shuffled negatives need a random source; build the context with Context::train(random)");
    const auto scores = critic(q, u);
    const index_t n = scores.extent(0);
    const auto partner = lacuna::detail::list_on<D>(derangement(n, *random));
    Tensor<T, 2, D> y({n, n});
    Kernels<D>::InformationLosses::partner_scores(n, partner.data(), scores.data(), y.data());
    return record(
        "shuffled_pairs", y,
        [=](const Tensor<T, 2, D>& dy) {
          if (const auto slot = scores.gradient_slot())
            Kernels<D>::InformationLosses::partner_scores_gradient(n, partner.data(), dy.data(), slot);
        },
        scores);
  }
};

/// Two critics per head: of the target responses, and of the others.
template <class T = float, class D = Cpu>
struct CorrkdCritics {
  std::vector<ResponseCritic<T, D>> target, rest;

  CorrkdCritics() = default;
  /// classes: of every head.
  CorrkdCritics(index_t heads, index_t classes, const CorrkdCriticOptions& o, Random& random) {
    for (index_t h = 0; h < heads; ++h) {
      target.emplace_back(1, 1, o, random);
      rest.emplace_back(classes - 1, classes - 1, o, random);
    }
  }
  static void reflect(auto& self, auto&& visit) {
    visit("target", self.target);
    visit("rest", self.rest);
  }
};

}  // namespace lacuna::models
