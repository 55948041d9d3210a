/// Loading a data set of any known format: lacuna's own .npz, or what data/formats/import.hpp reads.
///
///     const data::Dataset set = data::formats::load("aligned_50.pkl");
///     const data::Dataset other = data::formats::load("mosi-process", {.modalities = {"audio", "text"}},
///                                                     {.features = {"audio=wavlm-large-FRA", "text=roberta-FRA"}});
///
/// What is imported is checked and split as an .npz is (data/load.hpp), with the same options and errors; the lines of
/// the import come first in `Dataset::notes`. Samples without a label: `Unlabelled`.
#pragma once

#include "lacuna/core/words_aside.hpp"
// macros of others stand aside from here on

#include "lacuna/data/formats/import.hpp"
#include "lacuna/data/load.hpp"

namespace lacuna::data::formats {

/// Of arrays that were imported.
inline Dataset load(Arrays arrays, const LoadOptions& load = {}, bool drop_unlabelled = true) {
  leave_out_unlabelled(arrays, load.label, drop_unlabelled);
  const io::Npz file = arrays.npz();
  Dataset dataset = load_arrays(file, load);
  if (dataset.class_count > 0 && file.contains("class_names"))  // a class without samples is one, too
    dataset.class_count = std::max(dataset.class_count, file.header("class_names").shape[0]);
  LoadNotes notes = arrays.notes();
  notes.insert(notes.end(), dataset.notes.begin(), dataset.notes.end());
  dataset.notes = std::move(notes);
  return dataset;
}

/// `class_names`: where to put the names that the file has for its classes. Throws IoError, OptionError.
inline Dataset load(const std::string& path, const LoadOptions& options = {}, const ImportOptions& how = {},
                    std::vector<std::string>* class_names = nullptr) {
  Recognised found{how.format};
  if (how.format.empty()) found = recognise(path);
  const auto take_names = [&](const io::Npz& file) {
    if (class_names != nullptr && file.contains("class_names")) *class_names = file.get("class_names").strings();
  };
  if (found.format == "npz") {
    refuse_unused(found.format, how);
    const io::Npz file(path);
    take_names(file);
    return load_arrays(file, options);
  }
  if ((found.format == "gcnet" || found.format == "cosmic") && how.features.empty())
    throw IoError(path +
                  ": holds labels and folds, its features are folders of NAME.npy: --features "
                  "audio=FOLDER,text=FOLDER");
  Arrays arrays = import(path, how, std::move(found));
  take_names(arrays.npz());
  return load(std::move(arrays), options, how.unlabelled != Unlabelled::keep);
}

}  // namespace lacuna::data::formats

#include "lacuna/core/words_back.hpp"
