// The plain training loop of the small examples, and what they measure.
#pragma once

#include <algorithm>
#include <cmath>
#include <lacuna/lacuna.hpp>
#include <lacuna/optim/schedule.hpp>
#include <span>

namespace support {

using lacuna::index_t;

struct FitOptions {
  index_t samples, batch, epochs;
  double learning_rate = 2e-3;
};

/// AdamW over shuffled batches with a cosine schedule and clipping; `loss` takes the numbers of the samples of a batch.
template <class Model, class Loss>
void fit_batches(const Model& model, FitOptions o, Loss&& loss) {
  lacuna::Random random(2);
  auto packed = lacuna::pack(model);
  lacuna::Adam<float> adam(packed, {.decoupled_decay = 1e-2}, {{.pattern = "*bias", .decay = 0}});
  const auto rate = o.learning_rate * lacuna::optim::cosine(o.epochs * (o.samples / o.batch));
  for (index_t step = 0, epoch = 0; epoch < o.epochs; ++epoch) {
    const auto order = random.permutation(o.samples);
    for (index_t b = 0; b + o.batch <= o.samples; b += o.batch) {
      packed.zero_grad();
      loss(std::span<const index_t>(order).subspan(std::size_t(b), std::size_t(o.batch))).backward();
      adam.step(rate(step++), lacuna::clip_factor(packed, 1.0));
    }
  }
}

/// Percent of the rows whose largest number stands at their label.
inline double accuracy(const lacuna::Tensor<float, 2>& scores, const std::vector<index_t>& labels) {
  double right = 0;
  for (index_t i = 0; i < scores.extent(0); ++i) {
    const float* row = scores.data() + i * scores.extent(1);
    right += std::max_element(row, row + scores.extent(1)) - row == labels[std::size_t(i)];
  }
  return 100 * right / double(labels.size());
}

/// Percent of the rows of a whose own row of b is among the `best` rows of b with the largest cosine.
inline double found_among(index_t best, const lacuna::Tensor<float, 2>& a, const lacuna::Tensor<float, 2>& b) {
  double hits = 0;
  for (index_t i = 0; i < a.extent(0); ++i) {
    std::vector<double> cosine;
    for (index_t j = 0; j < b.extent(0); ++j) {
      double inner = 0, length = 0;
      for (index_t f = 0; f < a.extent(1); ++f) {
        inner += double(a(i, f)) * double(b(j, f));
        length += double(b(j, f)) * double(b(j, f));
      }
      cosine.push_back(inner / std::sqrt(length));
    }
    const double own = cosine[std::size_t(i)];
    hits += std::count_if(cosine.begin(), cosine.end(), [&](double c) { return c > own; }) < best;
  }
  return 100 * hits / double(a.extent(0));
}

}  // namespace support
