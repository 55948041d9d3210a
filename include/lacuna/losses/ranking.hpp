/// Rank-N-Contrast: a contrastive loss for real labels.  (Zha, Cao, Son, Yang & Katabi, NeurIPS 2023)
#pragma once

#include <cmath>

#include "lacuna/kernels/cpu/ranking.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/losses/batch.hpp"
#include "lacuna/ops/shape.hpp"

namespace lacuna {

struct RankNContrastOptions {
  double temperature = 2;
  double slack = 1e-4;  ///< labels closer than this count as tied; 0 gives the original. SDUMC uses 1e-4.
};

/// With S_ij = −‖f_i − f_j‖₂/τ, d_ij = |y_i − y_j| and N_ij = {k ≠ i : d_ik ≥ d_ij − slack}:
///   L = −1/(n(n−1)) Σ_i Σ_{j≠i} [S_ij − log Σ_{k∈N_ij} exp S_ik].
/// features (n, d), labels (n), present (n) or undefined for all: absent samples are neither anchors, nor positives,
/// nor negatives. Gradient to the features; coinciding features attract and repel nothing. 0 with fewer than two
/// samples. The log-sum-exp is shifted by its maximum over N_ij, so distant features give a finite value. Throws
/// OptionError for a temperature or slack out of range, Error for a label that is not finite.
template <class T, class D>
Variable<T, 0, D> rank_n_contrast(const Variable<T, 2, D>& features, const Given<Labels<D, T>>& labels,
                                  RankNContrastOptions options = {}, const Given<Present<D>>& present = {}) {
  const index_t n = features.extent(0), width = features.extent(1);
  detail::expect_shape("rank_n_contrast", "labels", Shape{labels.size()}, Shape{n});
  if (!(options.temperature > 0) || !(options.slack >= 0))
    throw OptionError(detail::cat("rank_n_contrast: temperature ", options.temperature, " must be positive, slack ",
                                  options.slack, " not negative"));
  const detail::Kept<D> kept("rank_n_contrast", n, present);
  const bool good = kept.all() && labels.all([](T label) { return std::isfinite(label); });
  for (index_t i = 0; !good && i < kept.count(); ++i)
    if (!std::isfinite(labels[kept.row(i)]))
      throw Error(detail::cat("rank_n_contrast: label of sample ", kept.row(i), " is not finite"));
  const auto chosen = kept.of(labels);
  detail::LossInput x(features, kept);
  const auto value = Kernels<D>::Ranking::rank_n_contrast(kept.count(), width, x.data(), chosen.data(), options.slack,
                                                          options.temperature, x.gradient());
  return detail::record_loss("rank_n_contrast", value, x);
}

/// The same over two views of each sample: view (B, d) each, labels (B); n = 2B, the first view first.
template <class T, class D>
Variable<T, 0, D> rank_n_contrast(const Variable<T, 2, D>& first, const Variable<T, 2, D>& second,
                                  const Given<Labels<D, T>>& labels, RankNContrastOptions options = {},
                                  const Given<Present<D>>& first_present = {},
                                  const Given<Present<D>>& second_present = {}) {
  detail::expect_shape("rank_n_contrast", "second view", second.shape(), first.shape());
  const index_t batch = first.extent(0), width = first.extent(1);
  const auto flat = [&](const Variable<T, 2, D>& view) {
    return reshape(view, std::array<index_t, 2>{1, batch * width});
  };
  const auto both =
      reshape(concat(List<Variable<T, 2, D>>{flat(first), flat(second)}, -1), std::array<index_t, 2>{2 * batch, width});
  for (const auto* present : {&first_present, &second_present})
    if (present->defined()) detail::expect_shape("rank_n_contrast", "present", present->host().shape(), Shape{batch});
  return rank_n_contrast(both, labels.twice(), options, Present<D>::joined(first_present, second_present, batch));
}

}  // namespace lacuna
