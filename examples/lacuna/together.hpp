// Several trained models as one file (lacuna/zoo/ensemble.hpp), with the errors of a validation split where there is one.
#pragma once

#include "lacuna/lab/prior.hpp"
#include "lacuna/zoo/calibrated.hpp"
#include "lacuna/zoo/predictor.hpp"

namespace program {

/// One number per sample, as laboratories want it.
inline auto answers_of(const lacuna::Predictor& predictor) {
  return [&predictor](const lacuna::data::Batch<float>& batch) {
    const auto values = predictor.outputs(batch).values;
    return std::vector<double>(values.begin(), values.end());
  };
}

/// validation: null, or without real labels: no intervals. Throws OptionError, IoError.
inline lacuna::State calibrated_ensemble(const std::vector<lacuna::State>& members,
                                         const lacuna::data::Split<lacuna::data::Role::validation>* validation) {
  using namespace lacuna;
  State state = zoo::ensemble_of(members);
  const Predictor predictor(state);
  if (validation == nullptr || validation->labels.empty() || predictor.classes() > 0) return state;
  State own;
  own.put_fields(zoo::validation_errors(answers_of(predictor), *validation, predictor.card().prior[0]));
  state.put("calibration", own);
  return state;
}

}  // namespace program
