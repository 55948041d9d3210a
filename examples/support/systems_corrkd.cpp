// CorrKD and its ablations.
#include "lacuna/models/corrkd/corrkd.hpp"
#include "lacuna/models/corrkd/presets.hpp"
#include "systems_learner.hpp"

namespace support {
namespace {

lacuna::lab::System make_corrkd(const ModelSpec& spec, const std::string& variant, const SystemRequest& request,
                                const std::string& preset) {
  using namespace lacuna;
  auto labels = models::CorrkdLabels::regression;  // of real labels, unless the user makes classes of them
  for (const auto& [option, value] : spec.settings)
    if (option == "labels") set_value(option, value, labels);
  const auto recipe = models::corrkd_preset(preset, "any", request.inputs, request.classes, labels);
  const bool robust = preset == "robust";
  models::CorrkdOptions o = recipe.model;
  if (variant == "without-scd") o.loss.scd = 0;
  if (variant == "without-cpd") o.loss.cpd = 0;
  if (variant == "without-rcd") {
    if (o.labels == models::CorrkdLabels::regression)
      o.loss.rcd = 0;  // predictions are pulled by their square difference in both: leave it out
    else
      o.loss.response = models::ResponseLoss::kl;
  }
  if (variant == "student") o.distill = false;
  const train::FitOptions fit{.epochs = recipe.epochs,
                              .batch = recipe.batch,
                              .learning_rate = recipe.learning_rate,
                              .schedule = recipe.schedule,
                              .weight_decay = recipe.weight_decay,
                              .gradient_clip = recipe.gradient_clip};
  const auto couple = [robust](auto& options, auto& training) {
    auto& teacher = options.teacher;
    if (robust) {  // its teachers have a schedule of their own
      training.schedule = models::corrkd_robust_schedule(training.epochs);
      teacher.epochs = std::min(teacher.epochs, training.epochs);
      return;
    }
    teacher.epochs = training.epochs;
    teacher.batch = training.batch;
    teacher.learning_rate = training.learning_rate;
    teacher.gradient_clip = training.gradient_clip;
  };
  return learner<models::Corrkd<>>(spec, request, o, fit, robust ? "cosine, the last fifth flat" : "constant", couple);
}

}  // namespace

std::vector<SystemEntry> corrkd_systems() {
  const std::vector<Variant> variants{
      {"without-scd", "no sample-level contrast"},
      {"without-cpd", "no prototypes"},
      {"without-rcd", "KL divergence in the place of response disentanglement; real labels: neither"},
      {"student", "no teacher: the student alone under random missing"}};
  return {{"corrkd", "CorrKD, preset 'paper'", variants,
           [](const auto& spec, const auto& variant, const auto& request) {
             return make_corrkd(spec, variant, request, "paper");
           }},
          {"corrkd-robust", "CorrKD, preset 'robust': made for the hardest patterns", variants,
           [](const auto& spec, const auto& variant, const auto& request) {
             return make_corrkd(spec, variant, request, "robust");
           }}};
}

}  // namespace support
