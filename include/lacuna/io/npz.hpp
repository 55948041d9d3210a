/// NumPy's archive of named arrays (.npz): `Npz` reads one, lazily; `NpzWriter` (npz_writer.hpp) writes one.
///
///     const io::Npz file("features.npz");
///     const auto text = file.get("train_text").tensor<float, 3>();
///
/// Opening reads the directory only; `get` reads, inflates and verifies one array. Many threads may `get` from one
/// `Npz`. Members that are no arrays (no name ending in .npy) are skipped. Errors are IoError: see npy.hpp and
/// zip.hpp.
#pragma once

#include "lacuna/core/words_aside.hpp"
// macros of others stand aside from here on

#include "lacuna/io/npy.hpp"
#include "lacuna/io/zip.hpp"

namespace lacuna::io {

class Npz {
 public:
  explicit Npz(const std::string& path) : Npz(ByteSource(path)) {}
  explicit Npz(ByteSource source) : zip_(std::move(source)) {
    for (const ZipMember& member : zip_.members())
      if (member.name.ends_with(".npy")) names_.push_back(member.name.substr(0, member.name.size() - 4));
  }

  const std::string& path() const { return zip_.source().name(); }
  /// Names of all arrays, in the order of the file.
  const std::vector<std::string>& names() const { return names_; }
  bool contains(std::string_view name) const { return find(name) != nullptr; }

  /// Reads one array. Throws IoError when it is missing or damaged.
  NpyArray get(std::string_view name) const {
    const ZipMember* member = find(name);
    if (member == nullptr) throw IoError(missing(name));
    ZipStream stream = zip_.open(*member);
    NpyArray array = read_npy(stream, member->size, where(name));
    stream.finish();
    return array;
  }
  /// Type and shape of an array, without reading (or verifying) its elements.
  NpyHeader header(std::string_view name) const {
    const ZipMember* member = find(name);
    if (member == nullptr) throw IoError(missing(name));
    ZipStream stream = zip_.open(*member);
    return read_npy_header(stream, member->size, where(name));
  }
  /// Short for get(name).tensor<T, R>().
  template <NpyScalar T, int R>
  Tensor<T, R> tensor(std::string_view name) const {
    return get(name).template tensor<T, R>();
  }

 private:
  const ZipMember* find(std::string_view name) const { return zip_.find(detail::cat(name, ".npy")); }
  std::string where(std::string_view name) const {
    return detail::cat(path(), ": array '", detail::printable(name), "'");
  }
  std::string missing(std::string_view name) const {
    std::string text = where(name) + " is missing; the file has";
    for (std::size_t i = 0; i < names_.size() && i < 12; ++i)
      text += detail::cat(i ? ", " : " ", detail::printable(names_[i]));
    if (names_.size() > 12) text += detail::cat(" and ", names_.size() - 12, " more");
    return names_.empty() ? text + " no arrays" : text;
  }

  ZipReader zip_;
  std::vector<std::string> names_;
};

}  // namespace lacuna::io

#include "lacuna/core/words_back.hpp"
