/// Rank-N-Contrast: a contrastive loss for real labels.  (Zha, Cao, Son, Yang & Katabi, NeurIPS 2023)
#pragma once

#include <cmath>

#include "lacuna/ops/arithmetic.hpp"
#include "lacuna/ops/shape.hpp"

namespace lacuna {

struct RankNContrastOptions {
  double temperature = 2;
  double slack = 1e-4;  ///< labels closer than this count as tied; 0 gives the original. SDUMC uses 1e-4.
};

/// With S_ij = −‖f_i − f_j‖₂/τ, d_ij = |y_i − y_j| and N_ij = {k ≠ i : d_ik ≥ d_ij − slack}:
///   L = −1/(n(n−1)) Σ_i Σ_{j≠i} [S_ij − log Σ_{k∈N_ij} exp S_ik].
/// features (n, d), labels (n), present (n) or undefined for all: absent samples are neither anchors, nor positives, nor
/// negatives. Gradient to the features; coinciding features attract and repel nothing. 0 with fewer than two samples.
/// The log-sum-exp is shifted by its maximum over N_ij, so distant features give a finite value.
/// Throws OptionError for a temperature or slack out of range, Error for a label that is not finite.
template <class T, class D>
Variable<T, 0, D> rank_n_contrast(const Variable<T, 2, D>& features, const Tensor<T, 1, D>& labels,
                                  RankNContrastOptions options = {}, const Mask<1, D>& present = {}) {
  const index_t n = features.extent(0), width = features.extent(1);
  detail::expect_shape("rank_n_contrast", "labels", labels.shape(), Shape{n});
  if (!(options.temperature > 0) || !(options.slack >= 0))
    throw OptionError(detail::cat("rank_n_contrast: temperature ", options.temperature, " must be positive, slack ",
                                  options.slack, " not negative"));
  if (present.defined()) detail::expect_shape("rank_n_contrast", "present", present.shape(), Shape{n});
  const std::vector<T> all_labels = labels.to_vector(), all_features = features.value().to_vector();
  const std::vector<std::uint8_t> mask = present.to_vector();
  std::vector<index_t> kept;
  std::vector<double> kept_labels;
  std::vector<T> kept_features;
  for (index_t i = 0; i < n; ++i) {
    if (present.defined() && !mask[std::size_t(i)]) continue;
    const double label = double(all_labels[std::size_t(i)]);
    if (!std::isfinite(label)) throw Error(detail::cat("rank_n_contrast: label of sample ", i, " is not finite"));
    kept.push_back(i);
    kept_labels.push_back(label);
    kept_features.insert(kept_features.end(), all_features.begin() + i * width, all_features.begin() + (i + 1) * width);
  }
  const bool wanted = detail::recording() && features.requires_grad();
  std::vector<double> gradient(wanted ? kept_features.size() : 0);
  const double value =
      Kernels<D>::rank_n_contrast(index_t(kept.size()), width, kept_features.data(), kept_labels.data(), options.slack,
                                  options.temperature, wanted ? gradient.data() : nullptr);
  return record(
      "rank_n_contrast", Tensor<T, 0, D>::full({}, T(value)),
      [features, kept, gradient, n, width](const Tensor<T, 0, D>& dy) {
        const double factor = double(dy.to_vector()[0]);
        const auto slot = features.gradient_slot();
        if (!slot) return;
        Tensor<T, 2, D> share = Tensor<T, 2, D>::zeros({n, width});
        for (std::size_t i = 0; i < kept.size(); ++i)
          for (index_t f = 0; f < width; ++f)
            share.data()[kept[i] * width + f] = T(factor * gradient[i * std::size_t(width) + std::size_t(f)]);
        Kernels<D>::contribute_scaled(share.size(), T(1), share.data(), slot);
      },
      features);
}

/// The same over two views of each sample: view (B, d) each, labels (B); n = 2B, the first view first.
template <class T, class D>
Variable<T, 0, D> rank_n_contrast(const Variable<T, 2, D>& first, const Variable<T, 2, D>& second,
                                  const Tensor<T, 1, D>& labels, RankNContrastOptions options = {},
                                  const Mask<1, D>& first_present = {}, const Mask<1, D>& second_present = {}) {
  detail::expect_shape("rank_n_contrast", "second view", second.shape(), first.shape());
  const index_t batch = first.extent(0), width = first.extent(1);
  const auto flat = [&](const Variable<T, 2, D>& view) { return reshape(view, std::array<index_t, 2>{1, batch * width}); };
  const auto both = reshape(concat_last(std::vector{flat(first), flat(second)}), std::array<index_t, 2>{2 * batch, width});
  const auto twice = [](auto numbers, const auto& more) {
    numbers.insert(numbers.end(), more.begin(), more.end());
    return numbers;
  };
  const auto all = Tensor<T, 1, D>::from({2 * batch}, twice(labels.to_vector(), labels.to_vector()));
  Mask<1, D> present;
  if (first_present.defined() || second_present.defined()) {
    const auto filled = [&](const Mask<1, D>& mask) {
      return mask.defined() ? mask.to_vector() : std::vector<std::uint8_t>(static_cast<std::size_t>(batch), 1);
    };
    present = Mask<1, D>::from({2 * batch}, twice(filled(first_present), filled(second_present)));
  }
  return rank_n_contrast(both, all, options, present);
}

}  // namespace lacuna
