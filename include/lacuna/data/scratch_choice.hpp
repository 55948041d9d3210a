/// Where the features of a data set are kept: in memory, or in files without a name where they are many.
#pragma once

#include <sys/statvfs.h>

#include "lacuna/data/npz_scan.hpp"

namespace lacuna::detail {

/// Bytes of all features that `options` asks for, as floats.
inline double feature_bytes(const NpzScan& scan, const data::LoadOptions& options) {
  double bytes = 0;
  for (const data::Role role : {data::Role::train, data::Role::validation, data::Role::test}) {
    if (!options.splits.empty() &&
        std::find(options.splits.begin(), options.splits.end(), role) == options.splits.end())
      continue;
    for (const auto& [name, features] : scan.modalities())
      if (scan.has(role, name)) bytes += 4 * double(scan.header(role, name).shape.size());
  }
  return bytes;
}

/// The options, with a folder of scratch where there is to be one (LoadOptions::scratch_above).
inline data::LoadOptions place_features(NpzScan& scan, data::LoadOptions options) {
  if (options.scratch.empty() || options.scratch_above == 0) return options;
  const double bytes = feature_bytes(scan, options);
  const auto mebibytes = [](double count) { return cat(std::uint64_t(count / double(1 << 20)), " MiB"); };
  if (bytes <= double(options.scratch_above)) {
    options.scratch.clear();
    return options;
  }
  struct statvfs facts {};
  const bool known = ::statvfs(options.scratch.c_str(), &facts) == 0;
  const double room = known ? double(facts.f_bavail) * double(facts.f_frsize) : 0;
  if (room < 1.02 * bytes + double(64 << 20)) {
    scan.notes().push_back({cat(mebibytes(bytes), " of features are kept in memory: ", options.scratch, " has ",
                                mebibytes(room), " of room; another folder keeps memory free (scratch)"),
                            true});
    options.scratch.clear();
  } else {
    scan.notes().push_back(
        {cat(mebibytes(bytes), " of features lie in files without a name in ", options.scratch, ", not in memory"),
         false});
  }
  return options;
}

}  // namespace lacuna::detail
