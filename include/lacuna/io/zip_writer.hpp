/// Writing zip archives: stored or deflated members, zip64 where sizes need it, the same bytes for the same input (all
/// members are dated 1980-01-01). The archive appears under its name when `close` returns, whole or not at all.
#pragma once

#include <set>
#include <span>

#include "lacuna/io/atomic_file.hpp"
#include "lacuna/io/deflate.hpp"

namespace lacuna::io {

class ZipWriter {
 public:
  struct Options {
    bool deflate = false;      ///< smaller and slower
    bool force_zip64 = false;  ///< 64-bit fields even where 32 bits do: makes them testable with small files
  };
  using Bytes = std::span<const std::uint8_t>;

  explicit ZipWriter(std::string path) : ZipWriter(std::move(path), Options{}) {}
  ZipWriter(std::string path, Options options) : file_(std::move(path)), options_(options) {}

  const std::string& path() const { return file_.path(); }

  /// Adds one member made of several parts. Throws IoError when the name is empty, too long, or there already.
  void add(const std::string& name, std::span<const Bytes> parts) {
    if (name.empty() || name.size() > 65535 || name.find('\0') != std::string::npos)
      throw IoError(detail::cat(path(), ": '", detail::printable(name), "' cannot be the name of a member"));
    if (names_.count(name) != 0)
      throw IoError(detail::cat(path(), ": a member '", detail::printable(name), "' is there already"));
    Entry entry;
    entry.name = name;
    entry.offset = file_.position();
    for (const Bytes part : parts) {
      entry.size += part.size();
      entry.crc = crc32_of(entry.crc, part.data(), part.size());
    }
    std::vector<std::uint8_t> packed;
    if (options_.deflate) packed = deflate(parts);
    entry.compressed = options_.deflate ? packed.size() : entry.size;

    const bool wide = options_.force_zip64 || entry.size >= saturated || entry.compressed >= saturated;
    std::string header;
    number(header, 0x04034b50, 4);
    common(header, entry, wide);
    number(header, wide ? 20 : 0, 2);
    header += name;
    if (wide) {
      number(header, 1, 2);
      number(header, 16, 2);
      number(header, entry.size, 8);
      number(header, entry.compressed, 8);
    }
    file_.write(header);
    if (options_.deflate) {
      file_.write(packed.data(), packed.size());
    } else {
      for (const Bytes part : parts) file_.write(part.data(), part.size());
    }
    names_.insert(name);
    entries_.push_back(std::move(entry));
  }

  /// Writes the directory and makes the file appear. Nothing can be added after it.
  void close() {
    const std::uint64_t start = file_.position();
    for (const Entry& entry : entries_) write_entry(entry);
    const std::uint64_t end = file_.position(), size = end - start, count = entries_.size();
    std::string tail;
    if (options_.force_zip64 || count >= 0xFFFF || start >= saturated || size >= saturated) {
      number(tail, 0x06064b50, 4);
      number(tail, 44, 8);
      number(tail, 45, 2);
      number(tail, 45, 2);
      number(tail, 0, 8);
      for (const std::uint64_t value : {count, count, size, start}) number(tail, value, 8);
      number(tail, 0x07064b50, 4);
      number(tail, 0, 4);
      number(tail, end, 8);
      number(tail, 1, 4);
    }
    number(tail, 0x06054b50, 4);
    number(tail, 0, 4);
    const std::uint64_t few = std::min<std::uint64_t>(count, 0xFFFF);
    number(tail, few, 2);
    number(tail, few, 2);
    number(tail, std::min(size, saturated), 4);
    number(tail, std::min(start, saturated), 4);
    number(tail, 0, 2);
    file_.write(tail);
    file_.commit();
  }

 private:
  static constexpr std::uint64_t saturated = 0xFFFFFFFFu;

  struct Entry {
    std::string name;
    std::uint32_t crc = 0;
    std::uint64_t size = 0, compressed = 0, offset = 0;
  };

  static void number(std::string& text, std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) text += char(std::uint8_t(value >> (8 * i)));
  }
  /// What a local header and an entry of the directory share: version needed to name length.
  void common(std::string& text, const Entry& entry, bool wide) const {
    bool ascii = true;
    for (const char c : entry.name) ascii = ascii && std::uint8_t(c) < 128;
    number(text, 45, 2);                 // the version of zip that knows zip64, whether needed or not
    number(text, ascii ? 0 : 0x800, 2);  // flag 11: the name is UTF-8
    number(text, options_.deflate ? 8 : 0, 2);
    number(text, 0, 2);
    number(text, 0x21, 2);
    number(text, entry.crc, 4);
    number(text, wide ? saturated : entry.compressed, 4);
    number(text, wide ? saturated : entry.size, 4);
    number(text, entry.name.size(), 2);
  }
  void write_entry(const Entry& entry) {
    const bool wide = options_.force_zip64 || entry.size >= saturated || entry.compressed >= saturated;
    const bool far = options_.force_zip64 || entry.offset >= saturated;
    std::string extra;
    if (wide) {
      number(extra, entry.size, 8);
      number(extra, entry.compressed, 8);
    }
    if (far) number(extra, entry.offset, 8);
    std::string text;
    number(text, 0x02014b50, 4);
    number(text, 3 << 8 | 45, 2);  // made on Unix
    common(text, entry, wide);
    number(text, extra.empty() ? 0 : extra.size() + 4, 2);
    number(text, 0, 6);                             // comment, disk, internal attributes
    number(text, std::uint64_t(0100644) << 16, 4);  // a regular file, rw-r--r--
    number(text, far ? saturated : entry.offset, 4);
    text += entry.name;
    if (!extra.empty()) {
      number(text, 1, 2);
      number(text, extra.size(), 2);
      text += extra;
    }
    file_.write(text);
  }

  AtomicFile file_;
  Options options_;
  std::vector<Entry> entries_;
  std::set<std::string> names_;
};

}  // namespace lacuna::io
