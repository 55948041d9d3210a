/// A condition of evaluation: which modalities every sample lacks.
#pragma once

#include <string>
#include <vector>

#include "lacuna/data/dataset.hpp"

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
