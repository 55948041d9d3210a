// The streams of one clip as a file, and those of many as a data set.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

#include "lacuna/io/npz.hpp"
#include "lacuna/io/npz_writer.hpp"
#include "manifest.hpp"

namespace program {

/// By name: audio, text, simulated.
struct ClipStreams {
  std::map<std::string, lacuna::Tensor<float, 2>> streams;
  std::string said, provenance;
};

inline std::string one_text(const lacuna::io::Npz& file, const char* name) {
  const auto texts = file.get(name).strings();
  return texts.size() == 1 ? texts[0] : std::string();
}

inline void save_streams(const std::string& path, bool npz, const ClipStreams& clip) {
  if (npz) {
    lacuna::io::NpzWriter file(path + ".npz");
    for (const auto& [name, frames] : clip.streams) file.add(name, frames);
    file.add("said", std::vector<std::string>{clip.said});
    file.add("provenance", std::vector<std::string>{clip.provenance});
    return file.close();
  }
  for (const auto& [name, frames] : clip.streams) lacuna::io::save_npy(path + "." + name + ".npy", frames);
  lacuna::io::AtomicFile notes(path + ".json");  // last: where it is, all is
  notes.write(clip.provenance + "\n");
  notes.commit();
}
/// What stands there already, if it was made in just this way.
inline std::optional<ClipStreams> stored_streams(const std::string& path, bool npz, const std::string& provenance,
                                                 const std::vector<std::string>& wanted) {
  namespace fs = std::filesystem;
  ClipStreams clip;
  clip.provenance = provenance;
  try {
    if (npz) {
      if (!fs::exists(path + ".npz")) return std::nullopt;
      const lacuna::io::Npz file(path + ".npz");
      if (one_text(file, "provenance") != provenance) return std::nullopt;
      clip.said = one_text(file, "said");
      for (const std::string& name : wanted) clip.streams[name] = file.tensor<float, 2>(name);
    } else {
      if (!fs::exists(path + ".json") || read_text(path + ".json") != provenance) return std::nullopt;
      for (const std::string& name : wanted)
        clip.streams[name] = lacuna::io::load_npy(path + "." + name + ".npy").tensor<float, 2>();
    }
  } catch (const lacuna::IoError&) {  // damaged: made again
    return std::nullopt;
  }
  return clip;
}

/// The clips of a split that have every label which any of them has; of the others one line.
inline std::vector<std::size_t> usable(const std::vector<ClipRow>& rows, const std::string& split,
                                       const std::string& path) {
  bool labels = false, classes = false;
  std::size_t all = 0;
  std::vector<std::size_t> here;
  for (const ClipRow& row : rows)
    if (row.split == split) labels = labels || !std::isnan(row.label), classes = classes || row.class_id >= 0, ++all;
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].split == split && !(labels && std::isnan(rows[i].label)) && !(classes && rows[i].class_id < 0))
      here.push_back(i);
  if (here.size() < all)
    std::fprintf(stderr, "lacuna extract: note: %s: %zu of %zu clips of %s have no label and are left out\n",
                 path.c_str(), all - here.size(), all, split.c_str());
  return here;
}

/// {split}_{stream} (N, T, D) padded with zeros, {split}_{stream}_length, {split}_label or _class, {split}_id: what every
/// command reads with --data.
inline void save_set(const std::string& path, const Manifest& manifest, const std::vector<ClipStreams>& clips) {
  using lacuna::index_t;
  const std::vector<ClipRow>& rows = manifest.rows;
  lacuna::io::NpzWriter file(path);
  if (!manifest.class_names.empty()) file.add("class_names", manifest.class_names);
  for (const std::string split : {"train", "valid", "test"}) {
    const std::vector<std::size_t> here = usable(rows, split, path);
    if (here.empty()) continue;
    std::vector<std::string> ids;
    std::vector<float> labels;
    std::vector<index_t> classes;
    for (const std::size_t i : here) {
      ids.push_back(rows[i].name);
      labels.push_back(float(rows[i].label));
      classes.push_back(rows[i].class_id);
    }
    file.add(split + "_id", ids);
    if (!std::isnan(labels[0])) file.add(split + "_label", labels);
    if (classes[0] >= 0) file.add(split + "_class", classes);
    for (const auto& [name, first] : clips[here[0]].streams) {
      index_t longest = 1;
      std::vector<index_t> lengths;
      for (const std::size_t i : here) {
        lengths.push_back(clips[i].streams.contains(name) ? clips[i].streams.at(name).extent(0) : 0);
        longest = std::max(longest, lengths.back());
      }
      const index_t width = first.extent(1), count = index_t(here.size());
      auto frames = lacuna::Tensor<float, 3>::zeros({count, longest, width});
      for (index_t n = 0; n < count; ++n)
        if (lengths[std::size_t(n)] > 0)
          std::copy_n(clips[here[std::size_t(n)]].streams.at(name).data(), lengths[std::size_t(n)] * width,
                      frames.data() + n * longest * width);
      file.add(split + "_" + name, frames);
      file.add(split + "_" + name + "_length", lengths);
    }
  }
  file.close();
}

}  // namespace program
