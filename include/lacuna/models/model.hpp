/// From a network to a model that is trained, evaluated, stored and served: write the network, `Model` knows the rest.
///
///     struct Averages {                                                     // a model of one's own
///       using Options = models::ModelOptions;
///       Linear<float> layer;
///       Averages(const Options& o, Random& random) : layer({o.inputs[0], o.outputs()}, random) {}
///       Variable<float, 2> operator()(const models::Streams<float>& streams, const Context&) const {
///         return layer(mean_pool(Variable<float, 3>(streams[0].frames), streams[0].present));
///       }
///       static void reflect(auto& self, auto&& visit) { visit("layer", self.layer); }
///     };
///     models::Model<Averages> model({.inputs = corpus.dimensions()}, Random(7));
///     train::fit(model, corpus);
///
/// A network is a module with
///     using Options                                               an aggregate; `ModelOptions`, or one with those of
///                                                                 its members that it wants, its own, and a
///                                                                 `reflect(self, visit)` that names all (core/fields.hpp)
///     Network(options, random)
///     operator()(streams, context) const -> Variable<T, 2, D>     scores (B, outputs)
/// and, where it has them,
///     using scalar = T, device = D                                float on the host without them
///     static constexpr const char* name                           for messages
///     embed(streams, context) -> Variable<T, 2, D>                the joint representation (B, E)
///     attention(streams)                                          weights of attention, one tensor per modality
///     objective(batch, context) -> LossTerms<T, D>                in training, given a TrainingBatch: labels, masks,
///                                                                 and what was there before something was taken away
///     fit(options, data, random)                                  sizes that it takes from the training split
///     next_phase(...)                                             what is trained before the rest (phase.hpp)
///     conditions(options, names)                                  under which absences it is meant to work
///     save_state(state), load_state(state)                        what is neither an option nor a parameter
///     static constexpr bool conversations = true                  it reads whole conversations: operator() and embed
///                                                                 with (streams, data::Conversations, context) as well
///     replayable() const                          true: its steps of training may be recorded on a GPU and replayed
///                                                 (train/replayed_steps.hpp): what it does depends on the streams, on
///                                                 what `batch` holds and on the context alone, and changes no member
///     lengths() const                             (M) frames up to which it lengthens streams by absent ones in any
///                                                 case; the batches of replayed steps come so
///
/// A network sees exactly M streams, frames (B, T_m, D_m) and present (B, T_m), standardised, and 0 wherever nothing is
/// present, whatever stood there: NaN in an absent frame reaches nothing, in a present one it is refused with its
/// place. In training modalities and frames of every sample are taken away anew, as the options say. Throws OptionError
/// for data of other streams, sizes or labels than the model was made for, ShapeError for batches that do not fit, Error
/// for a present feature that is not finite.
#pragma once

#include "lacuna/core/context.hpp"
#include "lacuna/missing/spec.hpp"
#include "lacuna/models/model_inputs.hpp"
#include "lacuna/models/model_options.hpp"
#include "lacuna/models/pretrain.hpp"
#include "lacuna/models/put_on.hpp"
#include "lacuna/models/take_away.hpp"
#include "lacuna/models/training_batch.hpp"

namespace lacuna::models {

template <class Network>
struct ScalarOf {
  using type = float;
};
template <class Network>
requires requires { typename Network::scalar; }
struct ScalarOf<Network> {
  using type = typename Network::scalar;
};

template <class Network>
struct Model {
  using scalar = typename ScalarOf<Network>::type;
  using device = device_of<Network>;
  using Options = typename Network::Options;
  using Batch = data::Batch<scalar>;  ///< of the host
  using Loss = LossTerms<scalar, device>;
  using Taught = TrainingBatch<scalar, device>;

  Options options;
  Network network;
  data::Standardizer standardizer;        ///< of the features; none until `prepare`, or when off
  Task task;                              ///< with the scale of real labels
  std::vector<std::string> names;         ///< of the streams of the data; none until `prepare`
  OwnLoss<scalar, device> own_loss = {};  ///< in the place of the task's; not stored

  Model() requires std::default_initializable<Network>
  = default;
  /// Throws OptionError for options that make no model.
  Model(const Options& o, Random random) : Model(o, random, checked(o)) {}

  /// Throws OptionError when the data cannot train the model: another number of streams than it was made for, other
  /// feature sizes, a modality that no training sample has; once it is prepared, other streams than those it knows.
  void expect_trainable(const data::Dataset& data) const {
    models::expect_trainable(name(), data, inputs(), sizes());
    expect_streams(data.modality_names());
  }
  /// Throws OptionError for other streams than those of the data it was prepared with, or for these in another order: they
  /// would be read by the weights of others. None are known before that.
  void expect_streams(const std::vector<std::string>& found) const {
    if (!names.empty() && found != names)
      throw OptionError(detail::cat(name(), ": the data have the streams ", listed(found),
                                    ", the model was prepared with ", listed(names),
                                    "; expected the same in this order"));
  }
  /// Everything but training: scales and sizes, from the training split alone. Throws OptionError when the data cannot
  /// train the model: other feature sizes or labels, or a modality that no training sample has.
  void prepare(const data::Dataset& data, Random& random) {
    models::expect_trainable(name(), data, inputs(), sizes());
    names = data.modality_names();
    task.fit(data, scales_labels());
    if (scales_features()) standardizer = data::Standardizer::fit(data.train, {.feature_clip = feature_clip()});
    if constexpr (requires { network.fit(options, data, random); }) network.fit(options, data, random);
  }
  /// What is to be trained next, before the rest; none: the rest. Refers to this model and to the data.
  std::optional<Phase<scalar, device>> next_phase([[maybe_unused]] const data::Dataset& data,
                                                  [[maybe_unused]] Random& random) {
    if constexpr (requires { network.next_phase(options, Feed{this, &data}, random); })
      return network.next_phase(options, Feed{this, &data}, random);
    else
      return std::nullopt;
  }

  /// The objective of a batch of the host, from which training takes away what the options say.
  Loss loss(Batch batch, const Context& context) const { return learn(taught(std::move(batch), context), context); }
  /// The objective of a batch as `taught` makes it.
  Loss learn(const Taught& taught, const Context& context) const {
    if constexpr (requires { network.objective(taught, context); })
      return network.objective(taught, context);
    else
      return Objective<scalar, device>().add("task", 1, taught.task_loss(network(taught.seen, context))).result();
  }
  /// A batch as an objective is given it. `take`: what to take away is drawn from the context.
  Taught taught(Batch given, const Context& context, bool take = true) const {
    Taught taught;
    put_on(taught, drawn(std::move(given), context, take));
    return seen(std::move(taught));
  }
  /// The half of that which is the host's: the batch is checked and scaled, and what is taken away is drawn.
  TrainingBatch<scalar> drawn(Batch given, const Context& context, bool take = true) const {
    TrainingBatch<scalar> drawn{.targets = task.template targets<Cpu>(given)};
    const Batch batch = ready(std::move(given));
    drawn.samples = batch.samples;
    drawn.conversations = batch.conversations;
    drawn.whole = batch.streams;
    std::vector<Mask<2>> present;
    for (std::size_t m = 0; m < sizes().size(); ++m) {
      present.push_back(batch.streams[m].present);
      drawn.had.push_back(Present<Cpu>::of(any_present(present.back())));
      drawn.lost.push_back(Present<Cpu>::of(Mask<1>::zeros(std::array<index_t, 1>{batch.size()})));
    }
    drawn.has = drawn.had;
    const missing::MrmOptions drop = drop_of(options);
    if (take && context.training() && drop.active())
      models::take_away(drawn, drop, batch, present, names, context, name());
    return drawn;
  }
  /// The same for a step that is replayed: as long as the network makes its streams in any case, so that more batches share
  /// one layout.
  TrainingBatch<scalar> drawn_evenly(Batch given, const Context& context) const {
    TrainingBatch<scalar> batch = drawn(std::move(given), context);
    if constexpr (requires { network.lengths(); }) batch.lengthen(network.lengths());
    return batch;
  }
  /// The other half, of a batch on the device: nothing of it reads the host.
  Taught seen(Taught taught) const {
    taught.task = &task;
    taught.own_loss = &own_loss;
    taught.see();
    auto& heads = taught.targets.heads;
    if (!heads.empty() && heads[0].empty()) taught.targets.settle_heads(index_t(heads.size()));
    return taught;
  }
  /// The streams of a batch of the host as the network sees them.
  Streams<scalar, device> streams(Batch batch) const {
    return data::to_device<device>(ready(std::move(batch)).streams);
  }

  /// (B, outputs) of whatever is present.
  Tensor<scalar, 2, device> scores(const Batch& batch) const {
    const NoGrad off;
    if constexpr (whole_conversations())
      return network(streams(batch), batch.conversations, Context{}).value();
    else
      return network(streams(batch), Context{}).value();
  }
  /// One number per sample, in label units or a class id (Task::predictions).
  std::vector<double> predict(const Batch& batch) const {
    const List<double> answers = task.predictions(scores(batch));
    return {answers.begin(), answers.end()};
  }
  /// (B, K). Throws OptionError for real labels.
  Tensor<double, 2> probabilities(const Batch& batch) const { return task.probabilities(scores(batch)); }
  /// (B, E): what the last layers read of all modalities together.
  Tensor<scalar, 2> embedding(const Batch& batch) const requires
      requires(const Network& n, const Streams<scalar, device>& s) {
    n.embed(s, Context{});
  }
  {
    const NoGrad off;
    if constexpr (whole_conversations())
      return to_device<Cpu>(network.embed(streams(batch), batch.conversations, Context{}).value());
    else
      return to_device<Cpu>(network.embed(streams(batch), Context{}).value());
  }
  /// Weights of attention, one tensor per modality; the network says what its axes are.
  std::vector<Tensor<scalar, 4>> attention(const Batch& batch) const requires
      requires(const Network& n, const Streams<scalar, device>& s) {
    n.attention(s);
  }
  {
    const NoGrad off;
    std::vector<Tensor<scalar, 4>> all;
    for (const auto& weights : network.attention(streams(batch))) all.push_back(to_device<Cpu>(weights));
    return all;
  }

  /// Whether steps of training may be recorded on a GPU and replayed: the network says so, and no loss of the user's own
  /// is in its objective.
  bool replayable() const {
    if constexpr (requires { network.replayable(); })
      return network.replayable() && !own_loss;
    else
      return false;
  }
  /// Training shows it conversations as a whole, where the data have them.
  static constexpr bool whole_conversations() {
    return requires { Network::conversations; };
  }
  /// K, or 0 for real labels.
  index_t predicts_classes() const { return task.predicts_classes(); }
  const char* selects_on() const { return task.selects_on(); }
  /// The absences it is meant for.
  std::vector<missing::MissingSpec> conditions(const std::vector<std::string>& modalities) const {
    if constexpr (requires { network.conditions(options, modalities); })
      return network.conditions(options, modalities);
    else
      return missing::subset_specs(modalities, sizes().size());
  }
  /// A loss in the place of the task's. Throws OptionError for a network that has a whole objective of its own.
  void set_loss(OwnLoss<scalar, device> loss) {
    if constexpr (requires { Network::fixed_objective; })
      if (loss) throw OptionError(detail::cat(name(), ": its objective has no place for another loss"));
    own_loss = std::move(loss);
  }
  /// Of the classes in the task's cross-entropy. Throws OptionError.
  void set_class_weights(const std::vector<double>& weights) {
    if constexpr (requires { Network::fixed_class_weights; })
      throw OptionError(detail::cat(name(), ": its objective weighs no classes; order = balanced does"));
    if (task.kind == LabelKind::regression || task.one_vs_rest || index_t(weights.size()) != task.class_count())
      throw OptionError(detail::cat(name(), ": ", weights.size(), " class weights, expected ", task.class_count(),
                                    " of a task of classes with one head"));
    task.class_weights = weights;
  }
  /// Training takes this away instead of what the options said. Throws OptionError.
  void take_away(const missing::MrmOptions& what) {
    what.check(index_t(sizes().size()));
    if constexpr (requires { options.drop; })
      options.drop = what;
    else if constexpr (requires { options.mrm; })
      options.mrm = what;
    else
      throw OptionError(detail::cat(name(), ": its options say nothing of what training takes away"));
  }

  void save_state(State& state) const {
    state.put_fields(options);
    state.put_fields(task);
    state.put("streams", names);
    State standard;
    standardizer.save_state(standard);
    state.put("standardizer", standard);
    if constexpr (requires { network.save_state(state); }) network.save_state(state);
  }
  void load_state(const State& state) { *this = from(state); }
  /// The model that `save_state` described; its parameters have their shapes, and any numbers.
  static Model from(const State& state) {
    Options o;
    state.get_fields(o);
    Model model(o, Random(0));
    state.get_fields(model.task);
    state.get("streams", model.names);
    model.standardizer.load_state(state.under("standardizer"));
    if constexpr (requires { model.network.load_state(state); }) model.network.load_state(state);
    return model;
  }

  static void reflect(auto& self, auto&& visit) { visit("network", self.network); }

  static const char* name() {
    if constexpr (requires { Network::name; })
      return Network::name;
    else
      return "model";
  }

 private:
  /// Batches of a data set as the network is taught by them, with nothing taken away.
  struct Feed {
    const Model* model;
    const data::Dataset* data;

    Taught train(std::span<const index_t> samples) const { return of(data->train, samples); }
    Taught validation(std::span<const index_t> samples) const { return of(data->validation, samples); }
    index_t train_size() const { return data->train.size(); }
    index_t validation_size() const { return data->validation.size(); }

   private:
    Taught of(const auto& split, std::span<const index_t> samples) const {
      return model->taught(data::gather<scalar>(split, samples), Context{}, false);
    }
  };

  Model(const Options& o, Random& random, Task checked) : options(o), network(o, random), task(std::move(checked)) {}

  static Task checked(const Options& o) {
    Task task = task_of(o, name());
    if (inputs_of(o).empty()) throw OptionError(detail::cat(name(), ": needs at least one modality"));
    for (const index_t in : inputs_of(o))
      if (in < 1) throw OptionError(detail::cat(name(), ": a modality has ", in, " features"));
    task.check();
    if constexpr (requires { o.dropout; })
      if (!(o.dropout >= 0 && o.dropout < 1))
        throw OptionError(detail::cat(name(), ": dropout is ", o.dropout, ", expected 0 or more, below 1"));
    drop_of(o).check(index_t(inputs_of(o).size()));
    return task;
  }

  const std::vector<index_t>& sizes() const { return inputs_of(options); }
  bool scales_features() const {
    if constexpr (requires { options.standardize; })
      return options.standardize;
    else
      return true;
  }
  bool scales_labels() const {
    if constexpr (requires { options.standardize_labels; })
      return options.standardize_labels;
    else
      return scales_features();
  }
  double feature_clip() const {
    if constexpr (requires { options.feature_clip; })
      return options.feature_clip;
    else
      return ModelOptions().feature_clip;
  }
  Batch ready(Batch batch) const {
    if (sizes().empty())
      throw OptionError(
          detail::cat(name(), ": was made without options: no modality is known; give it their `inputs`"));
    return ready_batch(name(), std::move(batch), inputs(), sizes(), standardizer, names);
  }
  /// What the network is given, in its order.
  List<StandIn> inputs() const {
    List<StandIn> all;
    for (std::size_t m = 0; m < sizes().size(); ++m) all.push_back({m, m});
    if constexpr (requires { Network::stand_in(options); })
      if (const std::optional<StandIn> more = Network::stand_in(options)) all.push_back(*more);
    return all;
  }
};

}  // namespace lacuna::models
