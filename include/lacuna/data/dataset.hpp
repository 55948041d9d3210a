/// A data set in memory: named modalities, labels and ids, in three splits that are three types.
///
/// Selection of a model takes a `Split<Role::validation>`; no conversion from `Split<Role::test>` exists, so that test data
/// cannot take part in it.
#pragma once

#include "lacuna/core/words_aside.hpp"
// macros of others stand aside from here on

#include <string>
#include <vector>

#include "lacuna/data/array_names.hpp"
#include "lacuna/data/load_notes.hpp"
#include "lacuna/data/load_options.hpp"
#include "lacuna/data/stream.hpp"

namespace lacuna::data {

inline const char* to_string(Role role) {
  return role == Role::train ? "train" : role == Role::validation ? "valid" : "test";
}

/// One modality of one split. frames (N, T, D) padded with zeros at the end, present (N, T).
/// In a split that lacks the modality altogether T is 1, frames are zero and nothing is present.
struct Modality {
  std::string name;
  Tensor<float, 3> frames;
  Mask<2> present;

  index_t features() const { return frames.extent(2); }
};

template <Role role>
struct Split {
  std::vector<Modality> modalities;  ///< same names and order in all splits
  std::vector<float> labels;         ///< (N) real labels; empty when the set has classes only
  std::vector<index_t> classes;      ///< (N) class ids from 0; empty when the set has real labels only
  std::vector<std::string> ids;      ///< (N) never empty: "0", "1", ... when the file has none
  /// (N) of sets of conversations, else empty: samples of one number, which stand one after the other, are the
  /// utterances of one conversation; who speaks, numbered over the whole set.
  std::vector<index_t> conversations = {}, speakers = {};

  index_t size() const { return index_t(ids.size()); }
  std::vector<std::string> modality_names() const {
    std::vector<std::string> names;
    for (const Modality& modality : modalities) names.push_back(modality.name);
    return names;
  }
};

struct Dataset {
  std::string name;  ///< file name or "synthetic"
  Split<Role::train> train;
  Split<Role::validation> validation;
  Split<Role::test> test;
  index_t class_count = 0;  ///< 0 for regression
  LoadNotes notes = {};     ///< what a loader took, inferred and left out, one line each

  std::vector<std::string> modality_names() const { return train.modality_names(); }
  /// Which streams go missing together: group[m] is the first one that modality m shares its source with, m itself where
  /// there is none before it. audio_mfcc and audio_wav2vec are one group, text_bert belongs to text, simulated_text to audio
  /// (missing/groups.hpp).
  std::vector<std::size_t> groups() const { return lacuna::detail::groups_of(modality_names()); }
  /// Feature sizes, one per modality.
  std::vector<index_t> dimensions() const {
    std::vector<index_t> sizes;
    for (const auto& modality : train.modalities) sizes.push_back(modality.features());
    return sizes;
  }
};

}  // namespace lacuna::data

#include "lacuna/core/words_back.hpp"
