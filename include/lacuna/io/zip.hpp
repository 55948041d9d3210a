/// Reading zip archives (.npz, PyTorch's .pt): members stored or deflated, zip64 included.
///
/// Everything an archive says is checked before it is used: the directory must end where its end record starts, members
/// must not overlap, local headers must agree with the directory, a deflated member may not claim more bytes than
/// deflate can make of its input, and data must match their CRC-32. Encrypted, split and otherwise packed archives and
/// archives with two members of one name are refused. Errors are IoError: file, member, found, expected. Source: PKWARE
/// APPNOTE 6.3.10, sections 4.3 to 4.5.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lacuna/io/deflate.hpp"
#include "lacuna/io/source.hpp"

namespace lacuna::io {

struct ZipMember {
  std::string name;
  bool deflated = false;
  std::uint16_t flags = 0;
  std::uint32_t crc = 0;
  std::uint64_t compressed = 0;  ///< bytes in the archive
  std::uint64_t size = 0;        ///< bytes after inflating
  std::uint64_t offset = 0;      ///< of its local header
  std::uint64_t limit = 0;       ///< first byte after it that belongs to something else
};

/// Reads one member from its start. Its archive must stay where it is and outlive it.
class ZipStream {
 public:
  /// Bytes not yet read.
  std::uint64_t remaining() const { return remaining_; }

  /// Throws IoError unless `count` more bytes come.
  void read(void* to, std::size_t count) {
    if (count > remaining_)
      throw IoError(
          detail::cat(where_, ": ends early, ", remaining_, " bytes are left where ", count, " are expected"));
    if (inflater_) {
      inflater_->read(to, count);
    } else {
      source_->read(offset_, to, count);
      offset_ += count;
    }
    remaining_ -= count;
    crc_ = crc32_of(crc_, to, count);
  }

  /// Throws IoError unless all bytes were read and match the CRC-32 of the directory. Data may be trusted after this.
  void finish() {
    if (remaining_ > 0) throw IoError(detail::cat(where_, ": ", remaining_, " more bytes than expected"));
    if (inflater_) inflater_->finish();
    if (crc_ != expected_)
      throw IoError(detail::cat(where_, ": CRC-32 is ", crc_, ", expected ", expected_, "; the file is damaged"));
  }

 private:
  friend class ZipReader;
  const ByteSource* source_ = nullptr;
  std::unique_ptr<Inflater> inflater_;
  std::string where_;
  std::uint64_t offset_ = 0, remaining_ = 0;
  std::uint32_t crc_ = 0, expected_ = 0;
};

class ZipReader {
 public:
  /// Reads the directory, no member. Throws IoError.
  explicit ZipReader(const std::string& path) : ZipReader(ByteSource(path)) {}
  explicit ZipReader(ByteSource source) : source_(std::move(source)) {
    read_directory(find_directory());
    check_names();
    check_places();
  }

  const ByteSource& source() const { return source_; }
  /// In the order of the directory.
  const std::vector<ZipMember>& members() const { return members_; }
  /// nullptr when there is no such member.
  const ZipMember* find(std::string_view name) const {
    const auto at = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                                     [&](std::size_t i, std::string_view wanted) { return members_[i].name < wanted; });
    return at != by_name_.end() && members_[*at].name == name ? &members_[*at] : nullptr;
  }

  /// Checks the local header of a member and starts to read it.
  ZipStream open(const ZipMember& member) const {
    const std::string where = place(member);
    ZipStream stream;
    stream.source_ = &source_;
    stream.offset_ = check_local(member, where);
    stream.remaining_ = member.size;
    stream.expected_ = member.crc;
    if (member.deflated)
      stream.inflater_ = std::make_unique<Inflater>(source_, stream.offset_, member.compressed, where);
    stream.where_ = where;
    return stream;
  }
  /// All bytes of a member, checked.
  std::vector<std::uint8_t> read(const ZipMember& member) const {
    ZipStream stream = open(member);
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(member.size));
    stream.read(bytes.data(), bytes.size());
    stream.finish();
    return bytes;
  }
  /// "file: member 'name'", for messages.
  std::string place(const ZipMember& member) const {
    return detail::cat(source_.name(), ": member '", detail::printable(member.name), "'");
  }

 private:
  static constexpr std::uint32_t saturated = 0xFFFFFFFFu;
  static constexpr std::uint64_t end_size = 22, locator_size = 20, end64_size = 56, entry_size = 46, local_size = 30;

  struct Directory {
    std::uint64_t offset = 0, size = 0, count = 0;
  };

  template <class... Pieces>
  [[noreturn]] void fail(const Pieces&... pieces) const {
    throw IoError(detail::cat(source_.name(), ": ", pieces...));
  }

  /// The end record is the last thing in the file, but for a comment of up to 65535 bytes.
  Directory find_directory() const {
    if (source_.size() < end_size)
      fail("is not a zip archive: ", source_.size(), " bytes, at least ", end_size, " expected");
    std::vector<std::uint8_t> tail(std::size_t(std::min<std::uint64_t>(source_.size(), end_size + 65535)));
    const std::uint64_t tail_start = source_.size() - tail.size();
    source_.read(tail_start, tail.data(), tail.size());
    for (std::size_t at = tail.size() - end_size + 1; at-- > 0;) {
      const std::uint8_t* end = tail.data() + at;
      if (detail::load_little<std::uint32_t>(end) != 0x06054b50 ||
          detail::load_little<std::uint16_t>(end + 20) != tail.size() - at - end_size)
        continue;
      return directory_of(end, tail_start + at);
    }
    fail("is not a zip archive, or is truncated: its end record is missing");
  }

  Directory directory_of(const std::uint8_t* end, std::uint64_t end_offset) const {
    Directory directory{detail::load_little<std::uint32_t>(end + 16), detail::load_little<std::uint32_t>(end + 12),
                        detail::load_little<std::uint16_t>(end + 10)};
    if (detail::load_little<std::uint16_t>(end + 4) != detail::load_little<std::uint16_t>(end + 6) ||
        detail::load_little<std::uint16_t>(end + 8) != directory.count)
      fail("is one part of a split zip archive, which is not read");
    std::uint8_t locator[locator_size] = {};
    if (end_offset >= locator_size) source_.read(end_offset - locator_size, locator, locator_size);
    std::uint64_t directory_end = end_offset;
    if (detail::load_little<std::uint32_t>(locator) == 0x07064b50) {
      const std::uint64_t at = detail::load_little<std::uint64_t>(locator + 8),
                          locator_offset = end_offset - locator_size;
      std::uint8_t end64[end64_size];
      if (at > locator_offset || locator_offset - at < end64_size) fail("its zip64 end record lies outside the file");
      source_.read(at, end64, end64_size);
      if (detail::load_little<std::uint32_t>(end64) != 0x06064b50 ||
          detail::load_little<std::uint64_t>(end64 + 4) != locator_offset - at - 12)
        fail("its zip64 end record is damaged");
      const Directory wide{detail::load_little<std::uint64_t>(end64 + 48),
                           detail::load_little<std::uint64_t>(end64 + 40),
                           detail::load_little<std::uint64_t>(end64 + 32)};
      if (detail::load_little<std::uint32_t>(end64 + 16) != 0 || detail::load_little<std::uint32_t>(end64 + 20) != 0 ||
          detail::load_little<std::uint64_t>(end64 + 24) != wide.count)
        fail("is one part of a split zip archive, which is not read");
      if ((directory.offset != saturated && directory.offset != wide.offset) ||
          (directory.size != saturated && directory.size != wide.size) ||
          (directory.count != 0xFFFF && directory.count != wide.count))
        fail("its two end records disagree; the file is damaged");
      directory = wide;
      directory_end = at;
    }
    if (directory.offset > directory_end || directory.size != directory_end - directory.offset)
      fail("its directory of ", directory.size, " bytes at offset ", directory.offset, " does not end at offset ",
           directory_end, "; the file is damaged or has bytes in front");
    if (directory.count > directory.size / entry_size)
      fail("its directory of ", directory.size, " bytes cannot hold ", directory.count, " members");
    return directory;
  }

  void read_directory(const Directory& directory) {
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(directory.size));
    source_.read(directory.offset, bytes.data(), bytes.size());
    directory_offset_ = directory.offset;
    members_.reserve(std::size_t(directory.count));
    std::size_t at = 0;
    for (std::uint64_t i = 0; i < directory.count; ++i) {
      const std::uint8_t* entry = bytes.data() + at;
      const std::size_t left = bytes.size() - at;
      if (left < entry_size || detail::load_little<std::uint32_t>(entry) != 0x02014b50)
        fail("entry ", i, " of its directory is damaged");
      const std::size_t name = detail::load_little<std::uint16_t>(entry + 28),
                        extra = detail::load_little<std::uint16_t>(entry + 30),
                        comment = detail::load_little<std::uint16_t>(entry + 32);
      if (left - entry_size < name + extra + comment) fail("entry ", i, " of its directory reaches past the end");
      ZipMember member;
      member.name.assign(reinterpret_cast<const char*>(entry) + entry_size, name);
      const std::string where = place(member);
      member.flags = detail::load_little<std::uint16_t>(entry + 8);
      if (member.flags & 0x2041) throw IoError(where + ": is encrypted, which is not read");
      const unsigned method = detail::load_little<std::uint16_t>(entry + 10);
      if (method != 0 && method != 8)
        throw IoError(
            detail::cat(where, ": uses compression method ", method, "; only stored (0) and deflated (8) are read"));
      member.deflated = method == 8;
      member.crc = detail::load_little<std::uint32_t>(entry + 16);
      member.compressed = detail::load_little<std::uint32_t>(entry + 20);
      member.size = detail::load_little<std::uint32_t>(entry + 24);
      member.offset = detail::load_little<std::uint32_t>(entry + 42);
      widen(where, entry + entry_size + name, extra, {&member.size, &member.compressed, &member.offset});
      if (!member.deflated && member.compressed != member.size)
        throw IoError(detail::cat(where, ": is stored, but has ", member.compressed, " bytes in the file and ",
                                  member.size, " outside"));
      if (member.compressed > source_.size())
        throw IoError(detail::cat(where, ": claims ", member.compressed, " bytes of a file of ", source_.size()));
      if (member.deflated && member.size > member.compressed * deflate_ratio)
        throw IoError(detail::cat(where, ": claims that ", member.compressed, " deflated bytes become ", member.size,
                                  ", which deflate cannot do"));
      members_.push_back(std::move(member));
      at += entry_size + name + extra + comment;
    }
    if (at != bytes.size()) fail("its directory has ", bytes.size() - at, " bytes too many; the file is damaged");
  }

  /// Takes the 64-bit values of those fields that hold 0xFFFFFFFF from the zip64 extra field.
  static void widen(const std::string& where, const std::uint8_t* extra, std::size_t size,
                    std::initializer_list<std::uint64_t*> fields) {
    const bool wide = std::any_of(fields.begin(), fields.end(), [](const auto* field) { return *field == saturated; });
    while (wide && size >= 4) {
      const unsigned id = detail::load_little<std::uint16_t>(extra);
      std::size_t length = detail::load_little<std::uint16_t>(extra + 2);
      extra += 4;
      size -= 4;
      if (length > size) break;
      if (id == 1) {
        for (std::uint64_t* field : fields) {
          if (*field != saturated) continue;
          if (length < 8) throw IoError(where + ": its zip64 extra field is too short");
          *field = detail::load_little<std::uint64_t>(extra);
          extra += 8;
          length -= 8;
        }
        return;
      }
      extra += length;
      size -= length;
    }
    if (wide) throw IoError(where + ": its zip64 extra field is missing");
  }

  void check_names() {
    by_name_.resize(members_.size());
    for (std::size_t i = 0; i < by_name_.size(); ++i) by_name_[i] = i;
    std::sort(by_name_.begin(), by_name_.end(),
              [&](std::size_t a, std::size_t b) { return members_[a].name < members_[b].name; });
    for (std::size_t i = 1; i < by_name_.size(); ++i)
      if (members_[by_name_[i]].name == members_[by_name_[i - 1]].name)
        throw IoError(place(members_[by_name_[i]]) + ": is in the archive twice; which one is meant cannot be known");
  }

  /// Members that share bytes are how a small archive unpacks into a huge one (Fifield, WOOT 2019): every member gets
  /// the room up to the next one.
  void check_places() {
    std::vector<std::size_t> order = by_name_;
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return members_[a].offset < members_[b].offset; });
    for (std::size_t i = 0; i < order.size(); ++i) {
      ZipMember& member = members_[order[i]];
      member.limit = i + 1 < order.size() ? members_[order[i + 1]].offset : directory_offset_;
      const std::uint64_t needed = local_size + member.name.size() + member.compressed;
      if (member.offset > member.limit || member.limit - member.offset < needed)
        throw IoError(detail::cat(place(member), ": needs ", needed, " bytes at offset ", member.offset,
                                  ", but offset ", member.limit, " belongs to something else"));
    }
  }

  /// Offset of the data of a member.
  std::uint64_t check_local(const ZipMember& member, const std::string& where) const {
    std::vector<std::uint8_t> header(local_size + member.name.size());
    source_.read(member.offset, header.data(), header.size());
    if (detail::load_little<std::uint32_t>(header.data()) != 0x04034b50)
      throw IoError(where + ": its local header is damaged");
    const std::size_t name = detail::load_little<std::uint16_t>(&header[26]),
                      extra_size = detail::load_little<std::uint16_t>(&header[28]);
    if (name != member.name.size() ||
        std::string_view(reinterpret_cast<const char*>(header.data()) + local_size, name) != member.name)
      throw IoError(where + ": its local header bears another name than the directory");
    const std::uint64_t room = member.limit - member.offset - header.size();
    if (room < extra_size || room - extra_size < member.compressed)
      throw IoError(where + ": its local header leaves too little room for its data");
    const unsigned flags = detail::load_little<std::uint16_t>(&header[6]),
                   method = detail::load_little<std::uint16_t>(&header[8]);
    if ((flags & 0x2041) != 0 || method != (member.deflated ? 8u : 0u))
      throw IoError(where + ": its local header names another compression method than the directory");
    std::vector<std::uint8_t> extra(extra_size);
    source_.read(member.offset + header.size(), extra.data(), extra.size());
    std::uint64_t compressed = detail::load_little<std::uint32_t>(&header[18]),
                  size = detail::load_little<std::uint32_t>(&header[22]);
    const std::uint32_t crc = detail::load_little<std::uint32_t>(&header[14]);
    widen(where, extra.data(), extra.size(), {&size, &compressed});
    // A writer that streams (flag 8) does not know these numbers yet and leaves zeros.
    const auto agrees = [&](std::uint64_t found, std::uint64_t expected) {
      return found == expected || ((flags & 8) != 0 && found == 0);
    };
    if (!agrees(crc, member.crc) || !agrees(compressed, member.compressed) || !agrees(size, member.size))
      throw IoError(detail::cat(where, ": its local header (CRC-32 ", crc, ", ", compressed, " bytes of ", size,
                                ") and the directory (", member.crc, ", ", member.compressed, " of ", member.size,
                                ") disagree; the file is damaged"));
    return member.offset + header.size() + extra_size;
  }

  ByteSource source_;
  std::vector<ZipMember> members_;
  std::vector<std::size_t> by_name_;
  std::uint64_t directory_offset_ = 0;
};

}  // namespace lacuna::io
