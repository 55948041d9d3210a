/// Loading a data set from one .npz file whose arrays are named `{split}_{what}`, split being train, valid or test.
///
///   {split}_{modality}             floating (f2 f4 f8), (N, T, D), or (N, D), which is T = 1
///   {split}_length, {split}_mask   (N) number of present frames, from the first; (N, T) of 0 and 1: for all sequences
///   {split}_{modality}_length, {split}_{modality}_mask   the same for one modality, in place of the shared ones
///   {split}_label                  (N) real labels;  {split}_class (N) integers from 0
///   {split}_id                     (N) strings or integers
///
/// A length and a mask together mean what both allow; without either all frames are present. A modality that a split
/// lacks is absent there: T = 1, zeros, nothing present. A split that the file lacks is empty. All other arrays are
/// skipped; `Dataset::notes` lists them, with what else a user should know (ids that repeat, for one). Absent
/// frames are set to 0: what padding holds (NaN, often) never matters.
///
/// Checked: present features and labels are finite, all arrays of a split have the same N and of a modality the same D,
/// lengths lie in 0..T, masks are 0 or 1, classes in 0..65535. Errors are IoError (file, array, found, expected), and
/// OptionError for an option that names what is not there.
#pragma once

#include "lacuna/data/npz_loader.hpp"

namespace lacuna::data {

/// Throws IoError, OptionError.
inline Dataset load_npz(const std::string& path, const LoadOptions& options = {}) {
  const io::Npz file(path);
  lacuna::detail::NpzLoader loader(file, options);
  Dataset dataset;
  dataset.name = path.substr(path.rfind('/') + 1);
  loader.load(dataset.train);
  loader.load(dataset.validation);
  loader.load(dataset.test);
  dataset.class_count = loader.class_count();
  dataset.notes = loader.notes();
  return dataset;
}

}  // namespace lacuna::data
