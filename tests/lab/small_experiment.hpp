/// Runs whose predictions are made up, so that every table has a value that can be worked out by hand.
#pragma once

#include "lacuna/data/synthetic.hpp"
#include "lacuna/lab/compare.hpp"

namespace lacuna::test {

inline data::Corpus small_corpus() {
  return data::synthetic({.samples = 40, .seed = 3, .validation = 10, .test = 12, .max_frames = 4});
}

/// Predictions label + offset under every condition.
inline lab::Run run_with_offset(std::uint64_t seed, const std::vector<double>& labels, std::size_t conditions,
                                double offset) {
  lab::Run run;
  run.seed = seed;
  run.epochs = 5;
  run.best_epoch = 3;
  run.validation_score = 0.5 + offset;
  run.parameters = 123;
  run.predictions = Tensor<double, 2>({index_t(conditions), index_t(labels.size())});
  for (std::size_t c = 0; c < conditions; ++c)
    for (std::size_t n = 0; n < labels.size(); ++n)
      run.predictions(index_t(c), index_t(n)) = labels[n] + offset * double(c + 1);
  return run;
}

struct SmallExperiment {
  data::Corpus corpus = small_corpus();
  lab::Plan plan;
  train::Targets targets;
  std::vector<lab::ModelRuns> models;

  explicit SmallExperiment(const std::vector<std::string>& protocols = {"p1", "p1-intra"})
      : plan(lab::make_plan(protocols, corpus.test)), targets(train::targets_of(corpus.test, 0)) {
    const std::size_t all = plan.size();
    models.push_back({"constant", "mean label", {run_with_offset(0, targets.values, all, 2)}});
    models.push_back({"one, \"two\" & <three>",
                      "width=3",
                      {run_with_offset(1, targets.values, all, 0.5), run_with_offset(2, targets.values, all, 0.75)}});
  }
  lab::Results results(index_t draws = 50) const {
    auto results =
        lab::make_results(models, plan.protocols, targets, {"mae", "acc2_non0"}, "constant", {.draws = draws});
    results.config = {{"models", "constant & <others>"}, {"seeds", "1, 2"}};
    results.data = {{"name", "synthetic"}, {"crc32", "00000000"}};
    return results;
  }
};

}  // namespace lacuna::test
