/// A triplet loss for real labels: rows of equal labels lie together, others apart by a margin that grows with the
/// difference of their labels.  (DMD: Li, Wang & Cui, CVPR 2023)
///
/// ```cpp
/// label_margin_loss(first, Labels<Cpu, float>(std::vector<float>{1, 1, -2, 0.5})).backward();   // (4, d)
/// ```
#pragma once

#include <cmath>
#include <vector>

#include "lacuna/losses/batch.hpp"
#include "lacuna/ops/activation.hpp"
#include "lacuna/ops/elementwise.hpp"
#include "lacuna/ops/indexing.hpp"
#include "lacuna/ops/matmul.hpp"
#include "lacuna/ops/reduction.hpp"

namespace lacuna {

/// L = mean over rows i of  mean over (j, k) of max(0, slope |y_i − y_k| − cos_ij + cos_ik),  y_j = y_i, j ≠ i, y_k ≠ y_i
/// over the rows that have such j and k; 0 without any. cos_ij = f_i·f_j/√((‖f_i‖² + 1e-8)(‖f_j‖² + 1e-8)).
/// features (n, d), labels (n), present (n) or undefined for all: absent rows stand in no triplet and get gradient 0.
/// O(n³) time and memory. Throws Error for a label that is not finite, OptionError for a slope below 0.
template <class T, class D>
Variable<T, 0, D> label_margin_loss(const Variable<T, 2, D>& features, const Given<Labels<D, T>>& labels,
                                    double slope = 0.15, const Given<Present<D>>& present = {}) {
  const index_t all = features.extent(0);
  detail::expect_shape("label_margin_loss", "labels", Shape{labels.size()}, Shape{all});
  detail::expect_not_negative("label_margin_loss", "slope", slope);
  const detail::Kept<D> kept("label_margin_loss", all, present);
  const index_t n = kept.count();
  std::vector<double> y;
  for (index_t i = 0; i < n; ++i) {
    y.push_back(double(labels[kept.row(i)]));
    if (!std::isfinite(y.back()))
      throw Error(detail::cat("label_margin_loss: label of row ", kept.row(i), " is not finite"));
  }
  List<index_t> near, far;
  std::vector<T> gap, weight;
  index_t counted = 0;
  for (index_t i = 0; i < n; ++i) {
    const std::size_t begin = gap.size();
    const double own = y[std::size_t(i)];
    for (index_t j = 0; j < n; ++j) {
      if (j == i || y[std::size_t(j)] != own) continue;
      for (index_t k = 0; k < n; ++k) {
        const double other = y[std::size_t(k)];
        if (other == own) continue;
        near.push_back(i * n + j), far.push_back(i * n + k);
        gap.push_back(T(slope * std::abs(own - other)));
      }
    }
    if (gap.size() == begin) continue;
    ++counted;
    weight.insert(weight.end(), gap.size() - begin, T(1) / T(gap.size() - begin));
  }
  const auto rows = detail::kept_rows(features, kept);
  if (counted == 0) return 0.0 * sum(rows);
  const auto unit = rows / sqrt(sum(square(rows), 1, keepdim) + 1e-8);
  const auto cosines = reshape(matmul(unit, unit, {.transpose_b = true}), n * n);
  const auto at = [&](const List<index_t>& list) { return index_select(cosines, 0, std::span<const index_t>(list)); };
  const auto list = [](const std::vector<T>& x) {
    return Variable<T, 1, D>(Tensor<T, 1, D>::from({index_t(x.size())}, x));
  };
  return scale(sum(list(weight) * relu(list(gap) - at(near) + at(far))), 1.0 / double(counted));
}

}  // namespace lacuna
