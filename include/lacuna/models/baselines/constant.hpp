/// The predictor that looks at nothing: the same number for every sample. What every model has to beat.
///     centre mean:    c = mean of the training labels, the best constant in MSE
///     centre median:  c = their median, the best constant in MAE; the mean of the middle two for an even count
/// Shapes: split of N samples -> (N) predictions, in label units. Absent data changes nothing.
/// Throws ShapeError for a training split without real labels, Error when a label is not finite.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "lacuna/data/dataset.hpp"

namespace lacuna::models {

struct Constant {
  enum class Centre { mean, median };
  struct Options {
    Centre centre = Centre::mean;
  };

  double value = 0;

  explicit Constant(const data::Split<data::Role::train>& train) : Constant(train, Options{}) {}
  Constant(const data::Split<data::Role::train>& train, Options options) {
    std::vector<double> labels(train.labels.begin(), train.labels.end());
    if (labels.empty() || index_t(labels.size()) != train.size())
      throw ShapeError(
          detail::cat("constant: ", labels.size(), " real labels for ", train.size(), " training samples"));
    for (std::size_t i = 0; i < labels.size(); ++i)
      if (!std::isfinite(labels[i])) throw Error(detail::cat("constant: training label ", i, " is ", labels[i]));
    if (options.centre == Centre::mean) {
      for (const double label : labels) value += label / double(labels.size());
    } else {
      std::sort(labels.begin(), labels.end());
      value = 0.5 * (labels[(labels.size() - 1) / 2] + labels[labels.size() / 2]);
    }
  }

  template <data::Role role>
  std::vector<double> operator()(const data::Split<role>& split) const {
    return std::vector<double>(std::size_t(split.size()), value);
  }

  static void reflect(auto& self, auto&& visit) { visit("value", self.value); }
};

}  // namespace lacuna::models
