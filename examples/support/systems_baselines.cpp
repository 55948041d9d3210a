// What the systems are compared with.
#include "lacuna/lab/prior.hpp"
#include "lacuna/models/baselines/early_fusion.hpp"
#include "lacuna/models/baselines/mmin.hpp"
#include "lacuna/models/baselines/modality_dropout_transformer.hpp"
#include "lacuna/models/baselines/ridge.hpp"
#include "systems_learner.hpp"

namespace support {
namespace {

lacuna::lab::System make_constant(const ModelSpec& spec, const std::string&, const SystemRequest& request) {
  using namespace lacuna;
  if (!spec.settings.empty()) throw OptionError("model 'constant' has no options");
  return lab::make_fitted(spec.text, request.classes > 0 ? "most frequent class" : "mean label", 1,
                          [classes = request.classes](const data::Dataset& data) {
                            return [value = lab::prior(data.train, classes)](const auto& split) {
                              return std::vector<double>(std::size_t(split.size()), value);
                            };
                          });
}

lacuna::lab::System make_ridge(const ModelSpec& spec, const std::string&, const SystemRequest& request) {
  using namespace lacuna;
  if (!spec.settings.empty()) throw OptionError("model 'ridge' has no options");
  if (request.classes > 0) throw OptionError("model 'ridge' predicts real labels, the data have class ids");
  index_t numbers = 1;
  for (const index_t in : request.inputs) numbers += in;
  return lab::make_fitted(spec.text, "trained on complete data; an absent modality is its mean", numbers,
                          [](const data::Dataset& data) { return models::Ridge(data.train, data.validation); });
}

/// The networks of models/baselines, all inside models::Model. The rate falls to 0 as a cosine, or is constant.
template <class Model>
lacuna::lab::System make_baseline(const ModelSpec& spec, const SystemRequest& request, typename Model::Options o,
                                  lacuna::index_t epochs, bool cosine = true) {
  using namespace lacuna;
  o.inputs = request.inputs;
  o.classes = request.classes;
  const train::FitOptions fit{
      .epochs = epochs, .batch = 64, .learning_rate = 1e-3, .schedule = optim::constant(1), .gradient_clip = 1};
  return learner<Model>(spec, request, o, fit, cosine ? "cosine" : "constant", [cosine](auto& options, auto& training) {
    if (cosine) training.schedule = optim::cosine(training.epochs);
    if constexpr (requires { options.pretraining; })
      options.pretraining = {training.epochs, training.batch, training.learning_rate, training.gradient_clip};
  });
}
lacuna::lab::System make_early_fusion(const ModelSpec& spec, const SystemRequest& request, bool drop) {
  lacuna::models::EarlyFusionOptions o;
  if (drop) o.drop = lacuna::models::modality_dropping();
  return make_baseline<lacuna::models::EarlyFusion<>>(spec, request, o, 150, false);
}

}  // namespace

std::vector<SystemEntry> baseline_systems() {
  using namespace lacuna::models;
  return {
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
         return make_baseline<ModalityDropoutTransformer<>>(spec, request, {}, 60);
       }},
      {"mmin",
       "MMIN: an autoencoder imagines what is missing",
       {},
       [](const auto& spec, const auto&, const auto& request) { return make_baseline<Mmin<>>(spec, request, {}, 40); }},
  };
}

}  // namespace support
