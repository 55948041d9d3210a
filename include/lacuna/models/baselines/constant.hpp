/// The predictor that looks at nothing: the same number for every sample. What every model has to beat.
///     centre mean:    c = mean of the training labels, the best constant in MSE
///     centre median:  c = their median, the best constant in MAE; the mean of the middle two for an even count
///     class ids (a split without real labels): the most frequent class, the first of equals
/// Shapes: split of N samples -> (N) predictions, in label units or class ids. Absent data changes nothing.
/// Throws ShapeError for a training split without a label for every sample, Error when a label is not finite.
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
    if (train.labels.empty() && !train.classes.empty() && index_t(train.classes.size()) == train.size()) {
      value = double(most_frequent(train.classes));
      return;
    }
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

 private:
  static index_t most_frequent(const std::vector<index_t>& classes) {
    std::vector<index_t> counts;
    for (const index_t k : classes) {
      if (k < 0) throw Error(detail::cat("constant: a training class is ", k, ", expected 0 or more"));
      if (k >= index_t(counts.size())) counts.resize(std::size_t(k) + 1, 0);
      ++counts[std::size_t(k)];
    }
    return std::max_element(counts.begin(), counts.end()) - counts.begin();
  }
};

}  // namespace lacuna::models
