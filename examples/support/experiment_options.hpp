// Every option of `experiment`: the command line and the configuration file.
#pragma once

#include <CLI/CLI.hpp>

#include "lacuna/lab/plan.hpp"
#include "systems.hpp"

namespace support {

struct ExperimentOptions {
  // data
  std::string data, label;
  lacuna::index_t samples = 2000;
  std::uint64_t data_seed = 7;
  std::vector<std::string> modalities;
  bool infer_padding = false;
  // what is compared
  std::vector<std::string> models, protocols{"p1"}, metrics;
  std::string ablation, reference;
  std::vector<std::uint64_t> seeds{1, 2, 3};
  std::uint64_t mask_seed = 1;
  std::string masks, save_masks;
  lacuna::index_t draws = 2000;
  // training, for all models alike; empty: what each has by itself
  std::string epochs, batch, learning_rate, weight_decay, gradient_clip, patience;
  // what has no influence on the numbers
  std::string out, print, report;
  bool resume = false, overwrite = false, quiet = false, list_models = false;
  double save_seconds = 10;
  int threads = 0, jobs = 0;

  Settings common() const {
    Settings settings;
    for (const auto& [name, value] :
         {std::pair("epochs", &epochs), std::pair("batch", &batch), std::pair("learning_rate", &learning_rate),
          std::pair("weight_decay", &weight_decay), std::pair("gradient_clip", &gradient_clip),
          std::pair("patience", &patience)})
      if (!value->empty()) settings.emplace_back(name, *value);
    return settings;
  }

  /// Fills in what follows from others. Throws OptionError.
  void resolve() {
    using lacuna::OptionError, lacuna::detail::cat;
    if (resume && overwrite) throw OptionError("--resume and --overwrite exclude each other");
    if (threads < 0) throw OptionError(cat("--threads: ", threads, ", expected 0 or more"));
    if (jobs < 0) throw OptionError(cat("--jobs: ", jobs, ", expected 0 or more"));
    if (draws < 1) throw OptionError(cat("--draws: ", draws, ", expected at least 1"));
    if (!(save_seconds >= 0)) throw OptionError("--save-seconds: expected 0 or more");
    if (seeds.empty()) throw OptionError("--seeds: expected at least one");
    if (protocols.empty()) throw OptionError("--protocols: expected at least one");
    for (std::size_t i = 0; i < seeds.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (seeds[i] == seeds[j]) throw OptionError(cat("--seeds: ", seeds[i], " is named twice"));
    if (!ablation.empty()) {
      const auto table = ablation_of(ablation);
      models.insert(models.begin(), table.begin(), table.end());
      if (reference.empty()) reference = ablation;
    }
    if (models.empty()) models = {"sdumc", "corrkd"};
    if (std::find(models.begin(), models.end(), "constant") == models.end()) models.insert(models.begin(), "constant");
    for (std::size_t i = 0; i < models.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (models[i] == models[j]) throw OptionError("--models: '" + models[i] + "' is named twice");
    if (reference.empty()) reference = "constant";
    if (std::find(models.begin(), models.end(), reference) == models.end())
      throw OptionError("--reference: '" + reference + "' is not one of the models");
  }

  /// What the numbers depend on, as it is shown and stored; the file of the data goes by its name.
  Settings record() const {
    const auto joined = [](const auto& list) {
      std::string text;
      for (const auto& one : list) {
        if constexpr (std::is_same_v<std::decay_t<decltype(one)>, std::string>)
          text += (text.empty() ? "" : ", ") + one;
        else
          text += (text.empty() ? "" : ", ") + std::to_string(one);
      }
      return text;
    };
    Settings record{{"models", joined(models)},
                    {"seeds", joined(seeds)},
                    {"protocols", joined(protocols)},
                    {"metrics", joined(metrics)},
                    {"reference", reference},
                    {"mask seed", std::to_string(mask_seed)},
                    {"masks from a file", masks.empty() ? "no" : "yes"},
                    {"bootstrap draws", std::to_string(draws)}};
    for (const auto& [name, value] : common()) record.emplace_back(name + ", all models", value);
    return record;
  }
};

inline void declare(CLI::App& app, ExperimentOptions& o) {
  app.get_formatter()->column_width(38);
  std::string protocols;
  for (const auto& name : lacuna::lab::protocol_names()) protocols += (protocols.empty() ? "" : ", ") + name;
  const auto add = [&](const char* group, const char* name, auto& member, const std::string& help) {
    CLI::Option* option = app.add_option(name, member, help)->group(group);
    if constexpr (lacuna::detail::is_state_list<std::decay_t<decltype(member)>>) option->delimiter(',');
    return option;
  };
  const char* group = "Data";
  add(group, "--data", o.data, "data set (.npz); without it a synthetic corpus");
  add(group, "--label", o.label, "array of the labels, as label2 for train_label2; without it label or class");
  add(group, "--modalities", o.modalities, "modalities to use, in this order, as a,b,c; without it all");
  app.add_flag("--infer-padding", o.infer_padding,
               "where the data have neither lengths nor masks, frames of zeros are absent")
      ->group(group);
  add(group, "--samples", o.samples, "training samples of the synthetic corpus")->capture_default_str();
  add(group, "--data-seed", o.data_seed, "seed of the synthetic corpus")->capture_default_str();
  group = "Experiment";
  add(group, "--models", o.models,
      "models, as corrkd,sdumc; with options as corrkd:scd=0:epochs=30; the constant predictor is always there");
  add(group, "--ablation", o.ablation,
      "all variants of this model, the rows of its ablation table; options as with --models");
  app.add_flag("--list-models", o.list_models, "show all models and their variants, and end")->group(group);
  add(group, "--seeds", o.seeds, "one training of every model for each, as 1,2,3")->capture_default_str();
  add(group, "--protocols", o.protocols, "under which conditions: " + protocols)->capture_default_str();
  add(group, "--mask-seed", o.mask_seed, "seed of the masks, which all models share")->capture_default_str();
  add(group, "--masks", o.masks, "take the masks from this file (.npz)");
  add(group, "--save-masks", o.save_masks, "store the masks in this file (.npz)");
  add(group, "--metrics", o.metrics,
      "metrics that get intervals, the first is the headline; without it mae,acc2_non0,f1_non0 or "
      "accuracy,f1_weighted");
  add(group, "--reference", o.reference, "model from which the others' differences are taken; without it constant");
  add(group, "--draws", o.draws, "bootstrap resamples of the test split")->capture_default_str();
  group = "Training (all models; without them each has its own)";
  add(group, "--epochs", o.epochs, "passes over the training samples");
  add(group, "--batch", o.batch, "samples per step");
  add(group, "--learning-rate", o.learning_rate, "learning rate of Adam");
  add(group, "--weight-decay", o.weight_decay, "coupled weight decay of Adam");
  add(group, "--gradient-clip", o.gradient_clip, "largest norm of the gradient; 0 = no limit");
  add(group, "--patience", o.patience, "epochs without a better validation score before it stops; 0 = never");
  group = "Program";
  add(group, "--out", o.out, "folder of the results; without it experiments/NAME, NAME being that of the data");
  app.add_flag("--resume", o.resume, "go on with what the folder holds; finished trainings are kept")->group(group);
  app.add_flag("--overwrite", o.overwrite, "start anew although the folder holds an experiment")->group(group);
  add(group, "--print", o.print, "show the tables of this folder, and end");
  add(group, "--report", o.report, "write report.html of this folder again, and end");
  add(group, "--save-seconds", o.save_seconds, "time between two checkpoints of a training")->capture_default_str();
  add(group, "--threads", o.threads, "threads; 0 = all cores. Results do not depend on it")->capture_default_str();
  add(group, "--jobs", o.jobs,
      "trainings side by side, which share the threads; 0 = as many as there are threads. Results do not depend on it")
      ->capture_default_str();
  app.add_flag("--quiet", o.quiet, "show no progress")->group(group);
  app.set_config("--config", "", "file with options (TOML or INI: name = value); the command line wins")->group(group);
  app.allow_config_extras(CLI::config_extras_mode::error);
}

}  // namespace support
