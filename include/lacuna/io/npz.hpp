/// NumPy's archive of named arrays (.npz): `Npz` reads one, lazily; `NpzWriter` (npz_writer.hpp) writes one.
///
///     const io::Npz file("features.npz");
///     const auto text = file.get("train_text").tensor<float, 3>();
///
/// Opening reads the directory only; `get` reads, inflates and verifies one array. Many threads may `get` from one
/// `Npz`. Members that are no arrays (no name ending in .npy) are skipped. Errors are IoError: see npy.hpp and
/// zip.hpp.
///
/// An `Npz` may also be made of arrays that come from elsewhere (`NpzEntry`): files of other formats are then read by
/// what reads archives.
#pragma once

#include "lacuna/core/words_aside.hpp"
// macros of others stand aside from here on

#include <functional>
#include <map>
#include <numeric>
#include <optional>

#include "lacuna/io/npy.hpp"
#include "lacuna/io/zip.hpp"

namespace lacuna::io {

/// Writes these rows (entries along the first axis) of an array as float, one after the other, over zeros.
using FloatRows = std::function<void(std::span<const index_t> rows, float* to)>;

/// An array that lies in no archive: its type and shape, and what makes it, each time it is asked for.
struct NpzEntry {
  NpyHeader header;
  std::function<NpyArray()> read;
  FloatRows rows = {};  ///< the same without having it in memory as a whole; may be missing
};

class Npz {
 public:
  explicit Npz(const std::string& path) : Npz(ByteSource(path)) {}
  explicit Npz(ByteSource source) : path_(source.name()), zip_(std::in_place, std::move(source)) {
    for (const ZipMember& member : zip_->members())
      if (member.name.ends_with(".npy") && !member.name.starts_with("__MACOSX/"))
        names_.push_back(member.name.substr(0, member.name.size() - 4));
  }
  /// Arrays from elsewhere, under the names and in the order given; `path` opens the messages.
  Npz(std::string path, std::vector<std::pair<std::string, NpzEntry>> entries) : path_(std::move(path)) {
    for (auto& [name, entry] : entries) {
      if (!entries_.emplace(name, std::move(entry)).second) throw IoError(where(name) + " comes twice");
      names_.push_back(name);
    }
  }

  const std::string& path() const { return path_; }
  /// Names of all arrays, in the order of the file.
  const std::vector<std::string>& names() const { return names_; }
  bool contains(std::string_view name) const { return entry(name) != nullptr || find(name) != nullptr; }

  /// Reads one array. Throws IoError when it is missing or damaged.
  NpyArray get(std::string_view name) const {
    if (const NpzEntry* const made = entry(name)) return made->read();
    const ZipMember* member = find(name);
    if (member == nullptr) throw IoError(missing(name));
    ZipStream stream = zip_->open(*member);
    NpyArray array = read_npy(stream, member->size, where(name));
    stream.finish();
    return array;
  }
  /// Whether `stream` works: numbers whose rows lie one after the other.
  bool streams(std::string_view name) const {
    if (const NpzEntry* const made = entry(name)) return made->rows != nullptr;
    if (find(name) == nullptr) return false;
    const NpyHeader found = header(name);
    const bool numbers = found.kind == NpyKind::real || found.kind == NpyKind::integer ||
                         found.kind == NpyKind::natural || found.kind == NpyKind::boolean;
    return numbers && found.shape.rank() > 0 && !found.fortran_order;
  }
  /// The whole array as float, some rows (entries along the first axis) after the other: piece(first, count, numbers),
  /// whose numbers may be written over. No more than one piece is in memory: 4 MiB, or one row where that has more.
  template <class F>
  void stream(std::string_view name, F&& piece) const {
    const NpyHeader all = header(name);
    const index_t rows = all.shape[0], width = rows > 0 ? all.shape.size() / rows : 0;
    const index_t most = std::max<index_t>(1, (index_t(1) << 20) / std::max<index_t>(1, width));
    const auto each = [&](auto&& read) {
      for (index_t first = 0; first < rows; first += most) {
        const index_t count = std::min(most, rows - first);
        std::vector<float> numbers = read(first, count);
        piece(first, count, numbers.data());
      }
    };
    if (const NpzEntry* const made = entry(name)) {
      std::vector<index_t> wanted;
      return each([&](index_t first, index_t count) {
        wanted.resize(std::size_t(count));
        std::iota(wanted.begin(), wanted.end(), first);
        std::vector<float> numbers(std::size_t(count * width));
        made->rows(wanted, numbers.data());
        return numbers;
      });
    }
    const ZipMember* const member = find(name);
    ZipStream stream = zip_->open(*member);
    NpyHeader part = read_npy_header(stream, member->size, where(name));
    each([&](index_t first, index_t count) {
      part.shape = Shape{count, width};
      part.payload = std::uint64_t(count * width) * part.item_size;
      std::vector<std::uint8_t> bytes(part.payload);
      stream.read(bytes.data(), bytes.size());
      if (part.swapped) detail::reverse_items(bytes, part.item_size);
      const std::string from = first > 0 ? detail::cat(" from row ", first, " on") : std::string();
      return NpyArray(where(name) + from, part, std::move(bytes)).as<float>();
    });
    stream.finish();
  }
  /// Type and shape of an array, without reading (or verifying) its elements.
  NpyHeader header(std::string_view name) const {
    if (const NpzEntry* const made = entry(name)) return made->header;
    const ZipMember* member = find(name);
    if (member == nullptr) throw IoError(missing(name));
    ZipStream stream = zip_->open(*member);
    return read_npy_header(stream, member->size, where(name));
  }
  /// Short for get(name).tensor<T, R>().
  template <NpyScalar T, int R>
  Tensor<T, R> tensor(std::string_view name) const {
    return get(name).template tensor<T, R>();
  }

 private:
  const ZipMember* find(std::string_view name) const { return zip_ ? zip_->find(detail::cat(name, ".npy")) : nullptr; }
  const NpzEntry* entry(std::string_view name) const {
    const auto found = entries_.find(name);
    return found == entries_.end() ? nullptr : &found->second;
  }
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

  std::string path_;
  std::optional<ZipReader> zip_;
  std::map<std::string, NpzEntry, std::less<>> entries_;
  std::vector<std::string> names_;
};

}  // namespace lacuna::io

#include "lacuna/core/words_back.hpp"
