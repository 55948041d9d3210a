/// What the utterance-level models of GCNet's comparison share: MMIN as published there, CRA, AE.
///
///   FC(x) = W relu(W_n … relu(W_1 x)),   f = [FC_1(x_1), …, FC_M(x_M)],  x_m the mean of the present frames    (B, M d)
///
/// An absent modality is 0 in f; `encode_absent`: FC(0) instead, as in the authors' code.
#pragma once

#include "lacuna/models/training_batch.hpp"
#include "lacuna/nn/linear.hpp"
#include "lacuna/ops/pooling.hpp"

namespace lacuna::models {

/// FC, with dropout behind every hidden layer in training.
template <class T = float, class D = Cpu>
struct UtterancePerceptron {
  Mlp<T, D> body;
  Linear<T, D> head;

  UtterancePerceptron() = default;
  UtterancePerceptron(index_t in, const std::vector<index_t>& layers, index_t out, double dropout, Random& random) {
    if (layers.empty()) throw OptionError("utterance perceptron: needs at least one hidden layer");
    std::vector<index_t> sizes{in};
    sizes.insert(sizes.end(), layers.begin(), layers.end());
    body = Mlp<T, D>({sizes, dropout}, random);
    head = Linear<T, D>({.in_features = layers.back(), .out_features = out}, random);
  }
  Variable<T, 2, D> operator()(const Variable<T, 2, D>& x, const Context& context) const {
    return head(body(x, context));
  }
  static void reflect(auto& self, auto&& visit) {
    visit("body", self.body);
    visit("head", self.head);
  }
};

/// x_m (B, D_m): the mean of the present frames, 0 without one.
template <class T, class D>
Variable<T, 2, D> utterance_of(const data::Stream<T, D>& stream) {
  return mean_pool(Variable<T, 3, D>(stream.frames), stream.present);
}

template <class T = float, class D = Cpu>
struct UtteranceEncoders {
  std::vector<UtterancePerceptron<T, D>> fc;

  UtteranceEncoders() = default;
  UtteranceEncoders(const std::vector<index_t>& inputs, const std::vector<index_t>& layers, index_t width,
                    Random& random) {
    for (const index_t in : inputs) fc.emplace_back(in, layers, width, 0.0, random);
  }
  Variable<T, 2, D> operator()(const Streams<T, D>& streams, bool encode_absent) const {
    std::vector<Variable<T, 2, D>> all;
    for (std::size_t m = 0; m < fc.size(); ++m) {
      const auto h = fc[m](utterance_of(streams[m]), Context{});
      all.push_back(encode_absent ? h : apply_mask(h, any_present(streams[m].present)));
    }
    return concat(all, -1);
  }
  static void reflect(auto& self, auto&& visit) { visit("fc", self.fc); }
};

/// The modalities that were taken away from their samples, whole, and nothing of the others.
template <class T, class D>
Streams<T, D> streams_taken(const TrainingBatch<T, D>& batch) {
  const auto taken = batch.taken().to_vector();
  const index_t modalities = index_t(batch.whole.size());
  Streams<T, D> streams;
  for (index_t m = 0; m < modalities; ++m) {
    const auto& [frames, present] = batch.whole[std::size_t(m)];
    auto kept = present.to_vector();
    for (std::size_t i = 0; i < kept.size(); ++i)
      kept[i] = kept[i] && taken[i / std::size_t(present.extent(1)) * std::size_t(modalities) + std::size_t(m)];
    streams.push_back(masked_stream(frames, Mask<2, D>::from({present.extent(0), present.extent(1)}, kept)));
  }
  return streams;
}

}  // namespace lacuna::models
