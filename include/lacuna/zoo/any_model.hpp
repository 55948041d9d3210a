/// A trained model, whatever its type: what predictors and programs ask of it.
///
///     const std::shared_ptr<const zoo::AnyModel> model = zoo::registry().load(state);
///     const zoo::Outputs out = (*model)(batch, {.probabilities = true});
///
/// Const calls may run in any number of threads at once.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/data/stream.hpp"
#include "lacuna/missing/spec.hpp"

namespace lacuna::zoo {

/// What is computed besides the values.
struct Wanted {
  bool probabilities = false;  ///< of classes; a model of real labels has none
  bool embedding = false;      ///< the joint representation, where the model has one
  bool attention = false;      ///< attention weights, where the model has them
};

struct Outputs {
  List<double> values;                                             ///< (B) a real label, or a class id
  Tensor<double, 2> probabilities = {};                            ///< (B, K), or undefined
  Tensor<double, 2> embedding = {};                                ///< (B, E), or undefined
  List<double> deviation = {};                                     ///< (B) of an ensemble's members; else empty
  List<std::pair<std::string, Tensor<double, 2>>> attention = {};  ///< name → (B, W); empty where there are none
};

class AnyModel {
 public:
  virtual ~AnyModel() = default;
  /// Frames (B, T_m, D_m) and present (B, T_m) of every stream the model was trained with, in that order. Throws Error
  /// where something is wanted that the model does not have.
  virtual Outputs operator()(const data::Batch<float>& batch, const Wanted& wanted) const = 0;
  /// K of class ids, 0 for real labels.
  virtual index_t classes() const = 0;
  /// What the model is meant for: everything, and what may be missing. names: of its streams.
  virtual std::vector<missing::MissingSpec> conditions(const std::vector<std::string>& names) const = 0;
  /// Whether it has attention weights.
  virtual bool attends() const { return false; }
  /// Numbers that were trained.
  virtual index_t parameters() const = 0;
};

}  // namespace lacuna::zoo
