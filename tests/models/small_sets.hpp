/// Data sets and training loops for tests of models.
#pragma once

#include <numeric>

#include "lacuna/autograd/gradcheck.hpp"
#include "lacuna/data/synthetic.hpp"
#include "lacuna/nn/pack.hpp"
#include "lacuna/optim/adam.hpp"
#include "lacuna/train/trainer.hpp"

namespace lacuna::test {

/// Three classes in modalities of 2, 3, 4, 5, 2, 3, ... features: every class has a place of its own in each of them,
/// frames stand around it. Even modalities are sequences of 1 to 4 frames, odd ones vectors.
template <data::Role role>
void fill_classes(data::Split<role>& split, index_t samples, index_t modalities, std::uint64_t seed) {
  const Random places(99), random(seed);
  for (index_t n = 0; n < samples; ++n) {
    split.classes.push_back(n % 3);
    split.ids.push_back(std::to_string(n));
  }
  for (index_t m = 0; m < modalities; ++m) {
    const index_t frames = m % 2 ? 1 : 4, features = 2 + m % 4;
    data::Modality modality{"m" + std::to_string(m), Tensor<float, 3>::zeros({samples, frames, features}),
                            Mask<2>::zeros({samples, frames})};
    for (index_t n = 0; n < samples; ++n) {
      const RandomStream noise = random.split(std::uint64_t(n * modalities + m)).stream();
      const RandomStream place = places.split(std::uint64_t(m * 3 + n % 3)).stream();
      for (index_t t = 0; t < 1 + n % frames; ++t) {
        modality.present(n, t) = 1;
        for (index_t d = 0; d < features; ++d)
          modality.frames(n, t, d) =
              float(10 + 6 * place.normal(std::uint64_t(d)) + noise.normal(std::uint64_t(t * features + d)));
      }
    }
    split.modalities.push_back(std::move(modality));
  }
}
inline data::Dataset class_set(index_t samples, index_t modalities = 3) {
  data::Dataset set;
  set.name = "three classes";
  set.class_count = 3;
  fill_classes(set.train, samples, modalities, 1);
  fill_classes(set.validation, samples / 2, modalities, 2);
  fill_classes(set.test, samples / 2, modalities, 3);
  return set;
}

/// The first `count` samples of a split.
template <class T, data::Role role>
data::Batch<T> first(const data::Split<role>& split, index_t count) {
  std::vector<index_t> samples(static_cast<std::size_t>(count));
  std::iota(samples.begin(), samples.end(), index_t(0));
  return data::gather<T>(split, samples);
}

/// Numbers of the standard normal distribution.
inline std::vector<double> normal(index_t count, std::uint64_t seed) {
  const RandomStream stream = Random(seed).stream();
  std::vector<double> numbers;
  for (index_t i = 0; i < count; ++i) numbers.push_back(stream.normal(std::uint64_t(i)));
  return numbers;
}

/// Takes all that sample b has of modality m, and leaves not-a-number there.
template <class T>
void lose(data::Batch<T>& batch, index_t b, std::size_t m) {
  auto& [frames, present] = batch.streams[m];
  for (index_t t = 0; t < present.extent(1); ++t) {
    present(b, t) = 0;
    for (index_t d = 0; d < frames.extent(2); ++d) frames(b, t, d) = T(NAN);
  }
}

/// Prepares and trains: Adam, shuffled batches of 16, no selection.
template <class M>
void learn(M& model, const data::Dataset& data, index_t epochs, double rate, std::uint64_t seed = 1) {
  Random random(seed);
  train::prepare(model, data, random);
  const auto packed = pack<typename M::scalar>(model);
  optim::Adam<typename M::scalar> adam(packed, {.learning_rate = rate});
  for (index_t epoch = 0; epoch < epochs; ++epoch) {
    const auto order = data::epoch_order(data.train.size(), seed, epoch);
    for (std::size_t begin = 0; begin < order.size(); begin += 16) {
      const std::span<const index_t> some(order.data() + begin, std::min<std::size_t>(16, order.size() - begin));
      packed.zero_grad();
      model.loss(data::gather<typename M::scalar>(data.train, some), Context::train(random)).total.backward();
      adam.step();
    }
  }
}

/// All parameters, or their gradients, in one list.
template <class M>
std::vector<double> numbers(const M& model, bool gradients = false) {
  std::vector<double> list;
  for_each_parameter(model, [&](const std::string&, const auto& parameter) {
    const auto some = gradients ? parameter.grad().to_vector() : parameter.value().to_vector();
    list.insert(list.end(), some.begin(), some.end());
  });
  return list;
}

/// The worst gradient error of f over all parameters that are trained and whose path `wanted` accepts.
template <class M, class F, class Wanted>
double worst_gradient(const M& model, F&& f, Wanted&& wanted) {
  double worst = 0;
  for_each_parameter(model, [&](const std::string& path, const auto& parameter) {
    if (parameter.requires_grad() && wanted(path))
      worst = std::max(worst, check_gradients(f, 1e-6, 1e-2, parameter).worst);
  });
  return worst;
}

}  // namespace lacuna::test
