/// From a network to a model that the trainer takes: write the network, `Supervised` knows the rest.
///
///     template <class T = float, class D = Cpu>
///     using OwnModel = models::Supervised<OwnNetwork<T, D>>;
///     OwnModel<> model({.inputs = corpus.dimensions(), .classes = corpus.class_count}, Random(7));
///     train::fit(model, corpus);
///
/// A network is a module with
///     using scalar = T; using device = D;
///     using Options       an aggregate with the members inputs, classes, loss, drop, standardize, feature_clip (their
///                         meaning: `SupervisedOptions`) and those of the network; visit(self, f) names all of them
///                         (visit_supervised)
///     static constexpr const char* name                    for messages
///     Network(const Options&, Random&)
///     operator()(streams, context) const -> Variable<T, 2, D>    scores (B, outputs_for(classes))
/// and, where it has them,
///     learn(seen, whole, context) const -> Learned<T, D>   in training: scores, and terms besides the task; `whole` is
///                                                          the batch before anything was taken away
///     pretrain(task, samples, checks, fetch, check, random)    before training, on standardised batches:
///                                                          fetch(samples) of the training split, check(samples) of the
///                                                          validation split
/// A network sees exactly M streams, frames (B, T_m, D_m) and present (B, T_m), standardised, and 0 wherever nothing is
/// present, whatever stood there: NaN in an absent frame reaches nothing. In training `drop` takes away modalities and
/// frames of every sample anew. Throws OptionError for data of other sizes or labels than the model was made for.
#pragma once

#include "lacuna/core/context.hpp"
#include "lacuna/losses/total.hpp"
#include "lacuna/missing/sampler.hpp"
#include "lacuna/models/preparation.hpp"
#include "lacuna/models/task.hpp"
#include "lacuna/ops/mask.hpp"

namespace lacuna::models {

/// Options of every supervised model; networks repeat these members in their own Options, so that one list of
/// designated initialisers sets all.
struct SupervisedOptions {
  std::vector<index_t> inputs = {};                        ///< feature size of every modality
  index_t classes = 0;                                     ///< K class ids as labels; 0: one real label
  RegressionLoss loss = RegressionLoss::mse;               ///< of real labels
  missing::MrmOptions drop = missing::mrm_preset("none");  ///< what training takes away
  bool standardize = true;  ///< features, and real labels, to mean 0 and deviation 1 of the training split
  double feature_clip = 5;  ///< of standardised features, in deviations; 0 = never
};

/// f(name, member) for those members of any Options.
void visit_supervised(auto& self, auto&& f) {
  f("inputs", self.inputs);
  f("classes", self.classes);
  f("loss", self.loss);
  missing::MrmOptions::visit(self.drop, f);
  f("standardize", self.standardize);
  f("feature_clip", self.feature_clip);
}

/// What the baselines lose in training: with probability 0.7 a sample keeps one of its incomplete subsets of
/// modalities, all equally likely.
inline missing::MrmOptions modality_dropping() { return missing::mrm_preset("mplmm"); }

/// A term of the objective besides the task.
template <class T, class D = Cpu>
struct LearnedTerm {
  const char* name;
  double weight;
  Variable<T, 0, D> value;
};
template <class T, class D = Cpu>
struct Learned {
  Variable<T, 2, D> scores;
  std::vector<LearnedTerm<T, D>> terms;
};

template <class Network>
struct Supervised {
  using scalar = typename Network::scalar;
  using device = typename Network::device;
  using Options = typename Network::Options;
  using Batch = data::Batch<scalar>;
  using DeviceBatch = data::Batch<scalar, device>;  ///< where the network computes

  Options options;
  Network network;
  data::Standardizer standardizer;  ///< none until `prepare`, or when off
  Task task;

  Supervised() = default;
  /// Throws OptionError for options that make no model.
  Supervised(const Options& o, Random random) : options(o), task{Network::name, o.classes, o.loss} {
    task.check();
    if (o.inputs.empty()) throw OptionError(detail::cat(Network::name, ": needs at least one modality"));
    for (const index_t in : o.inputs)
      if (in < 1) throw OptionError(detail::cat(Network::name, ": a modality has ", in, " features"));
    if constexpr (requires { o.dropout; })
      if (!(o.dropout >= 0 && o.dropout < 1))
        throw OptionError(detail::cat(Network::name, ": dropout is ", o.dropout, ", expected 0 or more, below 1"));
    o.drop.check(modalities());
    network = Network(o, random);
  }

  /// Fits standardisation on the training split, then lets the network pretrain; `watch` may end that.
  void prepare(const data::Dataset& data, Random& random, const Watch& watch = {}) {
    const std::vector<index_t> found = data.dimensions();
    if (found.size() < options.inputs.size() ||
        !std::equal(options.inputs.begin(), options.inputs.end(), found.begin()))
      throw OptionError(
          detail::cat(Network::name, ": ", data.name, " has other feature sizes than the model was made for"));
    for (std::size_t m = 0; m < options.inputs.size(); ++m) require_presence(data, data.train.modalities[m]);
    task.fit(data, options.standardize);
    if (options.standardize) standardizer = data::Standardizer::fit(data.train, {.clip = options.feature_clip});
    const auto fetch = watched(watch, [&](std::span<const index_t> samples) {
      return data::to_device<device>(visible(data::gather<scalar>(data.train, samples)));
    });
    const auto check = [&](std::span<const index_t> samples) {
      return data::to_device<device>(visible(data::gather<scalar>(data.validation, samples)));
    };
    if constexpr (requires { network.pretrain(task, index_t(0), index_t(0), fetch, check, random); })
      network.pretrain(task, data.train.size(), data.validation.size(), fetch, check, random);
  }

  struct Loss {
    Variable<scalar, 0, device> total;
    LossNumbers terms;
  };
  /// task + Σ weight · term.
  Loss loss(const Batch& batch, const Context& context) const {
    const Batch host = visible(batch);
    const DeviceBatch whole = data::to_device<device>(host);
    DeviceBatch seen = whole;
    if (context.training() && options.drop.active())
      seen = data::to_device<device>(
          missing::drop_modalities(options.drop, host, options.inputs.size(), context, Network::name));
    Learned<scalar, device> learned;
    if constexpr (requires { network.learn(seen.streams, whole.streams, context); })
      learned = network.learn(seen.streams, whole.streams, context);
    else
      learned.scores = network(seen.streams, context);
    List<Variable<scalar, 0, device>> terms{task.loss(learned.scores, batch)};
    List<double> weights{1};
    LossRecord<scalar, device> record;
    record.note("task", terms[0]);
    for (const auto& term : learned.terms) {
      record.note(term.name, term.value);
      terms.push_back(term.value);
      weights.push_back(term.weight);
    }
    return {weighted_total(terms, weights), record.numbers()};
  }

  /// (B, outputs) of whatever is present.
  Tensor<scalar, 2, device> scores(const Batch& batch) const {
    const NoGrad off;
    return network(data::to_device<device>(visible(batch).streams), Context{}).value();
  }
  /// One number per sample: a real label, or the most probable class.
  std::vector<double> predict(const Batch& batch) const { return task.predictions(scores(batch)); }
  /// (B, K).
  Tensor<double, 2> probabilities(const Batch& batch) const { return task.probabilities(scores(batch)); }

  /// K, or 0 for real labels.
  index_t predicts_classes() const { return options.classes; }
  std::vector<missing::Condition> conditions(const std::vector<std::string>& names) const {
    return missing::subset_conditions(names, options.inputs.size());
  }

  void save_state(State& state) const {
    Options::visit(options, [&](const char* name, const auto& value) { state.put(name, value); });
    task.save_state(state);
    State standard;
    standardizer.save_state(standard);
    state.put("standardizer", standard);
  }
  void load_state(const State& state) {
    Options o;
    Options::visit(o, [&](const char* name, auto& value) { state.get(name, value); });
    *this = Supervised(o, Random(0));
    task.load_state(state);
    standardizer.load_state(state.under("standardizer"));
  }

  static void reflect(auto& self, auto&& visit) { visit("network", self.network); }

 private:
  index_t modalities() const { return index_t(options.inputs.size()); }
  /// A modality that training never shows would meet untrained weights: it is refused.
  static void require_presence(const data::Dataset& data, const data::Modality& modality) {
    for (const std::uint8_t present : modality.present.to_vector())
      if (present) return;
    throw OptionError(detail::cat(Network::name, ": '", modality.name, "' is absent from all ", data.train.size(),
                                  " training samples of ", data.name, "; leave it out of the modalities"));
  }
  /// The batch as a network sees it.
  Batch visible(Batch batch) const {
    if (index_t(batch.streams.size()) < modalities())
      throw ShapeError(
          detail::cat(Network::name, ": ", batch.streams.size(), " streams for ", modalities(), " modalities"));
    batch.streams.resize(options.inputs.size());
    for (std::size_t m = 0; m < options.inputs.size(); ++m) {
      auto& frames = batch.streams[m].frames;
      auto& present = batch.streams[m].present;
      detail::expect_shape(Network::name, "frames", frames.shape(),
                           {present.extent(0), present.extent(1), options.inputs[m]});
      if (!standardizer.modalities.empty())
        frames = standardizer.apply(m, frames, present);
      else
        frames = apply_mask(Variable<scalar, 3>(frames), present).value();
    }
    return batch;
  }
};

}  // namespace lacuna::models
