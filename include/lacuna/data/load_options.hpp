/// What a loader takes from a file, and how strict it is. See load.hpp.
#pragma once

#include <string>
#include <vector>

namespace lacuna::data {

enum class NonFinite { refuse, zero };

struct LoadOptions {
  /// Which modalities, in this order; empty: all, first audio, text and video (the order of SDUMC), then as in the file.
  std::vector<std::string> modalities = {};
  /// Which modalities not.
  std::vector<std::string> exclude = {};
  /// "label2" takes {split}_label2 and no other label: floating as real labels, integers as classes.
  std::string label = {};
  /// Present features that are NaN or infinite.
  NonFinite non_finite = NonFinite::refuse;
  /// Where neither length nor mask is given, a frame whose features are all 0 is absent.
  bool infer_padding = false;
};

}  // namespace lacuna::data
