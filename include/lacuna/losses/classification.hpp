/// Losses between class scores and labels.
///
/// Labels are class numbers, one per sample: Labels of labels.hpp, or a list of the host, which converts. present (N),
/// 1 = present, or undefined for all: absent samples take no part, whatever their scores and labels hold, and get
/// gradient 0; none present: 0, not PyTorch's NaN. Gradient flows to the scores; labels and targets are constants.
/// Wrong shapes throw ShapeError, a label outside 0..K−1 Error, options out of range OptionError.
///
/// ```cpp
/// const auto loss = cross_entropy(prediction, labels, {.smoothing = 0.1}, kept);   // (B, K) scores, B class ids
/// const auto weighted = cross_entropy(prediction, labels, {.weights = {1, 1, 4}});
/// loss.backward();
/// ```
#pragma once

#include "lacuna/kernels/cpu/class_losses.hpp"
#include "lacuna/kernels/cpu/loss_rows.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/losses/batch.hpp"
#include "lacuna/ops/activation.hpp"
#include "lacuna/ops/elementwise.hpp"
#include "lacuna/ops/indexing.hpp"
#include "lacuna/ops/reduction.hpp"

namespace lacuna {
namespace detail {

/// Throws unless there is one finite, non-negative weight per class, or none at all.
inline void expect_class_weights(const char* operation, const std::vector<double>& weights, index_t classes) {
  if (weights.empty()) return;
  if (index_t(weights.size()) != classes)
    throw ShapeError(cat(operation, ": ", weights.size(), " class weights for ", classes, " classes"));
  for (const double weight : weights) expect_not_negative(operation, "a class weight", weight);
}
/// The weights as a constant on the device.
template <class T, class D>
Variable<T, 1, D> class_weights(const std::vector<double>& weights) {
  return Variable<T, 1, D>(Tensor<T, 1, D>(list_on<D>(List<T>(weights.begin(), weights.end()))));
}
/// Leaves out the samples with this label.
template <class D>
void drop_ignored(Kept<D>& kept, const Labels<D>& labels, index_t batch, index_t ignore) {
  if (labels.size() == batch && !labels.all([ignore](index_t label) { return label != ignore; }))
    kept.drop([&](index_t i) { return labels[i] == ignore; });
}
/// 1/Σ of the weights of the labels that take part, or 1 for the sum; 0 when nothing weighs anything. Without weights
/// it depends on their number alone.
template <class D>
double label_scale(const Labels<D>& labels, const Kept<D>& kept, const std::vector<double>& weights,
                   Reduction reduction) {
  if (reduction == Reduction::sum) return 1;
  double total = weights.empty() ? double(kept.count()) : 0;
  if (!weights.empty())
    for (index_t i = 0; i < kept.count(); ++i) total += weights[std::size_t(labels[kept.row(i)])];
  return total > 0 ? 1 / total : 0;
}

}  // namespace detail

struct CrossEntropyOptions {
  std::vector<double> weights = {};  ///< of the classes; empty: 1 each
  double smoothing = 0;              ///< s: a share s of every label is spread over all classes
  index_t ignore = -100;             ///< samples with this label take no part
  Reduction reduction = Reduction::mean;
};

/// With p = softmax(logits_i), y its label, w the class weights and s the smoothing (Szegedy et al., CVPR 2016):
///   ℓ_i = (1−s) w_y (−log p_y) + s/K Σ_k w_k (−log p_k);   mean = Σ ℓ_i / Σ w_{y_i},  sum = Σ ℓ_i.
/// logits (N, K), labels (N). Large logits stay exact: softmax is shifted by its maximum.
template <class T, class D>
Variable<T, 0, D> cross_entropy(const Variable<T, 2, D>& logits, const Given<Labels<D>>& labels,
                                const CrossEntropyOptions& options = {}, const Given<Present<D>>& present = {}) {
  const index_t batch = logits.extent(0), classes = logits.extent(1);
  if (!(options.smoothing >= 0 && options.smoothing <= 1))
    throw OptionError(detail::cat("cross_entropy: smoothing ", options.smoothing, " is outside 0..1"));
  detail::expect_class_weights("cross_entropy", options.weights, classes);
  detail::Kept<D> kept("cross_entropy", batch, present);
  detail::drop_ignored(kept, labels, batch, options.ignore);
  const auto chosen = detail::kept_labels("cross_entropy", labels, batch, kept, classes);
  const double scale = detail::label_scale(labels, kept, options.weights, options.reduction);
  const auto weights = detail::list_on<D>(options.weights);
  detail::LossInput z(logits, kept, detail::GradientRoom::unwritten);
  const auto value = Kernels<D>::ClassLosses::cross_entropy(kept.count(), classes, z.data(), chosen.data(),
                                                            {weights.data(), options.smoothing, scale}, z.gradient());
  return detail::record_loss("cross_entropy", value, z);
}

struct NllOptions {
  std::vector<double> weights = {};
  index_t ignore = -100;
  Reduction reduction = Reduction::mean;
};

/// −Σ w_y x_{i,y} / Σ w_y for log-probabilities x (N, K): the cross-entropy of what already went through a log-softmax.
template <class T, class D>
Variable<T, 0, D> nll_loss(const Variable<T, 2, D>& log_probabilities, const Given<Labels<D>>& labels,
                           const NllOptions& options = {}, const Given<Present<D>>& present = {}) {
  const index_t batch = log_probabilities.extent(0), classes = log_probabilities.extent(1);
  detail::expect_class_weights("nll_loss", options.weights, classes);
  detail::Kept<D> kept("nll_loss", batch, present);
  detail::drop_ignored(kept, labels, batch, options.ignore);
  const auto chosen = detail::kept_labels("nll_loss", labels, batch, kept, classes);
  if (kept.count() == 0) return detail::nothing_to_compare("nll_loss", kept, log_probabilities);
  auto rows = detail::kept_rows(log_probabilities, kept);
  if (!options.weights.empty()) rows = rows * detail::class_weights<T, D>(options.weights);
  // the labels are on the device and have been checked: no `gather`, which would read them back
  const detail::AxisView entries("nll_loss", rows.shape(), 1);
  const auto picked = detail::gather_along("nll_loss", rows, entries, 1, 1, chosen, {1, 1, 1});
  return -detail::label_scale(labels, kept, options.weights, options.reduction) * sum(picked);
}

struct BinaryCrossEntropyOptions {
  /// Of the positive answers, one per entry of the last axis; empty: 1 each.
  std::vector<double> positive_weights = {};
  Reduction reduction = Reduction::mean;
};

/// −[w t log σ(x) + (1−t) log(1−σ(x))] = w t softplus(−x) + (1−t) softplus(x), mean or sum over all numbers of the present samples. logits and targets (N,
/// ...) of equal shape, targets anywhere in [0, 1]: soft labels. Exact for large scores.
template <class T, int R, class D>
Variable<T, 0, D> binary_cross_entropy(const Variable<T, R, D>& logits, const Tensor<T, R, D>& targets,
                                       const BinaryCrossEntropyOptions& options = {},
                                       const Given<Present<D>>& present = {}) {
  detail::expect_shape("binary_cross_entropy", "targets", targets.shape(), logits.shape());
  const index_t columns = R == 1 ? 1 : logits.extent(R - 1);
  detail::expect_class_weights("binary_cross_entropy", options.positive_weights, columns);
  const detail::Kept<D> kept("binary_cross_entropy", logits.extent(0), present);
  const auto x = detail::kept_rows(logits, kept), t = detail::kept_rows(Variable<T, R, D>(targets), kept);
  if (const index_t i = Kernels<D>::LossRows::first_outside(t.size(), t.data(), T(0), T(1)); i >= 0)
    throw Error(detail::cat("binary_cross_entropy: target ", double(t.value().to_vector()[std::size_t(i)]),
                            " of sample ", kept.row(i / (t.size() / kept.count())), " is outside 0..1"));
  if (x.size() == 0) return detail::nothing_to_compare("binary_cross_entropy", kept, logits);
  auto positive = t;
  if (!options.positive_weights.empty()) positive = t * detail::class_weights<T, D>(options.positive_weights);
  const auto total = sum(positive * softplus(-x) + (1 - t) * softplus(x));
  return options.reduction == Reduction::mean ? total / double(x.size()) : total;
}

}  // namespace lacuna
