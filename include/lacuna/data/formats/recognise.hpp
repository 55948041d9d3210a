/// What a file or folder is, by its first bytes and by the shape of what is in it, never by its name.
///
///     formats::recognise("aligned_50.pkl").format      // "mmsa"
///
/// Errors are IoError: a file that is nothing known says what it looks like and what is known.
#pragma once

#include "lacuna/data/formats/feature_folder.hpp"
#include "lacuna/io/pickle.hpp"

namespace lacuna::data::formats {

/// Names for --format, and what each is.
struct FormatName {
  const char *name, *what;
};
inline constexpr FormatName known_formats[] = {
    {"npz", "lacuna's own .npz"},
    {"safetensors", "the same arrays in safetensors, as convert writes them"},
    {"mmsa", "pickle of MMSA, LNLN, DMD, CH-SIMS, MMSA-FET"},
    {"mmsa_single", "pickle of one sample (MMSA_test)"},
    {"one_split", "pickle of one split: language, acoustic, visual, labels"},
    {"misa", "list of samples: MISA, MMIM, CubeMLP; or the folder of its three files"},
    {"mag_bert", "dictionary of three lists of samples"},
    {"mult", "pickle of MulT and MultiBench"},
    {"lmf", "pickle of LMF and TFN: covarep, facet, glove"},
    {"dialoguernn", "nine dictionaries: DialogueRNN, DialogueGCN, MELD"},
    {"gcnet", "GCNet: six or seven dictionaries and folds; features are folders"},
    {"cosmic", "COSMIC: transcripts and folds"},
    {"bclstm", "bc-LSTM: seven arrays"},
    {"meld_embeddings", "three dictionaries of vectors"},
    {"urfunny", "folder of UR-FUNNY"},
    {"mertools", "folder of MERTools, MERBench, SDUMC: features/ and label*.npz"},
    {"csv_folder", "folder of CSV features with a label.csv"},
    {"csd", "folder of computational sequences (needs HDF5)"},
    {"mfn", "folder of MFN and SMIL: y_train.h5 and so on (needs HDF5)"},
    {"mmin", "folder of MMIN: A/, V/, L/ of HDF5 and target/ (needs HDF5)"},
    {"mat", "MATLAB: several views and labels"},
};
inline std::string format_names() {
  std::string list;
  for (const FormatName& one : known_formats) list += (list.empty() ? "" : ", ") + std::string(one.name);
  return list;
}

struct Recognised {
  std::string format;
  std::optional<io::Value> pickle = {};  ///< where it is one, so that it is read once
};

inline bool has_all(const io::Value& value, std::initializer_list<std::string_view> keys) {
  return std::all_of(keys.begin(), keys.end(), [&](std::string_view key) { return value.get(key).has_value(); });
}

/// Of the object in a pickle; empty when it is of no known form.
inline std::string format_of(const io::Value& root) {
  if (root.is_dict()) {
    std::optional<io::Value> split = root.get(std::string_view("train"));
    for (const char* other : {"valid", "test"})
      if (!split) split = root.get(std::string_view(other));
    if (split && split->is_dict()) {
      if (has_all(*split, {"covarep", "facet", "glove"})) return "lmf";
      if (has_all(*split, {"labels", "text", "audio", "vision"})) return "mult";
      for (const char* modality : {"text", "audio", "vision"})
        if (split->get(std::string_view(modality))) return "mmsa";
      return "";
    }
    if (split && split->has_items() && split->size() > 0 && (*split)[0].has_items()) return "mag_bert";
    if (root.size() > 0 && root.value(0).is_dict() && root.value(0).get(std::string_view("train"))) {
      const auto inner = root.value(0).get(std::string_view("train"));
      if (inner->is_dict() && has_all(*inner, {"covarep", "facet", "glove"})) return "lmf";
    }
    const auto text = root.get(std::string_view("text"));
    if (text && is_numeric_array(*text) && text->shape().rank() == 2 && has_all(root, {"audio", "vision"}) &&
        !root.get(std::string_view("labels")))
      return "mmsa_single";
    if (has_all(root, {"language", "acoustic", "visual"}) || (text && root.get(std::string_view("labels"))))
      return "one_split";
    return "";
  }
  if (!root.has_items() || root.size() == 0) return "";
  const std::size_t n = root.size();
  if (root[0].is_dict()) {
    std::size_t dictionaries = 0;
    while (dictionaries < n && root[dictionaries].is_dict()) ++dictionaries;
    if (n == 3 && dictionaries == 3) return "meld_embeddings";
    if (n == 9 && dictionaries >= 6) return "dialoguernn";
    if ((n == 6 || n == 7) && dictionaries == 4) {
      // The third is speakers of GCNet, words, or sentiments of COSMIC, numbers.
      const io::Value third = root[2].size() > 0 ? root[2].value(0) : root[2];
      const bool words = third.has_items() && (third.size() == 0 || third[0].is_string());
      return n == 6 || words ? "gcnet" : "cosmic";
    }
    if ((n == 6 || n == 7) && dictionaries == 3) return "cosmic";
    return "";
  }
  if (n == 7 && is_numeric_array(root[0]) && root[0].shape().rank() == 3) return "bclstm";
  if (root[0].has_items() && root[0].size() >= 2 && root[0][0].has_items() && root[0][0].size() >= 3) return "misa";
  return "";
}

/// Whether these are lines of text in columns. Pickles of protocol 0 are text too: of lists and dictionaries
/// they begin with a bracket.
inline bool is_table(std::span<const std::uint8_t> bytes) {
  std::size_t separators = 0;
  for (const std::uint8_t byte : bytes.first(std::min<std::size_t>(bytes.size(), 65536))) {
    if (byte == '\n' || byte == '\r') break;
    if (byte < ' ' && byte != '\t') return false;
    separators += byte == ',' || byte == ';' || byte == '\t';
  }
  return separators > 0 && bytes[0] != 0x80 && bytes[0] != '(';
}

/// Of a folder or a file.
inline Recognised recognise(const std::string& path) {
  if (kind_of_path(path) == PathKind::folder) {
    const auto there = [&](const char* name) { return kind_of_path(path + "/" + name) != PathKind::none; };
    if (there("label.csv")) return {"csv_folder"};
    if (there("features")) return {"mertools"};
    if (there("train.pkl") && (there("dev.pkl") || there("valid.pkl") || there("test.pkl"))) return {"misa"};
    if (there("data_folds.pkl")) return {"urfunny"};
    if (there("y_train.h5") || there("y_test.h5")) return {"mfn"};
    if (!names_in(path, ".csd").empty()) return {"csd"};
    if (there("target") && (there("A") || there("V") || there("L"))) return {"mmin"};
    for (const char* split : {"train", "dev", "valid", "test"})
      if (const std::string one = split + std::string(".pkl"); there(one.c_str()))
        throw IoError(path + ": has " + one +
                      " and no other split of three (train.pkl, dev.pkl, test.pkl); give the file");
    throw IoError(
        path +
        ": is a folder with neither features/ and label*.npz (mertools), train.pkl and dev.pkl (misa), "
        "data_folds.pkl (urfunny), label.csv (csv_folder), y_train.h5 (mfn), target/ (mmin) nor *.csd; give one "
        "of its files, or --format");
  }
  const auto file = std::make_shared<io::MappedFile>(path);
  const auto bytes = file->bytes();
  using lacuna::detail::starts_with;
  if (starts_with(bytes, "PK\x03\x04") || starts_with(bytes, "PK\x05\x06")) return {"npz"};
  if (starts_with(bytes, "\x89HDF\r\n\x1a\n"))
    throw IoError(path + ": is one HDF5 file; data sets are the folder of them (csd, mfn): give the folder");
  if (starts_with(bytes, "MATLAB")) return {"mat"};
  const auto word = [&](std::size_t at) { return lacuna::detail::load_little<std::uint32_t>(bytes.data() + at); };
  if (bytes.size() >= 20 && word(0) < 5000 && word(12) <= 1 && word(16) > 0 && word(16) < 64)
    return {"mat"};  // as level 4 begins: kind of numbers, rows, columns, complex or not, length of the name
  if (bytes.size() > 8 && bytes[8] == '{' && lacuna::detail::load_little<std::uint64_t>(bytes.data()) < bytes.size())
    return {"safetensors"};
  lacuna::detail::refuse_strangers(*file, "a data set");
  if (!bytes.empty() && (bytes[0] == '{' || bytes[0] == '['))
    throw IoError(path + ": looks like JSON, expected a data set: " + format_names());
  if (is_table(bytes))
    throw IoError(path +
                  ": is a table as text, expected a data set; as tables it is a folder: label.csv, and a folder of "
                  "one .csv a sample for each modality (csv_folder)");
  io::PickleFile opened = io::open_pickle(file);
  std::string format = format_of(opened.value);
  if (format.empty())
    throw IoError(lacuna::detail::cat(path, ": is a pickle of ", opened.value.describe(),
                                      ", no data set of a form that is known: ", format_names()));
  return {std::move(format), std::move(opened.value)};
}

}  // namespace lacuna::data::formats
