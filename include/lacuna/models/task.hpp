/// What a supervised model is asked for, and what it loses by its scores.
///
///   classes = K >= 2   scores (B, K); loss: cross-entropy with the class ids of the batch; prediction: the id of the
///                      most probable class, the first of equals
///   classes = 0        score (B, 1) in standardised label units; loss: mean (s - y')² or |s - y'|, y' = (y - mean) /
///                      deviation; prediction: mean + deviation · s, in label units
///
/// Mean and deviation are those of the training labels, 0 and 1 until `fit`. A sample whose real label is not finite
/// takes no part in the loss. Which modalities a sample has plays no role here. Throws OptionError when the batch has
/// not the labels that are asked for, ShapeError when scores and batch do not fit, Error for a class id outside 0..K-1.
#pragma once

#include <algorithm>
#include <cmath>

#include "lacuna/core/state.hpp"
#include "lacuna/data/batch.hpp"
#include "lacuna/data/standardize.hpp"
#include "lacuna/losses/classification.hpp"
#include "lacuna/losses/regression.hpp"

namespace lacuna::models {

/// Of real labels: squared error, or absolute error.
enum class RegressionLoss { mse, l1 };

/// Scores per sample.
inline index_t outputs_for(index_t classes) { return classes > 0 ? classes : 1; }

/// Softmax of each row, (B, K) in double.
template <class T, class D>
Tensor<double, 2> class_probabilities(const Tensor<T, 2, D>& scores) {
  const std::vector<T> z = scores.to_vector();
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

struct Task {
  const char* model = "model";  ///< named by messages
  index_t classes = 0;          ///< K, or 0 for one real label
  RegressionLoss regression_loss = RegressionLoss::mse;
  data::LabelStatistics labels = {};

  /// Throws OptionError.
  void check() const {
    if (classes < 0 || classes == 1)
      throw OptionError(detail::cat(model, ": classes is ", classes, ", expected at least 2, or 0 for a real label"));
  }
  /// The scale of real labels. Throws OptionError when the data have not the labels that are asked for.
  void fit(const data::Dataset& data, bool standardize) {
    const auto demand = [&](std::size_t found, const char* what, const char* other) {
      if (index_t(found) != data.train.size() || found == 0)
        throw OptionError(detail::cat(model, ": ", data.name, " has ", found, " ", what, " for ", data.train.size(),
                                      " training samples; ", other));
    };
    if (classes > 0) {
      demand(data.train.classes.size(), "class ids", "set classes = 0 for real labels");
      if (data.class_count > classes)
        throw OptionError(
            detail::cat(model, ": ", data.name, " has ", data.class_count, " classes, the model ", classes));
      return;
    }
    demand(data.train.labels.size(), "real labels", "set classes for class ids");
    if (standardize) labels = data::LabelStatistics::fit(data.train);
  }

  template <class T, class D, class From>
  Variable<T, 0, D> loss(const Variable<T, 2, D>& scores, const data::Batch<T, From>& batch) const {
    if (classes > 0) {
      if (index_t(batch.classes.size()) != batch.size())
        throw OptionError(detail::cat(model, ": classes is ", classes, ", but the batch has no class ids"));
      return cross_entropy(scores, batch.classes);
    }
    if (batch.labels.size() != batch.size())
      throw OptionError(detail::cat(model, ": classes is 0, but the batch has no real labels"));
    bool all = true;
    std::vector<T> target = batch.labels.to_vector();
    std::vector<std::uint8_t> present;
    for (T& y : target) {
      present.push_back(std::isfinite(y));
      all = all && present.back();
      y = T(labels.standardize(double(y)));
    }
    const Mask<1, D> mask = all ? Mask<1, D>() : Mask<1, D>::from({batch.size()}, present);
    const Variable<T, 2, D> wanted(Tensor<T, 2, D>::from({batch.size(), 1}, target));
    return regression_loss == RegressionLoss::mse ? mse_loss(scores, wanted, mask) : l1_loss(scores, wanted, {}, mask);
  }

  /// One number per sample.
  template <class T, class D>
  std::vector<double> predictions(const Tensor<T, 2, D>& scores) const {
    const std::vector<T> z = scores.to_vector();
    const auto width = std::size_t(scores.extent(1));
    std::vector<double> result;
    for (auto row = z.begin(); row != z.end(); row += std::ptrdiff_t(width))
      result.push_back(classes > 0 ? double(std::max_element(row, row + std::ptrdiff_t(width)) - row)
                                   : labels.restore(double(*row)));
    return result;
  }
  /// (B, K). Throws OptionError for real labels.
  template <class T, class D>
  Tensor<double, 2> probabilities(const Tensor<T, 2, D>& scores) const {
    if (classes == 0) throw OptionError(detail::cat(model, ": a real label has no class probabilities"));
    return class_probabilities(scores);
  }

  void save_state(State& state) const {
    state.put("label_mean", labels.mean);
    state.put("label_deviation", labels.deviation);
  }
  void load_state(const State& state) {
    state.get("label_mean", labels.mean);
    state.get("label_deviation", labels.deviation);
  }
};

}  // namespace lacuna::models
