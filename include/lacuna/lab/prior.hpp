/// The answer for a sample of which nothing is present: the training prior.
///     real labels: the mean of the training labels;    class ids: the most frequent one, the first of equals
/// exactly what models::Constant answers. In the laboratory this stands for every model, because what a network says of
/// nothing is an accident of its biases, and differs between seeds. So at missing rate 1.0 every model equals the
/// constant predictor, bit for bit, and every difference seen is made on samples of which something is there.
#pragma once

#include <vector>

#include "lacuna/data/stream.hpp"
#include "lacuna/models/baselines/constant.hpp"

namespace lacuna::lab {

/// classes: K where class ids are predicted, 0 for real labels. Throws what models::Constant throws.
inline double prior(const data::Split<data::Role::train>& train, index_t classes) {
  data::Split<data::Role::train> judged{{}, train.labels, train.classes, train.ids};
  if (classes > 0) judged.labels.clear();
  return models::Constant(judged).value;
}

/// (B): 1 where the sample has a present frame in any stream.
template <class T, class D>
std::vector<std::uint8_t> anything_present(const data::Batch<T, D>& batch) {
  std::vector<std::uint8_t> any(static_cast<std::size_t>(batch.size()), 0);
  for (const auto& stream : batch.streams)
    for (index_t b = 0; b < batch.size(); ++b)
      for (index_t t = 0; t < stream.present.extent(1) && !any[std::size_t(b)]; ++t)
        any[std::size_t(b)] = stream.present(b, t);
  return any;
}

/// predict(batch) where something is present, `prior` elsewhere. A batch of which nothing is present is not predicted.
/// Throws ShapeError for another number of predictions than samples.
template <class T, class D, class Predict>
std::vector<double> predict_or_prior(const Predict& predict, const data::Batch<T, D>& batch, double prior) {
  const std::vector<std::uint8_t> any = anything_present(batch);
  std::vector<double> result(any.size(), prior);
  bool wanted = false;
  for (const std::uint8_t one : any) wanted = wanted || one;
  if (!wanted) return result;
  const std::vector<double> predicted = predict(batch);
  if (predicted.size() != any.size())
    throw ShapeError(detail::cat("predict: ", predicted.size(), " predictions for ", any.size(), " samples"));
  for (std::size_t b = 0; b < any.size(); ++b)
    if (any[b]) result[b] = predicted[b];
  return result;
}

}  // namespace lacuna::lab
