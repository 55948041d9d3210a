/// That every baseline learns: a regression against the constant, classes under every subset of modalities.
#include <doctest/doctest.h>

#include "lacuna/models/baselines/constant.hpp"
#include "lacuna/models/baselines/early_fusion.hpp"
#include "lacuna/models/baselines/mmin.hpp"
#include "lacuna/models/baselines/modality_dropout_transformer.hpp"
#include "lacuna/train/trainer.hpp"
#include "small_sets.hpp"

using namespace lacuna;
using namespace lacuna::models;
using namespace lacuna::test;

namespace {

/// The defaults, narrower.
template <class M>
typename M::Options options_for(const data::Dataset& set) {
  typename M::Options o;
  o.inputs = set.dimensions();
  o.classes = set.class_count;
  o.drop = missing::mrm_preset("mplmm");
  if constexpr (requires { o.num_heads; }) o.width = 16, o.hidden = 32, o.layers = 1;
  if constexpr (requires { o.blocks; }) o.width = 16, o.layers = {32, 16}, o.pretraining.epochs = 5;
  return o;
}
double mean_error(const std::vector<double>& predicted, const std::vector<float>& labels) {
  double sum = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) sum += std::abs(predicted[i] - double(labels[i]));
  return sum / double(labels.size());
}

}  // namespace

TEST_CASE_TEMPLATE("baselines: the synthetic corpus, complete and without text, better than a constant", M,
                   EarlyFusion<float>, ModalityDropoutTransformer<float>, Mmin<float>) {
  const auto corpus = data::synthetic({.samples = 400, .seed = 3, .validation = 100, .test = 200, .max_frames = 4});
  M model(options_for<M>(corpus), Random(1));
  train::Observer quiet;
  train::fit(model, corpus, {.epochs = 12, .batch = 16, .learning_rate = 2e-3, .schedule = optim::constant(1)}, quiet);
  const auto names = corpus.modality_names();
  const double constant = mean_error(Constant(corpus.train)(corpus.test), corpus.test.labels);
  const auto error = [&](const missing::MissingSpec& condition) {
    return mean_error(train::predict(model, corpus.test, condition), corpus.test.labels);
  };
  CHECK(error(missing::without({}, names)) < 0.55 * constant);
  CHECK(error(missing::without({"text"}, names)) < 0.75 * constant);
}

TEST_CASE_TEMPLATE("baselines: classes, from every subset of three modalities", M, EarlyFusion<float>,
                   ModalityDropoutTransformer<float>, Mmin<float>) {
  const auto set = class_set(150);
  M model(options_for<M>(set), Random(1));
  train::Observer quiet;
  train::fit(model, set, {.epochs = 12, .batch = 16, .learning_rate = 3e-3, .schedule = optim::constant(1)}, quiet);
  for (const auto& condition : model.conditions(set.modality_names())) {
    CAPTURE(condition.name);
    const auto predicted = train::predict(model, set.test, condition);
    index_t right = 0;
    for (std::size_t i = 0; i < predicted.size(); ++i) right += predicted[i] == double(set.test.classes[i]);
    CHECK(right > 60);  // chance: 25
  }
}
