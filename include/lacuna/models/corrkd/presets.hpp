/// Named sets of hyper-parameters: those published for CorrKD's data sets, and one made for the hardest patterns.
#pragma once

#include <algorithm>
#include <string>

#include "lacuna/models/corrkd/options.hpp"
#include "lacuna/models/set_size.hpp"
#include "lacuna/optim/schedule.hpp"

namespace lacuna::models {

/// A model and how to train its student, with Adam. The teacher has its own schedule in `model.teacher`.
struct CorrkdRecipe {
  CorrkdOptions model;
  index_t epochs, batch;
  double learning_rate, gradient_clip;
  double weight_decay = 0;
  optim::Schedule schedule = 1.0;  ///< factor of the learning rate, by epoch
};

/// Weights for MrmOptions::pattern_weights: all patterns with r modalities share the weight max(1, 4 − r), so that one
/// modality alone is drawn three times as often as all subsets of any size above two.
inline std::vector<double> corrkd_hard_patterns(index_t modalities) {
  return missing::weights_by_size(modalities, [](index_t r) { return std::max(1.0, 4.0 - double(r)); });
}

/// The schedule of `robust` over this many epochs: a cosine down to 2 % over four fifths of them, which then stays. The
/// last fifth hardly moves the weights, so that the choice of an epoch there is no choice of noise.
inline optim::Schedule corrkd_robust_schedule(index_t epochs) {
  return optim::cosine(std::max<index_t>(1, epochs * 4 / 5), 0.02);
}

/// The published method made robust, by options alone (docs/research/corrkd.md says what each of them is worth): attention and
/// means over present frames only; the joint head reads presence flags; every modality has a head of its own, taught
/// by the labels and by the teacher's, and the evidence of the present ones adds up; patterns with few modalities are
/// drawn more often; frames are pooled by attention, so that few of them may tell everything; standardised features. One
/// layer suffices for it. Real labels: they are centred and scaled, frames are looked at one by one, at a smaller rate, and the
/// embedding is scaled by 2 alone, or not at all: how large a frame is tells much of a real label, and the norm behind an
/// embedding far above its positions takes it away. size: of the training split. A single frame has no position that could
/// drown it, and less than 1000 samples do not teach what a scaled embedding needs: class ids then have the weights and the rate
/// of real labels too.
inline CorrkdRecipe corrkd_robust(std::vector<index_t> inputs, CorrkdLabels labels, SetSize size = {}) {
  const bool real = labels == CorrkdLabels::regression;
  const bool few = size.few(), gentle = real || few;
  CorrkdRecipe recipe{{}, real ? 40 : 60, 64, gentle ? 1e-3 : 2e-3, 2.0};
  recipe.schedule = corrkd_robust_schedule(recipe.epochs);
  CorrkdOptions& o = recipe.model;
  const index_t modalities = index_t(inputs.size());
  o.network.inputs = std::move(inputs);
  o.network.width = 64;
  o.network.depth = 1;
  o.network.kernel = real ? 1 : 3;
  // positions do not drown a modality of few features
  o.network.embedding_scale = few ? 1 : !real ? 3 : size.frames == 1 ? 1 : 2;
  o.network.pooling = FramePooling::attention;
  o.network.embedding_dropout = 0.1;
  o.network.gap_mask = GapMask::present;
  o.network.evidence = gentle ? Evidence::mean : Evidence::sum;
  o.network.presence = true;
  o.loss.scd = gentle ? 0.04 : 0.1;  // squared errors of standardised labels are small beside distances of features
  o.loss.cpd = gentle ? 0.4 : 1;
  o.loss.unimodal = 2;
  o.loss.unimodal_response = 4;
  o.loss.divergence.temperature = 2;
  o.loss.sample.normalize = true;
  o.mrm.stream_probability = 1;
  o.mrm.frame_probability = 0.3;
  if (modalities <= 8) o.mrm.pattern_weights = corrkd_hard_patterns(modalities);
  o.teacher = {
      .epochs = real ? 10 : 20, .batch = 64, .learning_rate = 1e-3, .gradient_clip = recipe.gradient_clip, .count = 3};
  o.standardize = true;
  o.standardize_labels = real;
  return recipe;
}

/// preset: paper (the values remembered from CorrKD's paper, unverified), hrlf (those its authors print in their next
/// paper, NeurIPS 2024, where the margin is not given and stays) or robust. set: mosi, mosei, iemocap with four
/// classes, or any: the numbers of iemocap for class ids, of mosi for real labels, and standardised features, since
/// other sets come in units of any size; robust is the same for all. classes: K of class ids, 0 where labels are real;
/// `labels` then says what is made of them; size: of the training split. paper and hrlf: learning rate constant, Adam without decay, clipping at 0.8; width
/// 40, depth 4, 10 / 8 / 10 heads, the teacher trained as the student. Throws OptionError for other names.
inline CorrkdRecipe corrkd_preset(const std::string& preset, const std::string& set, std::vector<index_t> inputs,
                                  index_t classes = 0, CorrkdLabels labels = CorrkdLabels::binary_non0,
                                  SetSize size = {}) {
  struct Row {
    const char *preset, *set;
    double learning_rate;
    index_t batch, epochs, num_heads;
    double margin;
  };
  static constexpr Row rows[] = {
      {"paper", "mosi", 4e-3, 64, 50, 10, 1.2},    {"paper", "mosei", 2e-3, 32, 20, 8, 1.0},
      {"paper", "iemocap", 4e-3, 64, 30, 10, 1.4}, {"hrlf", "mosi", 1e-3, 128, 50, 10, 1.2},
      {"hrlf", "mosei", 2e-3, 16, 20, 8, 1.0},     {"hrlf", "iemocap", 4e-3, 32, 30, 10, 1.4},
  };
  if (set == "iemocap" && classes == 0) classes = 4;
  if (classes > 0) labels = CorrkdLabels::classes;
  const auto label = [&](CorrkdOptions& o) {
    o.labels = labels;
    o.classes = classes;
  };
  const bool any = set == "any";
  const std::string nearest = classes > 0 ? "iemocap" : "mosi";
  if (preset == "robust" && (any || set == "mosi" || set == "mosei" || set == "iemocap")) {
    CorrkdRecipe recipe = corrkd_robust(std::move(inputs), labels, size);
    label(recipe.model);
    return recipe;
  }
  for (const Row& row : rows) {
    if (preset != row.preset || (any ? nearest : set) != row.set) continue;
    CorrkdRecipe recipe{{}, row.epochs, row.batch, row.learning_rate, 0.8};
    CorrkdOptions& o = recipe.model;
    o.network.inputs = std::move(inputs);
    o.network.num_heads = row.num_heads;
    o.loss.sample.margin = row.margin;
    o.standardize = any;
    o.teacher = {.epochs = row.epochs,
                 .batch = row.batch,
                 .learning_rate = row.learning_rate,
                 .gradient_clip = recipe.gradient_clip};
    label(o);
    return recipe;
  }
  throw OptionError("CorrKD: no preset '" + preset + "' for '" + set +
                    "'; presets: paper, hrlf, robust; sets: mosi, mosei, iemocap, any");
}

}  // namespace lacuna::models
