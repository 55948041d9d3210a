/// What a reader of another format makes of a file: arrays with the names of lacuna's own schema (data/load.hpp), and a
/// line for every rule that was applied.
///
///     Arrays arrays("aligned_50.pkl");
///     arrays.features("train_text", {n, t, d}, [=](std::span<const index_t> rows, float* to) { ... });
///     arrays.integers("train_text_length", lengths);
///     const io::Npz file = arrays.npz();                                  // read, checked and split as an .npz
///
/// Features are made when they are asked for, some rows at a time, so that what nobody wants costs nothing and a file may
/// be larger than memory. The rest is small and kept.
#pragma once

#include "lacuna/core/words_aside.hpp"
// macros of others stand aside from here on

#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <span>
#include <utility>

#include "lacuna/data/load_notes.hpp"
#include "lacuna/io/npy_writer.hpp"
#include "lacuna/io/npz.hpp"

namespace lacuna::data::formats {

class Arrays {
 public:
  /// `path` opens every message.
  explicit Arrays(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::vector<std::string> names() const {
    std::vector<std::string> list;
    for (const auto& named : entries_) list.push_back(named.first);
    return list;
  }
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  /// Throws IoError when there is none.
  const io::NpzEntry& at(std::string_view name) const {
    if (const io::NpzEntry* const entry = find(name)) return *entry;
    throw IoError(lacuna::detail::cat(path_, ": there is no array '", name, "'"));
  }

  /// Numbers of that shape; `rows` writes those samples that it is asked for.
  void features(const std::string& name, const Shape& shape, io::FloatRows rows) {
    put(name, io::npy_dtype<float>(), io::NpyKind::real, 4, shape,
        [rows, count = shape[0], size = std::size_t(shape.size())] { return bytes_of(rows, all_rows(count), size); });
    entries_.back().second.rows = std::move(rows);
  }
  /// The same of a file that is read as a whole; `fill` writes all numbers.
  void whole_features(const std::string& name, const Shape& shape, std::function<void(float*)> fill) {
    put(name, io::npy_dtype<float>(), io::NpyKind::real, 4, shape, [fill, count = std::size_t(shape.size())] {
      std::vector<std::uint8_t> bytes(4 * count);
      fill(reinterpret_cast<float*>(bytes.data()));
      return bytes;
    });
  }
  void reals(const std::string& name, const Shape& shape, std::vector<float> numbers) {
    keep(name, io::npy_dtype<float>(), io::NpyKind::real, shape, numbers.data(), numbers.size() * 4);
  }
  void integers(const std::string& name, const Shape& shape, const std::vector<index_t>& numbers) {
    keep(name, io::npy_dtype<index_t>(), io::NpyKind::integer, shape, numbers.data(), numbers.size() * 8);
  }
  void reals(const std::string& name, const std::vector<float>& numbers) {
    reals(name, Shape{index_t(numbers.size())}, numbers);
  }
  void integers(const std::string& name, const std::vector<index_t>& numbers) {
    integers(name, Shape{index_t(numbers.size())}, numbers);
  }
  void strings(const std::string& name, const std::vector<std::string>& list) {
    const io::NpyText text(list);
    keep(name, text.dtype, io::NpyKind::unicode, Shape{index_t(list.size())}, text.codes.data(), text.codes.size() * 4);
  }

  /// The rows of that number, in that order, of every array whose name starts with `prefix`, as arrays that start with
  /// `to`; arrays with another number of rows than `rows` are left out. An array of that name is replaced.
  void take_rows(const std::string& prefix, index_t rows, const std::vector<index_t>& kept, const std::string& to) {
    std::vector<std::pair<std::string, io::NpzEntry>> made;
    for (const auto& [name, entry] : entries_) {
      if (!name.starts_with(prefix) || entry.header.shape.rank() == 0 || entry.header.shape[0] != rows) continue;
      io::NpzEntry part = entry;
      std::vector<index_t> sizes;
      for (int axis = 0; axis < entry.header.shape.rank(); ++axis) sizes.push_back(entry.header.shape[axis]);
      sizes[0] = index_t(kept.size());
      part.header.shape = Shape(sizes.data(), int(sizes.size()));
      const std::size_t row = rows > 0 ? std::size_t(entry.header.payload) / std::size_t(rows) : 0;
      part.header.payload = row * kept.size();
      if (entry.rows) {
        part.rows = [whole = entry.rows, kept](std::span<const index_t> wanted, float* numbers) {
          std::vector<index_t> of_whole;
          for (const index_t n : wanted) of_whole.push_back(kept[std::size_t(n)]);
          whole(of_whole, numbers);
        };
        const std::string where = lacuna::detail::cat(path_, ": array '", lacuna::detail::printable(name), "'");
        part.read = [rows = part.rows, header = part.header, where] {
          return io::NpyArray(where, header,
                              bytes_of(rows, all_rows(header.shape[0]), std::size_t(header.shape.size())));
        };
        made.emplace_back(to + name.substr(prefix.size()), std::move(part));
        continue;
      }
      part.read = [whole = entry.read, header = part.header, kept, row] {
        const io::NpyArray from = whole();
        std::vector<std::uint8_t> bytes(row * kept.size());
        for (std::size_t i = 0; i < kept.size() && row > 0; ++i)
          std::memcpy(bytes.data() + i * row, from.bytes().data() + std::size_t(kept[i]) * row, row);
        return io::NpyArray(from.where(), header, std::move(bytes));
      };
      made.emplace_back(to + name.substr(prefix.size()), std::move(part));
    }
    for (auto& [name, entry] : made) {
      remove(name);
      entries_.emplace_back(name, std::move(entry));
    }
  }
  void remove(const std::string& name) {
    std::erase_if(entries_, [&](const auto& named) { return named.first == name; });
  }
  void rename(const std::string& name, const std::string& to) {
    remove(to);
    for (auto& named : entries_)
      if (named.first == name) named.first = to;
  }
  /// Adds all arrays and notes of another file.
  void join(Arrays other) {
    for (auto& named : other.entries_) entries_.push_back(std::move(named));
    for (const Note& one : *other.notes_) note(one.text, one.always);
  }

  /// A line about what was done, once.
  void note(const std::string& text, bool always = true) const { say(*notes_, text, always); }
  /// One line with a number that is known when all of `features` has been read: `before` how many `after`. What each row
  /// adds is told as (row, how many), however often it is read.
  std::function<void(index_t, index_t)> counter(std::string before, std::string after) const {
    struct Count {
      std::map<index_t, index_t> rows;
      index_t sum = 0;
      std::size_t line = 0;
      bool said = false;
    };
    return [notes = notes_, count = std::make_shared<Count>(), before, after](index_t row, index_t found) {
      if (found == 0 || !count->rows.emplace(row, found).second) return;
      count->sum += found;
      if (!std::exchange(count->said, true)) {
        count->line = notes->size();
        notes->push_back({{}, true});
      }
      (*notes)[count->line].text = lacuna::detail::cat(before, count->sum, after);
    };
  }
  /// All lines; those that come while arrays are read are there afterwards.
  const LoadNotes& notes() const { return *notes_; }

  /// What reads archives reads these arrays.
  io::Npz npz() const { return io::Npz(path_, entries_); }

 private:
  static void say(LoadNotes& notes, const std::string& text, bool always) {
    for (const Note& said : notes)
      if (said.text == text) return;
    notes.push_back({text, always});
  }
  static std::vector<index_t> all_rows(index_t count) {
    std::vector<index_t> rows(static_cast<std::size_t>(count));
    std::iota(rows.begin(), rows.end(), index_t(0));
    return rows;
  }
  static std::vector<std::uint8_t> bytes_of(const io::FloatRows& rows, const std::vector<index_t>& wanted,
                                            std::size_t size) {
    std::vector<std::uint8_t> bytes(4 * size);
    rows(wanted, reinterpret_cast<float*>(bytes.data()));
    return bytes;
  }
  const io::NpzEntry* find(std::string_view name) const {
    for (const auto& named : entries_)
      if (named.first == name) return &named.second;
    return nullptr;
  }
  void put(const std::string& name, std::string dtype, io::NpyKind kind, std::size_t item, const Shape& shape,
           std::function<std::vector<std::uint8_t>()> bytes) {
    if (contains(name)) throw IoError(lacuna::detail::cat(path_, ": array '", name, "' comes twice"));
    io::NpyHeader header;
    header.dtype = std::move(dtype);
    header.kind = kind;
    header.item_size = item;
    header.shape = shape;
    header.payload = std::uint64_t(shape.size()) * item;
    std::string where = lacuna::detail::cat(path_, ": array '", lacuna::detail::printable(name), "'");
    entries_.emplace_back(name, io::NpzEntry{header, [=] { return io::NpyArray(where, header, bytes()); }});
  }
  void keep(const std::string& name, const std::string& dtype, io::NpyKind kind, const Shape& shape, const void* from,
            std::size_t count) {
    std::vector<std::uint8_t> bytes(count);
    if (count > 0) std::memcpy(bytes.data(), from, count);
    const std::size_t item = kind == io::NpyKind::unicode ? (shape.size() > 0 ? count / std::size_t(shape.size()) : 4)
                             : kind == io::NpyKind::real  ? 4
                                                          : 8;
    if (std::size_t(shape.size()) * item != count)
      throw ShapeError(lacuna::detail::cat(path_, ": array '", name, "' has ", count, " bytes for shape ", shape));
    put(name, dtype, kind, item, shape, [bytes] { return bytes; });
  }

  std::string path_;
  std::vector<std::pair<std::string, io::NpzEntry>> entries_;
  std::shared_ptr<LoadNotes> notes_ = std::make_shared<LoadNotes>();
};

}  // namespace lacuna::data::formats

#include "lacuna/core/words_back.hpp"
