/// What a file is, by its first bytes and never by its name; and what to say about those that are not what was hoped
/// for.
#pragma once

#include <algorithm>

#include "lacuna/io/mapped_file.hpp"

namespace lacuna::detail {

inline bool starts_with(std::span<const std::uint8_t> bytes, std::string_view start, std::size_t at = 0) {
  return bytes.size() >= at + start.size() && std::memcmp(bytes.data() + at, start.data(), start.size()) == 0;
}

/// How many bytes stand in front of a zip archive that ends with the file: what a script, a web server or a mail program put
/// there. 0: none, or no such archive.
inline std::uint64_t bytes_before_zip(std::span<const std::uint8_t> bytes) {
  constexpr std::size_t end_size = 22;  // the end record, but for its comment
  if (bytes.size() < end_size || starts_with(bytes, "PK\x03\x04")) return 0;
  const std::size_t first = bytes.size() - std::min<std::size_t>(bytes.size(), end_size + 65535);
  for (std::size_t at = bytes.size() - end_size + 1; at-- > first;) {
    const std::uint8_t* const end = bytes.data() + at;
    if (!starts_with(bytes, "PK\x05\x06", at) || load_little<std::uint16_t>(end + 20) != bytes.size() - at - end_size)
      continue;
    const std::uint64_t directory = load_little<std::uint32_t>(end + 12), offset = load_little<std::uint32_t>(end + 16);
    if (directory + offset < at && starts_with(bytes, "PK\x03\x04", at - directory - offset))
      return at - directory - offset;
  }
  return 0;
}

/// Throws IoError for files that are no data at all, or packed, or of another format than `wanted` ("a pickle").
inline void refuse_strangers(const io::MappedFile& file, std::string_view wanted) {
  const auto bytes = file.bytes();
  const auto fail = [&](std::string_view what) { throw IoError(cat(file.name(), ": ", what, ", expected ", wanted)); };
  if (bytes.empty()) fail("is empty (0 bytes)");
  if (starts_with(bytes, "version https://git-lfs")) fail(lfs_pointer);
  if (starts_with(bytes, "\x89LACUNA\n")) fail("is a model that lacuna trained (predict --checkpoint, convert)");
  if (starts_with(bytes, "\x93NUMPY"))
    fail("is one array (.npy); a data set is an .npz of arrays called train_text, train_label, ...");
  if (const std::uint64_t before = bytes[0] == 0x80 ? 0 : bytes_before_zip(bytes); before > 0)
    fail(cat("has ", before, " bytes in front of a zip archive (.npz, .pt); cut them off (tail -c +", before + 1, ")"));
  if (starts_with(bytes, "\x1f\x8b")) fail("is packed with gzip; unpack it first (gunzip)");
  if (starts_with(bytes,
                  "\xfd"
                  "7zXZ"))
    fail("is packed with xz; unpack it first (unxz)");
  if (starts_with(bytes, "BZh")) fail("is packed with bzip2; unpack it first (bunzip2)");
  if (starts_with(bytes, "\x28\xb5\x2f\xfd")) fail("is packed with zstd; unpack it first (unzstd)");
  if (starts_with(bytes, "\x89HDF\r\n\x1a\n")) fail("is an HDF5 file");
  if (starts_with(bytes, "MATLAB 5.0") || starts_with(bytes, "MATLAB 7.3")) fail("is a MATLAB file");
  if (bytes[0] != 0x80 && starts_with(bytes, "ustar", 257))
    fail("is a tar archive (PyTorch before 0.2 wrote such); save it again");
  std::size_t blank = 0;
  while (blank < bytes.size() && (bytes[blank] == ' ' || bytes[blank] == '\n' || bytes[blank] == '\r')) ++blank;
  if (blank < bytes.size() && bytes[blank] == '<')
    fail("is a web page (HTML), not the file behind it; download it again");
  if (bytes[0] == 0 && std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; }))
    fail("holds zero bytes only: a download that was interrupted; fetch it again");
}

}  // namespace lacuna::detail
