/// The last part of load_npz: what the numbers of one array may be, and what of them looks odd. Masks and lengths meet
/// the frames here, before absent frames are set to 0.
#pragma once

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "lacuna/data/dataset.hpp"

namespace lacuna::detail {

/// How many NaN and infinite numbers an array holds, and the first place; they are set to 0.
struct NonFiniteNumbers {
  index_t nans = 0, infinities = 0, first = -1;

  void visit(float& x, index_t place) {
    ++(std::isnan(x) ? nans : infinities);
    if (first < 0) first = place;
    x = 0;
  }
};

/// Frames that are all zeros, against what is called present.
struct MaskEvidence {
  index_t present = 0, absent = 0, present_zero = 0, absent_numbers = 0;

  void visit(bool here, bool zero) {
    ++(here ? present : absent);
    present_zero += here && zero;
    absent_numbers += !here && !zero;
  }
  /// Most frames called present hold nothing, and most others hold numbers.
  bool inverted() const { return absent > 0 && 2 * present_zero > present && 2 * absent_numbers > absent; }
};

/// The frames of a modality in which everything is 0.
inline std::vector<bool> zero_frames(const Tensor<float, 3>& frames) {
  const index_t rows = frames.extent(0) * frames.extent(1), features = frames.extent(2);
  std::vector<bool> zero(static_cast<std::size_t>(rows));
  for (index_t r = 0; r < rows; ++r)
    zero[std::size_t(r)] =
        std::all_of(frames.data() + r * features, frames.data() + (r + 1) * features, [](float x) { return x == 0; });
  return zero;
}

/// A share in whole percent: "37 %".
inline std::string percent(index_t part, index_t whole) {
  return cat(whole > 0 ? (100 * part + whole / 2) / whole : 0, " %");
}

/// Ids that come twice in a list, and those that stand in `before` as well.
struct RepeatedIds {
  index_t repeated = 0, foreign = 0;

  RepeatedIds(const std::vector<std::string>& ids, std::set<std::string>& before) {
    std::set<std::string> own;
    for (const std::string& id : ids) {
      repeated += !own.insert(id).second;
      foreign += before.count(id) != 0;
    }
    before.merge(own);
  }
};

}  // namespace lacuna::detail
