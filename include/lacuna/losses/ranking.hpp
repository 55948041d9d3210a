/// Rank-N-Contrast: a contrastive loss for real labels.  (Zha, Cao, Son, Yang & Katabi, NeurIPS 2023)
#pragma once

#include <cmath>

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
Variable<T, 0, D> rank_n_contrast(const Variable<T, 2, D>& features, const Tensor<T, 1, D>& labels,
                                  RankNContrastOptions options = {}, const Mask<1, D>& present = {}) {
  const index_t n = features.extent(0), width = features.extent(1);
  detail::expect_shape("rank_n_contrast", "labels", labels.shape(), Shape{n});
  if (!(options.temperature > 0) || !(options.slack >= 0))
    throw OptionError(detail::cat("rank_n_contrast: temperature ", options.temperature, " must be positive, slack ",
                                  options.slack, " not negative"));
  const detail::Kept kept("rank_n_contrast", n, present);
  const List<T> all = labels.to_list(), chosen = kept.of(std::span<const T>(all));
  for (std::size_t i = 0; i < chosen.size(); ++i)
    if (!std::isfinite(chosen[i]))
      throw Error(detail::cat("rank_n_contrast: label of sample ", kept.row(index_t(i)), " is not finite"));
  detail::LossInput x(features, kept);
  const auto value =
      Kernels<D>::rank_n_contrast(kept.count(), width, x.data(), List<double>(chosen.begin(), chosen.end()).data(),
                                  options.slack, options.temperature, x.gradient());
  return detail::record_loss("rank_n_contrast", value, x);
}

/// The same over two views of each sample: view (B, d) each, labels (B); n = 2B, the first view first.
template <class T, class D>
Variable<T, 0, D> rank_n_contrast(const Variable<T, 2, D>& first, const Variable<T, 2, D>& second,
                                  const Tensor<T, 1, D>& labels, RankNContrastOptions options = {},
                                  const Mask<1, D>& first_present = {}, const Mask<1, D>& second_present = {}) {
  detail::expect_shape("rank_n_contrast", "second view", second.shape(), first.shape());
  const index_t batch = first.extent(0), width = first.extent(1);
  const auto flat = [&](const Variable<T, 2, D>& view) {
    return reshape(view, std::array<index_t, 2>{1, batch * width});
  };
  const auto both = reshape(concat_last(List<Variable<T, 2, D>>{flat(first), flat(second)}),
                            std::array<index_t, 2>{2 * batch, width});
  const auto twice = [](auto numbers, const auto& more) {
    numbers.insert(numbers.end(), more.begin(), more.end());
    return numbers;
  };
  const auto all = Tensor<T, 1, D>::from({2 * batch}, twice(labels.to_list(), labels.to_list()));
  Mask<1, D> present;
  if (first_present.defined() || second_present.defined()) {
    const auto filled = [&](const Mask<1, D>& mask) {
      return mask.defined() ? mask.to_list() : List<std::uint8_t>(static_cast<std::size_t>(batch), 1);
    };
    present = Mask<1, D>::from({2 * batch}, twice(filled(first_present), filled(second_present)));
  }
  return rank_n_contrast(both, all, options, present);
}

}  // namespace lacuna
