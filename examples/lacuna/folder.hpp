// The folder of a run, of `train` and of `experiment` alike:
//
//   results.csv  results.json      one row per model, seed, protocol and condition; JSON holds everything below too
//   averages.csv differences.csv   over the seeds; between models; curves.csv: over the missing rate
//   report.html                    all of it, to read
//   metrics.json                   train: the table it prints
//   timings.csv                    durations: the only thing that differs between two equal runs
//   MODEL/seed-1/
//     model.lacuna                 the trained model; predict needs nothing else
//     model.json                   its card: data, options, masks, metrics, versions
//     predictions.npz  .csv        under every condition; once the first is there, the training is done
//     history.csv  timing.csv      one row per epoch; durations
//     tensorboard/PHASE/           --tensorboard: its curves, in an event file
//     unfinished.lacuna            while training: what --resume goes on from
//   new-run/                       the same of a run that is to replace a finished one, until it is finished itself
//
// Every file appears whole or not at all. Two programs cannot work in one folder: it is locked while one does.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdio>

#include "locked_folder.hpp"
#include "new_run.hpp"

namespace program {

/// TensorBoard looks for "tfevents" in a name.
inline constexpr const char* tensorboard_file = "events.out.tfevents.lacuna";

class Folder : public LockedFolder {
 public:
  using LockedFolder::LockedFolder;

  /// Keeps others out, and ends what a killed program had begun: half-written files go, a whole new run takes its place.
  void open() {
    LockedFolder::open();
    if (beside().sealed()) take_place();
    remove(true);
    beside().tidy();
  }
  /// From here on everything is written beside the run that the folder holds.
  void write_beside() {
    beside_ = true;
    make(beside().path());
  }
  /// The new run takes the place of the old one, where it was written beside it. Throws IoError.
  void settle() {
    if (!beside_) return;
    beside().seal();
    take_place();
    beside_ = false;
  }
  NewRun beside() const { return NewRun(path()); }
  /// Where this run writes.
  std::string root() const { return beside_ ? beside().path() : path(); }
  /// Whether a training has been finished here.
  bool has_finished() const {
    for (const std::string& run : runs())
      if (exists(path() + "/" + run + "/predictions.npz")) return true;
    return exists(path() + "/results.json") || exists(path() + "/metrics.json");
  }
  /// A file of ours that lies in the folder, as a run would replace it.
  bool replaces(const std::string& file) const {
    std::error_code unknown;
    const fs::path inside = fs::canonical(file, unknown), here = fs::weakly_canonical(path(), unknown);
    const auto [end, ignored] = std::mismatch(here.begin(), here.end(), inside.begin(), inside.end());
    return !inside.empty() && end == here.end() && is_ours(inside.filename().string());
  }

  std::string file(const char* name) const { return root() + "/" + name; }
  /// Of a model name: letters, digits and .-_=+ stay.
  static std::string safe(const std::string& model) {
    std::string name = model;
    for (char& c : name)
      if (!std::isalnum(static_cast<unsigned char>(c)) && std::strchr(".-_=+", c) == nullptr) c = '_';
    constexpr std::size_t most = 120;  // file systems take 255 bytes, and some programs add to a name
    if (name.size() <= most) return name;
    std::uint32_t hash = 2166136261u;  // FNV-1a of the whole name, which the letters kept do not tell apart
    for (const char c : model) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
    char end[10];
    std::snprintf(end, sizeof end, "-%08x", unsigned(hash));
    return name.substr(0, most - 9) + end;
  }
  std::string run(const std::string& model, std::uint64_t seed) const {
    return root() + "/" + safe(model) + "/seed-" + std::to_string(seed);
  }
  std::string run_file(const std::string& model, std::uint64_t seed, const char* name) const {
    return run(model, seed) + "/" + name;
  }
  /// What earlier trainings have left, as MODEL/seed-N.
  std::vector<std::string> runs() const {
    std::vector<std::string> found;
    std::error_code ignored;
    for (const auto& model : fs::directory_iterator(path(), ignored)) {
      if (!model.is_directory(ignored)) continue;
      for (const auto& seed : fs::directory_iterator(model.path(), ignored)) {
        const std::string name = seed.path().filename().string();
        if (name.rfind("seed-", 0) == 0) found.push_back(model.path().filename().string() + "/" + name);
      }
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  /// Of the seeds of a model together.
  std::string ensemble_file(const std::string& model) const { return root() + "/" + safe(model) + "/ensemble.lacuna"; }

  void make_run(const std::string& model, std::uint64_t seed) const { make(run(model, seed)); }

  /// Every file of ours: those half-written by a killed program, or all of them but those that are named, as MODEL/seed-N/FILE.
  void remove(bool only_temporaries, const std::vector<std::string>& but = {}) const {
    std::error_code ignored;
    std::vector<fs::path> files, folders;
    for (fs::recursive_directory_iterator at(path(), ignored), end; at != end; at.increment(ignored)) {
      if (at->is_directory(ignored)) {
        if (!only_temporaries && at->path() == beside().path())
          at.disable_recursion_pending();
        else
          folders.push_back(at->path());
        continue;
      }
      const std::string name = at->path().filename().string();
      const std::size_t temporary = name.find(".tmp-");
      if (temporary != std::string::npos
              ? is_ours(name.substr(0, temporary))
              : !only_temporaries && is_ours(name) &&
                    std::find(but.begin(), but.end(), at->path().lexically_relative(path()).string()) == but.end())
        files.push_back(at->path());
    }
    for (const auto& file : files) fs::remove(file, ignored);
    if (only_temporaries) return;
    for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) fs::remove(*folder, ignored);  // if empty
  }

 private:
  static bool is_ours(const std::string& name) {
    for (const char* ours :
         {"results.csv", "results.json", "averages.csv", "differences.csv", "curves.csv", "report.html", "timings.csv",
          "metrics.json", "timing.csv", "predictions.npz", "predictions.csv", "model.lacuna", "model.json",
          "history.csv", "ensemble.lacuna", "unfinished.lacuna", "complete", tensorboard_file})
      if (name == ours) return true;
    return false;
  }
  void take_place() const {
    beside().take_place([this](const std::vector<std::string>& names) { remove(false, names); });
  }

  bool beside_ = false;
};

}  // namespace program
