/// The predictions of one trained model under every condition of a plan.
#pragma once

#include "lacuna/data/batch.hpp"
#include "lacuna/lab/plan.hpp"
#include "lacuna/lab/prior.hpp"

namespace lacuna::lab {

/// (C, N), conditions in the order of the plan. predict(batch) → one number per sample; a sample of which nothing is
/// present gets the prior. Conditions with equal masks are predicted once. Throws Error when a prediction is not
/// finite.
template <class Predict, data::Role role>
Tensor<double, 2> predictions(const Predict& predict, const data::Split<role>& split, const Plan& plan, double prior,
                              index_t batch = 512) {
  const index_t samples = split.size();
  Tensor<double, 2> result({index_t(plan.size()), samples});
  std::vector<std::size_t> first;  // the first condition with the same masks
  std::vector<std::string> hashes;
  for (const auto& protocol : plan.protocols)
    for (const auto& condition : protocol.conditions) {
      const auto same = std::find(hashes.begin(), hashes.end(), condition.masks);
      first.push_back(std::size_t(same - hashes.begin()));
      hashes.push_back(condition.masks);
    }
  for (const auto& chosen : data::consecutive_batches(split, batch)) {
    const auto complete = data::gather<float>(split, chosen);
    for (std::size_t c = 0; c < plan.size(); ++c) {
      if (first[c] != c) continue;
      const std::vector<double> some = predict_or_prior(predict, missing::apply(plan.masks[c], complete), prior);
      for (std::size_t i = 0; i < some.size(); ++i) {
        if (!std::isfinite(some[i]))
          throw Error(detail::cat("prediction of sample '", split.ids[std::size_t(chosen[i])], "' under '",
                                  plan.masks[c].name, "' is ", some[i], ", expected a finite number"));
        result(index_t(c), chosen[i]) = some[i];
      }
    }
  }
  for (std::size_t c = 0; c < plan.size(); ++c)
    if (first[c] != c)
      std::copy_n(result.data() + index_t(first[c]) * samples, samples, result.data() + index_t(c) * samples);
  return result;
}

}  // namespace lacuna::lab
