/// How a file of another format is read (data/formats/load.hpp).
#pragma once

#include <string>
#include <vector>

namespace lacuna::data::formats {

/// What becomes of samples without a label. `refuse`: an error, except where the format itself has a sign for "none"
/// (-10 of MERTools, an empty field), whose samples are left out. `drop`: they are left out. `keep`: the label is NaN.
enum class Unlabelled { refuse, drop, keep };

struct ImportOptions {
  std::string format = {};  ///< one of `format_names()`; empty: by content
  /// Which folders of features, as "audio=wavlm-large-FRA" or "wavlm-large-FRA": names within the data set's features
  /// folder, or paths. Empty: all of them.
  std::vector<std::string> features = {};
  std::string labels = {};  ///< file of the labels, where a folder has several
  std::string folds = {};   ///< JSON file {"train": [ids], "valid": [...], "test": [...]}: which id is in which split
  std::string part = {};    ///< which of several data sets in one file: an emotion, a test corpus
  std::string split = {};   ///< train, valid or test: what a file with one split is, where its name does not say
  int fold = 0;  ///< session that is the test split, of IEMOCAP's 1 to 5, or MMIN's target/FOLD; 0: as the file says
  double holdout = 0;  ///< share of the training split, whole videos, that becomes the validation split
  Unlabelled unlabelled = Unlabelled::refuse;
};

}  // namespace lacuna::data::formats
