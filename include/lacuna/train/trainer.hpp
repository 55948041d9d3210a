/// Trains a model: Adam over shuffled batches, selection on the validation split after every epoch, early stopping, and
/// a state from which an interrupted training goes on to the same bits.
///
///     const History history = train::fit(model, dataset, {.epochs = 25});
///
/// `fit` prepares the model (learner.hpp), trains it, and leaves in it the parameters of the best epoch. The test split
/// is never looked at. `Trainer` is the same, step by step, for programs that store checkpoints.
#pragma once

#include <chrono>
#include <optional>

#include "lacuna/nn/pack.hpp"
#include "lacuna/optim/adam.hpp"
#include "lacuna/optim/average.hpp"
#include "lacuna/optim/clip.hpp"
#include "lacuna/train/fit_options.hpp"
#include "lacuna/train/progress.hpp"
#include "lacuna/train/selection.hpp"

namespace lacuna::train {

template <Learner M>
class Trainer {
 public:
  using T = typename M::scalar;
  using D = device_of<M>;

  /// Starts anew: prepares the model, and seats its parameters in one buffer. The model and the data must outlive this.
  /// Throws models::Stopped when the observer ends the preparation.
  Trainer(M& model, const data::Dataset& data, const FitOptions& options = {}, Observer* observer = nullptr)
      : Trainer(model, data, options, [&] {
          Random random = Random(options.seed).split(preparing);
          const auto ask = [observer] {
            if (observer->stop_preparing()) throw models::Stopped();
          };
          prepare(model, data, random, observer != nullptr ? models::Watch(ask) : models::Watch());
        }) {}
  /// Goes on from what `save` gave, to the same bits as if nothing had happened in between. Throws IoError when the
  /// state does not fit, OptionError when an option differs.
  Trainer(M& model, const data::Dataset& data, const FitOptions& options, const State& state)
      : Trainer(model, data, options, [&] { load_model(model, state); }) {
    load(state.under("training"));
  }

  bool finished() const {
    return epoch_ >= options_.epochs ||
           (options_.patience > 0 && selector_.epochs_without_improvement() >= options_.patience);
  }
  /// One batch; after the last one of an epoch also its validation. Throws Error, with the epoch, the batch and the
  /// first term to blame, when the loss is not finite; the parameters are then as before.
  void step(Observer& observer) {
    if (finished()) return;
    const auto start = Clock::now();
    if (order_.empty()) order_ = epoch_order();
    const index_t begin = batch_ * options_.batch, end = std::min(begin + options_.batch, samples());
    const std::span<const index_t> chosen(order_.data() + begin, std::size_t(end - begin));
    const auto batch = data::gather<T>(data_.train, chosen);
    packed_.zero_grad();
    const auto loss = loss_terms(model_, batch, Context::train(random_));
    loss.total.backward();
    const GradientFactor<D> factor = options_.gradient_clip > 0 ? clip_factor(packed_, options_.gradient_clip) : 1.0;
    account(loss, double(end - begin));  // on a GPU the one wait of the step, with the way back already queued
    adam_.step(options_.learning_rate_at(epoch_), factor);
    if (average_) average_->update();
    ++batch_;
    observer.batch({epoch_ + 1, options_.epochs, end, samples(), sums_[0].second / double(end),
                    history_.epochs.empty() ? nullptr : &history_.epochs.back()});
    if (end == samples()) validate();
    seconds_ += std::chrono::duration<double>(Clock::now() - start).count();
    if (end == samples()) finish_epoch(observer);
  }
  /// True between epochs.
  bool at_epoch_end() const { return batch_ == 0; }
  index_t epoch() const { return epoch_; }
  const History& history() const { return history_; }
  const FitOptions& options() const { return options_; }

  /// Puts the best parameters into the model: the end of a training.
  void restore_best() {
    if (best_.defined())
      D::copy(packed_.values.data(), std::as_const(best_).data(), std::size_t(best_.size()) * sizeof(T));
  }

  /// Everything: a model with the best parameters so far, as `load_model` takes it, and beside it what training needs.
  /// Shares storage with this trainer: write it before the next step.
  State save() const {
    State state = model_state(model_);
    State training;
    training.put("parameters", state.under("parameters"));
    if (best_.defined()) state.put("parameters", by_name(best_));
    FitOptions::visit(options_,
                      [&](const char* name, const auto& value) { training.put(cat("options/", name), value); });
    training.put("rates", rates());
    training.put("epoch", epoch_);
    training.put("batch", batch_);
    training.put("seconds", seconds_);
    training.put("random", std::vector<std::uint64_t>{random_.key(), random_.next()});
    std::vector<std::string> terms;
    std::vector<double> sums;
    for (const auto& [name, sum] : sums_) {
      terms.push_back(name);
      sums.push_back(sum);
    }
    training.put("terms", terms);
    training.put("sums", sums);
    State optimizer;
    adam_.save_state(optimizer);
    training.put("optimizer", optimizer);
    if (average_) {
      State average;
      average_->save_state(average);
      training.put("average", average);
    }
    training.put("has_best", best_.defined());
    State part;
    selector_.save_state(part);
    history_.save_state(part);
    training.put("record", part);
    state.put("training", training);
    return state;
  }

 private:
  using Clock = std::chrono::steady_clock;
  // sources of randomness beside those of the epochs' orders, whose tags count from 0
  static constexpr std::uint64_t preparing = std::uint64_t(1) << 40, stepping = preparing + 1;

  template <std::invocable F>
  Trainer(M& model, const data::Dataset& data, const FitOptions& options, F&& make_ready)
      : model_(model),
        data_(data),
        options_(checked(model, options, data)),
        random_(Random(options.seed).split(stepping)),
        packed_((make_ready(), pack<T, D>(model))),
        adam_(packed_, {.weight_decay = options.weight_decay}),
        selector_(conditions_of(model, data.modality_names()), options.batch) {
    if (options.average > 0) average_.emplace(packed_, EmaOptions{.decay = options.average, .warmup = true});
  }

  static const FitOptions& checked(const M& model, const FitOptions& options, const data::Dataset& data) {
    options.check();
    const auto demand = [](const char* split, index_t samples, const Targets& targets) {
      if (samples == 0) throw Error(detail::cat("fit: the ", split, " split has no samples"));
      if (index_t(targets.values.size()) != samples)
        throw Error(detail::cat("fit: the ", split, " split has ", targets.values.size(),
                                targets.classes > 0 ? " class ids for " : " real labels for ", samples, " samples"));
    };
    demand("training", data.train.size(), targets_for(model, data.train));
    demand("validation", data.validation.size(), targets_for(model, data.validation));
    return options;
  }

  template <class... Pieces>
  static std::string cat(const Pieces&... pieces) {
    return detail::cat(pieces...);
  }
  index_t samples() const { return data_.train.size(); }
  std::vector<index_t> epoch_order() const {
    return data::epoch_order(samples(), options_.seed, epoch_, options_.order == Order::shuffled);
  }

  std::vector<double> rates() const {
    std::vector<double> all;
    for (index_t e = 0; e < options_.epochs; ++e) all.push_back(options_.learning_rate_at(e));
    return all;
  }

  /// Adds up the loss and its terms, and refuses what is not finite.
  void account(const LossTerms<T, D>& loss, double weight) {
    Scores now{{"loss", double(LossRecord<T, D>::beside(loss.terms, loss.total))}};
    now.insert(now.end(), loss.terms.begin(), loss.terms.end());
    if (!std::isfinite(now[0].second)) {
      std::size_t blamed = 0;
      for (std::size_t i = now.size(); i-- > 1;)
        if (!std::isfinite(now[i].second)) blamed = i;
      throw Error(cat("training: epoch ", epoch_ + 1, ", batch ", batch_ + 1, ": ",
                      blamed == 0 ? std::string("the loss") : "loss term '" + now[blamed].first + "'", " is ",
                      csv_number(now[blamed].second), "; try a smaller learning rate or gradient clipping"));
    }
    if (sums_.empty())
      for (const auto& [name, value] : now) sums_.emplace_back(name, 0.0);
    if (sums_.size() != now.size()) throw Error("training: the loss has other terms than in the batch before");
    for (std::size_t i = 0; i < now.size(); ++i) sums_[i].second += weight * now[i].second;
  }

  void validate() {
    if (average_) average_->swap();
    Selector::Result result = selector_.validate(model_, data_.validation);
    if (result.best) best_ = packed_.values.clone();
    if (average_) average_->swap();
    EpochRecord record;
    record.epoch = epoch_ + 1;
    record.learning_rate = options_.learning_rate_at(epoch_);
    for (const auto& [name, sum] : sums_) record.losses.emplace_back(name, sum / double(samples()));
    record.validation = std::move(result.scores);
    record.score = result.score;
    record.best = result.best;
    history_.epochs.push_back(std::move(record));
  }
  void finish_epoch(Observer& observer) {
    history_.epochs.back().seconds = std::exchange(seconds_, 0.0);
    sums_.clear();
    order_.clear();
    batch_ = 0;
    ++epoch_;
    observer.epoch(history_.epochs.back(), options_.epochs);
  }

  /// A flat buffer as named arrays; shares storage with one on the host.
  State by_name(const Array<T, D>& flat) const {
    State state;
    for (const auto& segment : packed_.segments)
      state.put(segment.path, to_device<Cpu>(flat.window(segment.offset, segment.node->value.shape())));
    return state;
  }
  void load(const State& training) {
    FitOptions stored = options_;
    FitOptions::visit(stored, [&](const char* name, auto& value) { training.get(cat("options/", name), value); });
    std::vector<double> ours;
    FitOptions::visit(options_, [&](const char*, const auto& value) { ours.push_back(double(value)); });
    std::size_t i = 0;
    FitOptions::visit(stored, [&](const char* name, const auto& value) {
      if (double(value) != ours[i])
        throw OptionError(cat(training.origin(), ": was trained with ", name, " ", csv_number(double(value)),
                              ", now it is ", csv_number(ours[i]), "; resuming needs the same options"));
      ++i;
    });
    if (training.get<std::vector<double>>("rates") != rates())
      throw OptionError(cat(training.origin(), ": was trained with another schedule; resuming needs the same options"));
    if (training.get<bool>("has_best")) best_ = packed_.values.clone();  // load_model has put the best ones there
    io::load_parameters(model_, training.under("parameters"));
    adam_.load_state(training.under("optimizer"));
    if (average_) average_->load_state(training.under("average"));
    training.get("epoch", epoch_);
    training.get("batch", batch_);
    if (epoch_ < 0 || batch_ < 0 || batch_ >= samples() || batch_ * options_.batch >= samples())
      training.fail("batch", cat("is ", batch_, " of epoch ", epoch_, ", which the data do not have"));
    training.get("seconds", seconds_);
    const auto random = training.get<std::vector<std::uint64_t>>("random");
    if (random.size() != 2) training.fail("random", "is damaged");
    random_ = Random(random[0], random[1]);
    const auto terms = training.get<std::vector<std::string>>("terms");
    const auto sums = training.get<std::vector<double>>("sums");
    if (terms.size() != sums.size()) training.fail("sums", "does not fit the terms");
    for (std::size_t k = 0; k < terms.size(); ++k) sums_.emplace_back(terms[k], sums[k]);
    selector_.load_state(training.under("record"));
    history_.load_state(training.under("record"));
  }

  M& model_;
  const data::Dataset& data_;
  FitOptions options_;
  Random random_;
  Packed<T, D> packed_;
  Adam<T, D> adam_;
  std::optional<Ema<T, D>> average_;
  Selector selector_;
  Array<T, D> best_;
  History history_;
  index_t epoch_ = 0, batch_ = 0;
  std::vector<index_t> order_;
  Scores sums_;
  double seconds_ = 0;
};

/// Trains until the end, or until the observer stops it; the best parameters so far are in the model then. Throws
/// models::Stopped when it is stopped before training begins.
template <Learner M>
History fit(M& model, const data::Dataset& data, const FitOptions& options, Observer& observer) {
  Trainer<M> trainer(model, data, options, &observer);
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

}  // namespace lacuna::train
