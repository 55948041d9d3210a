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

/// One pass over the frames of a modality, a piece at a time: absent frames become 0, as do NaN and infinite numbers
/// of present ones, which are counted. `infer`: frames of zeros are absent.
class FrameCleaner {
 public:
  FrameCleaner(Mask<2>& present, index_t features, bool infer)
      : present_(present), features_(features), infer_(infer) {}

  MaskEvidence evidence;
  NonFiniteNumbers bad;

  void operator()(index_t first, index_t count, float* x) {
    for (index_t r = first; r < first + count; ++r, x += features_) {
      std::uint8_t& here = present_.data()[r];
      const bool zero = std::all_of(x, x + features_, [](float number) { return number == 0; });
      evidence.visit(here != 0, zero);
      if (infer_) here = !zero;
      if (!here) std::fill_n(x, features_, 0.0f);
      for (index_t d = 0; here && d < features_; ++d)
        if (!std::isfinite(x[d])) bad.visit(x[d], r * features_ + d);
    }
  }

 private:
  Mask<2>& present_;
  index_t features_;
  bool infer_;
};

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
