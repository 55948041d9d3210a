/// What a loader takes from a file, and how strict it is. See load.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lacuna::data {

enum class Role { train, validation, test };

enum class NonFinite { refuse, zero };

/// What becomes of labels. `required`: every label of a split that has some must be a number, every class at least 0.
/// `optional`: a split with a label that is NaN, infinite or a class below 0 counts as one without labels, with a note.
/// `ignored`: labels are not read.
enum class LabelUse { required, optional, ignored };

struct LoadOptions {
  /// Which modalities, in this order; empty: all, first audio, text and video (the order of SDUMC), then as in the
  /// file. What is named here is taken even when it looks like a label, or comes from another modality.
  std::vector<std::string> modalities = {};
  /// Which modalities not.
  std::vector<std::string> exclude = {};
  /// "label2" takes {split}_label2 and no other label: floating as real labels, integers as classes.
  std::string label = {};
  /// Present features that are NaN or infinite.
  NonFinite non_finite = NonFinite::refuse;
  /// Where neither length nor mask is given, a frame whose features are all 0 is absent.
  bool infer_padding = false;
  /// Taken besides the others where the file has them, whatever they look like: a stand-in stream, for example.
  std::vector<std::string> include = {};
  /// Which splits are read; empty: all. The others stay empty, and what they hold is not looked at.
  std::vector<Role> splits = {};
  LabelUse labels = LabelUse::required;
  /// A folder where features are kept in files without a name instead of in memory (io/scratch_memory.hpp): for data
  /// larger than it. Empty: in memory. The numbers are the same.
  std::string scratch = {};
  /// Where it is not 0, `scratch` is used for data with more bytes of features than this alone, and where the folder has
  /// room for them; a note says so.
  std::uint64_t scratch_above = 0;
};

}  // namespace lacuna::data
