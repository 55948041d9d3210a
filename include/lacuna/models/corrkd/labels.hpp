/// From labels to the classes of CorrKD's losses, and from its scores to predictions.
#pragma once

#include <algorithm>
#include <cmath>

#include "lacuna/losses/labels.hpp"
#include "lacuna/models/corrkd/options.hpp"
#include "lacuna/models/task.hpp"

namespace lacuna::models {

/// Class of a real label; −1 = takes no part (a zero under binary_non0, a label that is not finite). Regression: the
/// class of `seven`, for its prototypes.
inline index_t corrkd_class(CorrkdLabels labels, double y) {
  if (!std::isfinite(y)) return -1;
  const auto rounded = [y](double limit) { return index_t(std::nearbyint(std::clamp(y, -limit, limit)) + limit); };
  switch (labels) {
    case CorrkdLabels::binary_non0:
      return y < 0 ? 0 : y > 0 ? 1 : -1;
    case CorrkdLabels::binary_has0:
      return y < 0 ? 0 : 1;
    case CorrkdLabels::ternary:
      return rounded(1);
    case CorrkdLabels::five:
      return rounded(2);
    case CorrkdLabels::seven:
    case CorrkdLabels::regression:
      return rounded(3);
    default:
      throw OptionError("CorrKD: labels = classes needs a data set with class ids");
  }
}

/// The real label that class k stands for: −1 and 1, or −1 0 1, −2 ... 2, −3 ... 3.
inline double corrkd_centre(const CorrkdOptions& options, index_t k) {
  return double(2 * k - (options.class_count() - 1)) / (options.class_count() == 2 ? 1.0 : 2.0);
}

/// What the losses are given: a class per sample, of the samples that take part, and the real labels.
template <class T, class D = Cpu>
struct CorrkdTarget {
  std::vector<index_t> classes;
  Tensor<T, 2, D> values;  ///< (B, 1) for regression
  Present<D> present;      ///< undefined: all
  /// The classes on the device, and those of every one-vs-rest head: 1 where it is the class of the head. Empty: every
  /// objective makes them anew.
  Labels<D> labels = {};
  std::vector<Labels<D>> of_heads = {};

  /// Puts what the objectives read on the device, once.
  void settle(const CorrkdOptions& options) {
    labels = Labels<D>(classes);
    of_heads.clear();
    if (options.one_vs_rest)
      for (index_t h = 0; h < options.head_count(); ++h) of_heads.push_back(labels.equal_to(h));
  }
  Labels<D> labels_there() const { return labels.size() == index_t(classes.size()) ? labels : Labels<D>(classes); }
  /// The labels of head h.
  Labels<D> labels_of(const CorrkdOptions& options, index_t h) const {
    if (!options.one_vs_rest) return labels_there();
    return std::size_t(h) < of_heads.size() ? of_heads[std::size_t(h)] : labels_there().equal_to(h);
  }
};

/// For a device, from a batch of the host, or of another device, whose real labels cost a wait. Throws OptionError when
/// the batch has not the labels that the options ask for.
template <class To, class T, class From>
CorrkdTarget<T, To> corrkd_target(const CorrkdOptions& options, const data::Batch<T, From>& batch) {
  CorrkdTarget<T, To> target;
  if (options.labels == CorrkdLabels::classes) {
    if (index_t(batch.classes.size()) != batch.size())
      throw OptionError("CorrKD: labels = classes, but the batch has no class ids; choose another label mode");
    target.classes = batch.classes;
    target.settle(options);
    return target;
  }
  if (batch.labels.size() != batch.size())
    throw OptionError("CorrKD: the batch has no real labels; set labels = CorrkdLabels::classes");
  bool all = true;
  std::vector<std::uint8_t> present;
  for (const T y : batch.labels.to_vector()) {
    target.classes.push_back(corrkd_class(options.labels, double(y)));
    present.push_back(target.classes.back() >= 0);
    all = all && present.back();
  }
  if (!all) target.present = Present<To>::of(Mask<1>::from({batch.size()}, present));
  if (options.labels == CorrkdLabels::regression)
    target.values = to_device<To>(batch.labels).reshape(std::array<index_t, 2>{batch.size(), 1});
  target.settle(options);
  return target;
}
template <class T, class D>
CorrkdTarget<T, D> corrkd_target(const CorrkdOptions& options, const data::Batch<T, D>& batch) {
  return corrkd_target<D, T, D>(options, batch);
}

/// Softmax of the scores (B, outputs) → (B, K); with one-vs-rest heads the probability of every class by its own head.
/// In double. A regression has none: throws OptionError.
template <class T, class D>
Tensor<double, 2> corrkd_probabilities(const CorrkdOptions& options, const Tensor<T, 2, D>& scores) {
  if (options.labels == CorrkdLabels::regression) throw OptionError("CorrKD: a regression has no class probabilities");
  if (!options.one_vs_rest) return class_probabilities(scores);
  const index_t batch = scores.extent(0), classes = options.class_count();
  const Tensor<double, 2> heads = class_probabilities(scores.reshape(std::array<index_t, 2>{batch * classes, 2}));
  Tensor<double, 2> result({batch, classes});
  for (index_t i = 0; i < result.size(); ++i) result.data()[i] = heads(i, 1);
  return result;
}

/// The scores of the mean response of several networks (B, outputs): log of the mean probability, of every head on its
/// own; a regression: the mean.
template <class T, class D>
Tensor<T, 2, D> corrkd_mean_response(const CorrkdOptions& options, const std::vector<Tensor<T, 2, D>>& scores) {
  const bool real = options.labels == CorrkdLabels::regression;
  const index_t width = options.one_vs_rest ? 2 : options.outputs();
  std::vector<double> sum(std::size_t(scores[0].size()), 0.0);
  for (const auto& one : scores) {
    const std::vector<T> z = one.to_vector();
    for (std::size_t begin = 0; begin < z.size(); begin += std::size_t(width)) {
      const auto row = z.begin() + std::ptrdiff_t(begin);
      const double top = double(*std::max_element(row, row + width));
      double total = 0;
      for (index_t k = 0; k < width; ++k) total += std::exp(double(row[k]) - top);
      for (index_t k = 0; k < width; ++k)
        sum[begin + std::size_t(k)] += real ? double(row[k]) : std::exp(double(row[k]) - top) / total;
    }
  }
  std::vector<T> mean;
  for (const double one : sum) {
    const double share = one / double(scores.size());
    mean.push_back(T(real ? share : std::log(std::max(share, 1e-30))));
  }
  return Tensor<T, 2, D>::from(scores[0].extents(), mean);
}

/// One real number per sample: regression, the score; class ids, the most probable one; classes of real labels, the
/// expected label Σ p_k · centre_k (one-vs-rest: p divided by its sum), whose sign is that of the larger half.
template <class T, class D>
std::vector<double> corrkd_predictions(const CorrkdOptions& options, const Tensor<T, 2, D>& scores) {
  std::vector<double> result(static_cast<std::size_t>(scores.extent(0)));
  if (options.labels == CorrkdLabels::regression) {
    const std::vector<T> z = scores.to_vector();
    std::copy(z.begin(), z.end(), result.begin());
    return result;
  }
  const Tensor<double, 2> p = corrkd_probabilities(options, scores);
  const index_t classes = p.extent(1);
  for (index_t b = 0; b < p.extent(0); ++b) {
    index_t best = 0;
    double sum = 0, expected = 0;
    for (index_t k = 0; k < classes; ++k) {
      if (p(b, k) > p(b, best)) best = k;
      sum += p(b, k);
      expected += p(b, k) * corrkd_centre(options, k);
    }
    result[std::size_t(b)] = options.labels == CorrkdLabels::classes ? double(best) : expected / sum;
  }
  return result;
}

}  // namespace lacuna::models
