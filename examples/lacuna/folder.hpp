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
//     unfinished.lacuna            while training: what --resume goes on from
//
// Every file appears whole or not at all. Two programs cannot work in one folder: it is locked while one does.
#pragma once

#include <algorithm>
#include <cctype>

#include "locked_folder.hpp"

namespace program {

class Folder : public LockedFolder {
 public:
  using LockedFolder::LockedFolder;

  std::string file(const char* name) const { return path() + "/" + name; }
  /// Of a model name: letters, digits and .-_=+ stay.
  static std::string safe(const std::string& model) {
    std::string name = model;
    for (char& c : name)
      if (!std::isalnum(static_cast<unsigned char>(c)) && std::strchr(".-_=+", c) == nullptr) c = '_';
    return name;
  }
  std::string run(const std::string& model, std::uint64_t seed) const {
    return path() + "/" + safe(model) + "/seed-" + std::to_string(seed);
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

  void make_run(const std::string& model, std::uint64_t seed) { make(run(model, seed)); }

  /// Every file of ours: those half-written by a killed program, or all of them.
  void remove(bool only_temporaries) const {
    std::error_code ignored;
    std::vector<fs::path> files, folders;
    for (fs::recursive_directory_iterator at(path(), ignored), end; at != end; at.increment(ignored)) {
      if (at->is_directory(ignored)) {
        folders.push_back(at->path());
        continue;
      }
      const std::string name = at->path().filename().string();
      for (const char* ours :
           {"results.csv", "results.json", "averages.csv", "differences.csv", "curves.csv", "report.html",
            "timings.csv", "metrics.json", "timing.csv", "predictions.npz", "predictions.csv", "model.lacuna", "model.json",
            "history.csv", "unfinished.lacuna"})
        if (name.rfind(std::string(ours) + ".tmp-", 0) == 0 || (!only_temporaries && name == ours))
          files.push_back(at->path());
    }
    for (const auto& file : files) fs::remove(file, ignored);
    if (only_temporaries) return;
    for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) fs::remove(*folder, ignored);  // if empty
  }
};

}  // namespace program
