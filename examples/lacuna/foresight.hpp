// What can be known before the work begins is looked at before it: that no output replaces an input, that outputs can be
// written, and that there is room for them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>

#include "lacuna/core/error.hpp"
#include "lacuna/io/atomic_file.hpp"

namespace program {

namespace fs = std::filesystem;

/// One file under two names too: a link, "./a" and "a".
inline bool same_file(const std::string& a, const std::string& b) {
  std::error_code unknown;
  return !a.empty() && !b.empty() && (a == b || fs::equivalent(a, b, unknown));
}

/// Throws OptionError where `to`, which `option` names, is one of the files that are read.
inline void expect_other_file(const char* option, const std::string& to, std::initializer_list<std::string> inputs) {
  for (const std::string& from : inputs)
    if (same_file(to, from))
      throw lacuna::OptionError(std::string(option) + ": " + to + " is read too, and would be replaced; choose another name");
}

/// Throws IoError where the file cannot be written. It stays as it is.
inline void expect_writable(const std::string& file) {
  if (!file.empty()) const lacuna::io::AtomicFile trial(file);
}

/// Throws IoError where the disk of the folder has less room.
inline void expect_room(const std::string& folder, std::uint64_t bytes) {
  std::error_code unknown;
  const fs::space_info disk = fs::space(folder, unknown);
  if (unknown || disk.available >= bytes) return;
  const auto megabytes = [](std::uint64_t count) { return std::to_string((count >> 20) + 1) + " MB"; };
  throw lacuna::IoError(folder + ": the results take at least " + megabytes(bytes) + ", " + megabytes(disk.available) +
                        " are free; make room, or choose another folder with --out");
}

}  // namespace program
