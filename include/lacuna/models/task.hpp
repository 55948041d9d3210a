/// What a model is asked for: from labels to targets and their loss, and from scores to predictions.
///
///   classes        class ids 0..K−1; scores (B, K), cross-entropy, prediction: the most probable class, the first of
///                  equals
///   regression     real labels y; score (B, 1) in standardised label units; loss mean (s − y')² or |s − y'| with
///                  y' = (y − mean) / deviation; prediction mean + deviation · s
///   binary_non0    classes made of real labels: y < 0, y > 0; zeros take no part
///   binary_has0    y < 0, y >= 0
///   ternary, five, seven   y clipped to ±1, ±2, ±3 and rounded half to even
/// Of classes made of real labels the prediction is the expected label Σ p_k · centre_k, whose sign is that of the
/// larger half. With `one_vs_rest` every class has a two-way head, scores are (B, 2K), and losses are averaged over
/// heads.
///
/// Mean and deviation are those of the training labels, 0 and 1 until `fit`. A sample whose real label is not finite
/// takes no part in the loss. Which modalities a sample has plays no role here. Throws OptionError when the batch has
/// not the labels that are asked for, ShapeError when scores and batch do not fit, Error for a class id outside 0..K-1.
#pragma once

#include <algorithm>
#include <cmath>

#include "lacuna/core/recorded.hpp"
#include "lacuna/core/state.hpp"
#include "lacuna/data/batch.hpp"
#include "lacuna/data/standardize.hpp"
#include "lacuna/losses/classification.hpp"
#include "lacuna/losses/regression.hpp"
#include "lacuna/ops/slice.hpp"

namespace lacuna::models {

/// Of real labels: squared error, or absolute error.
enum class RegressionLoss { mse, l1 };

/// What is made of labels; see above.
enum class LabelKind { classes, binary_non0, binary_has0, ternary, five, seven, regression };

/// Scores per sample of a model for K classes, or for a real label (0).
inline index_t outputs_for(index_t classes) { return classes > 0 ? classes : 1; }

/// Class of a real label; −1 = takes no part (a zero under binary_non0, a label that is not finite). Regression: the
/// class of `seven`, of the standardised label where labels are, for losses that need one.
inline index_t class_of_label(LabelKind kind, double y) {
  if (!std::isfinite(y)) return -1;
  const auto rounded = [y](double limit) { return index_t(std::nearbyint(std::clamp(y, -limit, limit)) + limit); };
  switch (kind) {
    case LabelKind::binary_non0:
      return y < 0 ? 0 : y > 0 ? 1 : -1;
    case LabelKind::binary_has0:
      return y < 0 ? 0 : 1;
    case LabelKind::ternary:
      return rounded(1);
    case LabelKind::five:
      return rounded(2);
    case LabelKind::seven:
    case LabelKind::regression:
      return rounded(3);
    default:
      throw OptionError("labels = classes needs a data set with class ids");
  }
}

/// Softmax of each row, (B, K) in double.
template <class T, class D>
Tensor<double, 2> class_probabilities(const Tensor<T, 2, D>& scores) {
  const List<T> z = scores.to_list();
  const index_t classes = scores.extent(1);
  Tensor<double, 2> result({scores.extent(0), classes});
  for (index_t b = 0; b < scores.extent(0); ++b)
    for (index_t k = 0; k < classes; ++k) {
      const T* row = z.data() + b * classes;
      double sum = 0;
      for (index_t j = 0; j < classes; ++j) sum += std::exp(double(row[j]) - double(row[k]));
      result(b, k) = 1 / sum;
    }
  return result;
}

/// What losses are told of the labels of a batch.
template <class T, class D = Cpu>
struct Targets {
  OnHost<std::vector<index_t>> classes;  ///< (B), −1 where a sample takes no part
  Tensor<T, 2, D> values = {};           ///< (B, 1) standardised real labels; of regression
  Present<D> present = {};               ///< which samples take part; undefined: all
  Labels<D> labels = {};                 ///< the classes on the device; empty: made when a loss asks for them
  std::vector<Labels<D>> heads = {};     ///< of every one-vs-rest head: 1 where it is the class of the head
  Labels<D, T> real = {};                ///< `values` as a list

  /// Puts the classes on the device once, and those of so many one-vs-rest heads.
  void settle(index_t one_vs_rest_heads = 0) {
    labels = Labels<D>(classes.list());
    settle_heads(one_vs_rest_heads);
  }
  /// Of labels that are on the device.
  void settle_heads(index_t count) {
    heads.clear();
    for (index_t h = 0; h < count; ++h) heads.push_back(labels.equal_to(h));
  }
  Labels<D> labels_there() const {
    return labels.size() == index_t(classes.size()) ? labels : Labels<D>(classes.list());
  }
  /// The labels of one-vs-rest head h.
  Labels<D> labels_of_head(index_t h) const {
    return std::size_t(h) < heads.size() ? heads[std::size_t(h)] : labels_there().equal_to(h);
  }
};

struct Task {
  const char* model = "model";  ///< named by messages
  LabelKind kind = LabelKind::regression;
  index_t classes = 0;  ///< K of class ids
  bool one_vs_rest = false;
  RegressionLoss regression_loss = RegressionLoss::mse;
  double smoothing = 0;  ///< of the labels in cross-entropies, 0..1
  data::LabelStatistics labels = {};
  std::vector<double> class_weights = {};  ///< of the classes in cross-entropies; empty: 1 each

  index_t class_count() const {
    switch (kind) {
      case LabelKind::classes:
        return classes;
      case LabelKind::ternary:
        return 3;
      case LabelKind::five:
        return 5;
      case LabelKind::seven:
      case LabelKind::regression:  // of losses that need classes
        return 7;
      default:
        return 2;
    }
  }
  /// Two-way heads, or the one head.
  index_t head_count() const { return one_vs_rest ? class_count() : 1; }
  /// Scores per sample.
  index_t outputs() const {
    return kind == LabelKind::regression ? 1 : one_vs_rest ? 2 * class_count() : class_count();
  }
  /// K of class ids, or 0 where labels are real.
  index_t predicts_classes() const { return kind == LabelKind::classes ? classes : 0; }
  /// The metric by which epochs are chosen: the weighted F1 of the classes it is trained on, the MAE of a regression.
  const char* selects_on() const {
    switch (kind) {
      case LabelKind::classes:
        return "f1_weighted";
      case LabelKind::binary_non0:
        return "f1_non0";
      case LabelKind::binary_has0:
        return "f1_has0";
      case LabelKind::ternary:
        return "acc3";
      case LabelKind::five:
        return "acc5";
      case LabelKind::seven:
        return "acc7";
      default:
        return "mae";
    }
  }

  /// Throws OptionError.
  void check() const {
    if (class_count() < 2)
      throw OptionError(
          detail::cat(model, ": classes is ", class_count(), ", expected at least 2, or 0 for a real label"));
    if (one_vs_rest && kind == LabelKind::regression)
      throw OptionError(detail::cat(model, ": a regression has no classes for one-vs-rest heads"));
    if (!(smoothing >= 0 && smoothing <= 1))
      throw OptionError(detail::cat(model, ": label smoothing is ", smoothing, ", expected 0..1"));
  }
  /// The scale of real labels. Throws OptionError when the data have not the labels that are asked for.
  void fit(const data::Dataset& data, bool standardize) {
    const auto demand = [&](std::size_t found, const char* what, const char* other) {
      if (index_t(found) != data.train.size() || found == 0)
        throw OptionError(detail::cat(model, ": ", data.name, " has ", found, " ", what, " for ", data.train.size(),
                                      " training samples; ", other));
    };
    if (kind == LabelKind::classes) {
      demand(data.train.classes.size(), "class ids", "set classes = 0 for real labels");
      if (data.class_count > classes)
        throw OptionError(
            detail::cat(model, ": ", data.name, " has ", data.class_count, " classes, the model ", classes));
      return;
    }
    demand(data.train.labels.size(), "real labels", "set classes for class ids");
    if (standardize && kind == LabelKind::regression) labels = data::LabelStatistics::fit(data.train);
  }

  /// For the device To, from a batch of the host, or of another device, whose real labels cost a wait.
  template <class To, class T, class From>
  Targets<T, To> targets(const data::Batch<T, From>& batch) const {
    Targets<T, To> target;
    if (kind == LabelKind::classes) {
      if (index_t(batch.classes.size()) != batch.size())
        throw OptionError(detail::cat(model, ": labels are classes, but the batch has no class ids"));
      target.classes = batch.classes;
    } else {
      if (batch.labels.size() != batch.size())
        throw OptionError(detail::cat(model, ": needs real labels, the batch has none; for class ids set classes"));
      std::vector<T> y = batch.labels.to_vector();
      std::vector<std::uint8_t> present;
      bool all = true;
      for (T& label : y) {
        const double scaled = labels.standardize(double(label));  // of a regression alone; else as it is
        const index_t made = class_of_label(kind, scaled);
        target.classes.push_back(made);
        present.push_back(made >= 0);
        all = all && present.back();
        label = T(scaled);
      }
      if (!all) target.present = Present<To>::of(Mask<1>::from({batch.size()}, present));
      if (kind == LabelKind::regression) {
        target.real = Labels<To, T>(y);
        target.values = Tensor<T, 2, To>(target.real.there().reshaped(Shape{batch.size(), 1}));
        return target;
      }
    }
    target.settle(one_vs_rest ? head_count() : 0);
    return target;
  }
  template <class T, class D>
  Targets<T, D> targets(const data::Batch<T, D>& batch) const {
    return targets<D, T, D>(batch);
  }

  /// Of one set of scores (B, outputs), over the samples of `present`; undefined: all.
  template <class T, class D>
  Variable<T, 0, D> loss(const Variable<T, 2, D>& scores, const Targets<T, D>& target,
                         const Given<Present<D>>& present) const {
    if (kind == LabelKind::regression) {
      const Variable<T, 2, D> wanted(target.values);
      return regression_loss == RegressionLoss::mse ? mse_loss(scores, wanted, present.mask())
                                                    : l1_loss(scores, wanted, {}, present.mask());
    }
    CrossEntropyOptions options{.smoothing = smoothing};
    if (!one_vs_rest) {
      options.weights = class_weights;
      return cross_entropy(scores, target.labels_there(), options, present);
    }
    Variable<T, 0, D> total;
    for (index_t h = 0; h < head_count(); ++h) {
      const auto term = cross_entropy(slice(scores, 1, 2 * h, 2), target.labels_of_head(h), options, present);
      total = h == 0 ? term : total + term;
    }
    return (1.0 / double(head_count())) * total;
  }
  template <class T, class D>
  Variable<T, 0, D> loss(const Variable<T, 2, D>& scores, const Targets<T, D>& target) const {
    return loss<T, D>(scores, target, target.present);
  }

  /// The real label that class k stands for: −1 and 1, or −1 0 1, −2 ... 2, −3 ... 3.
  double centre(index_t k) const { return double(2 * k - (class_count() - 1)) / (class_count() == 2 ? 1.0 : 2.0); }
  /// (B, outputs) → one number per sample, in label units or a class id.
  template <class T, class D>
  List<double> predictions(const Tensor<T, 2, D>& scores) const {
    List<double> result;
    result.reserve(std::size_t(scores.extent(0)));
    if (kind == LabelKind::regression) {
      for (const T score : scores.to_list()) result.push_back(labels.restore(double(score)));
      return result;
    }
    if (kind == LabelKind::classes && !one_vs_rest) {
      const List<T> z = scores.to_list();
      for (auto row = z.begin(); row != z.end(); row += std::ptrdiff_t(classes))
        result.push_back(double(std::max_element(row, row + std::ptrdiff_t(classes)) - row));
      return result;
    }
    const Tensor<double, 2> p = probabilities(scores);
    for (index_t b = 0; b < p.extent(0); ++b) {
      index_t best = 0;
      double sum = 0, expected = 0;
      for (index_t k = 0; k < p.extent(1); ++k) {
        if (p(b, k) > p(b, best)) best = k;
        sum += p(b, k);
        expected += p(b, k) * centre(k);
      }
      result.push_back(kind == LabelKind::classes ? double(best) : expected / sum);
    }
    return result;
  }
  /// (B, K); with one-vs-rest heads the probability of every class by its own head. Throws OptionError for regression.
  template <class T, class D>
  Tensor<double, 2> probabilities(const Tensor<T, 2, D>& scores) const {
    if (kind == LabelKind::regression)
      throw OptionError(detail::cat(model, ": a real label has no class probabilities"));
    if (!one_vs_rest) return class_probabilities(scores);
    const index_t batch = scores.extent(0), count = class_count();
    const Tensor<double, 2> heads = class_probabilities(scores.reshape(std::array<index_t, 2>{batch * count, 2}));
    Tensor<double, 2> result({batch, count});
    for (index_t i = 0; i < result.size(); ++i) result.data()[i] = heads(i, 1);
    return result;
  }
  /// The scores of the mean response of several networks (B, outputs): log of the mean probability, of every head on
  /// its own; of a regression the mean.
  template <class T, class D>
  Tensor<T, 2, D> mean_response(const std::vector<Tensor<T, 2, D>>& scores) const {
    const bool real = kind == LabelKind::regression;
    const index_t width = one_vs_rest ? 2 : outputs();
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

  /// What was taken from the data; the rest follows from the options.
  static void reflect(auto& self, auto&& visit) {
    visit("label_mean", self.labels.mean);
    visit("label_deviation", self.labels.deviation);
  }
};

}  // namespace lacuna::models
