// The models that can be compared, by name: how each is made for a data set and trained unless told otherwise. A new
// one is an entry of `system_entries`, and its ablations are variants of it.
#pragma once

#include <algorithm>
#include <functional>

#include "lacuna/lab/prior.hpp"
#include "lacuna/lab/system.hpp"
#include "lacuna/models/baselines/early_fusion.hpp"
#include "lacuna/models/baselines/mmin.hpp"
#include "lacuna/models/baselines/modality_dropout_transformer.hpp"
#include "lacuna/models/baselines/ridge.hpp"
#include "lacuna/models/corrkd/corrkd.hpp"
#include "lacuna/models/corrkd/presets.hpp"
#include "lacuna/models/sdumc/sdumc.hpp"
#include "systems_spec.hpp"

namespace support {

/// What every recipe is given.
struct SystemRequest {
  std::vector<std::string> modalities;
  std::vector<lacuna::index_t> inputs;  ///< feature size of every modality
  lacuna::index_t classes = 0;          ///< K, or 0 for real labels
  Settings common;                      ///< options of training that the user has set for all models
};

struct Variant {
  std::string name, what;
};
/// `variants`: what may follow the name after a hyphen; they are the rows of its ablation table.
struct SystemEntry {
  std::string name, what;
  std::vector<Variant> variants;
  std::function<lacuna::lab::System(const ModelSpec&, const std::string& variant, const SystemRequest&)> make;
};

/// A learner whose options are visited. `couple(options, fit, is_set)` lets options follow those of training.
template <class Model, class Options, class Couple>
lacuna::lab::System learner(const ModelSpec& spec, const SystemRequest& request, Options options,
                            lacuna::train::FitOptions fit, const std::string& schedule, Couple&& couple) {
  using namespace lacuna;
  // the options of training first: some options of models follow them
  apply_settings(request.common, [&](auto&& f) { visit_training(fit, f); });
  const Settings own = apply_settings(spec.settings, [&](auto&& f) { visit_training(fit, f); });
  couple(options, fit);
  Settings unknown = apply_settings(own, [&](auto&& f) { Options::visit(options, f); });
  std::string recipe, known;
  const auto note = [&](const std::string& name, const auto& value) {
    recipe += name + "=" + value_text(name, value) + " ";
    known += (known.empty() ? "" : ", ") + name;
  };
  visit_training(fit, note);
  recipe += "schedule=" + schedule + " ";
  Options::visit(options, note);
  recipe.pop_back();
  if (!unknown.empty())
    throw OptionError("model '" + spec.text + "' has no option '" + unknown[0].first + "'; it has " + known);
  fit.check();
  (void)Model(options, Random(0));  // refuses impossible sizes now
  return lab::make_system<Model>(spec.text, std::move(recipe), fit,
                                 [options](std::uint64_t seed) { return Model(options, Random(seed)); });
}

inline lacuna::lab::System make_constant(const ModelSpec& spec, const std::string&, const SystemRequest& request) {
  using namespace lacuna;
  if (!spec.settings.empty()) throw OptionError("model 'constant' has no options");
  return lab::make_fitted(spec.text, request.classes > 0 ? "most frequent class" : "mean label", 1,
                          [classes = request.classes](const data::Dataset& data) {
                            return [value = lab::prior(data.train, classes)](const auto& split) {
                              return std::vector<double>(std::size_t(split.size()), value);
                            };
                          });
}

inline lacuna::lab::System make_ridge(const ModelSpec& spec, const std::string&, const SystemRequest& request) {
  using namespace lacuna;
  if (!spec.settings.empty()) throw OptionError("model 'ridge' has no options");
  if (request.classes > 0) throw OptionError("model 'ridge' predicts real labels, the data have class ids");
  index_t numbers = 1;
  for (const index_t in : request.inputs) numbers += in;
  return lab::make_fitted(spec.text, "trained on complete data; an absent modality is its mean", numbers,
                          [](const data::Dataset& data) { return models::Ridge(data.train, data.validation); });
}

/// The networks of models/baselines, all inside models::Supervised.
template <class Model>
lacuna::lab::System make_baseline(const ModelSpec& spec, const SystemRequest& request, typename Model::Options o) {
  using namespace lacuna;
  o.inputs = request.inputs;
  o.classes = request.classes;
  const train::FitOptions fit{
      .epochs = 40, .batch = 64, .learning_rate = 1e-3, .schedule = optim::cosine(40), .clip = 1};
  return learner<Model>(spec, request, o, fit, "cosine", [](auto& options, auto& training) {
    training.schedule = optim::cosine(training.epochs);
    if constexpr (requires { options.pretraining; })
      options.pretraining = {training.epochs, training.batch, training.learning_rate, training.clip};
  });
}
inline lacuna::lab::System make_early_fusion(const ModelSpec& spec, const SystemRequest& request, bool drop) {
  lacuna::models::EarlyFusionOptions o;
  if (drop) o.drop = lacuna::models::modality_dropping();
  return make_baseline<lacuna::models::EarlyFusion<>>(spec, request, o);
}

inline lacuna::lab::System make_corrkd(const ModelSpec& spec, const std::string& variant,
                                       const SystemRequest& request) {
  using namespace lacuna;
  const auto recipe = models::corrkd_preset("paper", request.classes > 0 ? "iemocap" : "mosi", request.inputs);
  models::CorrkdOptions o = recipe.model;
  o.labels = request.classes > 0 ? models::CorrkdLabels::classes : models::CorrkdLabels::regression;
  o.classes = request.classes;
  o.standardize = true;
  o.clip = 5;
  if (variant == "without-scd") o.loss.scd = 0;
  if (variant == "without-cpd") o.loss.cpd = 0;
  if (variant == "without-rcd") o.loss.response = models::ResponseLoss::kl;
  if (variant == "student") o.distill = false;
  train::FitOptions fit{.epochs = recipe.epochs,
                        .batch = recipe.batch,
                        .learning_rate = recipe.rate,
                        .schedule = 1.0,
                        .weight_decay = 0,
                        .clip = recipe.clip};
  return learner<models::Corrkd<>>(spec, request, o, fit, "constant", [](auto& options, const auto& training) {
    options.teacher = {training.epochs, training.batch, training.learning_rate, training.clip};
  });
}

inline lacuna::lab::System make_sdumc(const ModelSpec& spec, const std::string& variant, const SystemRequest& request,
                                      bool any_subset) {
  using namespace lacuna;
  models::SdumcOptions o;
  o.inputs = request.inputs;
  o.classes = request.classes;
  const auto& names = request.modalities;
  const auto text = std::find(names.begin(), names.end(), "text") - names.begin();
  o.missing = text < std::ptrdiff_t(names.size()) ? index_t(text) : 0;
  if (any_subset) o.drop = missing::mrm_preset("mplmm");
  if (variant == "without-mia") o.imagination = models::Imagination::off;
  if (variant == "without-rnc") o.weights.contrast = 0;
  if (variant == "without-text") o.weights.text = 0;
  if (variant == "without-query") o.weights.query = 0;
  if (variant == "without-feature") o.weights.feature = 0;
  ModelSpec own = spec;  // the modality that may be missing goes by its name
  for (auto& [option, value] : own.settings)
    for (std::size_t m = 0; option == "missing" && m < names.size(); ++m)
      if (value == names[m]) value = std::to_string(m);
  return learner<models::Sdumc<>>(own, request, o, {}, "warm-up 5, then x 0.9 every 10", [](auto&, const auto&) {});
}

inline const std::vector<SystemEntry>& system_entries() {
  static const std::vector<Variant> corrkd{{"without-scd", "no sample-level contrast"},
                                           {"without-cpd", "no prototypes"},
                                           {"without-rcd", "KL divergence in the place of response disentanglement"},
                                           {"student", "no teacher: the student alone under random missing"}};
  static const std::vector<Variant> sdumc{{"without-mia", "no imagination autoencoders"},
                                          {"without-rnc", "no Rank-N-Contrast"},
                                          {"without-text", "no loss between queries"},
                                          {"without-query", "no loss between contents"},
                                          {"without-feature", "no loss between fused features"}};
  using namespace lacuna::models;
  static const std::vector<SystemEntry> all{
      {"constant", "the training prior, whatever is present; always there", {}, make_constant},
      {"ridge", "ridge regression on time averages, complete data", {}, make_ridge},
      {"early-fusion",
       "averages side by side and a perceptron, complete data",
       {},
       [](const auto& spec, const auto&, const auto& request) { return make_early_fusion(spec, request, false); }},
      {"early-fusion-drop",
       "the same with modalities dropped at random",
       {},
       [](const auto& spec, const auto&, const auto& request) { return make_early_fusion(spec, request, true); }},
      {"modality-dropout-transformer",
       "one Transformer over all frames, modalities dropped at random",
       {},
       [](const auto& spec, const auto&, const auto& request) {
         return make_baseline<ModalityDropoutTransformer<>>(spec, request, {});
       }},
      {"mmin",
       "MMIN: an autoencoder imagines what is missing",
       {},
       [](const auto& spec, const auto&, const auto& request) { return make_baseline<Mmin<>>(spec, request, {}); }},
      {"corrkd", "CorrKD, preset 'paper'", corrkd, make_corrkd},
      {"sdumc", "SDUMC as published: one modality may be missing", sdumc,
       [](const auto& spec, const auto& variant, const auto& request) {
         return make_sdumc(spec, variant, request, false);
       }},
      {"sdumc-any", "SDUMC whose training takes away any subset", sdumc,
       [](const auto& spec, const auto& variant, const auto& request) {
         return make_sdumc(spec, variant, request, true);
       }},
  };
  return all;
}

/// Throws OptionError for a name that no entry has.
inline lacuna::lab::System make_model(const ModelSpec& spec, const SystemRequest& request) {
  const SystemEntry* best = nullptr;
  std::string known;
  for (const SystemEntry& entry : system_entries()) {
    known += (known.empty() ? "" : ", ") + entry.name;
    if (spec.name != entry.name && spec.name.rfind(entry.name + "-", 0) != 0) continue;
    const std::string variant = spec.name == entry.name ? "" : spec.name.substr(entry.name.size() + 1);
    const bool has = variant.empty() || std::any_of(entry.variants.begin(), entry.variants.end(),
                                                    [&](const Variant& one) { return one.name == variant; });
    if (has && (best == nullptr || entry.name.size() > best->name.size())) best = &entry;
  }
  if (best == nullptr)
    throw lacuna::OptionError("there is no model '" + spec.name + "'; there are " + known +
                              "; --list-models shows their variants");
  return best->make(spec, spec.name == best->name ? "" : spec.name.substr(best->name.size() + 1), request);
}

/// A system and all its variants, the rows of an ablation table. Throws OptionError.
inline std::vector<std::string> ablation_of(const std::string& name) {
  std::string known;
  for (const SystemEntry& entry : system_entries()) {
    if (entry.variants.empty()) continue;
    known += (known.empty() ? "" : ", ") + entry.name;
    if (entry.name != name) continue;
    std::vector<std::string> models{name};
    for (const Variant& variant : entry.variants) models.push_back(name + "-" + variant.name);
    return models;
  }
  throw lacuna::OptionError("there is no ablation table of '" + name + "'; there are those of " + known);
}

}  // namespace support
