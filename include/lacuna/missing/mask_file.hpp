/// Masks in files, so that other programs and other libraries see the same: .npz with
///   format (1) · ids (N) · modalities (M) · conditions (C) · hashes (C) · fills (C, 2) · mask/<c>/<m> (N, T_m), 1 =
///   present.
/// Loading checks every size and every hash; errors are IoError.
#pragma once

#include "lacuna/io/npz.hpp"
#include "lacuna/io/npz_writer.hpp"
#include "lacuna/missing/mask_set.hpp"

namespace lacuna::missing {

/// All sets must have the same ids, in one order, and the same modalities. Throws OptionError otherwise.
inline void save_masks(const std::string& path, const std::vector<MaskSet>& sets) {
  if (sets.empty()) throw OptionError("masks: none to save in " + path);
  for (const MaskSet& set : sets)
    if (set.ids != sets[0].ids || set.modalities != sets[0].modalities)
      throw OptionError(
          detail::cat("masks: '", set.name, "' has other samples or modalities than '", sets[0].name, "'"));
  std::vector<std::string> names, hashes;
  std::vector<std::int64_t> fills;
  for (const MaskSet& set : sets) {
    names.push_back(set.name);
    hashes.push_back(set.hash());
    fills.push_back(std::int64_t(set.fill));
    fills.push_back(set.substitute);
  }
  io::NpzWriter file(path);
  file.add("format", std::int64_t(1));
  file.add("ids", sets[0].ids);
  file.add("modalities", sets[0].modalities);
  file.add("conditions", names);
  file.add("hashes", hashes);
  file.add("fills", std::span<const std::int64_t>(fills), Shape{index_t(sets.size()), 2});
  for (std::size_t c = 0; c < sets.size(); ++c)
    for (std::size_t m = 0; m < sets[c].keep.size(); ++m) file.add(detail::cat("mask/", c, "/", m), sets[c].keep[m]);
  file.close();
}

/// From an archive that is open; `path` is what messages call it.
inline std::vector<MaskSet> load_masks(const io::Npz& file, const std::string& path) {
  const auto fail = [&](const auto&... what) { throw IoError(detail::cat(path, ": ", what...)); };
  if (const auto format = file.get("format").scalar<std::int64_t>(); format != 1)
    fail("is a mask file of format ", format, ", this library reads format 1");
  const auto ids = file.get("ids").strings(), modalities = file.get("modalities").strings(),
             names = file.get("conditions").strings(), hashes = file.get("hashes").strings();
  const auto fills = file.tensor<std::int64_t, 2>("fills");
  if (hashes.size() != names.size() || fills.extent(0) != index_t(names.size()) || fills.extent(1) != 2)
    fail("has ", names.size(), " conditions, ", hashes.size(), " hashes and fills of shape ", fills.shape());
  std::vector<MaskSet> sets;
  for (std::size_t c = 0; c < names.size(); ++c) {
    const std::int64_t fill = fills(index_t(c), 0);
    if (fill < 0 || fill > std::int64_t(Fill::substitute)) fail("condition '", names[c], "' has fill number ", fill);
    MaskSet set{names[c], modalities, ids, {}, Fill(fill), fills(index_t(c), 1)};
    for (std::size_t m = 0; m < modalities.size(); ++m) {
      set.keep.push_back(file.tensor<std::uint8_t, 2>(detail::cat("mask/", c, "/", m)));
      const Mask<2>& mask = set.keep.back();
      if (mask.extent(0) != index_t(ids.size()))
        fail("mask of '", modalities[m], "' has ", mask.extent(0), " rows for ", ids.size(), " samples");
      for (index_t i = 0; i < mask.size(); ++i)
        if (mask.data()[i] > 1) fail("mask of '", modalities[m], "' holds ", int(mask.data()[i]), ", expected 0 or 1");
    }
    if (set.hash() != hashes[c])
      fail("masks of '", names[c], "' have hash ", set.hash(), ", the file says ", hashes[c]);
    sets.push_back(std::move(set));
  }
  return sets;
}

inline std::vector<MaskSet> load_masks(const std::string& path) { return load_masks(io::Npz(path), path); }

}  // namespace lacuna::missing
