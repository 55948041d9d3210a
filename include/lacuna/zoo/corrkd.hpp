/// CorrKD and its ablations as entries of the registry.
#pragma once

#include "lacuna/models/corrkd/corrkd.hpp"
#include "lacuna/models/corrkd/presets.hpp"
#include "lacuna/zoo/entry.hpp"

namespace lacuna::zoo {

/// preset: paper or robust (models/corrkd/presets.hpp).
inline DraftOf<models::CorrkdOptions> corrkd_draft(const std::string& preset) {
  return [preset](const std::string& variant, const Request& request, const Settings& own) {
    auto labels = models::CorrkdLabels::regression;  // of real labels, unless the user makes classes of them
    for (const auto& [option, value] : own)
      if (option == "labels") set_value(option, value, labels);
    const auto recipe = models::corrkd_preset(preset, "any", request.inputs, request.classes, labels,
                                              {.frames = request.frames, .samples = request.samples});
    const bool robust = preset == "robust";
    Draft<models::CorrkdOptions> draft{recipe.model,
                                       {.fit = {.epochs = recipe.epochs,
                                                .batch = recipe.batch,
                                                .learning_rate = recipe.learning_rate,
                                                .weight_decay = recipe.weight_decay,
                                                .gradient_clip = recipe.gradient_clip},
                                        .schedule = robust ? Course::flat_cosine : Course::constant,
                                        .balance = robust ? Balance::automatic : Balance::none,
                                        .balance_by = Balance::samples},
                                       {}};
    models::CorrkdOptions& o = draft.model;
    if (variant == "without-scd") o.loss.scd = 0;
    if (variant == "without-cpd") o.loss.cpd = 0;
    if (variant == "without-rcd") {
      if (o.labels == models::CorrkdLabels::regression)
        o.loss.rcd = 0;  // predictions are pulled by their square difference in both: leave it out
      else
        o.loss.response = models::ResponseLoss::kl;
    }
    if (variant == "student") o.distill = false;
    draft.couple = [robust](models::CorrkdOptions& options, Training& training) {
      auto& teacher = options.teacher;
      if (robust) {  // its teachers have a schedule of their own
        teacher.epochs = std::min(teacher.epochs, training.fit.epochs);
        return;
      }
      teacher.epochs = training.fit.epochs;
      teacher.batch = training.fit.batch;
      teacher.learning_rate = training.fit.learning_rate;
      teacher.gradient_clip = training.fit.gradient_clip;
    };
    return draft;
  };
}

template <class T, class D = Cpu>
Backend corrkd_backend(const std::string& preset) {
  return backend_of<models::Corrkd<T, D>>(corrkd_draft(preset));
}

#ifdef LACUNA_ZOO_PARTS
extern template Backend corrkd_backend<float, Cpu>(const std::string&);
extern template Backend corrkd_backend<double, Cpu>(const std::string&);
#endif

inline void add_corrkd(Registry& to) {
  const std::vector<Variant> variants{
      {"without-scd", "no sample-level contrast"},
      {"without-cpd", "no prototypes"},
      {"without-rcd", "KL divergence in the place of response disentanglement; real labels: neither"},
      {"student", "no teacher: the student alone under random missing"}};
  for (const auto& [name, preset, what] :
       {std::tuple("corrkd", "paper", "CorrKD, preset 'paper'"),
        std::tuple("corrkd-robust", "robust", "CorrKD, preset 'robust': made for the hardest patterns")}) {
    Entry entry{.name = name, .what = what, .paper = "Li et al., CVPR 2024, arXiv 2404.16456", .variants = variants};
    entry.options = options_of<models::CorrkdOptions>(name, corrkd_draft(preset));
    to.add(std::move(entry), {corrkd_backend<float>(preset), corrkd_backend<double>(preset)});
  }
}

}  // namespace lacuna::zoo
