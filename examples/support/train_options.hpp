// Every option of `train`, named once: the command line, the configuration file, the record in the checkpoint and the
// comparison on --resume all come from `visit`.
#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "lacuna/core/state.hpp"
#include "lacuna/models/sdumc/options.hpp"
#include "lacuna/train/fit_options.hpp"

namespace support {

struct TrainOptions {
  // data
  std::string data;
  lacuna::index_t samples = 2000;
  std::uint64_t data_seed = 7;
  std::vector<std::string> modalities;
  std::string missing = "text";
  std::string simulated_text;
  std::string label;
  bool infer_padding = false;
  // model
  std::string model = "sdumc";
  std::string imagination = "input";
  std::string padding = "masked";
  std::string standardize = "on", standardize_labels = "on", drop = "none";
  lacuna::models::SdumcOptions sdumc;
  std::vector<double> weights{sdumc.weights.full,  sdumc.weights.missing, sdumc.weights.text,
                              sdumc.weights.query, sdumc.weights.feature, sdumc.weights.contrast};
  std::string dtype = "f32";
  // training
  std::string preset = "default";
  lacuna::train::FitOptions fit;
  lacuna::index_t warmup = 5, decay_every = 10;
  double decay = 0.9;
  std::string order = "shuffled";
  std::vector<std::uint64_t> seeds{1};
  // what has no influence on the numbers
  std::string out;
  bool resume = false, overwrite = false, quiet = false;
  lacuna::index_t save_every = 1;
  int threads = 0;

  /// f(group, name, member, help, choices...): what the numbers depend on, but the seed.
  static void visit(auto& o, auto&& f) {
    const char* group = "Data";
    f(group, "data", o.data, "data set (.npz); without it a synthetic corpus whose best attainable errors are known");
    f(group, "samples", o.samples, "training samples of the synthetic corpus");
    f(group, "data-seed", o.data_seed, "seed of the synthetic corpus");
    f(group, "modalities", o.modalities, "modalities to use, in this order, as a,b,c; without it all of the data set");
    f(group, "missing", o.missing, "the modality that may be missing");
    f(group, "simulated-text", o.simulated_text,
      "stream of the data set that stands in for the missing modality; without it a decoder trained on the training "
      "split");
    f(group, "label", o.label, "array of the labels, as label2 for train_label2; without it label");
    f(group, "infer-padding", o.infer_padding,
      "where the data have neither lengths nor masks, frames of zeros are absent");
    group = "Model";
    f(group, "model", o.model, "model to train", "sdumc");
    f(group, "imagination", o.imagination, "residual of the imagination autoencoder (MIA), or off", "off", "transition",
      "input");
    f(group, "drop", o.drop,
      "what else training takes away, so that any subset may be missing: a preset of modality random missing", "none",
      "uniform", "lnln", "mplmm", "cmad", "gcnet");
    f(group, "padding", o.padding,
      "masked: attention sees true frames only; published: padded frames too, as the authors ran it", "masked",
      "published");
    f(group, "width", o.sdumc.width, "common size of all modalities");
    f(group, "fused", o.sdumc.fused, "size of the fused representation");
    f(group, "contrast", o.sdumc.contrast, "size of the contrastive head");
    f(group, "dropout", o.sdumc.dropout, "dropout of the perceptrons");
    f(group, "frame-dropout", o.sdumc.frame_dropout, "dropout of the attention stages");
    f(group, "loss-weights", o.weights, "weights of the six loss terms: full,missing,text,query,feature,contrast");
    f(group, "simulator-width", o.sdumc.simulator.width,
      "inner size of the decoder that stands in for the missing modality");
    f(group, "simulator-slots", o.sdumc.simulator.slots, "frames it makes at most");
    f(group, "simulator-epochs", o.sdumc.simulator.epochs, "epochs it is trained at most");
    f(group, "standardize", o.standardize, "features to mean 0 and deviation 1 of the training split", "on", "off");
    f(group, "standardize-labels", o.standardize_labels,
      "real labels to mean 0 and deviation 1 of the training split; predictions come back in their units", "on", "off");
    f(group, "feature-clip", o.sdumc.feature_clip,
      "standardised features are clipped to this many deviations; 0 = never");
    f(group, "dtype", o.dtype, "precision of all arithmetic", "f32", "f64");
    group = "Training";
    f(group, "epochs", o.fit.epochs, "passes over the training samples");
    f(group, "batch", o.fit.batch, "samples per step");
    f(group, "learning-rate", o.fit.learning_rate, "learning rate of Adam");
    f(group, "warmup", o.warmup, "epochs in which it rises to that; 0 = none");
    f(group, "decay", o.decay, "factor of the learning rate after the warm-up");
    f(group, "decay-every", o.decay_every, "epochs between two of these decays");
    f(group, "weight-decay", o.fit.weight_decay, "coupled weight decay of Adam");
    f(group, "gradient-clip", o.fit.gradient_clip, "largest norm of the gradient; 0 = no limit");
    f(group, "average", o.fit.average, "decay per step of an average of the weights, which then is kept; 0 = none");
    f(group, "patience", o.fit.patience, "epochs without a better validation score before it stops; 0 = never");
    f(group, "order", o.order, "order of the samples; published: that of the file, every epoch", "shuffled",
      "published");
  }

  /// All of it as JSON, for the record.
  nlohmann::ordered_json record() const {
    nlohmann::ordered_json json;
    visit(*this, [&](const char*, const char* name, const auto& member, const auto&...) { json[name] = member; });
    return json;
  }

  /// Texts and lists into the options of the library. Throws OptionError.
  void resolve() {
    using namespace lacuna;
    using models::Imagination;
    sdumc.imagination = imagination == "off"     ? Imagination::off
                        : imagination == "input" ? Imagination::input
                                                 : Imagination::transition;
    sdumc.padding = padding == "masked" ? models::Padding::masked : models::Padding::published;
    sdumc.standardize = standardize == "on";
    sdumc.standardize_labels = standardize_labels == "on";
    if (weights.size() != 6) throw OptionError(detail::cat("--loss-weights: ", weights.size(), " numbers, expected 6"));
    for (const double weight : weights)
      if (!(weight >= 0)) throw OptionError("--loss-weights: expected numbers of 0 or more");
    sdumc.weights = {weights[0], weights[1], weights[2], weights[3], weights[4], weights[5]};
    fit.order = order == "shuffled" ? train::Order::shuffled : train::Order::published;
    fit.schedule =
        warmup == 0 ? optim::step_decay(decay_every, decay) : optim::warmup_staircase(warmup, decay_every, decay);
    fit.check();
    if (seeds.empty()) throw OptionError("--seeds: expected at least one");
    for (std::size_t i = 0; i < seeds.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (seeds[i] == seeds[j]) throw OptionError(detail::cat("--seeds: ", seeds[i], " is named twice"));
    if (save_every < 1) throw OptionError(detail::cat("--save-every: ", save_every, ", expected at least 1"));
    if (threads < 0) throw OptionError(detail::cat("--threads: ", threads, ", expected 0 or more"));
    if (resume && overwrite) throw OptionError("--resume and --overwrite exclude each other");
  }
};

/// Values that a preset gives to options the user has not set.
struct Preset {
  const char *name, *what;
  std::vector<std::pair<const char*, const char*>> values;
};
inline const std::vector<Preset>& presets() {
  static const std::vector<Preset> all{
      {"default", "the defaults below", {}},
      {"published",
       "as the authors trained: learning rate 1e-4, order of the file, padded frames take part, labels as they are",
       {{"learning-rate", "1e-4"}, {"order", "published"}, {"padding", "published"}, {"standardize-labels", "off"}}},
  };
  return all;
}

inline void declare(CLI::App& app, TrainOptions& options) {
  app.get_formatter()->column_width(38);
  TrainOptions::visit(
      options, [&](const char* group, const std::string& name, auto& member, const char* help, const auto&... choices) {
        CLI::Option* option = nullptr;
        using Member = std::remove_reference_t<decltype(member)>;
        if constexpr (std::is_same_v<Member, bool>) {
          option = app.add_flag("--" + name, member, help);
        } else {
          option = app.add_option("--" + name, member, help);
          bool shown = true;
          if constexpr (requires { member.empty(); }) shown = !member.empty();  // newer CLI11 would print "{}"
          if (shown) option->capture_default_str();
        }
        if constexpr (lacuna::detail::is_state_list<Member>) option->delimiter(',');
        if constexpr (sizeof...(choices) > 0) option->check(CLI::IsMember(std::vector<std::string>{choices...}));
        option->group(group);
      });
  std::vector<std::string> names;
  std::string help = "values for options that are not set otherwise:";
  for (const Preset& preset : presets()) {
    names.emplace_back(preset.name);
    help += std::string(names.size() > 1 ? "; " : " ") + preset.name + ": " + preset.what;
  }
  app.add_option("--preset", options.preset, help)
      ->capture_default_str()
      ->check(CLI::IsMember(names))
      ->group("Training");
  app.add_option("--seeds", options.seeds, "one training for each, as 1,2,3")
      ->capture_default_str()
      ->delimiter(',')
      ->group("Training");
  const char* group = "Program";
  app.add_option("--out", options.out, "folder of the results; without it runs/NAME, NAME being that of the data")
      ->group(group);
  app.add_flag("--resume", options.resume, "go on with an interrupted run; needs the same options")->group(group);
  app.add_flag("--overwrite", options.overwrite, "start anew although the folder holds an unfinished run")
      ->group(group);
  app.add_option("--save-every", options.save_every, "epochs between two checkpoints")
      ->capture_default_str()
      ->group(group);
  app.add_option("--threads", options.threads, "threads; 0 = all cores. Results do not depend on it")
      ->capture_default_str()
      ->group(group);
  app.add_flag("--quiet", options.quiet, "show no progress")->group(group);
  app.set_config("--config", "", "file with options (TOML or INI: name = value); the command line wins")->group(group);
  app.allow_config_extras(CLI::config_extras_mode::error);
}

/// After parsing: fills in what the preset says and nobody has set.
inline void apply_preset(CLI::App& app, const TrainOptions& options) {
  for (const Preset& preset : presets()) {
    if (preset.name != options.preset) continue;
    for (const auto& [name, value] : preset.values) {
      CLI::Option* option = app.get_option(std::string("--") + name);
      if (option->count() > 0) continue;
      option->add_result(value);
      option->run_callback();
    }
  }
}

}  // namespace support
