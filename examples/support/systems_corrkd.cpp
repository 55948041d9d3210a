// CorrKD and its ablations.
#include "lacuna/models/corrkd/corrkd.hpp"
#include "lacuna/models/corrkd/presets.hpp"
#include "systems_learner.hpp"

namespace support {
namespace {

lacuna::lab::System make_corrkd(const ModelSpec& spec, const std::string& variant, const SystemRequest& request) {
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

}  // namespace

std::vector<SystemEntry> corrkd_systems() {
  const std::vector<Variant> variants{{"without-scd", "no sample-level contrast"},
                                      {"without-cpd", "no prototypes"},
                                      {"without-rcd", "KL divergence in the place of response disentanglement"},
                                      {"student", "no teacher: the student alone under random missing"}};
  return {{"corrkd", "CorrKD, preset 'paper'", variants, make_corrkd}};
}

}  // namespace support
