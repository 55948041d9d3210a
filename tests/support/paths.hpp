/// Where tests find files that are no part of the repository: reference numbers ("oracle") and real data sets.
///
/// A test that needs them says so, and is skipped (and named) where they are absent:
///     TEST_CASE("gelu: oracle" * doctest::skip(!lacuna::test::have_oracle())) { ... }
#pragma once

#include <sys/stat.h>

#include <cstdlib>
#include <string>

namespace lacuna::test {

inline std::string directory(const char* variable, const char* beside_source) {
  const char* chosen = std::getenv(variable);
  return chosen != nullptr && *chosen != '\0' ? chosen : std::string(LACUNA_SOURCE_DIR) + beside_source;
}

inline bool is_directory(const std::string& path) {
  struct stat entry;
  return stat(path.c_str(), &entry) == 0 && S_ISDIR(entry.st_mode);
}

/// $LACUNA_ORACLE_DIR, else shared/oracle beside the checkout.
inline std::string oracle_dir() { return directory("LACUNA_ORACLE_DIR", "/../shared/oracle"); }
/// $LACUNA_DATA_DIR, else shared/data beside the checkout.
inline std::string data_dir() { return directory("LACUNA_DATA_DIR", "/../shared/data"); }
/// $LACUNA_FORMATS_DIR, else shared/fixtures/formats beside the checkout: files that other programs wrote, with their content.
inline std::string formats_dir() { return directory("LACUNA_FORMATS_DIR", "/../shared/fixtures/formats"); }
inline std::string real_files_dir() { return directory("LACUNA_REAL_FILES_DIR", "/../shared/real_files"); }
inline bool have_oracle() { return is_directory(oracle_dir()); }
inline bool have_formats() { return is_directory(formats_dir()); }
inline bool have_data() { return is_directory(data_dir()); }

}  // namespace lacuna::test
