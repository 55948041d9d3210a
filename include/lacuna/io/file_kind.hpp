/// What a file is, by its first bytes and never by its name; and what to say about those that are not what was hoped
/// for.
#pragma once

#include <algorithm>

#include "lacuna/io/mapped_file.hpp"

namespace lacuna::detail {

inline bool starts_with(std::span<const std::uint8_t> bytes, std::string_view start, std::size_t at = 0) {
  return bytes.size() >= at + start.size() && std::memcmp(bytes.data() + at, start.data(), start.size()) == 0;
}

/// Throws IoError for files that are no data at all, or packed, or of another format than `wanted` ("a pickle").
inline void refuse_strangers(const io::MappedFile& file, std::string_view wanted) {
  const auto bytes = file.bytes();
  const auto fail = [&](std::string_view what) { throw IoError(cat(file.name(), ": ", what, ", expected ", wanted)); };
  if (bytes.empty()) fail("is empty (0 bytes)");
  if (starts_with(bytes, "version https://git-lfs"))
    fail("is a Git LFS pointer, the real file was not fetched (git lfs pull)");
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
