// One training: from its start or from where it was interrupted, to the files of its folder.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "corpus.hpp"
#include "lacuna/io/checkpoint.hpp"
#include "lacuna/models/sdumc/sdumc.hpp"
#include "lacuna/train/interrupt.hpp"
#include "lacuna/train/report.hpp"
#include "lacuna/train/trainer.hpp"
#include "run_folder.hpp"

namespace support {

/// What is stored beside the model: everything that predict and --resume have to know.
inline lacuna::State program_state(const TrainOptions& options, const Data& data, const nlohmann::ordered_json& about,
                                   std::uint64_t seed) {
  lacuna::State state;
  state.put("model", options.model);
  state.put("dtype", options.dtype);
  state.put("seed", seed);
  state.put("streams", data.dataset->modality_names());
  state.put("modalities", data.modalities.size());
  state.put("config", options.record().dump());
  state.put("data", about.dump());
  return state;
}

/// Throws OptionError, with the first difference, unless a stored run had the same options and data.
inline void expect_same_run(const lacuna::State& stored, const TrainOptions& options,
                            const nlohmann::ordered_json& about) {
  using Json = nlohmann::ordered_json;
  const auto parsed = [&](const char* name) {
    Json json = Json::parse(stored.get<std::string>(std::string("program/") + name), nullptr, false);
    if (!json.is_object()) stored.fail(std::string("program/") + name, "is damaged");
    return json;
  };
  const Json then = parsed("config"), now = options.record();
  for (const auto& [name, value] : now.items()) {
    if (name == "data") continue;  // a file may move; its content is compared below
    const Json before = then.contains(name) ? then[name] : Json("not set");
    if (before != value)
      throw lacuna::OptionError(lacuna::detail::cat(stored.origin(), ": was made with --", name, " ", before.dump(),
                                                    ", now it is ", value.dump(),
                                                    "; use the same options, or another folder with --out"));
  }
  if (parsed("data")["crc32"] != about["crc32"])
    throw lacuna::OptionError(stored.origin() +
                              ": was made with other data; use the same, or another folder with --out");
}

/// nullopt: interrupted, and ready to be resumed.
template <class Model>
std::optional<lacuna::train::SeedReport> train_seed(const TrainOptions& options, const Data& data,
                                                    const nlohmann::ordered_json& about, RunFolder& folder,
                                                    std::uint64_t seed, const lacuna::train::Interrupt& interrupt,
                                                    std::function<Model(std::uint64_t)> make) {
  using namespace lacuna;
  const data::Dataset& set = *data.dataset;
  const auto report = [&](const Model& model, index_t epochs, index_t best, double score,
                          train::Evaluation* kept = nullptr) {
    train::Evaluation test = train::evaluate(model, set.test, {}, options.fit.batch);
    train::SeedReport result{seed, epochs, best, score, train::condition_scores(test)};
    if (kept != nullptr) *kept = std::move(test);
    return result;
  };
  if (options.resume && RunFolder::exists(folder.checkpoint(seed))) {
    const State state = io::load_checkpoint(folder.checkpoint(seed));
    expect_same_run(state, options, about);
    const Model model = train::model_from<Model>(state);
    std::error_code ignored;
    fs::remove(folder.unfinished(seed), ignored);
    return report(model, state.get<index_t>("result/epochs"), state.get<index_t>("result/best_epoch"),
                  state.get<double>("result/validation_score"));
  }

  train::FitOptions fit = options.fit;
  fit.seed = seed;
  const std::string label = options.seeds.size() > 1 ? detail::cat("seed ", seed, "  ") : std::string();
  const State program = program_state(options, data, about, seed);
  Model model = make(seed);
  std::unique_ptr<train::Trainer<Model>> trainer;
  if (options.resume && RunFolder::exists(folder.unfinished(seed))) {
    const State state = io::load_checkpoint(folder.unfinished(seed));
    expect_same_run(state, options, about);
    trainer = std::make_unique<train::Trainer<Model>>(model, set, fit, state);
  } else {
    if (!options.quiet)
      std::fprintf(
          stderr, "%spreparing: features are standardised%s\n", label.c_str(),
          options.simulated_text.empty() ? (", a decoder learns to stand in for " + options.missing).c_str() : "");
    trainer = std::make_unique<train::Trainer<Model>>(model, set, fit);
  }

  folder.make_seed(seed);
  const auto save = [&] {
    State state = trainer->save();
    state.put("program", program);
    io::save_checkpoint(folder.unfinished(seed), state);
  };
  std::unique_ptr<train::Observer> observer = std::make_unique<train::Observer>();
  if (!options.quiet)
    observer = std::make_unique<train::Progress>(options.seeds.size() > 1 ? detail::cat("seed ", seed) : "");
  while (!trainer->finished()) {
    if (interrupt.signal() != 0) {
      save();
      return std::nullopt;
    }
    trainer->step(*observer);
    if (trainer->at_epoch_end() && trainer->epoch() % options.save_every == 0 && !trainer->finished()) save();
  }
  observer.reset();
  trainer->restore_best();

  const train::History& history = trainer->history();
  train::Evaluation test;
  const train::SeedReport result =
      report(model, index_t(history.epochs.size()), history.best()->epoch, history.best()->score, &test);
  train::write_text(folder.history(seed), history.csv());
  train::write_text(folder.predictions(seed), train::predictions_csv(test));
  State state = train::model_state(model);
  state.put("program", program);
  state.put("result/epochs", result.epochs);
  state.put("result/best_epoch", result.best_epoch);
  state.put("result/validation_score", result.validation_score);
  io::save_checkpoint(folder.checkpoint(seed), state);  // last: once it is there, everything is
  std::error_code ignored;
  fs::remove(folder.unfinished(seed), ignored);
  return result;
}

}  // namespace support
