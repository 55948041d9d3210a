/// Loading a data set from one .npz file whose arrays are named `{split}_{what}`, split being train, valid or test.
///
///   {split}_{modality}             floating (f2 f4 f8), (N, T, D), or (N, D), which is T = 1
///   {split}_length, {split}_mask   (N) number of present frames, from the first; (N, T) of 0 and 1: for all sequences
///   {split}_{modality}_length, {split}_{modality}_mask   the same for one modality, in place of the shared ones
///   {split}_label                  (N) real labels;  {split}_class (N) integers from 0
///   {split}_id                     (N) strings or integers
///   {split}_dialogue, {split}_speaker   (N) strings or integers: sets of conversations (docs/data.md)
///
/// A length and a mask together mean what both allow; without either all frames are present. A modality that a split
/// lacks is absent there: T = 1, zeros, nothing present. A split that the file lacks is empty. Absent frames are set to
/// 0: what padding holds (NaN, often) never matters.
///
/// Taken for the same, with a line in `Dataset::notes`: val_, validation_, dev_ where there is no valid_; lengths and
/// masks in the plural; vision and visual for video, acoustic for audio (their lengths); integers (N, T, D) as numbers.
///
/// No modality unless it is named (LoadOptions::modalities, include), again with a line: what is named like a label
/// (label2, emotion, valence, ...), or shaped like one ((N, 1), one-hot rows), what comes from another modality
/// (text_bert beside text), integers with two axes. A modality of a type that is not read (objects, complex numbers,
/// more axes) is an error unless it is excluded. The first note says what was taken, the second what was left out and
/// why; what was inferred, left out or looks odd is marked (data/load_notes.hpp).
///
/// Checked: present features and labels are finite, all arrays of a split have the same N and of a modality the same D,
/// lengths lie in 0..T, masks are 0 or 1, classes in 0..65535. Errors are IoError (file, array, found, expected), and
/// OptionError for an option that names what is not there.
#pragma once

#include "lacuna/core/words_aside.hpp"
// macros of others stand aside from here on

#include "lacuna/data/npz_split.hpp"
#include "lacuna/data/scratch_choice.hpp"

namespace lacuna::data {

/// Of an archive that is open, or of arrays under the same names from elsewhere. Throws IoError, OptionError.
inline Dataset load_arrays(const io::Npz& file, const LoadOptions& options = {}) {
  lacuna::detail::NpzScan scan(file, options);
  const LoadOptions placed = lacuna::detail::place_features(scan, options);
  lacuna::detail::NpzSplit loader(scan, placed);
  Dataset dataset;
  dataset.name = file.path().substr(file.path().rfind('/') + 1);
  loader.load(dataset.train);
  loader.load(dataset.validation);
  loader.load(dataset.test);
  dataset.class_count = loader.class_count();
  dataset.notes = std::move(scan.notes());
  return dataset;
}
/// Throws IoError, OptionError.
inline Dataset load_npz(const std::string& path, const LoadOptions& options = {}) {
  return load_arrays(io::Npz(path), options);
}

}  // namespace lacuna::data

#include "lacuna/core/words_back.hpp"
