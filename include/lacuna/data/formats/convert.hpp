/// Writing a data set that was imported, or any arrays by name, as .npz or safetensors: with ids, lengths, masks, and
/// where it comes from.
///
///     formats::Arrays arrays = formats::import("aligned_50.pkl");
///     formats::save(arrays.npz(), "aligned_50.npz", formats::provenance("aligned_50.pkl", arrays));
///
/// In an .npz the provenance is the array `provenance`, text by line: source, sha256 and the rules that were applied. In
/// safetensors it is metadata, and so are arrays of text, which that format has not: a JSON list under the array's name.
#pragma once

#include "lacuna/core/words_aside.hpp"
// macros of others stand aside from here on

#include "lacuna/data/formats/feature_folder.hpp"
#include "lacuna/io/npz_writer.hpp"
#include "lacuna/io/safetensors_writer.hpp"
#include "lacuna/io/sha256.hpp"

namespace lacuna::data::formats {

/// Lines on where arrays come from. Reads all lazy arrays' notes that have been made so far. Throws IoError.
inline std::vector<std::string> provenance(const std::string& path, const LoadNotes& notes) {
  std::vector<std::string> lines = {"source " + path.substr(path.find_last_not_of('/') == std::string::npos
                                                                ? 0
                                                                : path.rfind('/', path.find_last_not_of('/')) + 1)};
  if (kind_of_path(path) == PathKind::file) lines.push_back("sha256 " + io::sha256_of_file(path));
  for (const Note& note : notes) lines.push_back("rule " + note.text);
  return lines;
}

/// The name of an array's type in safetensors; empty for text and objects.
inline std::string safetensors_type(const io::NpyArray& array) {
  const std::string bits = std::to_string(8 * array.item_size());
  switch (array.kind()) {
    case io::NpyKind::boolean:
      return "BOOL";
    case io::NpyKind::integer:
      return "I" + bits;
    case io::NpyKind::natural:
      return "U" + bits;
    case io::NpyKind::real:
      return "F" + bits;
    case io::NpyKind::brain:
      return "BF16";
    default:
      return "";
  }
}

/// Writes all arrays of `file`, one after the other, to a path that ends in .npz or .safetensors. `lines` is asked for
/// after the arrays were read, when every rule has been said. Throws IoError, OptionError.
inline void save(const io::Npz& file, const std::string& path, const std::function<std::vector<std::string>()>& lines) {
  if (path.ends_with(".npz")) {
    io::NpzWriter writer(path);
    for (const std::string& name : file.names())
      if (name != "provenance") writer.add(name, file.get(name));
    writer.add("provenance", lines());
    writer.close();
    return;
  }
  if (!path.ends_with(".safetensors"))
    throw OptionError(lacuna::detail::cat("convert: ", path, " ends in neither .npz nor .safetensors"));
  io::SafetensorsWriter writer;
  for (const std::string& name : file.names()) {
    if (name == "provenance") continue;
    const io::NpyArray array = file.get(name);
    if (const std::string type = safetensors_type(array); !type.empty()) {
      writer.add_bytes(name, type, array.shape(), array.bytes());
      continue;
    }
    if (!array.text())
      throw IoError(lacuna::detail::cat(array.where(), " has type ", array.dtype(),
                                        ", which safetensors cannot hold; convert it to real numbers before"));
    std::string list = "[";
    for (const std::string& one : array.strings())
      list += (list.size() > 1 ? "," : "") + lacuna::detail::json_string(one);
    writer.add_metadata(name, list + "]");
  }
  std::string all;
  for (const std::string& line : lines()) all += (all.empty() ? "" : "\n") + line;
  writer.add_metadata("provenance", all);
  writer.save(path);
}

/// A data set in safetensors, as `save` writes it. Throws IoError.
inline Arrays read_safetensors(const std::string& path) {
  const auto file = std::make_shared<const io::Safetensors>(path);
  Arrays arrays(path);
  for (const std::string& name : file->names()) {
    const io::NpyHeader header = file->header(name);
    const bool real = header.kind == io::NpyKind::real || header.kind == io::NpyKind::brain;
    if (!real) {
      const io::NpyArray whole = file->array(name);
      arrays.integers(name, whole.shape(), whole.as<index_t>());
    } else if (header.shape.rank() == 0) {
      arrays.reals(name, header.shape, file->array(name).as<float>());
    } else {
      arrays.features(
          name, header.shape,
          rows_of_array([file, name](index_t begin, index_t end) { return file->rows(name, begin, end).as<float>(); },
                        header.shape.size() / std::max<index_t>(1, header.shape[0]),
                        Cleaner(Clean::keep, arrays, name)));
    }
  }
  for (const auto& [name, text] : file->metadata()) {
    if (!text.starts_with("[")) continue;
    lacuna::detail::JsonHeader json(text, path + ": metadata " + name);
    std::vector<std::string> list;
    json.expect('[');
    while (!json.accept(']')) {
      if (!list.empty()) json.expect(',');
      list.push_back(json.string());
    }
    json.expect_end();
    arrays.strings(name, list);
  }
  return arrays;
}

}  // namespace lacuna::data::formats

#include "lacuna/core/words_back.hpp"
