/// Trains a model: phase after phase, the last one on the whole model with selection on the validation split after
/// every epoch, early stopping, and a state from which an interrupted training goes on to the same bits, whatever its
/// phase.
///
///     const History history = train::fit(model, dataset, {.epochs = 25});
///
/// `fit` prepares the model (learner.hpp), trains it, and leaves in it the parameters of the best epoch. The test split
/// is never looked at. `Trainer` is the same, step by step, for programs that store checkpoints.
#pragma once

#include <memory>

#include "lacuna/core/replay.hpp"
#include "lacuna/data/batch_ahead.hpp"
#include "lacuna/train/csv.hpp"
#include "lacuna/train/engine.hpp"
#include "lacuna/train/fit_options.hpp"
#include "lacuna/train/order.hpp"
#include "lacuna/train/progress.hpp"
#include "lacuna/train/selection.hpp"

namespace lacuna::train {

template <Learner M>
class Trainer {
 public:
  using T = typename M::scalar;
  using D = device_of<M>;

  /// Starts anew: prepares the model. The model and the data must outlive this.
  Trainer(M& model, const data::Dataset& data, const FitOptions& options = {})
      : Trainer(Begun(), model, data, options) {
    apply_options();
    expect_labels();
    Random random = Random(options_.seed).split(preparing);
    if constexpr (requires { model.prepare(data, random); }) model.prepare(data, random);
    choose_conditions();
    begin_phase(random);
  }
  /// Goes on from what `save` gave, to the same bits as if nothing had happened in between. Throws IoError when the
  /// state does not fit, OptionError when an option differs.
  Trainer(M& model, const data::Dataset& data, const FitOptions& options, const State& state)
      : Trainer(Begun(), model, data, options) {
    load_model(model, state);
    if constexpr (requires { model.expect_trainable(data); }) model.expect_trainable(data);
    apply_options();
    expect_labels();
    choose_conditions();
    const State training = state.under("training");
    expect_same_options(training);
    const auto begun = training.get<std::vector<std::uint64_t>>("begun_random");
    if (begun.size() != 2) training.fail("begun_random", "is damaged");
    Random random(begun[0], begun[1]);  // a phase draws the same again as when it began
    begin_phase(random);
    if (const auto phase = training.get<std::string>("phase"); phase != engine_->phase().name)
      training.fail("phase", cat("is '", phase, "', the model is at '", engine_->phase().name, "'"));
    training.get("preparing_seconds", preparing_seconds_);
    engine_->load(training);
  }

  bool finished() const { return last_ && engine_->finished(); }
  /// One batch; after the last one of an epoch also its validation. Throws Error when the loss is not finite.
  void step(Observer& observer) {
    if (finished()) return;
    const PrecisionScope precision(options_.precision);
    if (!observer.skip() || last_)
      engine_->step(observer);
    else
      end_phase();
    while (!last_ && engine_->finished()) end_phase();
  }
  /// True between epochs.
  bool at_epoch_end() const { return engine_->at_epoch_end(); }
  /// Of the running phase.
  index_t epoch() const { return engine_->epoch(); }
  /// "training" in the last one.
  const std::string& phase() const { return engine_->phase().name; }
  /// Of the last phase; empty before it.
  const History& history() const {
    static const History none;
    return last_ ? engine_->history() : none;
  }
  /// Steps of the running phase that a GPU recorded, and how often it launched one of them.
  index_t recordings() const { return engine_->recordings(); }
  index_t replays() const { return engine_->replays(); }
  /// Of the phases before the last.
  double preparing_seconds() const { return preparing_seconds_; }
  const FitOptions& options() const { return options_; }

  /// Puts the best parameters into the model: the end of a training.
  void restore_best() {
    if (last_) engine_->restore_best();
  }

  /// Everything: a model with the best parameters so far, as `load_model` takes it, and beside it what training needs.
  /// Shares storage with this trainer: write it before the next step.
  State save() const {
    State state = model_state(model_), training = engine_->save();
    if (last_ && training.get<bool>("has_best")) state.put("parameters", training.under("best"));
    State options;
    options.put_fields(options_);
    options.put("texts", texts());
    options.put("class_weights", options_.class_weights);
    training.put("options", options);
    training.put("rates", rates());
    training.put("phase", phase());
    training.put("begun_random", std::vector<std::uint64_t>{begun_.key(), begun_.next()});
    training.put("preparing_seconds", preparing_seconds_);
    state.put("training", training);
    return state;
  }

 private:
  struct Begun {};
  // sources of randomness beside those of the epochs' orders, whose tags count from 0
  static constexpr std::uint64_t preparing = std::uint64_t(1) << 40, stepping = preparing + 1;

  Trainer(Begun, M& model, const data::Dataset& data, const FitOptions& options)
      : model_(model), data_(data), options_(options) {
    options_.check();
    if constexpr (!requires { D::reduces_precision; })
      if (options_.precision != Precision::full)
        throw OptionError(cat("fit: precision = tf32 or bf16 is for a GPU; on '", D::name, "' products are in full"));
  }

  /// Both splits that training looks at have what the model learns.
  void expect_labels() const {
    const auto demand = [](const char* split, index_t samples, const Targets& targets) {
      if (samples == 0) throw Error(detail::cat("fit: the ", split, " split has no samples"));
      if (index_t(targets.values.size()) != samples)
        throw Error(detail::cat("fit: the ", split, " split has ", targets.values.size(),
                                targets.classes > 0 ? " class ids for " : " real labels for ", samples, " samples"));
    };
    demand("training", data_.train.size(), targets_for(model_, data_.train));
    demand("validation", data_.validation.size(), targets_for(model_, data_.validation));
  }
  /// Of a model that knows its streams.
  void choose_conditions() {
    selector_ = Selector(conditions_of(model_, data_.modality_names()), options_.batch, options_.select_on);
  }

  template <class... Pieces>
  static std::string cat(const Pieces&... pieces) {
    return detail::cat(pieces...);
  }

  /// What the options tell the model.
  void apply_options() {
    if (options_.missing) {
      if constexpr (requires { model_.take_away(*options_.missing); })
        model_.take_away(*options_.missing);
      else
        throw OptionError("fit: the model takes nothing away; leave out `missing`");
    }
    if (options_.loss) {
      if constexpr (requires { model_.set_loss(options_.loss.template as<T, D>()); })
        model_.set_loss(options_.loss.template as<T, D>());
      else
        throw OptionError("fit: the model has an objective of its own; leave out `loss`");
    }
    if (!options_.class_weights.empty()) {
      if constexpr (requires { model_.set_class_weights(options_.class_weights); })
        model_.set_class_weights(options_.class_weights);
      else
        throw OptionError("fit: the model knows no class weights; leave out `class_weights`");
    }
  }

  void end_phase() {
    preparing_seconds_ += engine_->history().seconds();
    engine_->conclude();
    Random random = engine_->random();
    begin_phase(random);
  }
  /// The next phase of the model, or the last one: the training of the whole.
  void begin_phase(Random& random) {
    begun_ = random;
    if constexpr (requires { model_.next_phase(data_, random); })
      if (auto phase = model_.next_phase(data_, random)) {
        const std::string title = phase->name;
        engine_.reset();
        engine_ = std::make_unique<Engine<T, D>>(std::move(*phase), random, title);
        return;
      }
    models::Phase<T, D> phase{.name = "training", .epochs = options_.epochs, .batch = options_.batch};
    phase.pack = [this] { return pack<T, D>(model_); };
    phase.rate = [this](index_t epoch) { return options_.learning_rate_at(epoch); };
    phase.optimizer = {
        .name = options_.optimizer, .weight_decay = options_.weight_decay, .momentum = options_.momentum};
    phase.gradient_clip = options_.gradient_clip;
    phase.average = options_.average;
    phase.patience = options_.patience;
    bool whole = false;
    if constexpr (requires { M::whole_conversations(); }) whole = M::whole_conversations();
    phase.order = [this, whole](index_t epoch, Random&) { return epoch_samples(data_.train, options_, epoch, whole); };
    if (whole)
      phase.ends = [this](std::span<const index_t> order) {
        return data::batch_ends(order, data_.train.conversations, options_.batch);
      };
    const auto batches = std::make_shared<data::BatchAhead<T, data::Role::train>>(data_.train);
    if (batches->active()) phase.ahead = [batches](std::span<const index_t> samples) { batches->announce(samples); };
    phase.loss = [this, batches](std::span<const index_t> samples, const Context& context) {
      return loss_terms(model_, batches->take(samples), context);
    };
    if constexpr (Replay<D>::records) replay_steps(phase, batches);
    phase.validate = [this](double) {
      verdict_ = selector_.validate(model_, data_.validation);
      return verdict_.score;
    };
    last_ = true;
    engine_.reset();
    engine_ =
        std::make_unique<Engine<T, D>>(std::move(phase), Random(options_.seed).split(stepping), std::string(),
                                       [this](EpochRecord& record) { record.validation = std::move(verdict_.scores); });
  }

  /// The halves of a step, where it is to be replayed.
  template <class Batches>
  void replay_steps(models::Phase<T, D>& phase, const Batches& batches) {
    if (options_.replay == ReplaySteps::off) return;
    if constexpr (requires { model_.replayable(); }) {
      if (options_.replay == ReplaySteps::automatic && !model_.replayable()) {
        phase.unreplayed = "the model does not say that its steps may be, or has a loss of the user's own";
        return;
      }
      phase.draw = [this, batches](std::span<const index_t> samples, const Context& context) {
        return model_.drawn_evenly(batches->take(samples), context);
      };
      phase.learn = [this](const models::TrainingBatch<T, D>& batch, const Context& context) {
        return model_.learn(model_.seen(batch), context);
      };
    } else {
      phase.unreplayed = "the model is not made of models::Model";
    }
  }

  std::vector<double> rates() const {
    std::vector<double> all;
    for (index_t e = 0; e < options_.epochs; ++e) all.push_back(options_.learning_rate_at(e));
    return all;
  }
  std::vector<std::string> texts() const {
    return {options_.optimizer, options_.select_on, options_.loss ? "own loss" : ""};
  }
  void expect_same_options(const State& training) const {
    FitOptions stored = options_;
    training.under("options").get_fields(stored);
    const auto differs = [&](const std::string& name, const std::string& then, const std::string& now) {
      throw OptionError(cat(training.origin(), ": was trained with ", name, " ", then, ", now it is ", now,
                            "; resuming needs the same options"));
    };
    std::vector<double> ours;
    for_each_field(options_, [&](const char*, const auto& value) { ours.push_back(double(value)); });
    std::size_t i = 0;
    for_each_field(stored, [&](const char* name, const auto& value) {
      if (double(value) != ours[i]) differs(name, csv_number(double(value)), csv_number(ours[i]));
      ++i;
    });
    const auto then = training.get<std::vector<std::string>>("options/texts"), now = texts();
    for (std::size_t t = 0; t < now.size(); ++t)
      if (t >= then.size() || then[t] != now[t])
        differs(t == 0   ? "optimizer"
                : t == 1 ? "select_on"
                         : "loss",
                "'" + (t < then.size() ? then[t] : "") + "'", "'" + now[t] + "'");
    if (training.get<std::vector<double>>("options/class_weights") != options_.class_weights)
      differs("class_weights", "of other numbers", "others");
    if (training.get<std::vector<double>>("rates") != rates())
      throw OptionError(cat(training.origin(), ": was trained with another schedule; resuming needs the same options"));
  }

  M& model_;
  const data::Dataset& data_;
  FitOptions options_;
  Selector selector_;
  Selector::Result verdict_;
  std::unique_ptr<Engine<T, D>> engine_;
  bool last_ = false;
  Random begun_;  ///< before the running phase began
  double preparing_seconds_ = 0;
};

/// Trains until the end, or until the observer stops it; the best parameters so far are in the model then.
template <Learner M>
History fit(M& model, const data::Dataset& data, const FitOptions& options, Observer& observer) {
  Trainer<M> trainer(model, data, options);
  while (!trainer.finished() && !observer.stop()) trainer.step(observer);
  trainer.restore_best();
  return trainer.history();
}
/// The same with progress on standard error.
template <Learner M>
History fit(M& model, const data::Dataset& data, const FitOptions& options = {}) {
  Progress progress;
  return fit(model, data, options, progress);
}

/// What comes before the training of the whole model, all of it: for those who write a loop of their own.
template <Learner M>
void prepare(M& model, const data::Dataset& data, Random& random) {
  if constexpr (requires { model.prepare(data, random); }) model.prepare(data, random);
  if constexpr (requires { model.next_phase(data, random); }) {
    Observer nobody;
    while (auto phase = model.next_phase(data, random)) {
      const std::string title = phase->name;
      Engine<typename M::scalar, device_of<M>> engine(std::move(*phase), random, title);
      while (!engine.finished()) engine.step(nobody);
      random = engine.random();
      engine.conclude();
    }
  }
}

}  // namespace lacuna::train
