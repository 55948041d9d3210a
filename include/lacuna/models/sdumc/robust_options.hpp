/// The options of SDUMC made robust (robust.hpp).
#pragma once

#include <algorithm>
#include <vector>

#include "lacuna/models/model.hpp"

namespace lacuna::models {

/// Weights of the loss terms; a term of weight 0 is not computed.
struct RobustSdumcWeights {
  double full = 0.5, missing = 0.5;  ///< the task, by either flow
  double own = 0.5;                  ///< the task, by the heads of single modalities, in both flows
  double imagined = 0.1;             ///< what is imagined of a modality against the modality
  double feature = 0.1;              ///< fused features of the missing flow against those of the complete one
};

/// What the missing flow loses: one of the incomplete subsets of modalities. Of up to three modalities all are drawn alike;
/// of 4 to 8 all subsets of r modalities share the weight max(1, 4 − r), or one modality alone would hardly be seen.
inline missing::MrmOptions robust_sdumc_drop(index_t modalities = 3) {
  missing::MrmOptions o = missing::mrm_preset("none");
  o.stream_probability = 1;
  if (modalities > 3 && modalities <= 8)
    o.pattern_weights = missing::weights_by_size(
        modalities, [modalities](index_t r) { return r < modalities ? std::max(1.0, 4.0 - double(r)) : 0.0; });
  return o;
}

/// How the joint head j stands beside the own heads of the r modalities that are present, o_m:
///   added     s = 1/r Σ o_m + j               evidence for classes adds up
///   averaged  s = 1/r Σ o_m + (1 − 1/r) j     real labels: each opinion is one of the label; a single modality is answered
///                                             by its own head alone, since there is nothing to join
/// automatic: averaged for real labels, added for classes.
enum class Joint { automatic, added, averaged };

struct RobustSdumcOptions {
  std::vector<index_t> inputs = {};  ///< feature size of every modality, at least two of them
  index_t width = 64;                ///< g, common size
  index_t fused = 64;                ///< h, size of the fused representation
  index_t bottleneck = 0;            ///< of the imagination autoencoders; 0 = width / 2
  double scale = 0.3;                ///< of the attention scores
  double frame_dropout = 0.1;        ///< in both attention stages
  double dropout = 0.1;              ///< in every MLP block
  bool presence = true;              ///< gates and heads also read which modalities are present
  bool normalize_gates = true;       ///< softmax over the present modalities; false: raw numbers, as published
  bool evidence = true;              ///< heads of single modalities beside the joint one
  Joint joint = Joint::automatic;    ///< how they stand beside each other
  bool imagine = true;               ///< an absent modality's query is imagined from the others; false: it is 0
  bool detach = true;                ///< the complete flow teaches and is not pulled; false: both move
  RobustSdumcWeights weights = {};
  index_t classes = 0;                       ///< K class ids as labels; 0: real labels
  LabelKind labels = LabelKind::regression;  ///< what is made of real labels
  RegressionLoss loss = RegressionLoss::mse;
  missing::MrmOptions drop = robust_sdumc_drop();
  bool standardize = true;  ///< features, and real labels, to mean 0 and deviation 1 of the training split
  double feature_clip = 5;  ///< of standardised features, in deviations; 0 = never

  index_t outputs() const { return task_of(*this, "SDUMC").outputs(); }
  bool averaged() const {
    return joint == Joint::averaged || (joint == Joint::automatic && classes == 0 && labels == LabelKind::regression);
  }

  static void reflect(auto& self, auto&& visit) {
    ModelOptions::reflect(self, visit);
    visit("width", self.width);
    visit("fused", self.fused);
    visit("bottleneck", self.bottleneck);
    visit("scale", self.scale);
    visit("frame_dropout", self.frame_dropout);
    visit("dropout", self.dropout);
    visit("presence", self.presence);
    visit("normalize_gates", self.normalize_gates);
    visit("own_heads", self.evidence);
    visit("joint", self.joint);
    visit("imagine", self.imagine);
    visit("detach", self.detach);
    visit("weight_full", self.weights.full);
    visit("weight_missing", self.weights.missing);
    visit("weight_own", self.weights.own);
    visit("weight_imagined", self.weights.imagined);
    visit("weight_feature", self.weights.feature);
  }
};

}  // namespace lacuna::models
