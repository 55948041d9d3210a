/// What training takes away of a batch.
///
///     models::take_away(taught, drop, batch, present, names, context, "SDUMC");   // taught.seen, taught.has
#pragma once

#include <algorithm>

#include "lacuna/missing/sampler.hpp"
#include "lacuna/models/streams.hpp"
#include "lacuna/models/training_batch.hpp"

namespace lacuna::models {

/// Draws masks for the modalities, whose presence (B, T_m) is `present`, cuts `seen` of them and says in `has` what is left.
/// names: of all streams, for those that come from one source (missing/groups.hpp); none: every stream stands alone. A
/// stream behind the modalities, one that stands in for another, loses the samples in which the modality is gone that it
/// was made from. Throws OptionError without a random source, in the name of the model.
template <class T, class D>
void take_away(TrainingBatch<T, D>& taught, const missing::MrmOptions& drop, const data::Batch<T>& batch,
               const std::vector<Mask<2>>& present, const std::vector<std::string>& names, const Context& context,
               const char* model) {
  const std::size_t own = present.size();
  const bool named = names.size() >= own;
  const missing::Groups groups =
      named ? missing::Groups(std::vector<std::string>(names.begin(), names.begin() + std::ptrdiff_t(own)))
            : missing::Groups(own);
  const std::vector<Mask<2>> kept = missing::sample_masks(drop, present, batch.samples, context, model, groups);
  for (std::size_t m = 0; m < own; ++m) {
    if (std::equal(kept[m].data(), kept[m].data() + kept[m].size(), present[m].data())) continue;
    taught.seen[m] = masked_stream(taught.whole[m].frames, to_device<D>(kept[m]));
    taught.has[m] = Present<D>::of(any_present(kept[m]));
  }
  if (!named || names.size() == own) return;
  const missing::Groups all(names);
  for (std::size_t s = own; s < std::min(batch.streams.size(), names.size()); ++s) {
    const std::size_t source = all.first(all.of(s));
    if (source >= own) continue;
    const auto there = [](const Present<D>& some, index_t b) { return !some.defined() || some.host()(b); };
    Mask<2> left = batch.streams[s].present.clone();
    bool fewer = false;
    for (index_t b = 0; b < left.extent(0); ++b) {
      if (!there(taught.had[source], b) || there(taught.has[source], b)) continue;
      std::fill_n(left.data() + b * left.extent(1), left.extent(1), std::uint8_t(0));
      fewer = true;
    }
    if (fewer) taught.seen[s] = masked_stream(taught.whole[s].frames, to_device<D>(left));
  }
}

}  // namespace lacuna::models
