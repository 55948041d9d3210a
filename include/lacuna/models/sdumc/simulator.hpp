/// The stand-in of a modality that may be missing: the simulated text of SDUMC.
///
/// The authors make it with a speech-to-text language model. Here it is a concept, so that one can join; two
/// implementations come with the library: a stream of the data set, and a decoder trained on the training split.
#pragma once

#include <cmath>
#include <concepts>
#include <limits>

#include "lacuna/data/dataset.hpp"
#include "lacuna/losses/regression.hpp"
#include "lacuna/models/sdumc/options.hpp"
#include "lacuna/nn/attention_pooling.hpp"
#include "lacuna/ops/mask.hpp"
#include "lacuna/optim/adam.hpp"

namespace lacuna::models {

/// Makes a stand-in (B, S, D_missing) from the streams of a batch. It never reads the missing modality itself; a sample
/// from which nothing can be made gets a stand-in without any present frame.
template <class S, class T, class D>
concept Simulator = requires(const S& simulator, const std::vector<data::Stream<T, D>>& streams) {
  { simulator(streams) } -> std::same_as<data::Stream<T, D>>;
};

/// A stream that the data set brings: features of machine-made transcripts, for example.
template <class T = float, class D = Cpu>
struct StreamSimulator {
  std::size_t stream;
  data::Stream<T, D> operator()(const std::vector<data::Stream<T, D>>& streams) const {
    if (stream >= streams.size())
      throw ShapeError(detail::cat("simulated stream: number ", stream, " of ", streams.size(), " streams"));
    return streams[stream];
  }
};

/// The mean of a stream over `slots` equal parts of its true length: (B, T, D) → (B, slots, D). A sequence shorter than
/// `slots` repeats frames; a sample without frames gives zeros that are not present.
template <class T, class D>
data::Stream<T, D> resample(const data::Stream<T, D>& stream, index_t slots) {
  if constexpr (!std::is_same_v<D, Cpu>) {
    return data::to_device<D>(resample(data::to_device<Cpu>(stream), slots));
  } else {
    const index_t batch = stream.frames.extent(0), frames = stream.frames.extent(1), width = stream.frames.extent(2);
    data::Stream<T, D> result{Tensor<T, 3, D>::zeros({batch, slots, width}), Mask<2, D>::zeros({batch, slots})};
    for (index_t b = 0; b < batch; ++b) {
      std::vector<index_t> present;
      for (index_t t = 0; t < frames; ++t)
        if (stream.present(b, t)) present.push_back(t);
      const auto length = index_t(present.size());
      for (index_t s = 0; s < slots && length > 0; ++s) {
        const index_t first = s * length / slots, last = std::max((s + 1) * length / slots, first + 1);
        result.present(b, s) = 1;
        for (index_t i = first; i < last; ++i)
          for (index_t f = 0; f < width; ++f)
            result.frames(b, s, f) += stream.frames(b, present[std::size_t(i)], f) / T(last - first);
      }
    }
    return result;
  }
}

/// A cross-attention decoder. For every remaining modality m:  e_m = dropout(tanh(Lin_m(X_m))),  o_m = attention of
/// `slots` learned queries to e_m;  stand-in = Lin(o) + Lin(relu(Lin(o))),  o = [o_1; …] with 0 for an absent modality.
/// Trained to the mean square error against the modality it stands in for, cut into as many parts (see resample).
template <class T = float, class D = Cpu>
struct DecoderSimulator {
  index_t missing = 0, slots = 0, num_heads = 1;
  double dropout = 0;
  std::vector<Linear<T, D>> embed, key, value;
  Parameter<T, 2, D> query;  ///< (slots, width)
  Linear<T, D> skip, inner, outer;

  DecoderSimulator() = default;
  DecoderSimulator(const std::vector<index_t>& inputs, index_t lost, index_t slot_count, const SimulatorOptions& o,
                   Random& random)
      : missing(lost), slots(slot_count), num_heads(o.num_heads), dropout(o.dropout) {
    if (o.width < 1 || o.num_heads < 1 || o.width % o.num_heads || slot_count < 1)
      throw OptionError(
          detail::cat("simulator: width ", o.width, " must divide into ", o.num_heads, " heads; slots ", slot_count));
    const index_t w = o.width, others = index_t(inputs.size()) - 1;
    for (std::size_t m = 0; m < inputs.size(); ++m) {
      if (index_t(m) == lost) continue;
      embed.emplace_back(typename Linear<T, D>::Options{inputs[m], w}, random);
      key.emplace_back(typename Linear<T, D>::Options{w, w}, random);
      value.emplace_back(typename Linear<T, D>::Options{w, w}, random);
    }
    query = Parameter<T, 2, D>(init::normal<T, 2, D>({slots, w}, 1.0 / std::sqrt(double(w)), random));
    const index_t out = inputs[std::size_t(lost)];
    skip = Linear<T, D>({.in_features = others * w, .out_features = out}, random);
    inner = Linear<T, D>({.in_features = others * w, .out_features = 2 * w}, random);
    outer = Linear<T, D>({.in_features = 2 * w, .out_features = out}, random);
  }

  Variable<T, 3, D> decode(const std::vector<data::Stream<T, D>>& streams, const Context& context) const;

  data::Stream<T, D> operator()(const std::vector<data::Stream<T, D>>& streams) const {
    const NoGrad off;
    const index_t batch = streams[0].frames.extent(0);
    auto made = Mask<2, D>::zeros({batch, slots});
    for (std::size_t m = 0; m < embed.size() + 1; ++m) {
      if (index_t(m) == missing) continue;
      const Mask<2, D>& present = streams[m].present;
      Kernels<D>::any_present(batch, present.extent(1), present.data(), slots, true, made.data());
    }
    return {decode(streams, {}).value(), made};
  }

  static void reflect(auto& self, auto&& visit) {
    visit("embed", self.embed);
    visit("key", self.key);
    visit("value", self.value);
    visit("query", self.query);
    visit("skip", self.skip);
    visit("inner", self.inner);
    visit("outer", self.outer);
  }
};

static_assert(Simulator<StreamSimulator<float>, float, Cpu> && Simulator<DecoderSimulator<float>, float, Cpu>);

template <class T, class D>
Variable<T, 3, D> DecoderSimulator<T, D>::decode(const std::vector<data::Stream<T, D>>& streams,
                                                 const Context& context) const {
  const index_t width = query.extent(1);
  const auto queries = reshape(static_cast<const Variable<T, 2, D>&>(query), std::array<index_t, 3>{1, slots, width});
  std::vector<Variable<T, 3, D>> seen;
  for (std::size_t i = 0; i < embed.size(); ++i) {
    const auto& stream = streams[i < std::size_t(missing) ? i : i + 1];
    const auto e = lacuna::dropout(embed[i](Variable<T, 3, D>(stream.frames)), dropout, context);
    seen.push_back(attention(queries, key[i](e), value[i](e), stream.present, {.num_heads = num_heads}).output);
  }
  const auto joined = concat(seen, -1);
  return skip(joined) + outer(lacuna::dropout(inner(joined, Activation::relu), dropout, context));
}

/// Trains a decoder on batches of the training split; keeps the parameters with the smallest error on the held-out
/// ones. fetch(samples) gives the (standardised) streams of those samples; a sample without the modality takes no part.
/// Returns the best held-out mean square error.
template <class T, class D, class Fetch>
double fit_simulator(DecoderSimulator<T, D>& simulator, index_t samples, const SimulatorOptions& o, Random& random,
                     Fetch&& fetch) {
  if (o.epochs < 1 || o.batch < 1 || !(o.learning_rate > 0))
    throw OptionError("simulator: epochs, batch and learning_rate must be positive");
  const std::vector<index_t> all = random.permutation(samples);
  const index_t held = samples >= 10 ? samples / 8 : 0;
  const std::vector<index_t> check(all.begin(), all.begin() + held);
  std::vector<index_t> order(all.begin() + held, all.end());
  const auto error = [&](const std::vector<index_t>& picked, const Context& context) {
    const auto streams = fetch(std::span<const index_t>(picked));
    const auto target = resample(streams[std::size_t(simulator.missing)], simulator.slots);
    const Mask<1, D> has = any_present(target.present);
    return mse_loss(simulator.decode(streams, context), Variable<T, 3, D>(target.frames), has);
  };
  const auto packed = pack<T, D>(simulator);
  Adam<T, D> adam(packed, {.decoupled_decay = 1e-2});
  Array<T, D> best = packed.values.clone();
  double best_error = std::numeric_limits<double>::infinity();
  index_t waited = 0;
  for (index_t epoch = 0; epoch < o.epochs && waited <= o.patience; ++epoch) {
    const std::vector<index_t> shuffle = random.permutation(index_t(order.size()));
    double seen_error = 0;
    for (std::size_t begin = 0; begin < order.size(); begin += std::size_t(o.batch)) {
      std::vector<index_t> picked;
      for (std::size_t i = begin; i < std::min(order.size(), begin + std::size_t(o.batch)); ++i)
        picked.push_back(order[std::size_t(shuffle[i])]);
      packed.zero_grad();
      const auto loss = error(picked, Context::train(random));
      loss.backward();
      adam.step(o.learning_rate * (1.0 - double(epoch) / double(o.epochs)));
      seen_error += double(loss.item()) * double(picked.size());
    }
    double now = seen_error / double(std::max<std::size_t>(order.size(), 1));
    if (held > 0) {
      const NoGrad off;
      now = double(error(check, {}).item());
    }
    ++waited;
    if (now < best_error) {
      best_error = now;
      best = packed.values.clone();
      waited = 0;
    }
  }
  D::copy(Array<T, D>(packed.values).data(), best.data(), std::size_t(best.size()) * sizeof(T));
  packed.zero_grad();
  return best_error;
}

}  // namespace lacuna::models
