/// Published hyper-parameters, by data set.
#pragma once

#include <string>

#include "lacuna/models/corrkd/options.hpp"

namespace lacuna::models {

/// A model and how to train its student; the teacher has the same epochs, batch, rate and clipping.
struct CorrkdRecipe {
  CorrkdOptions model;
  index_t epochs, batch;
  double rate, clip;
};

/// preset: paper (the values remembered from CorrKD's paper, unverified) or hrlf (those its authors print in their next
/// paper, NeurIPS 2024, where the margin is not given and stays). set: mosi, mosei, or iemocap with four classes. Rate
/// constant, Adam without decay, clipping at 0.8; width 40, depth 4, 10 / 8 / 10 heads. Throws OptionError for other
/// names.
inline CorrkdRecipe corrkd_preset(const std::string& preset, const std::string& set, std::vector<index_t> inputs) {
  struct Row {
    const char *preset, *set;
    double rate;
    index_t batch, epochs, heads;
    double margin;
  };
  static constexpr Row rows[] = {
      {"paper", "mosi", 4e-3, 64, 50, 10, 1.2},    {"paper", "mosei", 2e-3, 32, 20, 8, 1.0},
      {"paper", "iemocap", 4e-3, 64, 30, 10, 1.4}, {"hrlf", "mosi", 1e-3, 128, 50, 10, 1.2},
      {"hrlf", "mosei", 2e-3, 16, 20, 8, 1.0},     {"hrlf", "iemocap", 4e-3, 32, 30, 10, 1.4},
  };
  for (const Row& row : rows) {
    if (preset != row.preset || set != row.set) continue;
    CorrkdRecipe recipe{{}, row.epochs, row.batch, row.rate, 0.8};
    CorrkdOptions& o = recipe.model;
    o.network.inputs = std::move(inputs);
    o.network.heads = row.heads;
    o.loss.sample.margin = row.margin;
    if (set == "iemocap") {
      o.labels = CorrkdLabels::classes;
      o.classes = 4;
    }
    o.teacher = {row.epochs, row.batch, row.rate, recipe.clip};
    return recipe;
  }
  throw OptionError("CorrKD: no preset '" + preset + "' for '" + set +
                    "'; presets: paper, hrlf; sets: mosi, mosei, iemocap");
}

}  // namespace lacuna::models
