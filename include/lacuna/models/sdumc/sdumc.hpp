/// SDUMC as a trainable model: the network, the stand-in of the missing modality, and the objective over both flows.
/// (Weng et al., arXiv 2410.15029)
///
///     models::Sdumc<> model({.inputs = corpus.dimensions()}, Random(7));
///     train::fit(model, corpus, {.epochs = 25});
///
/// A sample whose missing-able modality is present is predicted by the complete flow, the others by the missing flow.
/// Any other modality may be absent too: it then contributes nothing. Where that is to be expected, `drop` lets
/// training take modalities away from both flows. With `classes` the labels are class ids. Real labels are centred and
/// scaled by the training split, unless `standardize_labels` is off.
#pragma once

#include "lacuna/core/function.hpp"
#include "lacuna/core/precompile.hpp"
#include "lacuna/models/model.hpp"
#include "lacuna/models/sdumc/objective.hpp"
#include "lacuna/models/sdumc/simulator.hpp"

namespace lacuna::models {

template <class T = float, class D = Cpu>
struct SdumcImputation {
  using scalar = T;
  using device = D;
  using Options = SdumcOptions;
  static constexpr const char* name = "SDUMC";
  static constexpr bool fixed_objective = true, fixed_class_weights = true;

  SdumcNetwork<T, D> flows;
  std::vector<DecoderSimulator<T, D>> decoder;  ///< one, or none when a stream of the data set stands in
  bool ready = false;                           ///< the decoder has had its phase
  PhaseRecord decoder_record;                   ///< of that phase; not stored
  /// A stand-in from elsewhere, in the place of decoder and stream; not stored, join it again behind loading.
  Function<data::Stream<T, D>(const Streams<T, D>&)> joined;

  SdumcImputation() = default;
  /// Throws OptionError for sizes that make no network.
  SdumcImputation(const Options& o, Random& random) : flows(o, random) {}

  /// The stream of the data set that stands in, if there is one: it shares the projection of the modality that it
  /// stands in for, and so its scale.
  static std::optional<StandIn> stand_in(const Options& o) {
    if (o.simulator.stream < 0) return std::nullopt;
    if (o.simulator.stream < index_t(o.inputs.size()))
      throw OptionError(detail::cat("SDUMC: simulated stream number ", o.simulator.stream,
                                    " is one of the modalities; it comes behind them"));
    return StandIn{std::size_t(o.simulator.stream), std::size_t(o.missing)};
  }
  /// Joins a simulator: from now on it makes the stand-in, and no decoder is trained.
  template <Simulator<T, D> S>
  void join(S simulator) {
    joined = std::move(simulator);
  }
  /// A decoder as long as the longest sequence, within what the options say.
  void fit(const Options& o, const data::Dataset& data, Random& random) {
    decoder.clear();
    ready = false;
    if (o.simulator.stream >= 0 || joined) return;
    index_t longest = 1;
    const auto& present = data.train.modalities[std::size_t(o.missing)].present;
    for (index_t n = 0; n < present.extent(0); ++n) {
      index_t length = 0;
      for (index_t t = 0; t < present.extent(1); ++t) length += present(n, t);
      longest = std::max(longest, length);
    }
    make_decoder(std::min(longest, o.simulator.slots), random);
  }
  template <class Feed>
  std::optional<Phase<T, D>> next_phase(const Options& o, const Feed& feed, Random& random) {
    if (ready || decoder.empty()) return std::nullopt;
    freeze(decoder, false);
    return decoder_phase(decoder[0], o.simulator, feed, random, [this](const PhaseRecord& record) {
      freeze(decoder);
      decoder_record = record;
      ready = true;
    });
  }
  std::vector<missing::MissingSpec> conditions(const Options& o, const std::vector<std::string>& names) const {
    if (o.drop.active()) return missing::subset_specs(names, o.inputs.size());
    return {missing::without({}, names), missing::without({names.at(std::size_t(o.missing))}, names)};
  }

  /// One flow in inference.
  SdumcFlow<T, D> flow(const Streams<T, D>& streams, bool complete) const {
    List<Variable<T, 3, D>> frames;
    List<Mask<2, D>> present;
    const SdumcOptions& o = flows.options;
    for (std::size_t m = 0; m < o.inputs.size(); ++m) {
      const bool replaced = !complete && m == std::size_t(o.missing);
      const data::Stream<T, D> stream = replaced ? simulate(streams) : streams[m];
      frames.push_back(flows.project(m, stream));
      present.push_back(flows.visible(stream));
    }
    return flows(frames, present, !complete, {});
  }
  /// Every sample by its flow. Inference: no gradient.
  Variable<T, 2, D> operator()(const Streams<T, D>& streams, const Context&) const {
    return by_flow(streams, [](const SdumcFlow<T, D>& found) { return found.prediction.value(); });
  }
  /// z (B, fused).
  Variable<T, 2, D> embed(const Streams<T, D>& streams, const Context&) const {
    return by_flow(streams, [](const SdumcFlow<T, D>& found) { return found.fused.value(); });
  }
  /// (B, 1, V, T_m) of every modality: how the views attend to its frames, in the complete flow.
  List<Tensor<T, 4, D>> attention(const Streams<T, D>& streams) const { return flow(streams, true).attention_weights; }

  LossTerms<T, D> objective(const TrainingBatch<T, D>& batch, const Context& context) const {
    const SdumcOptions& o = flows.options;
    const Streams<T, D> modalities(batch.seen.begin(), batch.seen.begin() + std::ptrdiff_t(o.inputs.size()));
    const auto both = both_flows(flows, modalities, simulate(batch.seen), context, context);
    const Present<D>& has = batch.has[std::size_t(o.missing)];
    return (o.classes > 0
                ? sdumc_class_objective(both, batch.targets.labels_there(), o.weights, o.classes_contrast, has)
                : sdumc_objective(both, batch.targets.real, o.weights, o.ranking, has))
        .terms();
  }

  /// A simulator from elsewhere may do anything.
  bool replayable() const { return !joined; }

  /// What is stored besides options and parameters.
  struct Stored {
    index_t slots = 0;  ///< of the decoder; 0: there is none
    bool ready = false;
    static void reflect(auto& self, auto&& visit) {
      visit("decoder_slots", self.slots);
      visit("decoder_ready", self.ready);
    }
  };
  void save_state(State& state) const { state.put_fields(Stored{decoder.empty() ? 0 : decoder[0].slots, ready}); }
  void load_state(const State& state) {
    Stored stored;
    state.get_fields(stored);
    ready = stored.ready;
    decoder.clear();
    Random random(0);
    if (stored.slots > 0) make_decoder(stored.slots, random);
    if (ready) freeze(decoder);
  }
  static void reflect(auto& self, auto&& visit) {
    visit("flows", self.flows);
    visit("decoder", self.decoder);
  }

 private:
  void make_decoder(index_t slots, Random& random) {
    const SdumcOptions& o = flows.options;
    decoder.clear();
    decoder.emplace_back(o.inputs, o.missing, slots, o.simulator, random);
  }
  /// A stream of the data set comes behind the modalities.
  data::Stream<T, D> simulate(const Streams<T, D>& streams) const {
    if (joined) return joined(streams);
    if (flows.options.simulator.stream >= 0) return StreamSimulator<T, D>{flows.options.inputs.size()}(streams);
    if (decoder.empty()) throw Error("SDUMC: nothing stands in for the missing modality yet; call prepare first");
    return decoder[0](streams);
  }
  /// part(flow) (B, N), each row from the flow of its sample.
  template <class Part>
  Variable<T, 2, D> by_flow(const Streams<T, D>& streams, Part&& part) const {
    const NoGrad off;
    const List<std::uint8_t> has = any_present(streams.at(std::size_t(flows.options.missing)).present).to_list();
    const bool some = std::find(has.begin(), has.end(), 1) != has.end(),
               all = std::find(has.begin(), has.end(), 0) == has.end();
    if (some && all) return Variable<T, 2, D>(part(flow(streams, true)));
    if (!some) return Variable<T, 2, D>(part(flow(streams, all)));
    Tensor<T, 2, D> result = part(flow(streams, true)).clone();
    const Tensor<T, 2, D> other = part(flow(streams, false));
    const index_t width = result.extent(1);
    for (std::size_t b = 0; b < has.size(); ++b)
      if (!has[b])
        D::copy(result.data() + index_t(b) * width, other.data() + index_t(b) * width, std::size_t(width) * sizeof(T));
    return Variable<T, 2, D>(result);
  }
};

template <class T = float, class D = Cpu>
using Sdumc = Model<SdumcImputation<T, D>>;

#define LACUNA_DETAIL_SDUMC(T)                                                                                        \
  LACUNA_PRECOMPILE(template struct SdumcNetwork<T, Cpu>)                                                             \
  LACUNA_PRECOMPILE(template struct DecoderSimulator<T, Cpu>)                                                         \
  LACUNA_PRECOMPILE(template struct SdumcImputation<T, Cpu>)                                                          \
  LACUNA_PRECOMPILE(template struct Model<SdumcImputation<T, Cpu>>)                                                   \
  LACUNA_PRECOMPILE(template SdumcFlows<T, Cpu> both_flows(const SdumcNetwork<T, Cpu>&, const data::Streams<T, Cpu>&, \
                                                           const data::Stream<T, Cpu>&, const Context&,               \
                                                           const Context&))                                           \
  LACUNA_PRECOMPILE(template SdumcLosses<T, Cpu> sdumc_objective(const SdumcFlows<T, Cpu>&, const Labels<Cpu, T>&,    \
                                                                 const SdumcWeights&, RankNContrastOptions,           \
                                                                 const Present<Cpu>&))                                \
  LACUNA_PRECOMPILE(template SdumcLosses<T, Cpu> sdumc_class_objective(                                               \
      const SdumcFlows<T, Cpu>&, const Labels<Cpu>&, const SdumcWeights&, SupConOptions, const Present<Cpu>&))
LACUNA_DETAIL_SDUMC(float)
LACUNA_DETAIL_SDUMC(double)
#undef LACUNA_DETAIL_SDUMC

}  // namespace lacuna::models
