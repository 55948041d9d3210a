/// The stand-in of a modality that may be missing: the simulated text of SDUMC.
///
/// The authors make it with a speech-to-text language model. Here it is a stream of the data set, or what a decoder
/// makes of the other modalities, which is trained on the training split in a phase of its own. A sample from which
/// nothing can be made gets a stand-in without any present frame.
#pragma once

#include <cmath>

#include "lacuna/kernels/cpu/loss_rows.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/losses/regression.hpp"
#include "lacuna/models/pretrain.hpp"
#include "lacuna/models/sdumc/options.hpp"
#include "lacuna/nn/attention_pooling.hpp"
#include "lacuna/ops/mask.hpp"

namespace lacuna::models {

/// What makes a stand-in of the streams of a batch: a decoder of the other modalities, a stream that the data set has, or a
/// function of one's own (`SdumcImputation::join`). The stand-in is (B, T, D) with D of the missing modality; a sample
/// from which nothing can be made has no present frame in it.
template <class S, class T, class D>
concept Simulator = requires(const S& simulator, const Streams<T, D>& streams) {
  { simulator(streams) } -> std::same_as<data::Stream<T, D>>;
};

/// A stream of the data set as the stand-in, by its number behind the modalities.
template <class T = float, class D = Cpu>
struct StreamSimulator {
  std::size_t number = 0;
  data::Stream<T, D> operator()(const Streams<T, D>& streams) const { return streams.at(number); }
};

/// The mean of a stream over `slots` equal parts of its true length: (B, T, D) → (B, slots, D). A sequence shorter than
/// `slots` repeats frames; a sample without frames gives zeros that are not present.
template <class T>
data::Stream<T> resample(const data::Stream<T>& stream, index_t slots) {
  const index_t batch = stream.frames.extent(0), frames = stream.frames.extent(1), width = stream.frames.extent(2);
  data::Stream<T> result{Tensor<T, 3>::zeros({batch, slots, width}), Mask<2>::zeros({batch, slots})};
  for (index_t b = 0; b < batch; ++b) {
    List<index_t> present;
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
/// On another device it goes through the host, once per batch.
template <class T, class D>
data::Stream<T, D> resample(const data::Stream<T, D>& stream, index_t slots) {
  return data::to_device<D>(resample(data::to_device<Cpu>(stream), slots));
}

/// A cross-attention decoder. For every remaining modality m:  e_m = dropout(Lin_m(X_m)),  o_m = attention of
/// `slots` learned queries to keys Lin(e_m) and values Lin(e_m);  stand-in = Lin(o) + Lin(relu(Lin(o))),  o = [o_1; …] with 0 for an absent modality.
/// Trained to the mean square error against the modality it stands in for, cut into as many parts (see resample).
template <class T = float, class D = Cpu>
struct DecoderSimulator {
  index_t missing = 0, slots = 0, heads = 1;
  double dropout = 0;
  std::vector<Linear<T, D>> embed, key, value;
  Parameter<T, 2, D> query;  ///< (slots, width)
  Linear<T, D> skip, inner, outer;

  DecoderSimulator() = default;
  DecoderSimulator(const std::vector<index_t>& inputs, index_t lost, index_t slot_count, const SimulatorOptions& o,
                   Random& random)
      : missing(lost), slots(slot_count), heads(o.num_heads), dropout(o.dropout) {
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

  Variable<T, 3, D> decode(const Streams<T, D>& streams, const Context& context) const;

  data::Stream<T, D> operator()(const Streams<T, D>& streams) const {
    const NoGrad off;
    const index_t batch = streams[0].frames.extent(0);
    auto made = Mask<2, D>::zeros({batch, slots});
    for (std::size_t m = 0; m < embed.size() + 1; ++m) {
      if (index_t(m) == missing) continue;
      const Mask<2, D>& present = streams[m].present;
      Kernels<D>::LossRows::any_present(batch, present.extent(1), present.data(), slots, true, made.data());
    }
    return masked_stream(decode(streams, {}).value(), made);
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

template <class T, class D>
Variable<T, 3, D> DecoderSimulator<T, D>::decode(const Streams<T, D>& streams, const Context& context) const {
  const index_t width = query.extent(1);
  const auto queries = reshape(static_cast<const Variable<T, 2, D>&>(query), std::array<index_t, 3>{1, slots, width});
  List<Variable<T, 3, D>> seen;
  for (std::size_t i = 0; i < embed.size(); ++i) {
    const auto& stream = streams[i < std::size_t(missing) ? i : i + 1];
    const auto e = lacuna::dropout(embed[i](Variable<T, 3, D>(stream.frames)), dropout, context);
    seen.push_back(attention(queries, key[i](e), value[i](e), stream.present, {.num_heads = heads}).output);
  }
  const auto joined = concat(seen, -1);
  return skip(joined) + outer(lacuna::dropout(inner(joined, Activation::relu), dropout, context));
}

/// The phase that trains a decoder on the training split; it keeps the parameters with the smallest error on an eighth
/// of it that is held out. A sample without the modality takes no part. AdamW, a rate that falls linearly.
template <class T, class D, class Feed>
Phase<T, D> decoder_phase(DecoderSimulator<T, D>& decoder, const SimulatorOptions& o, const Feed& feed, Random& random,
                          Function<void(const PhaseRecord&)> finish) {
  if (o.epochs < 1 || o.batch < 1 || !(o.learning_rate > 0))
    throw OptionError("simulator: epochs, batch and learning_rate must be positive");
  const index_t samples = feed.train_size(), held = samples >= 10 ? samples / 8 : 0;
  const std::vector<index_t> all = random.permutation(samples);
  const std::vector<index_t> check(all.begin(), all.begin() + held), rest(all.begin() + held, all.end());
  const auto error = [&decoder, feed](std::span<const index_t> some, const Context& context) {
    const Streams<T, D> streams = feed.train(some).whole;
    const auto target = resample(streams[std::size_t(decoder.missing)], decoder.slots);
    return mse_loss(decoder.decode(streams, context), Variable<T, 3, D>(target.frames), any_present(target.present));
  };
  Phase<T, D> phase{.name = "decoder", .epochs = o.epochs, .batch = o.batch};
  phase.pack = [&decoder] { return pack<T, D>(decoder); };
  phase.rate = [o](index_t epoch) { return o.learning_rate * (1.0 - double(epoch) / double(o.epochs)); };
  phase.optimizer = {.name = "adamw", .weight_decay = 1e-2};
  phase.patience = o.patience + 1;
  phase.order = [rest](index_t, Random& source) {
    std::vector<index_t> order;
    for (const index_t i : source.permutation(index_t(rest.size()))) order.push_back(rest[std::size_t(i)]);
    return order;
  };
  phase.loss = [error](std::span<const index_t> some, const Context& context) {
    return Objective<T, D>().add("error", 1, error(some, context)).result();
  };
  phase.validate = [error, check](double training_loss) {
    if (check.empty()) return training_loss;
    const NoGrad off;
    return double(error(check, Context{}).item());
  };
  phase.finish = std::move(finish);
  return phase;
}

}  // namespace lacuna::models
