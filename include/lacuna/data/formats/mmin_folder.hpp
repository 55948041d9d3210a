/// A folder as the authors of MMIN keep IEMOCAP and MSP-IMPROV. Needs the component lacuna::hdf5.
///
///   A/comparE.h5, V/denseface.h5, L/bert_large.h5    one dataset per utterance, [T, D] or [D]; in aligned files a group
///                                                    per utterance, of which `feat` is read
///   target/1/trn_label.npy, trn_int2name.npy         [N, K] one-hot or [N], and [N, 1] names, of val and tst too
///
/// A is audio, V vision, L text. target has one folder per fold: --fold says which, where there are several. Where a
/// folder has several files, --features audio=comparE chooses; `*_mean_std.h5`, statistics by fold, is left out, since
/// features are standardised with the training split of this fold anyway. An utterance without dataset lacks the
/// modality. Utterances are read while they are asked for.
/// Source: AIM3-RUC/MMIN, data/multimodal_dataset.py.
#pragma once

#include <cmath>

#include "lacuna/core/number_text.hpp"
#include "lacuna/data/formats/feature_folder.hpp"
#include "lacuna/data/formats/options.hpp"
#include "lacuna/io/hdf5.hpp"

namespace lacuna::data::formats {

/// The file of one modality: the only one, or the one that `features` names as MODALITY=NAME. Empty: not wanted.
inline std::string mmin_file(const std::string& folder, const std::string& modality,
                             const std::vector<std::string>& features) {
  std::string wanted;
  for (const std::string& one : features)
    if (one.starts_with(modality + "=")) wanted = one.substr(modality.size() + 1);
  if (wanted.empty() && !features.empty()) return "";
  if (!wanted.empty()) return folder + "/" + wanted + (wanted.ends_with(".h5") ? "" : ".h5");
  std::vector<std::string> found = names_in(folder, ".h5");
  std::erase_if(found, [](const std::string& name) { return name.ends_with("_mean_std.h5"); });
  if (found.size() == 1) return folder + "/" + found[0];
  std::string list;
  for (const std::string& name : found) list += (list.empty() ? "" : ", ") + lacuna::detail::printable(name);
  throw IoError(lacuna::detail::cat(folder, ": has ", found.empty() ? "no file of features, *.h5" : list,
                                    "; say which with --features ", modality, "=NAME"));
}

/// The frames of one utterance, length 0 where the file has none. Its header alone is read here.
inline Sequence mmin_sequence(const std::shared_ptr<const io::Hdf5>& file, const std::string& utterance) {
  Sequence sequence;
  sequence.where = file->path() + ": '" + lacuna::detail::printable(utterance) + "'";
  const std::string name = file->contains(utterance) ? utterance : utterance + "/feat";
  if (!file->contains(name)) return sequence;
  const Shape shape = file->header(name).shape;
  if (shape.rank() != 1 && shape.rank() != 2)
    throw IoError(lacuna::detail::cat(sequence.where, " has shape ", shape, ", expected frames (T, D)"));
  if (shape.size() == 0) return sequence;
  sequence.length = shape.rank() == 2 ? shape[0] : 1;
  sequence.features = shape[-1];
  sequence.fill = [file, name](float* to) {
    const std::vector<float> numbers = file->get(name).as<float>();
    std::copy(numbers.begin(), numbers.end(), to);
  };
  return sequence;
}

/// Class ids, of one-hot rows or of numbers. Throws IoError for rows without a largest place, and for other numbers.
inline std::vector<index_t> mmin_classes(const io::NpyArray& labels, const std::string& path, std::size_t samples) {
  const std::vector<double> numbers = labels.as<double>();
  const index_t count = labels.rank() == 2 ? labels.shape()[1] : 1;
  if (labels.rank() < 1 || labels.rank() > 2 || labels.shape()[0] != index_t(samples) || count < 1)
    throw IoError(lacuna::detail::cat(path, ": has shape ", labels.shape(), " for ", samples,
                                      " names, expected one row for each"));
  std::vector<index_t> classes;
  for (std::size_t n = 0; n < samples; ++n) {
    const auto row = numbers.begin() + std::ptrdiff_t(n) * count;
    const auto most = std::max_element(row, row + count);
    if (count > 1 && std::count(row, row + count, *most) != 1)
      throw IoError(lacuna::detail::cat(path, ": row ", n, " names no class, expected one-hot rows"));
    if (count == 1 && !(*row >= 0 && *row <= 1e6 && *row == std::floor(*row)))
      throw IoError(lacuna::detail::cat(path, ": row ", n, " is ", lacuna::detail::general_text(*row, 9),
                                        ", expected a class, 0 to 1e6"));
    classes.push_back(count > 1 ? index_t(most - row) : index_t(*row));
  }
  return classes;
}

inline void read_mmin_folder(Arrays& arrays, const std::string& folder, const ImportOptions& options) {
  using lacuna::detail::cat;
  std::string fold = options.fold > 0 ? std::to_string(options.fold) : "";
  const std::vector<std::string> folds = names_in(folder + "/target", "");
  if (fold.empty() && folds.size() != 1)
    throw IoError(cat(folder, "/target: has ", folds.size(), " folds; say which with --fold, as --fold 1"));
  if (fold.empty()) fold = folds[0];
  const std::string target = folder + "/target/" + fold + "/";
  if (kind_of_path(target) != PathKind::folder) throw IoError(target + ": is no folder; --fold names one of target/");
  const std::pair<const char*, const char*> splits[] = {{"trn", "train_"}, {"val", "valid_"}, {"tst", "test_"}};
  const std::pair<const char*, const char*> streams[] = {{"A", "audio"}, {"V", "vision"}, {"L", "text"}};
  for (const auto& [theirs, prefix] : splits) {
    const std::string names = target + theirs + "_int2name.npy", labels = target + theirs + "_label.npy";
    if (kind_of_path(names) != PathKind::file) continue;
    const std::vector<std::string> ids = io::load_npy(names).strings();
    arrays.strings(std::string(prefix) + "id", ids);
    arrays.integers(std::string(prefix) + "class", mmin_classes(io::load_npy(labels), labels, ids.size()));
  }
  if (arrays.names().empty()) throw IoError(target + ": has none of trn_, val_ and tst_int2name.npy");
  for (const auto& [theirs, modality] : streams) {
    if (kind_of_path(folder + "/" + theirs) != PathKind::folder) continue;
    const std::string path = mmin_file(folder + "/" + theirs, modality, options.features);
    if (path.empty()) continue;
    const auto file = std::make_shared<const io::Hdf5>(path);
    for (const auto& split : splits) {
      const std::string prefix = split.second;
      if (!arrays.contains(prefix + "id")) continue;
      std::vector<Sequence> samples;
      index_t absent = 0;
      for (const std::string& id : arrays.at(prefix + "id").read().strings()) {
        samples.push_back(mmin_sequence(file, id));
        absent += samples.back().length == 0;
      }
      if (absent > 0)
        arrays.note(cat(prefix, modality, ": ", absent, " of ", samples.size(), " utterances are not in ", path,
                        ": the modality is absent there"));
      add_sequences(arrays, prefix + modality, std::move(samples));
    }
  }
  arrays.note(cat("fold ", fold, " of target; classes are numbers, their names are not in the files"));
}

}  // namespace lacuna::data::formats
