/// A recipe by which a model is made and trained, whatever its type: what the laboratory compares.
///
///     const lab::System early = lab::make_system<models::EarlyFusion<>>(
///         "early-fusion", recipe, {.epochs = 40},
///         [=](std::uint64_t seed) { return models::EarlyFusion<>(o, Random(seed)); });
///     const auto trained = early.train({.data = lab::without_test(corpus), .seed = 1});
///
/// Every train::Learner becomes one by `make_system`; a model that is fitted in one step by `make_fitted`. Training and
/// selection get data without a test split, so that no recipe can look at it.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "lacuna/core/device.hpp"
#include "lacuna/core/function.hpp"
#include "lacuna/nn/pack_weights.hpp"
#include "lacuna/train/calibration.hpp"
#include "lacuna/train/trainer.hpp"

namespace lacuna::lab {

/// The data set whose test split is empty. Shares all storage.
inline data::Dataset without_test(const data::Dataset& data) {
  data::Dataset learning = data;
  learning.test = {};
  return learning;
}

/// What a training leaves.
struct Trained {
  /// One prediction per sample: a real label, or a class id.
  Function<std::vector<double>(const data::Batch<float>&)> predict;
  index_t parameters = 0;  ///< numbers that were trained, frozen parts not counted
  train::History history;
  double seconds = 0;     ///< of all phases
  State state = State{};  ///< the model, as train::load_model takes it; empty where there is none
};

/// One training: on which data, from which seed, watched and saved by whom.
struct TrainJob {
  const data::Dataset& data;
  std::uint64_t seed = 1;
  train::Observer* observer = nullptr;  ///< its stop() ends the training, whatever its phase
  const State* from = nullptr;          ///< an unfinished training, as `save` was given it
  /// Called after every epoch, and when it was stopped, with a function that makes the state; `last` is true then.
  Function<void(const Function<State()>& state, bool last)> save = {};
};

struct System {
  std::string name;
  std::string recipe;  ///< every option as text: runs of equal recipes, data and seeds are equal
  bool seeded = true;  ///< false: all seeds give the same
  Function<std::optional<Trained>(const TrainJob&)> train;  ///< nullopt: stopped
  Function<Trained(const State&)> restore = {};             ///< from Trained::state; empty: train again
  /// What the model is meant for, given the names of the modalities.
  Function<std::vector<missing::MissingSpec>(const std::vector<std::string>&)> conditions = {};
  train::CalibrationOptions calibration = {};  ///< of class probabilities, after the training
  std::vector<std::string> notes = {};         ///< what the recipe decided by looking at the data, a line each
};

}  // namespace lacuna::lab

namespace lacuna::detail {

/// Frames as the model wants them.
template <class T>
decltype(auto) batch_as(const data::Batch<float>& batch) {
  if constexpr (std::is_same_v<T, float>) {
    return (batch);
  } else {
    data::Batch<T> result;
    for (const auto& stream : batch.streams) {
      Tensor<T, 3> frames(stream.frames.extents());
      std::copy_n(stream.frames.data(), stream.frames.size(), frames.data());
      result.streams.push_back({frames, stream.present});
    }
    result.classes = batch.classes;
    result.samples = batch.samples;
    result.conversations = batch.conversations;
    return result;
  }
}

template <class M>
index_t trained_numbers(const M& model) {
  index_t count = 0;
  for_each_node(model, [&](const std::string&, const auto& node, bool trained) {
    if (trained && node->requires_grad) count += node->value.size();
  });
  return count;
}

/// What a model that is trained answers, with its weights laid out as those of a stored one are: the same to the bit.
template <class M>
lab::Trained trained_from(std::shared_ptr<M> model) {
  lab::Trained trained;
  trained.parameters = trained_numbers(*model);
  trained.state = train::model_state(*model);
  pack_weights(*model);
  trained.predict = [model](const data::Batch<float>& batch) {
    const NoGrad off;
    return model->predict(batch_as<typename M::scalar>(batch));
  };
  return trained;
}

}  // namespace lacuna::detail

namespace lacuna::lab {

/// make(seed) → a model that is not trained yet. The seed of `fit` is that of the job.
template <train::Learner M, class Make>
System make_system(std::string name, std::string recipe, train::FitOptions fit, Make make) {
  System system{std::move(name), std::move(recipe), true, {}, {}};
  system.conditions = [make](const std::vector<std::string>& names) { return train::conditions_of(make(0), names); };
  system.train = [fit, make](const TrainJob& job) -> std::optional<Trained> {
    train::FitOptions options = fit;
    options.seed = job.seed;
    const auto model = std::make_shared<M>(make(job.seed));
    const auto trainer = job.from != nullptr ? std::make_unique<train::Trainer<M>>(*model, job.data, options, *job.from)
                                             : std::make_unique<train::Trainer<M>>(*model, job.data, options);
    const auto save = [&](bool last) {
      if (job.save) job.save([&] { return trainer->save(); }, last);
    };
    train::Observer silent;
    train::Observer& observer = job.observer != nullptr ? *job.observer : silent;
    while (!trainer->finished()) {
      if (observer.stop()) {
        save(true);
        return std::nullopt;
      }
      trainer->step(observer);
      if (trainer->at_epoch_end() && !trainer->finished()) save(false);
    }
    trainer->restore_best();
    Trained trained = detail::trained_from<M>(model);
    trained.history = trainer->history();
    trained.seconds = trainer->preparing_seconds() + trained.history.seconds();
    Cpu::trim();  // what a step needed, predictions do not
    return trained;
  };
  system.restore = [](const State& state) {
    return detail::trained_from<M>(std::make_shared<M>(train::model_from<M>(state)));
  };
  return system;
}

/// fit(dataset) → an object that predicts a whole split, such as models::Ridge: it has no epochs and no seed.
template <class Fit>
System make_fitted(std::string name, std::string recipe, index_t parameters, Fit fit) {
  System system{std::move(name), std::move(recipe), false, {}, {}};
  system.conditions = [](const std::vector<std::string>& names) { return missing::subset_specs(names, names.size()); };
  system.train = [fit, parameters](const TrainJob& job) -> std::optional<Trained> {
    const auto start = std::chrono::steady_clock::now();
    Trained trained;
    const auto fitted = std::make_shared<decltype(fit(job.data))>(fit(job.data));
    trained.predict = [fitted, names = job.data.modality_names()](const data::Batch<float>& batch) {
      data::Split<data::Role::test> split;
      for (std::size_t m = 0; m < names.size(); ++m)
        split.modalities.push_back({names[m], batch.streams[m].frames, batch.streams[m].present});
      split.ids.resize(std::size_t(batch.size()));
      return (*fitted)(split);
    };
    trained.parameters = parameters;
    if constexpr (requires(State & state) { fitted->save_state(state); }) {
      State own;
      fitted->save_state(own);
      trained.state.put("model", own);
    }
    trained.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return trained;
  };
  return system;
}

}  // namespace lacuna::lab
