/// Reading Python's pickle files (.pkl, .pickle, .p, .data), protocols 0 to 5, without Python and without running them.
///
///     const io::Value data = io::load_pickle("aligned_50.pkl");
///     const Tensor<float, 3> audio = data.find("train/audio").tensor<float, 3>();
///
/// A pickle is a program for Python's unpickler, and may call anything. Here it is read as data: None, bool, int,
/// float, str, bytes, list, tuple, set, dict, OrderedDict, defaultdict (as a dict), and arrays, scalars and dtypes of
/// NumPy 1 and
/// 2. Every other name is refused, with its module. Numbers of arrays stay in the file until they are asked for; memory
/// while reading is in proportion to the file. Errors are IoError: file, byte, found, expected, what to do.
#pragma once

#include "lacuna/core/words_aside.hpp"
// macros of others stand aside from here on

#include "lacuna/io/file_kind.hpp"
#include "lacuna/io/pickle_machine.hpp"
#include "lacuna/io/value_check.hpp"

namespace lacuna::detail {

/// The pickle at the start of a file; `bytes_behind` becomes the number of bytes after it.
inline io::Value read_pickle(std::shared_ptr<const io::MappedFile> file, std::uint64_t& bytes_behind) {
  auto tree = std::make_shared<ValueTree>();
  tree->name = file->name();
  const auto bytes = file->bytes();
  tree->files.push_back(std::move(file));
  PickleMachine machine(*tree, bytes, false);
  tree->root = machine.run();
  bytes_behind = bytes.size() - machine.position();
  return finish_tree(std::move(tree));
}

}  // namespace lacuna::detail

namespace lacuna::io {

struct PickleFile {
  Value value;
  std::uint64_t bytes_behind = 0;  ///< bytes after the pickle: more pickles, written one after the other, or litter
};

/// The first pickle of a file, and how many bytes follow it.
inline PickleFile open_pickle(std::shared_ptr<const MappedFile> file) {
  detail::refuse_strangers(*file, "a pickle");
  if (detail::starts_with(file->bytes(), "PK\x03\x04"))
    throw IoError(file->name() + ": is a zip archive, expected a pickle; read it with load_pytorch or Npz");
  std::uint64_t behind = 0;
  Value value = detail::read_pickle(std::move(file), behind);
  return {std::move(value), behind};
}
inline PickleFile open_pickle(const std::string& path) { return open_pickle(std::make_shared<MappedFile>(path)); }

/// The pickle of a file that holds one, and nothing behind it.
inline Value load_pickle(std::shared_ptr<const MappedFile> file) {
  PickleFile opened = open_pickle(std::move(file));
  if (opened.bytes_behind > 0)
    throw IoError(detail::cat(opened.value.where(), ": ", opened.bytes_behind,
                              " bytes follow the pickle; open_pickle reads the first of several"));
  return std::move(opened.value);
}
inline Value load_pickle(const std::string& path) { return load_pickle(std::make_shared<MappedFile>(path)); }

}  // namespace lacuna::io

#include "lacuna/core/words_back.hpp"
