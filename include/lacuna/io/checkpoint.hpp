/// Checkpoints: a `State` in a file. docs/checkpoint.md describes the format byte by byte.
///
///     magic (8) | format version (4) | CRC-32 (4) | payload size (8) | payload
///
/// The payload is a cereal portable binary archive: values by name, little endian. The CRC-32 is that of version, size
/// and payload, so that a flipped bit anywhere is found. Writing goes beside the target, is flushed to the disk, then
/// renamed.
///
/// Reading believes nothing: the size is compared with that of the file and the checksum verified in one pass through a
/// small buffer, before anything is allocated; then every count is checked against the bytes that are left. A file that
/// is truncated, damaged, foreign, or of a later version is refused with one IoError: file, what, found, expected.
#pragma once

#include "lacuna/core/words_aside.hpp"
// macros of others stand aside from here on

#include "lacuna/io/atomic_file.hpp"
#include "lacuna/io/checkpoint_payload.hpp"
#include "lacuna/io/deflate.hpp"

namespace lacuna::detail {

inline constexpr char checkpoint_magic[8] = {'\x89', 'L', 'A', 'C', 'U', 'N', 'A', '\n'};
inline constexpr std::uint32_t checkpoint_version = 2;
inline constexpr std::uint64_t checkpoint_header = 24;

inline void store_little(char* to, std::uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i) to[i] = char(std::uint8_t(number >> (8 * i)));
}

}  // namespace lacuna::detail

namespace lacuna::io {

/// Writes the whole file or, on an error, leaves the old one. Throws IoError with the system's reason.
inline void save_checkpoint(const std::string& path, const State& state) {
  using namespace lacuna::detail;
  char header[checkpoint_header];
  std::uint64_t size = 0;
  const auto version_and_size = [&] {
    char fields[12];
    store_little(fields, checkpoint_version, 4);
    store_little(fields + 4, size, 8);
    return io::crc32_of(0, fields, sizeof fields);
  };
  write_checkpoint_payload(state, [&](const char*, std::size_t count) { size += count; });
  std::uint32_t crc = version_and_size();
  write_checkpoint_payload(state, [&](const char* from, std::size_t count) { crc = io::crc32_of(crc, from, count); });

  std::memcpy(header, checkpoint_magic, 8);
  store_little(header + 8, checkpoint_version, 4);
  store_little(header + 12, crc, 4);
  store_little(header + 16, size, 8);
  AtomicFile file(path);
  file.write(header, sizeof header);
  write_checkpoint_payload(state, [&](const char* from, std::size_t count) { file.write(from, count); });
  file.commit();
}

inline State load_checkpoint(ByteSource source) {
  using namespace lacuna::detail;
  const std::string& path = source.name();
  std::uint8_t header[checkpoint_header] = {};
  const auto available = std::size_t(std::min(source.size(), checkpoint_header));
  source.read(0, header, available);
  if (std::memcmp(header, checkpoint_magic, std::min<std::size_t>(available, 8)) != 0 || available == 0)
    throw IoError(cat(path, ": is no lacuna checkpoint: it does not begin with the bytes 89 'LACUNA' 0A"));
  if (available < checkpoint_header)
    throw IoError(
        cat(path, ": truncated checkpoint: ", source.size(), " bytes, the header alone has ", checkpoint_header));
  const auto version = load_little<std::uint32_t>(header + 8);
  if (version != checkpoint_version)
    throw IoError(
        cat(path, ": checkpoint of format version ", version, ", this program reads version ", checkpoint_version));
  const auto size = load_little<std::uint64_t>(header + 16);
  if (size != source.size() - checkpoint_header)
    throw IoError(cat(path, ": truncated or damaged checkpoint: the payload has ", source.size() - checkpoint_header,
                      " bytes, ", size, " are announced"));
  std::uint32_t crc = io::crc32_of(io::crc32_of(0, header + 8, 4), header + 16, 8);
  std::vector<char> window(std::size_t(std::min<std::uint64_t>(size, 1 << 16)));
  for (std::uint64_t done = 0; done < size;) {
    const auto piece = std::size_t(std::min<std::uint64_t>(window.size(), size - done));
    source.read(checkpoint_header + done, window.data(), piece);
    crc = io::crc32_of(crc, window.data(), piece);
    done += piece;
  }
  if (crc != load_little<std::uint32_t>(header + 12))
    throw IoError(
        cat(path, ": damaged checkpoint: checksum ", crc, ", expected ", load_little<std::uint32_t>(header + 12)));
  return CheckpointPayload(source, checkpoint_header, source.size()).read();
}
inline State load_checkpoint(const std::string& path) { return load_checkpoint(ByteSource(path)); }

}  // namespace lacuna::io

#include "lacuna/core/words_back.hpp"
