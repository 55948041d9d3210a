/// A data set of any known format as arrays of lacuna's own schema (data/load.hpp).
///
///     const formats::Arrays arrays = formats::import("unaligned_50.pkl");
///     for (const data::Note& note : arrays.notes()) ...              // every rule that was applied
///
/// Errors are IoError (file, place, found, expected, what to do) and OptionError (a format that is not known).
#pragma once

#include "lacuna/core/words_aside.hpp"
// macros of others stand aside from here on

#include "lacuna/data/formats/convert.hpp"
#include "lacuna/data/formats/csv_folder.hpp"
#include "lacuna/data/formats/dialogue.hpp"
#include "lacuna/data/formats/mertools.hpp"
#include "lacuna/data/formats/misa.hpp"
#include "lacuna/data/formats/mmsa.hpp"
#include "lacuna/data/formats/mult.hpp"
#include "lacuna/data/formats/multiview.hpp"
#include "lacuna/data/formats/recognise.hpp"
#include "lacuna/data/formats/splits.hpp"
#include "lacuna/data/formats/unused_options.hpp"
#include "lacuna/data/formats/urfunny.hpp"
#ifdef LACUNA_HDF5  // the component lacuna::hdf5
#include "lacuna/data/formats/csd_folder.hpp"
#include "lacuna/data/formats/mfn_folder.hpp"
#include "lacuna/data/formats/mmin_folder.hpp"
#endif

namespace lacuna::data::formats {

/// `found` is what the file was recognised as, where that is known. Throws IoError, OptionError. Not for `npz`, which
/// needs no import.
inline Arrays import(const std::string& path, const ImportOptions& options = {}, Recognised found = {}) {
  if (options.format.empty()) {
    if (found.format.empty()) found = recognise(path);
  } else {
    if (std::none_of(std::begin(known_formats), std::end(known_formats),
                     [&](const FormatName& one) { return options.format == one.name; }))
      throw OptionError(
          lacuna::detail::cat("--format: there is no '", options.format, "'; there are ", format_names()));
    found.format = options.format;
  }
  const std::string& format = found.format;
  refuse_unused(format, options);
  Arrays arrays(path);
  const bool folder = kind_of_path(path) == PathKind::folder;
  if (format == "safetensors") arrays = read_safetensors(path);
  if (format == "mat") read_multiview(arrays, path);
  if (!folder && !found.pickle && format != "npz" && format != "safetensors" && format != "mat")
    found.pickle = io::open_pickle(path).value;
  const auto root = [&]() -> const io::Value& {
    if (found.pickle) return *found.pickle;
    throw IoError(
        lacuna::detail::cat(path, ": is ", folder ? "a folder" : "no pickle", ", which format ", format, " is not"));
  };
  for (const FormatName& one : known_formats)
    if (format == one.name) arrays.note(lacuna::detail::cat("format ", format, ": ", one.what), false);
  if (format == "mmsa") MmsaReader(arrays, options).read(root());
  if (format == "mmsa_single") MmsaReader(arrays, options).read_sample(root());
  if (format == "one_split") MmsaReader(arrays, options).read_one_split(root(), split_prefix(arrays, options));
  if (format == "misa" && folder) {
    const std::pair<const char*, const char*> files[] = {
        {"train", "train_"}, {"dev", "valid_"}, {"valid", "valid_"}, {"test", "test_"}};
    for (const auto& [name, prefix] : files)
      if (kind_of_path(path + "/" + name + ".pkl") == PathKind::file)
        read_sample_list(arrays, io::load_pickle(path + "/" + name + ".pkl"), prefix);
  } else if (format == "misa") {
    read_sample_list(arrays, root(), split_prefix(arrays, options));
  }
  if (format == "mag_bert") read_mag_bert(arrays, root());
  if (format == "mult") MultReader(arrays, options).read(root());
  if (format == "lmf") MultReader(arrays, options).read_lmf(root());
  if (format == "dialoguernn") read_dialogue_rnn(arrays, root());
  if (format == "gcnet") read_gcnet(arrays, root(), options);
  if (format == "cosmic") read_cosmic(arrays, root());
  if (format == "bclstm") read_bc_lstm(arrays, root());
  if (format == "meld_embeddings") read_embeddings(arrays, root());
  if (format == "urfunny") read_urfunny(arrays, path);
  if (format == "mertools") MertoolsReader(arrays, options).read(path);
  if (format == "csv_folder") read_csv_folder(arrays, path, options);
  if (format == "csd" || format == "mfn" || format == "mmin") {
#ifdef LACUNA_HDF5
    if (format == "csd") read_csd_folder(arrays, path, options);
    if (format == "mfn") read_mfn_folder(arrays, path);
    if (format == "mmin") read_mmin_folder(arrays, path, options);
#else
    throw IoError(path + ": is HDF5, which this program was built without (libhdf5-dev)");
#endif
  }
  if (arrays.names().empty())
    throw IoError(
        lacuna::detail::cat(path, ": format ", format, " is not read from it; expected one of ", format_names()));
  if (format != "mertools" && format != "csv_folder" && format != "csd" && format != "mmin" &&
      !options.features.empty())
    add_folders(arrays, folder ? path : path.substr(0, path.rfind('/') + 1) + ".", options.features);
  if (format != "csd") apply_folds(arrays, options.folds);  // there it decides what is read
  hold_out(arrays, options.holdout);
  return arrays;
}

}  // namespace lacuna::data::formats

#include "lacuna/core/words_back.hpp"
