/// SDUMC's training objective over both flows.
#pragma once

#include "lacuna/losses/classification.hpp"
#include "lacuna/losses/distillation.hpp"
#include "lacuna/losses/objective.hpp"
#include "lacuna/losses/ranking.hpp"
#include "lacuna/models/sdumc/network.hpp"

namespace lacuna::models {

/// With f = 0 the complete and f = 1 the missing flow, sg = stop-gradient, rms = root of the mean square:
///   MSE_f   = mean (ŷ^f − y)²
///   L_text  = rms(q^1 − sg q^0), q the query of the missing modality
///   L_query = rms(C^1 − sg C^0), C its content
///   L_feat  = rms(z^1 − z^0), both flows pulled
///   L_rnc   = Rank-N-Contrast over the two views ρ^0, ρ^1, τ = 2, slack 1e-4
/// With class ids as labels, cross-entropy of ŷ^f stands for MSE_f and supervised contrast over both views for L_rnc: two
/// samples are close when they are of one class, the only order that class ids have.
/// Terms whose weight is 0 are computed for the record but take no part in the gradient.
template <class T, class D = Cpu>
struct SdumcLosses {
  Variable<T, 0, D> full, missing, text, query, feature, contrast, total;

  LossTerms<T, D> terms() const {
    LossRecord<T, D> record;
    record.note("full", full);
    record.note("missing", missing);
    record.note("text", text);
    record.note("query", query);
    record.note("feature", feature);
    record.note("contrast", contrast);
    return {total, record.numbers()};
  }
};

/// The terms between the flows, and the total.
template <class T, class D>
void add_distillation(SdumcLosses<T, D>& losses, const SdumcFlows<T, D>& flows, const SdumcWeights& weights,
                      const Present<D>& complete_present) {
  const SdumcFlow<T, D>&zero = flows.complete, &one = flows.missing;
  losses.text = rmse_loss(one.missing_query(), zero.missing_query().detach(), complete_present.mask());
  losses.query = rmse_loss(one.missing_content(), zero.missing_content().detach(), complete_present.mask());
  losses.feature = rmse_loss(one.fused, zero.fused, complete_present.mask());
  losses.total = weighted_total(
      List<Variable<T, 0, D>>{losses.full, losses.missing, losses.text, losses.query, losses.feature, losses.contrast},
      List<double>{weights.full, weights.missing, weights.text, weights.query, weights.feature, weights.contrast});
}

/// labels (B). complete_present (B): samples that have the missing-able modality at all; the others take part in the missing
/// flow only. Undefined = all have it.
template <class T, class D>
SdumcLosses<T, D> sdumc_objective(const SdumcFlows<T, D>& flows, const Given<Labels<D, T>>& labels,
                                  const SdumcWeights& weights, RankNContrastOptions contrast = {},
                                  const Given<Present<D>>& complete_present = {}) {
  const Variable<T, 2, D> target(Tensor<T, 2, D>(labels.there().reshaped({labels.size(), 1})));
  SdumcLosses<T, D> losses;
  losses.full = mse_loss(flows.complete.prediction, target, complete_present.mask());
  losses.missing = mse_loss(flows.missing.prediction, target);
  losses.contrast =
      rank_n_contrast(flows.complete.contrast, flows.missing.contrast, labels, contrast, complete_present);
  add_distillation(losses, flows, weights, complete_present);
  return losses;
}

/// The same for class ids (B).
template <class T, class D>
SdumcLosses<T, D> sdumc_class_objective(const SdumcFlows<T, D>& flows, const Given<Labels<D>>& classes,
                                        const SdumcWeights& weights, SupConOptions contrast = {},
                                        const Given<Present<D>>& complete_present = {}) {
  SdumcLosses<T, D> losses;
  losses.full = cross_entropy(flows.complete.prediction, classes, {}, complete_present);
  losses.missing = cross_entropy(flows.missing.prediction, classes);
  losses.contrast = supcon_loss(flows.complete.contrast, flows.missing.contrast, classes, contrast, complete_present);
  add_distillation(losses, flows, weights, complete_present);
  return losses;
}

}  // namespace lacuna::models
