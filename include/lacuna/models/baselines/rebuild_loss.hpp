/// What it costs to rebuild erased frames.  (TFR-Net: Yuan et al., ACM MM 2021)
///
///   L = (Σ smooth_l1(X̂, X) + similarity · CMD(X̂, X)) / (N + 10⁻⁴),  N the erased numbers
///   CMD = Σ_k √(‖difference of moment k‖² + 10⁻¹²),  k = the mean, the second and third central moments
///
/// Both sides are rows (B · T, D) that are 0 where nothing was erased, and these count in the moments. made, target
/// (B, T, D), erased (B, T), 1 = to be rebuilt. What was not erased costs nothing and gets no gradient but through the
/// means, as in the authors' code. Nothing erased: 0.
#pragma once

#include "lacuna/losses/regression.hpp"
#include "lacuna/ops/manipulation.hpp"
#include "lacuna/ops/mask.hpp"
#include "lacuna/ops/reduction.hpp"

namespace lacuna::models {

/// 1 where `all` is and `kept` is not.
template <class D>
Mask<2, D> frames_erased(const Mask<2, D>& all, const Mask<2, D>& kept) {
  auto left = all.to_vector();
  const auto gone = kept.to_vector();
  for (std::size_t i = 0; i < left.size(); ++i) left[i] = left[i] && !gone[i];
  return Mask<2, D>::from({all.extent(0), all.extent(1)}, left);
}

template <class T, class D>
Variable<T, 0, D> rebuild_loss(const Variable<T, 3, D>& made, const Variable<T, 3, D>& target, const Mask<2, D>& erased,
                               double similarity) {
  const index_t rows = made.extent(0) * made.extent(1), width = made.extent(2);
  index_t count = 0;
  for (const auto one : erased.to_list()) count += one ? width : 0;
  if (count == 0) return Variable<T, 0, D>(Tensor<T, 0, D>::zeros({}));
  using Rows = Variable<T, 2, D>;
  const Rows x = reshape(apply_mask(made, erased), rows, width);
  const Rows y = reshape(apply_mask(target, erased), rows, width);
  const auto gap = [](const Rows& a, const Rows& b) {
    const auto d = mean(a, 0) - mean(b, 0);
    return sqrt(sum(d * d) + 1e-12);
  };
  const Rows a = x - mean(x, 0, keepdim), b = y - mean(y, 0, keepdim);
  const auto cmd = gap(x, y) + gap(a * a, b * b) + gap(a * a * a, b * b * b);
  return scale(smooth_l1_loss(x, y, {.reduction = Reduction::sum}) + scale(cmd, similarity),
               1.0 / (double(count) + 1e-4));
}

}  // namespace lacuna::models
