// Files of weights and of nested data: what is in them, as text; and tensors from one file format to another.
#pragma once

#include <cstdio>
#include <optional>

#include "lacuna/data/formats/import.hpp"
#include "lacuna/io/pytorch.hpp"
#include "lacuna/io/value_print.hpp"
#include "support/program.hpp"

namespace program {

/// What opens with the bytes of a file of tensors: "pytorch", "safetensors", or "" for anything else.
inline std::string kind_of_weights(const std::string& path) {
  using lacuna::detail::starts_with;
  if (lacuna::data::formats::kind_of_path(path) != lacuna::data::formats::PathKind::file) return "";
  const lacuna::io::MappedFile file(path);
  const auto bytes = file.bytes();
  if (starts_with(bytes, "PK")) {
    const lacuna::io::ZipReader zip{lacuna::io::ByteSource(path)};
    for (const auto& member : zip.members())
      if (member.name.ends_with("data.pkl") || member.name.ends_with("constants.pkl")) return "pytorch";
    return "";
  }
  if (lacuna::detail::is_legacy_pytorch(bytes)) return "pytorch";
  if (bytes.size() > 8 && bytes[8] == '{' &&
      lacuna::detail::load_little<std::uint64_t>(bytes.data()) < bytes.size() + 1) {
    const lacuna::io::Safetensors tensors(path);
    for (const std::string& name : tensors.names())  // a data set of convert has the names of splits
      if (name.starts_with("train_") || name.starts_with("valid_") || name.starts_with("test_")) return "";
    return "safetensors";
  }
  return "";
}

/// The tensors of a file of weights under their names, read when they are asked for.
inline lacuna::io::Npz tensors_of(const std::string& path, const std::string& kind) {
  using namespace lacuna;
  std::vector<std::pair<std::string, io::NpzEntry>> entries;
  const auto header = [](const io::NpyArray& array) {
    io::NpyHeader h;
    h.dtype = array.dtype();
    h.kind = array.kind();
    h.item_size = array.item_size();
    h.shape = array.shape();
    h.payload = array.bytes().size();
    return h;
  };
  if (kind == "pytorch") {
    const auto file = std::make_shared<const io::PytorchFile>(path);
    for (const std::string& name : file->names())
      entries.emplace_back(
          name, io::NpzEntry{header(file->tensor(name).array()), [=] { return file->tensor(name).array(); }});
  } else {
    const auto file = std::make_shared<const io::Safetensors>(path);
    for (const std::string& name : file->names())
      entries.emplace_back(name, io::NpzEntry{header(file->array(name)), [=] { return file->array(name); }});
  }
  return io::Npz(path, std::move(entries));
}

/// Name, type and shape of every tensor, and what else is in the file.
inline void show_weights(const std::string& path, const std::string& kind) {
  using namespace lacuna;
  const io::Npz tensors = tensors_of(path, kind);
  index_t numbers = 0, bad = 0;
  std::printf("%s   %s, %zu tensors\n\n", path.c_str(), kind.c_str(), tensors.names().size());
  for (const std::string& name : tensors.names()) {
    const io::NpyArray array = tensors.get(name);
    numbers += array.size();
    if (array.floating())
      for (const double x : array.as<double>()) bad += !std::isfinite(x);
    std::printf("  %-60s %-10s %s\n", support::printable(name).c_str(), array.dtype().c_str(),
                to_string(array.shape()).c_str());
  }
  std::printf("\n  %lld numbers, %lld of them NaN or infinite\n", static_cast<long long>(numbers),
              static_cast<long long>(bad));
  if (kind == "pytorch") std::printf("\n%s", io::to_text(io::PytorchFile(path).root(), {.lines = 60}).c_str());
  if (kind == "safetensors") {
    const io::Safetensors file(path);
    for (const auto& [key, text] : file.metadata())
      std::printf("  %s: %s\n", support::printable(key).c_str(), support::printable(text.substr(0, 200)).c_str());
  }
}

/// Whether the file was shown: a pickle that is no data set, as a tree; labels and folds whose features are elsewhere, as
/// arrays.
inline bool show_other(const std::string& path, const lacuna::data::formats::ImportOptions& how) {
  using namespace lacuna;
  namespace formats = data::formats;
  if (formats::kind_of_path(path) != formats::PathKind::file || !how.format.empty()) return false;
  const auto file = std::make_shared<io::MappedFile>(path);
  const auto bytes = file->bytes();
  if (bytes.empty() || formats::is_table(bytes) ||
      (bytes[0] != 0x80 && std::string_view("(]}cl").find(char(bytes[0])) == std::string_view::npos))
    return false;
  const io::Value root = io::open_pickle(file).value;
  const std::string format = formats::format_of(root);
  if (format.empty()) {
    std::printf("%s   a pickle, no data set of a form that is known\n\n%s", path.c_str(), io::to_text(root).c_str());
    return true;
  }
  if ((format != "gcnet" && format != "cosmic") || !how.features.empty()) return false;
  const formats::Arrays arrays = formats::import(path, how);
  std::printf("%s   %s: labels and folds; features are in folders (--features)\n\n", path.c_str(), format.c_str());
  for (const std::string& name : arrays.names()) {
    const io::NpyHeader& header = arrays.at(name).header;
    std::printf("  %-24s %-8s %s\n", name.c_str(), header.dtype.c_str(), to_string(header.shape).c_str());
  }
  for (const data::Note& note : arrays.notes()) std::printf("\n  note: %s", note.text.c_str());
  std::printf("\n");
  return true;
}

}  // namespace program
