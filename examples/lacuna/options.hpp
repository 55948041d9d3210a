// The options of trainings: `train` and `experiment` have the same ones under the same names, on the command line and in
// configuration files; those of the models come from the registry.
#pragma once

#include "data.hpp"
#include "lacuna/lab/plan.hpp"
#include "lacuna/zoo/entry.hpp"
#include "support/numbers.hpp"

namespace program {

namespace zoo = lacuna::zoo;

struct RunOptions {
  DataOptions data;
  // what is trained
  std::string model = "sdumc-robust";  ///< train
  std::vector<std::string> models;     ///< experiment
  std::vector<std::string> volunteers =
      {};                  ///< experiment: those of `all`, each left out where it cannot take the data
  std::string ablation;    ///< experiment
  index_t folds = 0;       ///< experiment: K folds of training and validation in the place of the splits; 0: none
  zoo::Settings settings;  ///< train: options of the model; experiment: options of training, for all
  std::string dtype = "f32", device = "cpu";
  std::vector<std::uint64_t> seeds{1};
  // under which conditions
  std::vector<std::string> protocols, metrics;
  std::string reference, masks, save_masks;
  std::uint64_t mask_seed = 1;
  index_t draws = 2000;
  // what has no influence on the numbers
  std::string out, config;
  bool resume = false, overwrite = false, quiet = false, dry_run = false, tensorboard = false,
       ensemble = false;  ///< train
  double save_seconds = 10;
  int threads = 0, jobs = 0;

  /// Throws OptionError.
  void check() const {
    using lacuna::OptionError, lacuna::detail::cat;
    if (resume && overwrite) throw OptionError("--resume and --overwrite exclude each other");
    if (seeds.empty()) throw OptionError("--seeds: expected at least one");
    if (protocols.empty()) throw OptionError("--protocols: expected at least one");
    if (ensemble && seeds.size() < 2) throw OptionError("--ensemble: needs at least two --seeds");
    for (std::size_t i = 0; i < seeds.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (seeds[i] == seeds[j]) throw OptionError(cat("--seeds: ", seeds[i], " is named twice"));
  }

  /// What the numbers depend on besides the data and the settings, by the names of tables and files.
  static void reflect(auto& self, auto&& visit) {
    visit("models", self.models);
    visit("seeds", self.seeds);
    visit("protocols", self.protocols);
    visit("metrics", self.metrics);
    visit("reference", self.reference);
    visit("mask seed", self.mask_seed);
    visit("bootstrap draws", self.draws);
  }
  /// That as it is shown and stored; the file of the data goes by its name.
  zoo::Settings record() const {
    zoo::Settings record;
    lacuna::for_each_field(*this, [&](const char* name, const auto& value) {
      if constexpr (lacuna::detail::is_state_list<std::decay_t<decltype(value)>>) {
        std::string text;
        for (const auto& one : value) text += (text.empty() ? "" : ", ") + lacuna::detail::cat(one);
        record.emplace_back(name, text);
      } else {
        record.emplace_back(name, lacuna::detail::cat(value));
      }
    });
    record.emplace_back("masks from a file", masks.empty() ? "no" : "yes");
    if (dtype != "f32") record.emplace_back("dtype", dtype);
    for (const auto& [name, value] : settings) record.emplace_back(name, value);
    return record;
  }
};

/// --epoch-count for epoch_count.
inline std::string flag_of(std::string name) {
  for (char& c : name)
    if (c == '_') c = '-';
  return "--" + name;
}

/// Options as the registry lists them; what the user sets goes into `to`.
inline void declare_settings(CLI::App& app, const std::vector<zoo::OptionInfo>& options, zoo::Settings& to,
                             const std::string& of_model) {
  for (const zoo::OptionInfo& option : options) {
    CLI::Option* made = app.add_option_function<std::string>(
        flag_of(option.name), [&to, name = option.name](const std::string& value) { to.emplace_back(name, value); },
        option.help);
    if (!of_model.empty() && !option.value.empty()) made->default_str(option.value);
    if (!option.choices.empty()) made->check(CLI::IsMember(option.choices));
    made->group(option.training
                    ? (of_model.empty() ? "Training (all models; without them each has its own)" : "Training")
                    : "Model " + of_model);
  }
}

/// The model that a command line or its configuration file asks for, before everything else is read.
inline std::string model_of(int argc, char** argv, const std::string& usual) {
  std::string model = usual;
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  app.add_option("--model", model);
  app.set_config("--config");
  app.allow_config_extras(CLI::config_extras_mode::ignore_all);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Error&) {  // the second reading reports it
  }
  return model;
}

inline void declare(CLI::App& app, RunOptions& o, bool training) {
  app.get_formatter()->column_width(38);
  declare(app, o.data, true);
  std::string protocols;
  for (const auto& name : lacuna::lab::protocol_names()) protocols += (protocols.empty() ? "" : ", ") + name;
  const auto add = [&](const char* group, const char* name, auto& member, const std::string& help) {
    if constexpr (lacuna::detail::is_state_list<std::decay_t<decltype(member)>>) {
      return support::list_option(app, name, member, help)->group(group);
    } else {
      CLI::Option* option = app.add_option(name, member, help)->group(group);
      if (!member.empty()) option->capture_default_str();
      return option;
    }
  };
  const auto number = [&]<class Member>(const char* in, const char* name, Member& member, const std::string& help,
                                        auto range) {
    support::number_option(app, name, member, help, range)->group(in);
  };
  const char* group = "Run";
  if (training) {
    add(group, "--model", o.model, "model to train, as corrkd or sdumc-without-mia; lacuna models lists them");
  } else {
    add(group, "--models", o.models,
        "models, as corrkd,sdumc; with options as corrkd:scd=0:epochs=30; all: every model that can take the data; the "
        "constant predictor is always there");
    add(group, "--ablation", o.ablation,
        "all variants of this model, the rows of its ablation table; options as with --models");
  }
  number(group, "--seeds", o.seeds, "one training of every model for each, as 1,2,3", support::Range<std::uint64_t>{});
  if (training)
    app.add_flag("--ensemble", o.ensemble, "store all seeds together too, as MODEL/ensemble.lacuna: their mean answers")
        ->group(group);
  add(group, "--protocols", o.protocols,
      "under which conditions: meant (what the model is made for; train alone), " + protocols);
  number(group, "--mask-seed", o.mask_seed, "seed of the masks, which all models share",
         support::Range<std::uint64_t>{});
  add(group, "--masks", o.masks, "take the masks from this file (.npz)");
  add(group, "--save-masks", o.save_masks, "store the masks in this file (.npz)");
  add(group, "--metrics", o.metrics,
      "metrics, the first is the headline; without it mae,acc2_non0,f1_non0 or accuracy,f1_weighted; uar for classes "
      "of unequal size");
  if (!training)
    add(group, "--reference", o.reference, "model from which the others' differences are taken; without it constant");
  number(group, "--draws", o.draws, "bootstrap resamples of the test split", support::Range<index_t>{1, 1000000});
  add(group, "--dtype", o.dtype, "precision of all arithmetic")
      ->check(CLI::IsMember(std::vector<std::string>{"f32", "f64"}));
  group = "Program";
  add(group, "--out", o.out, "folder of the results; without it runs/NAME, NAME being that of the data");
  app.add_flag("--resume", o.resume, "go on with what the folder holds; finished trainings are kept")->group(group);
  app.add_flag("--overwrite", o.overwrite, "start anew although the folder holds something")->group(group);
  app.add_flag("--dry-run", o.dry_run,
               "say what would be trained, how large it is and how long an epoch takes, and end")
      ->group(group);
  app.add_flag("--tensorboard", o.tensorboard, "write the curves of every training for TensorBoard too")->group(group);
  number(group, "--save-seconds", o.save_seconds, "time between two checkpoints of a training",
         support::Range<double>{0, 1e9});
  number(group, "--threads", o.threads, "threads; 0 = all cores. Results do not depend on it",
         support::Range<int>{0, support::most_threads});
  number(
      group, "--jobs", o.jobs,
      "trainings side by side, which share the threads; 0 = as many as there are threads. Results do not depend on it",
      support::Range<int>{0, support::most_threads});
  add(group, "--device", o.device, "where to compute; cuda: a GPU, in lacuna_cuda")
      ->check(CLI::IsMember(std::vector<std::string>{"cpu", "cuda"}));
  app.add_flag("--quiet", o.quiet, "show no progress")->group(group);
  app.set_config("--config", "", "file with options (TOML or INI: name = value); the command line wins")->group(group);
  app.allow_config_extras(CLI::config_extras_mode::error);
}

}  // namespace program
