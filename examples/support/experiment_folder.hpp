// The folder of an experiment:
//
//   results.csv  results.json      one row per model, seed, protocol and condition; JSON holds everything below too
//   averages.csv differences.csv   over the seeds; between models; curves.csv: over the missing rate
//   report.html                    all of it, to read
//   timings.csv                    durations: the only thing that differs between two equal experiments
//   runs/MODEL/seed-1/
//     predictions.npz              one trained model under every condition; once it is there, the training is done
//     model.lacuna                 the model itself
//     history.csv  timing.csv      one row per epoch; durations
//     unfinished.lacuna            while training: what --resume goes on from
//
// Every file appears whole or not at all. Two programs cannot work in one folder: it is locked while one does.
#pragma once

#include <cctype>

#include "locked_folder.hpp"

namespace support {

class ExperimentFolder : public LockedFolder {
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
    return path() + "/runs/" + safe(model) + "/seed-" + std::to_string(seed);
  }
  std::string run_file(const std::string& model, std::uint64_t seed, const char* name) const {
    return run(model, seed) + "/" + name;
  }
  bool has_runs() const { return exists(path() + "/runs"); }

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
            "timings.csv", "timing.csv", "predictions.npz", "model.lacuna", "history.csv", "unfinished.lacuna"})
        if (name.rfind(std::string(ours) + ".tmp-", 0) == 0 || (!only_temporaries && name == ours))
          files.push_back(at->path());
    }
    for (const auto& file : files) fs::remove(file, ignored);
    if (only_temporaries) return;
    for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) fs::remove(*folder, ignored);  // if empty
  }
};

}  // namespace support
