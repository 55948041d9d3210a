/// Whether a set can be trained on at all: samples and labels in the training and in the validation split.
///
///     data::require_trainable(set);   // before anything takes time
#pragma once

#include "lacuna/core/words_aside.hpp"
// macros of others stand aside from here on

#include "lacuna/core/error.hpp"
#include "lacuna/data/dataset.hpp"

namespace lacuna::data {

/// Throws IoError with the set, the split, and the arrays that are missing. The test split may be empty, or without labels.
inline void require_trainable(const Dataset& set) {
  const auto look = [&](const auto& split, const char* name, const char* what_for) {
    using lacuna::detail::cat;
    if (split.size() == 0)
      throw IoError(cat(set.name, ": there are no samples for ", what_for, "; expected arrays ", name, "_MODALITY and ",
                        name, "_label or ", name, "_class"));
    if (split.labels.empty() && split.classes.empty())
      throw IoError(cat(set.name, ": the ", split.size(), " samples of ", name, " have no labels; expected an array ",
                        name, "_label (N) or ", name, "_class (N), or the name of another (option label)"));
  };
  look(set.train, "train", "training");
  look(set.validation, "valid", "validation");
}

}  // namespace lacuna::data

#include "lacuna/core/words_back.hpp"
