/// The predictions of one trained model under every condition of a plan.
#pragma once

#include <algorithm>

#include "lacuna/core/device.hpp"
#include "lacuna/lab/plan.hpp"
#include "lacuna/lab/prior.hpp"
#include "lacuna/train/evaluate.hpp"

namespace lacuna::lab {

/// How many samples are predicted at once: those whose frames are 64 MiB together, 32 at least and 512 at most.
template <data::Role role>
index_t batch_for(const data::Split<role>& split) {
  index_t numbers = 1;
  for (const data::Modality& modality : split.modalities) numbers += modality.present.extent(1) * modality.features();
  return std::clamp<index_t>((index_t(16) << 20) / numbers, 32, 512);
}

/// (C, N), conditions in the order of the plan. predict(batch) → one number per sample; a sample of which nothing is
/// present gets the prior. Conditions with equal masks are predicted once. Throws what train::predictions throws.
template <class Predict, data::Role role>
Tensor<double, 2> predictions(const Predict& predict, const data::Split<role>& split, const Plan& plan, double prior,
                              index_t batch) {
  std::vector<missing::MaskSet> distinct;
  std::vector<std::string> hashes;
  std::vector<std::size_t> row;  // of each condition among the distinct ones
  for (const auto& protocol : plan.protocols)
    for (const auto& condition : protocol.conditions) {
      const auto same = std::find(hashes.begin(), hashes.end(), condition.masks);
      if (same == hashes.end()) distinct.push_back(plan.masks[row.size()]);
      row.push_back(std::size_t(same - hashes.begin()));
      if (same == hashes.end()) hashes.push_back(condition.masks);
    }
  const auto once = train::predictions<float>(
      [&](const data::Batch<float>& part) { return predict_or_prior(predict, part, prior); }, split, distinct, batch);
  Tensor<double, 2> result({index_t(plan.size()), split.size()});
  for (std::size_t c = 0; c < row.size(); ++c)
    std::copy_n(once.data() + index_t(row[c]) * split.size(), split.size(), result.data() + index_t(c) * split.size());
  Cpu::trim();  // batches of these sizes do not come again soon
  return result;
}
/// In batches of `batch_for` samples.
template <class Predict, data::Role role>
Tensor<double, 2> predictions(const Predict& predict, const data::Split<role>& split, const Plan& plan, double prior) {
  return predictions(predict, split, plan, prior, batch_for(split));
}

}  // namespace lacuna::lab
