/// SDUMC as a trainable model: the network, the stand-in of the missing modality, standardisation and the objective.
/// (Weng et al., arXiv 2410.15029)
///
///     models::Sdumc<> model({.inputs = corpus.dimensions()}, Random(7));
///     train::fit(model, corpus, {.epochs = 25});
///
/// A sample whose missing-able modality is present is predicted by the complete flow, the others by the missing flow.
/// Any other modality may be absent too: it then contributes nothing. Where that is to be expected, `drop` lets
/// training take modalities away from both flows. With `classes` the labels are class ids.
#pragma once

#include "lacuna/core/state.hpp"
#include "lacuna/data/batch.hpp"
#include "lacuna/data/standardize.hpp"
#include "lacuna/missing/condition.hpp"
#include "lacuna/models/preparation.hpp"
#include "lacuna/models/sdumc/objective.hpp"
#include "lacuna/models/sdumc/simulator.hpp"
#include "lacuna/models/task.hpp"

namespace lacuna::models {

template <class T = float, class D = Cpu>
struct Sdumc {
  using scalar = T;
  using device = D;
  using Options = SdumcOptions;
  using Streams = std::vector<data::Stream<T, D>>;
  using HostStreams = std::vector<data::Stream<T>>;  ///< batches come from the host, and go to the device standardised

  Options options;
  SdumcNetwork<T, D> network;
  std::vector<DecoderSimulator<T, D>> decoder;  ///< one, or none when a stream of the data set stands in
  data::Standardizer standardizer;              ///< of the modalities; empty when off

  Sdumc() = default;
  Sdumc(const Options& o, Random random) : options(o), network(o, random) {}

  /// Fits standardisation and the decoder on the training split. Throws OptionError when the data cannot train the
  /// model: other feature sizes, or a modality that no training sample has. `watch` may end the training of the
  /// decoder.
  void prepare(const data::Dataset& data, Random& random, const Watch& watch = {});

  /// Total and terms, for the trainer. On a device the terms are read when somebody asks for them.
  struct Loss {
    Variable<T, 0, D> total;
    LossNumbers terms;
  };
  Loss loss(const data::Batch<T>& batch, const Context& context) const;

  /// One prediction per sample: a real label, or the most probable class.
  std::vector<double> predict(const data::Batch<T>& batch) const;
  /// (B, K) of class ids. Throws OptionError for real labels.
  Tensor<double, 2> probabilities(const data::Batch<T>& batch) const;
  /// (B, outputs): of the flow that a sample belongs to.
  Tensor<T, 2> scores(const data::Batch<T>& batch) const;
  /// K, or 0 for real labels.
  index_t predicts_classes() const { return options.classes; }

  /// One flow in inference.
  SdumcFlow<T, D> flow(const Streams& streams, bool complete) const;

  /// The conditions it is meant for: all modalities, and without the one that may be missing; every subset when
  /// training takes away others as well.
  std::vector<missing::Condition> conditions(const std::vector<std::string>& names) const {
    if (options.drop.active()) return missing::subset_conditions(names, options.inputs.size());
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
  Mask<1> has_missing(const HostStreams& streams) const {
    return any_present(streams[std::size_t(options.missing)].present);
  }
  /// The simulated stream shares the projection of the modality it stands in for, and so its standardisation.
  HostStreams standardized(HostStreams streams) const {
    if (standardizer.modalities.empty()) return streams;
    for (std::size_t m = 0; m < streams.size(); ++m) {
      const bool stand_in = index_t(m) == options.simulator.stream;
      if (m < options.inputs.size() || stand_in)
        streams[m].frames =
            standardizer.apply(stand_in ? std::size_t(options.missing) : m, streams[m].frames, streams[m].present);
    }
    return streams;
  }
};

template <class T, class D>
void Sdumc<T, D>::prepare(const data::Dataset& data, Random& random, const Watch& watch) {
  const auto modalities = options.inputs.size(), lost = std::size_t(options.missing);
  const std::vector<index_t> found = data.dimensions();
  if (found.size() < modalities || !std::equal(options.inputs.begin(), options.inputs.end(), found.begin()))
    throw OptionError(detail::cat("SDUMC: ", data.name, " has other feature sizes than the model was made for"));
  for (std::size_t m = 0; m < modalities; ++m) require_presence(data, m);
  if (options.standardize) standardizer = data::Standardizer::fit(data.train, {.clip = options.feature_clip});
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
  const auto fetch = watched(watch, [&](std::span<const index_t> samples) {
    return data::to_device<D>(standardized(data::gather<T>(data.train, samples).streams));
  });
  fit_simulator(decoder[0], data.train.size(), options.simulator, random, fetch);
  freeze(decoder);
}

template <class T, class D>
typename Sdumc<T, D>::Loss Sdumc<T, D>::loss(const data::Batch<T>& batch, const Context& context) const {
  if (options.classes > 0 && index_t(batch.classes.size()) != batch.size())
    throw OptionError("SDUMC: classes is set, but the batch has no class ids; set classes = 0 for real labels");
  if (options.classes == 0 && batch.labels.size() != batch.size())
    throw OptionError("SDUMC: needs real labels, the batch has none; for class ids set classes");
  HostStreams streams = standardized(batch.streams);
  if (options.drop.active() && context.training()) {
    data::Batch<T> left = batch;
    left.streams = streams;
    streams = missing::drop_modalities(options.drop, left, options.inputs.size(), context, "SDUMC").streams;
  }
  const Streams there = data::to_device<D>(streams);
  const auto has = Present<D>::of(has_missing(streams));
  const auto flows = both_flows(network, modalities_of(there), simulate(there), context, context);
  const auto terms = options.classes > 0
                         ? sdumc_class_objective(flows, batch.classes, options.weights, options.classes_contrast, has)
                         : sdumc_objective(flows, Labels<D, T>::of(batch.labels), options.weights, options.ranking, has);
  LossRecord<T, D> record;
  record.note("full", terms.full);
  record.note("missing", terms.missing);
  record.note("text", terms.text);
  record.note("query", terms.query);
  record.note("feature", terms.feature);
  record.note("contrast", terms.contrast);
  return {terms.total, record.numbers()};
}

template <class T, class D>
Tensor<T, 2> Sdumc<T, D>::scores(const data::Batch<T>& batch) const {
  const NoGrad off;
  const HostStreams streams = standardized(batch.streams);
  const Streams there = data::to_device<D>(streams);
  const Mask<1> has = has_missing(streams);
  const index_t outputs = options.outputs();
  Tensor<T, 2> result({has.size(), outputs});
  for (const bool complete : {true, false}) {
    bool wanted = false;
    for (index_t b = 0; b < has.size(); ++b) wanted = wanted || bool(has(b)) == complete;
    if (!wanted) continue;
    const std::vector<T> predicted = flow(there, complete).prediction.value().to_vector();
    for (index_t b = 0; b < has.size(); ++b)
      if (bool(has(b)) == complete) std::copy_n(predicted.data() + b * outputs, outputs, result.data() + b * outputs);
  }
  return result;
}

template <class T, class D>
std::vector<double> Sdumc<T, D>::predict(const data::Batch<T>& batch) const {
  const Tensor<T, 2> all = scores(batch);
  std::vector<double> result;
  for (index_t b = 0; b < all.extent(0); ++b) {
    const T* own = all.data() + b * all.extent(1);
    result.push_back(options.classes > 0 ? double(std::max_element(own, own + all.extent(1)) - own) : double(*own));
  }
  return result;
}

template <class T, class D>
Tensor<double, 2> Sdumc<T, D>::probabilities(const data::Batch<T>& batch) const {
  if (options.classes == 0) throw OptionError("SDUMC: real labels have no probabilities");
  return class_probabilities(scores(batch));
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
  Options::visit(options, [&](const char* name, const auto& value) { state.put(name, value); });
  state.put("simulator_slots", decoder.empty() ? index_t(0) : decoder[0].slots);
  State standard;
  standardizer.save_state(standard);
  state.put("standardizer", standard);
}

template <class T, class D>
void Sdumc<T, D>::load_state(const State& state) {
  Options o;
  Options::visit(o, [&](const char* name, auto& value) { state.get(name, value); });
  Random random(0);
  *this = Sdumc(o, random);
  standardizer.load_state(state.under("standardizer"));
  const auto slots = state.get<index_t>("simulator_slots");
  if (slots > 0) {
    make_decoder(slots, random);
    freeze(decoder);
  }
}

}  // namespace lacuna::models

#ifdef LACUNA_PRECOMPILED
#include "lacuna/precompiled.hpp"
#endif
