/// One phase of a training, as a model describes it and the engine runs it (train/engine.hpp): what is trained, on
/// which samples, by which loss, how an epoch is judged.
///
/// A model's preparatory phases (CorrKD's teachers, MMIN's encoders, SDUMC's decoder) come from
///     std::optional<Phase<T, D>> next_phase(options, feed, random)
/// of its network, which is asked until there is none: what has been trained is part of the model's own state, so that
/// a stored model knows its next phase. `feed` gives batches as the network's objective gets them:
///     feed.train(samples), feed.validation(samples) -> TrainingBatch, with nothing taken away
///     feed.train_size(), feed.validation_size()
#pragma once

#include <optional>
#include <string>

#include "lacuna/core/context.hpp"
#include "lacuna/core/function.hpp"
#include "lacuna/models/training_batch.hpp"
#include "lacuna/nn/pack.hpp"
#include "lacuna/optim/named.hpp"

namespace lacuna::models {

/// What happened in a phase: what judged every epoch (the loss on held-out samples), and which one was kept (from 1).
struct PhaseRecord {
  std::vector<double> scores;
  index_t best = 0;
};

template <class T, class D = Cpu>
struct Phase {
  using Samples = std::span<const index_t>;

  std::string name;
  Function<Packed<T, D>()> pack = {};  ///< seats what is trained in one buffer
  index_t epochs = 1, batch = 1;
  Function<double(index_t epoch)> rate = {};  ///< the learning rate, by epoch from 0
  optim::NamedOptimizerOptions optimizer = {};
  double gradient_clip = 0;  ///< largest norm of the whole gradient; 0 = no limit
  double average = 0;        ///< decay of an average of the weights, which then is judged and kept; 0 = none
  index_t patience = 0;      ///< epochs without a better one before it ends; 0 = never
  /// The samples of an epoch in their order; `random` is that of the phase.
  Function<std::vector<index_t>(index_t epoch, Random& random)> order = {};
  /// Where the batches of such an order end, the last one at its length; empty: after every `batch` samples.
  Function<std::vector<index_t>(Samples)> ends = {};
  Function<LossTerms<T, D>(Samples, const Context&)> loss = {};
  /// The same in two halves, where steps are to be replayed on a GPU (train/replayed_steps.hpp): what the host does for a
  /// step, and what the device does with it. Empty: `loss` is called in every step.
  Function<TrainingBatch<T>(Samples, const Context&)> draw = {};
  Function<LossTerms<T, D>(const TrainingBatch<T, D>&, const Context&)> learn = {};
  std::string unreplayed = {};  ///< why there are no such halves, where somebody would expect them
  /// Told in front of every `loss` what the next one will be asked for, so that it can be fetched meanwhile; may be empty.
  Function<void(Samples)> ahead = {};
  /// What is minimised over the epochs, given the mean loss of the epoch; empty: the last epoch is kept.
  Function<double(double training_loss)> validate = {};
  /// Called once, with the best parameters in place.
  Function<void(const PhaseRecord&)> finish = {};
};

}  // namespace lacuna::models
