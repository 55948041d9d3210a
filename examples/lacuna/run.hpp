// One training of a run, from its start, from where it was interrupted, or from the file it has left.
#pragma once

#include <chrono>
#include <fstream>
#include <memory>
#include <optional>

#include "explain.hpp"
#include "folder.hpp"
#include "lacuna/io/checkpoint.hpp"
#include "lacuna/lab/compare.hpp"
#include "lacuna/lab/system.hpp"
#include "lacuna/zoo/ensemble.hpp"
#include "report_data.hpp"
#include "run_card.hpp"
#include "watch.hpp"

namespace program {

struct FinishedRun {
  lacuna::lab::Run run;
  Record record;
};

/// What must be equal for a stored training to be this one.
inline std::string identity(const lacuna::lab::System& system, std::uint64_t seed, const Setting& setting) {
  return "model " + system.name + "; data " + setting.data.crc + "; seed " + std::to_string(seed) +
         "; dtype=" + setting.dtype + "; " + system.recipe;
}
inline void expect_identity(const std::string& where, const std::string& stored, const std::string& wanted) {
  if (stored == wanted) return;
  std::size_t at = 0;  // the first difference, from the start of its word
  while (at < stored.size() && at < wanted.size() && stored[at] == wanted[at]) ++at;
  while (at > 0 && stored[at - 1] != ' ') --at;
  const auto word = [at](const std::string& text) { return text.substr(at, text.find(' ', at) - at); };
  throw lacuna::OptionError(where + ": was trained with '" + word(stored) + "', now it is '" + word(wanted) +
                            "'; use the same options and data, or another folder with --out");
}

inline std::vector<std::string> all_masks(const lacuna::lab::Plan& plan) {
  std::vector<std::string> hashes;
  for (const auto& protocol : plan.protocols)
    for (const auto& condition : protocol.conditions) hashes.push_back(condition.masks);
  return hashes;
}

/// predictions.npz: all that is needed of a finished training, but for durations.
inline void save_run(const std::string& path, const FinishedRun& finished, const std::string& identity,
                     const Setting& setting) {
  const auto& [run, record] = finished;
  lacuna::io::NpzWriter file(path);
  std::vector<std::string> conditions;
  for (const auto& protocol : setting.plan.protocols)
    for (const auto& condition : protocol.conditions) conditions.push_back(protocol.name + "/" + condition.name);
  file.add("identity", std::vector<std::string>{identity});
  file.add("ids", setting.data.set->test.ids);
  file.add("labels", setting.targets.values);
  file.add("conditions", conditions);
  file.add("masks", all_masks(setting.plan));
  file.add("predictions", run.predictions);
  file.add("numbers", std::vector<std::int64_t>{run.epochs, run.best_epoch, run.parameters});
  file.add("validation_score", run.validation_score);
  file.add("loss", record.loss);
  file.add("score", record.score);
  save_explanation(file, record);
  file.close();
}

/// nullopt: it does not hold all conditions of the plan.
inline std::optional<FinishedRun> load_run(const std::string& path, const std::string& identity,
                                           const Setting& setting) {
  using namespace lacuna;
  const io::Npz file(path);
  const auto stored = file.get("identity").strings();
  expect_identity(path, stored.empty() ? "" : stored[0], identity);
  const auto masks = file.get("masks").strings();
  const auto predictions = file.tensor<double, 2>("predictions");
  const auto wanted = all_masks(setting.plan);
  const index_t samples = setting.data.set->test.size();
  const auto numbers = file.get("numbers").as<std::int64_t>();
  if (predictions.extent(0) != index_t(masks.size()) || predictions.extent(1) != samples || numbers.size() != 3)
    throw IoError(path + ": is damaged; remove it, and the training is done again");
  FinishedRun finished;
  finished.run.predictions = Tensor<double, 2>({index_t(wanted.size()), samples});
  for (std::size_t c = 0; c < wanted.size(); ++c) {
    const auto at = std::find(masks.begin(), masks.end(), wanted[c]) - masks.begin();
    if (at == std::ptrdiff_t(masks.size())) return std::nullopt;
    std::copy_n(predictions.data() + at * samples, samples, finished.run.predictions.data() + index_t(c) * samples);
  }
  finished.run.epochs = numbers[0];
  finished.run.best_epoch = numbers[1];
  finished.run.parameters = numbers[2];
  finished.run.validation_score = file.get("validation_score").scalar<double>();
  finished.record.loss = file.get("loss").as<double>();
  finished.record.score = file.get("score").as<double>();
  load_explanation(file, finished.record);
  return finished;
}

/// timing.csv of a run: durations are kept apart from all that must be equal for equal experiments.
inline void save_timing(const std::string& path, const Record& record) {
  using lacuna::train::csv_number;
  lacuna::train::write_text(path, "training_seconds,evaluation_seconds\n" + csv_number(record.training_seconds) + ',' +
                                      csv_number(record.evaluation_seconds) + '\n');
}
inline void load_timing(const std::string& path, Record& record) {
  std::ifstream file(path);
  std::string title;
  char comma = 0;
  if (!std::getline(file, title) || !(file >> record.training_seconds >> comma >> record.evaluation_seconds))
    record.training_seconds = record.evaluation_seconds = 0;  // they are for readers only
}

/// As messages call a training.
inline std::string name_of(const lacuna::lab::System& system, std::uint64_t seed) {
  return system.name + " seed " + std::to_string(seed);
}

/// Its folder is there already. nullopt: interrupted, and ready to be resumed. `phase` says where it is, for the message of
/// an error.
inline std::optional<FinishedRun> train_run(const lacuna::lab::System& system, std::uint64_t seed,
                                            const Setting& setting, const Folder& folder, Board& board,
                                            const Stop& stop, const char*& phase) {
  using namespace lacuna;
  using Clock = std::chrono::steady_clock;
  const auto path = [&](const char* name) { return folder.run_file(system.name, seed, name); };
  const std::string who = identity(system, seed, setting);
  const std::string name = name_of(system, seed);
  const auto say = [&](const std::string& what) { board.say(name, what); };
  const auto finish = [&](FinishedRun finished) {
    finished.run.seed = finished.record.seed = seed;
    finished.record.model = system.name;
    finished.record.best_epoch = finished.run.best_epoch;
    board.ended(name);
    return finished;
  };
  if (Folder::exists(path("predictions.npz")))
    if (auto stored = load_run(path("predictions.npz"), who, setting)) {
      load_timing(path("timing.csv"), stored->record);
      std::error_code ignored;
      fs::remove(path("unfinished.lacuna"), ignored);
      return finish(std::move(*stored));
    }

  std::optional<lab::Trained> trained;
  std::optional<State> stored;  // the model as its file holds it
  FinishedRun finished;
  if (system.restore && Folder::exists(path("model.lacuna")) && Folder::exists(path("predictions.npz"))) {
    // Other protocols than before: the model is there, and so is what is known of its training.
    stored = io::load_checkpoint(path("model.lacuna"));
    expect_identity(path("model.lacuna"), stored->get<std::string>("identity"), who);
    trained = system.restore(*stored);
    stored->get("history", trained->history);
    Record timing;
    load_timing(path("timing.csv"), timing);
    trained->seconds = timing.training_seconds;
    say("other conditions for a trained model");
  } else {
    std::optional<State> from;
    if (Folder::exists(path("unfinished.lacuna"))) {
      from = io::load_checkpoint(path("unfinished.lacuna"));
      expect_identity(path("unfinished.lacuna"), from->get<std::string>("identity"), who);
      say("goes on");
    } else {
      say("starts");
    }
    Watch watch(name, board, stop, setting.tensorboard ? folder.run(system.name, seed) : "");
    auto saved = Clock::now();
    lab::TrainJob job{setting.learning, seed, &watch, from ? &*from : nullptr, {}};
    job.save = [&](const Function<State()>& make, bool last) {
      if (!last && std::chrono::duration<double>(Clock::now() - saved).count() < setting.save_seconds) return;
      State state = make();
      state.put("identity", who);
      io::save_checkpoint(path("unfinished.lacuna"), state);
      saved = Clock::now();
    };
    phase = "training";
    trained = system.train(job);
    if (!trained) return std::nullopt;
    phase = "storing the model";
    if (!trained->history.epochs.empty()) train::write_text(path("history.csv"), trained->history.csv());
    if (!trained->state.values().empty()) {
      zoo::Card card = zoo::registry().card(system.name, setting.dtype, *setting.data.set, trained->state);
      card.class_names = setting.data.class_names;
      State state = zoo::with_card(trained->state, card);
      train::History numbers = trained->history;
      for (auto& epoch : numbers.epochs) epoch.seconds = 0;  // equal runs, equal bytes; durations are in timing.csv
      state.put("identity", who);
      state.put("seed", seed);
      state.put("history", numbers);
      io::save_checkpoint(path("model.lacuna"), state);
      stored = std::move(state);
    }
  }
  phase = "evaluation";
  const auto start = Clock::now();
  finished.run.predictions = lab::predictions(trained->predict, setting.data.set->test, setting.plan, setting.prior);
  finished.record.effects =
      effects_of(trained->predict, setting.data.set->test, setting.prior, setting.data.classes > 0);
  if (stored) take_attention(finished.record, *zoo::load_model(*stored), setting.data.set->test);
  finished.record.evaluation_seconds = std::chrono::duration<double>(Clock::now() - start).count();
  finished.record.training_seconds = trained->seconds;
  finished.run.parameters = trained->parameters;
  const auto& epochs = trained->history.epochs;
  finished.run.epochs = index_t(epochs.size());
  if (const auto* best = trained->history.best()) {
    finished.run.best_epoch = best->epoch;
    finished.run.validation_score = best->score;
  }
  take_history(finished.record, trained->history);
  finished.run.seed = finished.record.seed = seed;
  phase = "storing the predictions";
  save_timing(path("timing.csv"), finished.record);
  train::write_text(path("predictions.csv"), predictions_csv(finished.run, setting));
  train::write_text(path("model.json"), model_json(system, finished.run, setting, stored ? &*stored : nullptr));
  save_run(path("predictions.npz"), finished, who, setting);  // last: once it is there, everything is
  std::error_code ignored;
  fs::remove(path("unfinished.lacuna"), ignored);
  char text[96];
  std::snprintf(text, sizeof text, "done: %.1f s of training, %.1f s of evaluation", finished.record.training_seconds,
                finished.record.evaluation_seconds);
  say(text);
  return finish(std::move(finished));
}

}  // namespace program
