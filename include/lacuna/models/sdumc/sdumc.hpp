/// SDUMC as a trainable model: the network, the stand-in of the missing modality, standardisation and the objective.
/// (Weng et al., arXiv 2410.15029)
///
///     models::Sdumc<> model({.inputs = corpus.dimensions()}, Random(7));
///     train::fit(model, corpus, {.epochs = 25});
///
/// A sample whose missing-able modality is present is predicted by the complete flow, the others by the missing flow. Any
/// other modality may be absent too: it then contributes nothing.
#pragma once

#include "lacuna/core/state.hpp"
#include "lacuna/data/batch.hpp"
#include "lacuna/data/standardize.hpp"
#include "lacuna/missing/condition.hpp"
#include "lacuna/models/sdumc/objective.hpp"
#include "lacuna/models/sdumc/simulator.hpp"

namespace lacuna::models {

template <class T = float, class D = Cpu>
struct Sdumc {
  using scalar = T;
  using Options = SdumcOptions;
  using Streams = std::vector<data::Stream<T, D>>;

  Options options;
  SdumcNetwork<T, D> network;
  std::vector<DecoderSimulator<T, D>> decoder;  ///< one, or none when a stream of the data set stands in
  data::Standardizer standardizer;              ///< of the modalities; empty when off

  Sdumc() = default;
  Sdumc(const Options& o, Random random) : options(o), network(o, random) {}

  /// Fits standardisation and the decoder on the training split. Throws OptionError when the data cannot train the model:
  /// other feature sizes, or a modality that no training sample has.
  void prepare(const data::Dataset& data, Random& random);

  /// Total and terms, for the trainer.
  struct Loss {
    Variable<T, 0, D> total;
    std::vector<std::pair<std::string, double>> terms;
  };
  Loss loss(const data::Batch<T, D>& batch, const Context& context) const;

  /// One prediction per sample.
  std::vector<double> predict(const data::Batch<T, D>& batch) const;

  /// One flow in inference.
  SdumcFlow<T, D> flow(const Streams& streams, bool complete) const;

  /// The conditions it is meant for: all modalities, and without the one that may be missing.
  std::vector<missing::Condition> conditions(const std::vector<std::string>& names) const {
    return {missing::without({}, names), missing::without({names.at(std::size_t(options.missing))}, names)};
  }

  void save_state(State& state) const;
  void load_state(const State& state);

  static void reflect(auto& self, auto&& visit) {
    visit("network", self.network);
    visit("decoder", self.decoder);
  }

 private:
  static void require_presence(const data::Dataset& data, std::size_t stream) {
    const auto& modality = data.train.modalities[stream];
    for (const std::uint8_t present : modality.present.to_vector())
      if (present) return;
    throw OptionError(detail::cat("SDUMC: '", modality.name, "' is absent from all ", data.train.size(),
                                  " training samples of ", data.name, "; leave it out of the modalities"));
  }
  void make_decoder(index_t slots, Random& random) {
    decoder.clear();
    decoder.emplace_back(options.inputs, options.missing, slots, options.simulator, random);
  }

  Streams modalities_of(const Streams& streams) const {
    return Streams(streams.begin(), streams.begin() + std::ptrdiff_t(options.inputs.size()));
  }
  data::Stream<T, D> simulate(const Streams& streams) const {
    if (options.simulator.stream >= 0) return StreamSimulator<T, D>{std::size_t(options.simulator.stream)}(streams);
    if (decoder.empty()) throw Error("SDUMC: nothing stands in for the missing modality yet; call prepare first");
    return decoder[0](streams);
  }
  /// present[b]: the sample has the modality that may be missing.
  Mask<1, D> has_missing(const Streams& streams) const {
    const auto& present = streams[std::size_t(options.missing)].present;
    Mask<1, D> has = Mask<1, D>::zeros({present.extent(0)});
    for (index_t b = 0; b < present.extent(0); ++b)
      for (index_t t = 0; t < present.extent(1); ++t)
        if (present(b, t)) has(b) = 1;
    return has;
  }
  /// The simulated stream shares the projection of the modality it stands in for, and so its standardisation.
  Streams standardized(Streams streams) const {
    if (standardizer.modalities.empty()) return streams;
    for (std::size_t m = 0; m < streams.size(); ++m) {
      const bool stand_in = index_t(m) == options.simulator.stream;
      if (m < options.inputs.size() || stand_in)
        streams[m].frames = standardizer.apply(stand_in ? std::size_t(options.missing) : m, streams[m].frames, streams[m].present);
    }
    return streams;
  }
};

template <class T, class D>
void Sdumc<T, D>::prepare(const data::Dataset& data, Random& random) {
  const auto modalities = options.inputs.size(), lost = std::size_t(options.missing);
  const std::vector<index_t> found = data.dimensions();
  if (found.size() < modalities || !std::equal(options.inputs.begin(), options.inputs.end(), found.begin()))
    throw OptionError(detail::cat("SDUMC: ", data.name, " has other feature sizes than the model was made for"));
  for (std::size_t m = 0; m < modalities; ++m) require_presence(data, m);
  if (options.standardize) standardizer = data::Standardizer::fit(data.train, {.clip = options.clip});
  if (options.simulator.stream >= 0) {
    const auto stream = std::size_t(options.simulator.stream);
    if (stream < modalities || stream >= found.size())
      throw OptionError(detail::cat("SDUMC: simulated stream number ", stream, " is not one of the ",
                                    found.size() - modalities, " after the modalities"));
    if (found[stream] != options.inputs[lost])
      throw OptionError(detail::cat("SDUMC: the simulated stream '", data.train.modalities[stream].name, "' has ",
                                    found[stream], " features, '", data.train.modalities[lost].name, "' has ",
                                    options.inputs[lost], "; they share one projection"));
    require_presence(data, stream);
    return;
  }
  index_t longest = 1;
  const auto& present = data.train.modalities[lost].present;
  for (index_t n = 0; n < present.extent(0); ++n) {
    index_t length = 0;
    for (index_t t = 0; t < present.extent(1); ++t) length += present(n, t);
    longest = std::max(longest, length);
  }
  make_decoder(std::min(longest, options.simulator.slots), random);
  fit_simulator(decoder[0], data.train.size(), options.simulator, random, [&](std::span<const index_t> samples) {
    return standardized(data::gather<T>(data.train, samples).streams);
  });
  freeze(decoder);
}

template <class T, class D>
typename Sdumc<T, D>::Loss Sdumc<T, D>::loss(const data::Batch<T, D>& batch, const Context& context) const {
  if (batch.labels.size() != batch.size()) throw OptionError("SDUMC: needs real labels, the batch has none");
  const Streams streams = standardized(batch.streams);
  const auto flows = both_flows(network, modalities_of(streams), simulate(streams), context, context);
  const auto terms = sdumc_objective(flows, batch.labels, options.weights, options.ranking, has_missing(streams));
  const auto number = [](const Variable<T, 0, D>& term) { return double(term.item()); };
  return {terms.total,
          {{"full", number(terms.full)},
           {"missing", number(terms.missing)},
           {"text", number(terms.text)},
           {"query", number(terms.query)},
           {"feature", number(terms.feature)},
           {"contrast", number(terms.contrast)}}};
}

template <class T, class D>
std::vector<double> Sdumc<T, D>::predict(const data::Batch<T, D>& batch) const {
  const NoGrad off;
  const Streams streams = standardized(batch.streams);
  const Mask<1, D> has = has_missing(streams);
  std::vector<double> result(static_cast<std::size_t>(has.size()));
  for (const bool complete : {true, false}) {
    bool wanted = false;
    for (index_t b = 0; b < has.size(); ++b) wanted = wanted || bool(has(b)) == complete;
    if (!wanted) continue;
    const std::vector<T> predicted = flow(streams, complete).prediction.value().to_vector();
    for (std::size_t b = 0; b < result.size(); ++b)
      if (bool(has(index_t(b))) == complete) result[b] = double(predicted[b]);
  }
  return result;
}

template <class T, class D>
SdumcFlow<T, D> Sdumc<T, D>::flow(const Streams& streams, bool complete) const {
  std::vector<Variable<T, 3, D>> frames;
  std::vector<Mask<2, D>> present;
  for (std::size_t m = 0; m < options.inputs.size(); ++m) {
    const bool replaced = !complete && m == std::size_t(options.missing);
    const data::Stream<T, D> stream = replaced ? simulate(streams) : streams[m];
    frames.push_back(network.project(m, stream));
    present.push_back(network.visible(stream));
  }
  return network(frames, present, !complete, {});
}

template <class T, class D>
void Sdumc<T, D>::save_state(State& state) const {
  const Options& o = options;
  state.put("inputs", o.inputs);
  state.put("missing", o.missing);
  state.put("width", o.width);
  state.put("fused", o.fused);
  state.put("contrast", o.contrast);
  state.put("bottleneck", o.bottleneck);
  state.put("fused_bottleneck", o.fused_bottleneck);
  state.put("imagination", o.imagination);
  state.put("padding", o.padding);
  state.put("frame_dropout", o.frame_dropout);
  state.put("dropout", o.dropout);
  state.put("scale", o.scale);
  state.put("weights", std::vector<double>{o.weights.full, o.weights.missing, o.weights.text, o.weights.query,
                                           o.weights.feature, o.weights.contrast});
  state.put("ranking", std::vector<double>{o.ranking.temperature, o.ranking.slack});
  state.put("simulated_stream", o.simulator.stream);
  state.put("simulator_width", o.simulator.width);
  state.put("simulator_heads", o.simulator.heads);
  state.put("simulator_slots", decoder.empty() ? index_t(0) : decoder[0].slots);
  state.put("standardize", o.standardize);
  State standard;
  standardizer.save_state(standard);
  state.put("standardizer", standard);
}

template <class T, class D>
void Sdumc<T, D>::load_state(const State& state) {
  Options o;
  std::vector<double> weights, ranking;
  index_t slots = 0;
  state.get("inputs", o.inputs);
  state.get("missing", o.missing);
  state.get("width", o.width);
  state.get("fused", o.fused);
  state.get("contrast", o.contrast);
  state.get("bottleneck", o.bottleneck);
  state.get("fused_bottleneck", o.fused_bottleneck);
  state.get("imagination", o.imagination);
  state.get("padding", o.padding);
  state.get("frame_dropout", o.frame_dropout);
  state.get("dropout", o.dropout);
  state.get("scale", o.scale);
  state.get("weights", weights);
  state.get("ranking", ranking);
  state.get("simulated_stream", o.simulator.stream);
  state.get("simulator_width", o.simulator.width);
  state.get("simulator_heads", o.simulator.heads);
  state.get("simulator_slots", slots);
  state.get("standardize", o.standardize);
  if (weights.size() != 6) state.fail("weights", "must hold six numbers");
  if (ranking.size() != 2) state.fail("ranking", "must hold two numbers");
  o.weights = {weights[0], weights[1], weights[2], weights[3], weights[4], weights[5]};
  o.ranking = {ranking[0], ranking[1]};
  Random random(0);
  *this = Sdumc(o, random);
  standardizer.load_state(state.under("standardizer"));
  if (slots > 0) {
    make_decoder(slots, random);
    freeze(decoder);
  }
}

}  // namespace lacuna::models

#ifdef LACUNA_PRECOMPILED
#include "lacuna/precompiled.hpp"
#endif
