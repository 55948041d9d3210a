/// What training takes away of a batch.
///
///     models::take_away(taught, drop, batch, present, names, context, "SDUMC");   // taught.kept, has and lost
///     taught.see();                                                               // taught.seen
#pragma once

#include <algorithm>

#include "lacuna/missing/sampler.hpp"
#include "lacuna/models/streams.hpp"
#include "lacuna/models/training_batch.hpp"

namespace lacuna::models {

/// Draws masks for the modalities, whose presence (B, T_m) is `present`, and says in `has` and `lost` what is left of whom.
/// names: of all streams, for those that come from one source (missing/groups.hpp); none: every stream stands alone. A
/// stream behind the modalities, one that stands in for another, loses the samples in which the modality is gone that it
/// was made from. Throws OptionError without a random source, in the name of the model.
template <class T>
void take_away(TrainingBatch<T>& taught, const missing::MrmOptions& drop, const data::Batch<T>& batch,
               const std::vector<Mask<2>>& present, const std::vector<std::string>& names, const Context& context,
               const char* model) {
  const std::size_t own = present.size();
  const bool named = names.size() >= own;
  const missing::Groups groups =
      named ? missing::Groups(std::vector<std::string>(names.begin(), names.begin() + std::ptrdiff_t(own)))
            : missing::Groups(own);
  const auto there = [](const Present<Cpu>& some, index_t b) { return !some.defined() || some.host()(b); };
  const std::vector<Mask<2>> kept = missing::sample_masks(drop, present, batch.samples, context, model, groups);
  taught.kept.assign(kept.begin(), kept.end());
  taught.lost.clear();
  for (std::size_t m = 0; m < own; ++m) {
    taught.has[m] = Present<Cpu>::of(any_present(kept[m]));
    Mask<1> lost({present[m].extent(0)});
    for (index_t b = 0; b < lost.size(); ++b) lost(b) = there(taught.had[m], b) && !there(taught.has[m], b);
    taught.lost.push_back(Present<Cpu>::of(lost));
  }
  if (!named || names.size() == own) return;
  const missing::Groups all(names);
  taught.kept.resize(batch.streams.size());
  for (std::size_t s = own; s < std::min(batch.streams.size(), names.size()); ++s) {
    const std::size_t source = all.first(all.of(s));
    if (source >= own) continue;
    Mask<2> left = batch.streams[s].present.clone();
    for (index_t b = 0; b < left.extent(0); ++b) {
      if (!there(taught.had[source], b) || there(taught.has[source], b)) continue;
      std::fill_n(left.data() + b * left.extent(1), left.extent(1), std::uint8_t(0));
    }
    taught.kept[s] = left;
  }
}

}  // namespace lacuna::models
