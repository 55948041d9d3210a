/// A condition of evaluation: which modalities every sample lacks.
#pragma once

#include <string>
#include <vector>

#include <algorithm>

#include "lacuna/data/dataset.hpp"
#include "lacuna/missing/pattern.hpp"

namespace lacuna::missing {

/// absent[m] = 1: modality m is taken away from every sample. Empty = nothing is taken away.
struct Condition {
  std::string name = "complete";
  std::vector<std::uint8_t> absent;
};

/// The condition in which the named modalities are missing; called "without-NAME-NAME". Throws OptionError for an unknown name.
inline Condition without(const std::vector<std::string>& missing, const std::vector<std::string>& modalities) {
  Condition condition{missing.empty() ? "complete" : "without", std::vector<std::uint8_t>(modalities.size(), 0)};
  for (const auto& name : missing) {
    std::size_t m = 0;
    while (m < modalities.size() && modalities[m] != name) ++m;
    if (m == modalities.size()) {
      std::string known;
      for (const auto& modality : modalities) known += (known.empty() ? "" : ", ") + modality;
      throw OptionError(detail::cat("missing modality '", name, "' is not in the data; it has ", known));
    }
    condition.absent[m] = 1;
    condition.name += "-" + name;
  }
  return condition;
}

/// Complete, and every subset of the first `own` of up to four modalities; of more, each one missing and each one alone.
inline std::vector<Condition> subset_conditions(const std::vector<std::string>& modalities, std::size_t own) {
  std::vector<Condition> all{without({}, modalities)};
  for (const Pattern& pattern : proper_subsets(index_t(own))) {
    const auto size = std::size_t(std::count(pattern.begin(), pattern.end(), 1));
    if (own > 4 && size != 1 && size + 1 != own) continue;
    std::vector<std::string> lost;
    for (std::size_t m = 0; m < own; ++m)
      if (!pattern[m]) lost.push_back(modalities.at(m));
    all.push_back(without(lost, modalities));
  }
  return all;
}

/// The batch with those modalities absent: presence 0, frames untouched and shared.
template <class T, class D>
data::Batch<T, D> apply(const Condition& condition, data::Batch<T, D> batch) {
  for (std::size_t m = 0; m < condition.absent.size() && m < batch.streams.size(); ++m) {
    if (!condition.absent[m]) continue;
    auto& present = batch.streams[m].present;
    present = Mask<2, D>::zeros(present.extents());
  }
  return batch;
}

}  // namespace lacuna::missing
