/// A recipe whose trainings end with a look at the validation split: temperature and shares of class probabilities, errors of
/// real labels (zoo/calibration.hpp). What is found is stored with the model, under "calibration/", and the answers of the
/// training are those that `Predictor` gives. The registry makes every model so.
#pragma once

#include <memory>

#include "lacuna/core/function.hpp"
#include "lacuna/lab/predictions.hpp"
#include "lacuna/lab/system.hpp"
#include "lacuna/ops/mask.hpp"
#include "lacuna/zoo/any_model.hpp"
#include "lacuna/zoo/calibration.hpp"

namespace lacuna::zoo {

/// The subsets of `streams` streams that get a group.
inline std::vector<std::vector<std::uint8_t>> calibrated_subsets(std::size_t streams) {
  std::vector<std::vector<std::uint8_t>> all;
  if (streams <= 6) {
    for (std::size_t bits = (std::size_t(1) << streams); bits-- > 0;) {
      all.emplace_back(streams);
      for (std::size_t m = 0; m < streams; ++m) all.back()[m] = std::uint8_t((bits >> m) & 1);
    }
    return all;
  }
  for (const std::uint8_t rest : {1, 0}) {
    all.emplace_back(streams, rest);
    for (std::size_t m = 0; m < streams; ++m) {
      all.emplace_back(streams, rest);
      all.back()[m] = std::uint8_t(1 - rest);
    }
  }
  return all;
}

/// Errors of a group at most, of samples evenly spaced in the split: a file does not grow with the data.
inline constexpr index_t most_errors = 2000;

/// The errors |y − ŷ| of a split with real labels. predict(batch of any number of samples) → one number per sample, `prior`
/// where nothing is present. Throws Error where the split has no labels.
template <class Predict>
Calibration validation_errors(const Predict& predict, const data::Split<data::Role::validation>& split, double prior) {
  if (index_t(split.labels.size()) != split.size() || split.size() == 0)
    throw Error("calibration: intervals need a validation split with real labels");
  Calibration kept;
  const auto subsets = calibrated_subsets(split.modalities.size());
  std::vector<missing::MaskSet> masks;
  for (const auto& subset : subsets) {
    missing::MissingSpec spec{.name = "calibration"};
    for (const std::uint8_t present : subset) spec.absent.push_back(std::uint8_t(!present));
    masks.push_back(missing::sample_masks(spec, split));
  }
  const auto answers = train::unchecked_predictions<float>(
      [&](const data::Batch<float>& part) { return lab::predict_or_prior(predict, part, prior); }, split, masks,
      lab::batch_for(split));
  std::vector<std::vector<std::uint8_t>> has;  // of every stream and sample
  for (const data::Modality& modality : split.modalities) {
    const Mask<1> any = any_present(modality.present);
    has.emplace_back(any.data(), any.data() + any.size());
  }
  const index_t step = (split.size() + most_errors - 1) / most_errors;
  for (std::size_t g = 0; g < subsets.size(); ++g) {
    std::vector<double> errors;
    for (index_t n = 0; n < split.size(); n += step) {
      bool whole = std::isfinite(split.labels[std::size_t(n)]);
      for (std::size_t m = 0; m < has.size(); ++m) whole = whole && (!subsets[g][m] || has[m][std::size_t(n)]);
      const double error = std::abs(double(split.labels[std::size_t(n)]) - answers(index_t(g), n));
      if (whole) errors.push_back(std::isfinite(error) ? error : std::numeric_limits<double>::infinity());
    }
    std::sort(errors.begin(), errors.end());
    kept.subsets.insert(kept.subsets.end(), subsets[g].begin(), subsets[g].end());
    kept.counts.push_back(index_t(errors.size()));
    kept.errors.insert(kept.errors.end(), errors.begin(), errors.end());
  }
  return kept;
}

/// From Trained::state, with or without a card.
using Loader = Function<std::shared_ptr<const AnyModel>(const State&)>;

/// Temperature and shares of a model of classes. Throws Error where the validation split has no class ids.
inline Calibration class_calibration(const AnyModel& model, const data::Split<data::Role::validation>& split,
                                     const train::CalibrationOptions& options) {
  Calibration kept;
  kept.assumed = options.assumed;
  kept.prior = options.prior;
  if (!options.temperature) return kept;
  std::vector<double> p;
  std::vector<index_t> labels;
  const missing::MissingSpec complete;
  const missing::MaskSet masks[] = {missing::sample_masks(complete, split)};
  train::under_masks<float>(split, masks, lab::batch_for(split), [&](index_t, index_t first, const auto& batch) {
    const Outputs out = model(batch, {.probabilities = true});
    const auto any = lab::anything_present(batch);
    for (index_t b = 0; b < batch.size(); ++b) {
      if (!any[std::size_t(b)]) continue;
      p.insert(p.end(), out.probabilities.data() + b * model.classes(),
               out.probabilities.data() + (b + 1) * model.classes());
      labels.push_back(split.classes.at(std::size_t(first + b)));
    }
  });
  if (labels.empty()) throw Error("calibration: the validation split has no sample of which something is present");
  const auto classes = std::size_t(model.classes());
  std::vector<double> weights;  // the split's shares become those that the scores assume
  if (!options.assumed.empty()) {
    std::vector<double> shares(classes, 0.0);
    for (const index_t k : labels) shares.at(std::size_t(k)) += 1 / double(labels.size());
    for (std::size_t k = 0; k < classes; ++k) weights.push_back(shares[k] > 0 ? options.assumed[k] / shares[k] : 0);
  }
  const auto scores = Calibration::logarithms(Tensor<double, 2>::from({index_t(labels.size()), model.classes()}, p));
  kept.temperature = train::temperature(scores, labels, weights);
  return kept;
}

/// Predictions of a model of classes after calibration: one class id per sample.
inline std::vector<double> calibrated_classes(const AnyModel& model, const Calibration& kept,
                                              const data::Batch<float>& batch) {
  Outputs out = model(batch, {.probabilities = true});
  kept.apply(out.probabilities);
  std::vector<double> answers;
  for (index_t b = 0; b < batch.size(); ++b) {
    const double* row = out.probabilities.data() + b * model.classes();
    answers.push_back(double(std::max_element(row, row + model.classes()) - row));
  }
  return answers;
}

/// classes: K, or 0 for real labels. load: what makes a model of the state of a training.
inline lab::System calibrated(lab::System system, index_t classes, Loader load) {
  const auto answer_so = [load](lab::Trained& trained, const Calibration& kept, const State& state) {
    if (kept.prior.empty()) return;  // a temperature moves no decision
    trained.predict = [model = load(state), kept](const data::Batch<float>& batch) {
      const NoGrad off;
      return calibrated_classes(*model, kept, batch);
    };
  };
  system.train = [inner = system.train, options = system.calibration, classes, load,
                  answer_so](const lab::TrainJob& job) -> std::optional<lab::Trained> {
    std::optional<lab::Trained> trained = inner(job);
    if (!trained || trained->state.values().empty()) return trained;
    Calibration kept;
    if (classes == 0) {
      if (job.data.validation.labels.empty()) return trained;
      kept = validation_errors(trained->predict, job.data.validation, lab::prior(job.data.train, 0));
    } else {
      if (!options.temperature && options.prior.empty() && options.assumed.empty()) return trained;
      const auto model = options.temperature ? load(trained->state) : nullptr;
      kept = model ? class_calibration(*model, job.data.validation, options)
                   : Calibration{.assumed = options.assumed, .prior = options.prior};
      answer_so(*trained, kept, trained->state);
    }
    State own;
    own.put_fields(kept);
    trained->state.put("calibration", own);
    return trained;
  };
  if (system.restore)
    system.restore = [inner = system.restore, classes, answer_so](const State& state) {
      lab::Trained trained = inner(state);
      if (classes == 0 || !state.contains("calibration/temperature")) return trained;
      answer_so(trained, Calibration::from(state.under("calibration"), 0, classes), state);
      return trained;
    };
  return system;
}

}  // namespace lacuna::zoo
