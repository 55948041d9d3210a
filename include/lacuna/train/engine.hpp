/// The one training loop: a phase (models/phase.hpp) step by step, from its start or from where it was interrupted.
///
/// A step gathers a batch, computes its loss, goes backwards, clips, and moves the weights; the last one of an epoch is
/// followed by what judges the epoch. The best epoch's weights are kept beside. Every bit of it is a function of the
/// phase and its random source, so that `save` after any step and `load` into a new engine end in the same numbers.
/// Throws Error, with the phase, the epoch, the batch and the first term to blame, when a loss is not finite; the
/// weights are then as before.
#pragma once

#include <chrono>
#include <limits>

#include "lacuna/core/precision.hpp"
#include "lacuna/data/batch.hpp"
#include "lacuna/models/phase.hpp"
#include "lacuna/optim/average.hpp"
#include "lacuna/optim/clip.hpp"
#include "lacuna/train/observer.hpp"
#include "lacuna/train/replayed_steps.hpp"

namespace lacuna::train {

template <class T, class D>
class Engine {
 public:
  using Phase = models::Phase<T, D>;

  /// `title` of the reports; empty for the training of the whole model. `note` completes the record of an epoch that
  /// has just been judged.
  Engine(Phase phase, Random random, std::string title, Function<void(EpochRecord&)> note = {})
      : phase_(std::move(phase)),
        title_(std::move(title)),
        note_(std::move(note)),
        random_(random),
        packed_(phase_.pack()),
        optimizer_(packed_, phase_.optimizer) {
    if (phase_.average > 0) average_.emplace(packed_, optim::EmaOptions{.decay = phase_.average, .warmup = true});
    for (const auto& segment : packed_.segments)
      if (segment.node->requires_grad) numbers_ += segment.node->value.size();
    begin_epoch();
  }

  bool finished() const { return epoch_ >= phase_.epochs || (phase_.patience > 0 && waited_ >= phase_.patience); }
  /// One batch; after the last one of an epoch also its judgement.
  void step(Observer& observer) {
    if (finished()) return;
    const auto start = Clock::now();
    const index_t samples = index_t(order_.size());
    const index_t begin = batch_ == 0 ? 0 : ends_[std::size_t(batch_ - 1)], end = ends_[std::size_t(batch_)];
    if (phase_.ahead) {
      const index_t next = std::size_t(batch_ + 1) < ends_.size() ? ends_[std::size_t(batch_ + 1)] : end;
      phase_.ahead({order_.data() + end, std::size_t(next - end)});
    }
    const StepOutcome<T, D> outcome = forward_and_back({order_.data() + begin, std::size_t(end - begin)});
    account(numbers_of(outcome), double(end - begin));  // on a GPU the one wait of the step, with the way back queued
    optimizer_.step(phase_.rate(epoch_), outcome.factor);
    tell(observer);
    if (average_) average_->update();
    ++batch_;
    observer.batch({title_, epoch_ + 1, phase_.epochs, end, samples, sums_[0].second / double(end),
                    history_.epochs.empty() ? nullptr : &history_.epochs.back(), numbers_});
    if (end == samples) validate();
    seconds_ += std::chrono::duration<double>(Clock::now() - start).count();
    if (end == samples) finish_epoch(observer);
  }
  bool at_epoch_end() const { return batch_ == 0; }
  index_t epoch() const { return epoch_; }
  const History& history() const { return history_; }
  const Phase& phase() const { return phase_; }
  Random random() const { return random_; }
  /// Of a device that records steps: how many were, and how many of them launched.
  index_t recordings() const { return replayed_.recordings(); }
  index_t replays() const { return replayed_.replays(); }

  /// Puts the best weights in their place.
  void restore_best() {
    if (best_.defined())
      D::copy(packed_.values.data(), std::as_const(best_).data(), std::size_t(best_.size()) * sizeof(T));
  }
  /// The end of a phase before the last: the best weights, no gradients, and whoever waits for them.
  void conclude() {
    restore_best();
    packed_.zero_grad();
    models::PhaseRecord record;
    if (phase_.validate)
      for (const EpochRecord& epoch : history_.epochs) record.scores.push_back(epoch.score);
    record.best = history_.best() != nullptr ? history_.best()->epoch : epoch_;
    if (phase_.finish) phase_.finish(record);
  }

  /// Where it is.
  static void reflect(auto& self, auto&& visit) {
    visit("epoch", self.epoch_);
    visit("batch", self.batch_);
    visit("seconds", self.seconds_);
    visit("waited", self.waited_);
    visit("least", self.least_);
  }
  /// Shares storage with this engine: write it before the next step.
  State save() const {
    State training;
    training.put("parameters", by_name(packed_.values));
    training.put("has_best", best_.defined());
    if (best_.defined()) training.put("best", by_name(best_));
    training.put_fields(*this);
    put_random(training, "random", random_);
    put_random(training, "epoch_random", epoch_random_);
    training.put("sums", sums_);
    State part;
    optimizer_.save_state(part);
    training.put("optimizer", part);
    if (average_) {
      State average;
      average_->save_state(average);
      training.put("average", average);
    }
    training.put("record", history_);
    return training;
  }
  /// Throws IoError when the state does not fit the phase.
  void load(const State& training) {
    read(training.under("parameters"), packed_.values);
    if (training.get<bool>("has_best")) {
      best_ = packed_.values.clone();
      read(training.under("best"), best_);
    }
    optimizer_.load_state(training.under("optimizer"));
    if (average_) average_->load_state(training.under("average"));
    training.get_fields(*this);
    random_ = random_of(training, "epoch_random");
    begin_epoch();
    random_ = random_of(training, "random");
    if (epoch_ < 0 || batch_ < 0 || batch_ >= index_t(ends_.size()))
      training.fail("batch", cat("is ", batch_, " of epoch ", epoch_, ", which the data do not have"));
    training.get("sums", sums_);
    training.get("record", history_);
    for (EpochRecord& record : history_.epochs) record.phase = title_;
  }

 private:
  using Clock = std::chrono::steady_clock;

  template <class... Pieces>
  static std::string cat(const Pieces&... pieces) {
    return detail::cat(pieces...);
  }
  static void put_random(State& state, const char* name, const Random& random) {
    state.put(name, std::vector<std::uint64_t>{random.key(), random.next()});
  }
  static Random random_of(const State& state, const char* name) {
    const auto numbers = state.get<std::vector<std::uint64_t>>(name);
    if (numbers.size() != 2) state.fail(name, "is damaged");
    return Random(numbers[0], numbers[1]);
  }

  void begin_epoch() {
    epoch_random_ = random_;
    order_ = phase_.order(epoch_, random_);
    if (order_.empty()) throw Error(cat(phase_.name, ": there are no samples to train on"));
    ends_ = phase_.ends ? phase_.ends(order_) : data::batch_ends(order_, {}, phase_.batch);
  }
  /// The gradients of a batch: a step, or one that is replayed.
  StepOutcome<T, D> forward_and_back(std::span<const index_t> samples) {
    const Context context = Context::train(random_);
    const auto step = [this](auto&& loss) {
      packed_.zero_grad();
      StepOutcome<T, D> outcome{loss(), {}};
      outcome.loss.total.backward();
      if (phase_.gradient_clip > 0) outcome.factor = clip_factor(packed_, phase_.gradient_clip);
      return outcome;
    };
    if constexpr (Replay<D>::records)
      if (phase_.draw)
        return replayed_(phase_.draw(samples, context), random_, packed_,
                         [&](const auto& batch) { return step([&] { return phase_.learn(batch, context); }); });
    return step([&] { return phase_.loss(samples, context); });
  }
  /// The loss and its terms, read together.
  static Scores numbers_of(const StepOutcome<T, D>& outcome) {
    const auto& [total, terms] = outcome.loss;
    Scores now;
    if (!outcome.numbers.defined()) {
      now.emplace_back("loss", double(LossRecord<T, D>::beside(terms, total)));
      now.insert(now.end(), terms.begin(), terms.end());
      return now;
    }
    const List<T> numbers = outcome.numbers.to_list();
    now.emplace_back("loss", double(numbers[0]));
    for (std::size_t k = 0; k < terms.size(); ++k) now.emplace_back(terms[k].first, double(numbers[k + 1]));
    return now;
  }
  /// Once, why steps are run where they might be replayed.
  void tell(Observer& observer) {
    if (told_) return;
    const std::string& why = phase_.unreplayed.empty() ? replayed_.reason() : phase_.unreplayed;
    if (why.empty()) return;
    told_ = true;
    observer.note("steps are run one by one, not replayed: " + why);
  }
  /// Adds up the loss and its terms, and refuses what is not finite.
  void account(const Scores& now, double weight) {
    if (!std::isfinite(now[0].second)) {
      std::size_t blamed = 0;
      for (std::size_t i = now.size(); i-- > 1;)
        if (!std::isfinite(now[i].second)) blamed = i;
      throw Error(cat(phase_.name, ": epoch ", epoch_ + 1, ", batch ", batch_ + 1, ": ",
                      blamed == 0 ? std::string("the loss") : "loss term '" + now[blamed].first + "'", " is ",
                      csv_number(now[blamed].second), "; try a smaller learning rate or gradient clipping"));
    }
    if (sums_.empty())
      for (const auto& [name, value] : now) sums_.emplace_back(name, 0.0);
    if (sums_.size() != now.size()) throw Error("training: the loss has other terms than in the batch before");
    for (std::size_t i = 0; i < now.size(); ++i) sums_[i].second += weight * now[i].second;
  }
  void validate() {
    const PrecisionScope full(Precision::full);  // judged as it will answer
    EpochRecord record;
    record.phase = title_;
    record.epoch = epoch_ + 1;
    record.learning_rate = phase_.rate(epoch_);
    const double samples = double(order_.size());
    for (const auto& [name, sum] : sums_) record.losses.emplace_back(name, sum / samples);
    if (phase_.validate) {
      if (average_) average_->swap();
      record.score = phase_.validate(record.losses[0].second);
      record.best = record.score < least_;
      if (record.best) {
        least_ = record.score;
        best_ = packed_.values.clone();
      }
      waited_ = record.best ? 0 : waited_ + 1;
      if (average_) average_->swap();
    }
    if (note_) note_(record);
    history_.epochs.push_back(std::move(record));
  }
  void finish_epoch(Observer& observer) {
    history_.epochs.back().seconds = std::exchange(seconds_, 0.0);
    sums_.clear();
    batch_ = 0;
    ++epoch_;
    observer.epoch(history_.epochs.back(), phase_.epochs);
    if (!finished()) begin_epoch();
  }

  /// A flat buffer as named arrays; shares storage with one on the host.
  State by_name(const Array<T, D>& flat) const {
    State state;
    for (const auto& segment : packed_.segments)
      state.put(segment.path, to_device<Cpu>(flat.window(segment.offset, segment.node->value.shape())));
    return state;
  }
  void read(const State& stored, const Array<T, D>& flat) const {
    for (const auto& segment : packed_.segments) {
      const auto numbers = stored.template get<Array<T>>(segment.path);
      if (!(numbers.shape() == segment.node->value.shape()))
        stored.fail(segment.path, cat("has shape ", numbers.shape(), ", expected ", segment.node->value.shape()));
      flat.window(segment.offset, numbers.shape()).assign({std::as_const(numbers).data(), std::size_t(numbers.size())});
    }
  }

  Phase phase_;
  std::string title_;
  Function<void(EpochRecord&)> note_;
  Random random_, epoch_random_;
  Packed<T, D> packed_;
  optim::NamedOptimizer<T, D> optimizer_;
  std::optional<optim::Ema<T, D>> average_;
  Array<T, D> best_;
  History history_;
  index_t epoch_ = 0, batch_ = 0, waited_ = 0, numbers_ = 0;
  double least_ = std::numeric_limits<double>::infinity();
  std::vector<index_t> order_, ends_;  ///< of the epoch: samples, and where its batches end
  Scores sums_;
  double seconds_ = 0;
  ReplayedSteps<T, D> replayed_;
  bool told_ = false;
};

}  // namespace lacuna::train
