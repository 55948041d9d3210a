/// What a recipe may depend on of the training split.
#pragma once

#include "lacuna/core/shape.hpp"

namespace lacuna::models {

/// 0: not known.
struct SetSize {
  index_t frames = 0;  ///< of the longest sample
  index_t samples = 0;
  /// Fewer than 1000: what robust recipes take as too few for rates and weights that were found on thousands
  /// (docs/research/study.md).
  bool few() const { return samples > 0 && samples < 1000; }
};

}  // namespace lacuna::models
