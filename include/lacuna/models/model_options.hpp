/// What every model can be told, and how it is read off any model's options.
#pragma once

#include "lacuna/missing/sampler.hpp"
#include "lacuna/models/task.hpp"

namespace lacuna::models {

/// What every model can be told. A network with options of its own repeats those of these members that it wants; what
/// it leaves out is as here.
struct ModelOptions {
  std::vector<index_t> inputs = {};                        ///< feature size of every modality
  index_t classes = 0;                                     ///< K class ids as labels; 0: one real label
  LabelKind labels = LabelKind::regression;                ///< what is made of real labels
  bool one_vs_rest = false;                                ///< a two-way head for every class
  RegressionLoss loss = RegressionLoss::mse;               ///< of real labels
  missing::MrmOptions drop = missing::mrm_preset("none");  ///< what training takes away
  bool standardize = true;  ///< features, and real labels, to mean 0 and deviation 1 of the training split
  double feature_clip = 5;  ///< of standardised features, in deviations; 0 = never

  /// Scores per sample.
  index_t outputs() const;
  /// Also of any other options: those of their members that have these names.
  static void reflect(auto& self, auto&& visit) {
    visit("inputs", self.inputs);
    if constexpr (requires { self.classes; }) visit("classes", self.classes);
    if constexpr (requires { self.labels; }) visit("labels", self.labels);
    if constexpr (requires { self.one_vs_rest; }) visit("one_vs_rest", self.one_vs_rest);
    if constexpr (requires { self.loss; }) visit("loss", self.loss);
    if constexpr (requires { self.drop; }) missing::MrmOptions::reflect(self.drop, visit);
    if constexpr (requires { self.standardize; }) visit("standardize", self.standardize);
    if constexpr (requires { self.feature_clip; }) visit("feature_clip", self.feature_clip);
  }
};

/// What the baselines lose in training: with probability 0.7 a sample keeps one of its incomplete subsets of
/// modalities, all equally likely.
inline missing::MrmOptions modality_dropping() { return missing::mrm_preset("mplmm"); }

/// The task that options ask for.
template <class Options>
Task task_of(const Options& o, const char* model) {
  Task task{.model = model};
  if constexpr (requires { o.classes; }) task.classes = o.classes;
  bool asked = false;  // a kind that is not the options' default was chosen
  if constexpr (requires { LabelKind(o.labels); }) {
    task.kind = o.labels;
    asked = Options().labels != LabelKind::regression;
  }
  if (task.classes != 0 && !asked && task.kind == LabelKind::regression) task.kind = LabelKind::classes;
  if constexpr (requires { o.one_vs_rest; }) task.one_vs_rest = o.one_vs_rest;
  if constexpr (requires { RegressionLoss(o.loss); }) task.regression_loss = o.loss;
  if constexpr (requires { o.loss.smoothing; }) task.smoothing = o.loss.smoothing;
  return task;
}
inline index_t ModelOptions::outputs() const { return task_of(*this, "model").outputs(); }

/// Where the options hold feature sizes, what training takes away, and scaling.
template <class Options>
const std::vector<index_t>& inputs_of(const Options& o) {
  if constexpr (requires { o.inputs; })
    return o.inputs;
  else
    return o.network.inputs;
}
template <class Options>
missing::MrmOptions drop_of(const Options& o) {
  if constexpr (requires { o.drop; })
    return o.drop;
  else if constexpr (requires { o.mrm; })
    return o.mrm;
  else
    return ModelOptions().drop;
}

}  // namespace lacuna::models
