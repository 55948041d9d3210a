// The folder of an experiment:
//
//   results.csv  results.json      one row per model, seed, protocol and condition; JSON holds everything below too
//   averages.csv differences.csv   over the seeds; between models
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

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "lacuna/core/error.hpp"

namespace support {

namespace fs = std::filesystem;

class ExperimentFolder {
 public:
  /// Does not touch the disk.
  explicit ExperimentFolder(std::string path) : path_(std::move(path)) {
    while (path_.size() > 1 && path_.back() == '/') path_.pop_back();
  }
  ExperimentFolder(const ExperimentFolder&) = delete;
  ExperimentFolder& operator=(const ExperimentFolder&) = delete;
  /// Folders that it made and that stayed empty, after an error, go.
  ~ExperimentFolder() {
    std::error_code ignored;
    for (auto folder = made_.rbegin(); folder != made_.rend(); ++folder) fs::remove(*folder, ignored);
    if (lock_ >= 0) ::close(lock_);
  }

  const std::string& path() const { return path_; }
  std::string file(const char* name) const { return path_ + "/" + name; }
  /// Of a model name: letters, digits and .-_=+ stay.
  static std::string safe(const std::string& model) {
    std::string name = model;
    for (char& c : name)
      if (!std::isalnum(static_cast<unsigned char>(c)) && std::strchr(".-_=+", c) == nullptr) c = '_';
    return name;
  }
  std::string run(const std::string& model, std::uint64_t seed) const {
    return path_ + "/runs/" + safe(model) + "/seed-" + std::to_string(seed);
  }
  std::string run_file(const std::string& model, std::uint64_t seed, const char* name) const {
    return run(model, seed) + "/" + name;
  }
  static bool exists(const std::string& file) {
    std::error_code ignored;
    return fs::exists(file, ignored);
  }
  bool has_runs() const { return exists(path_ + "/runs"); }

  /// Makes the folder and keeps others out. Throws IoError.
  void open() {
    make(path_);
    lock_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock_ < 0) throw lacuna::IoError(path_ + ": cannot be opened: " + std::strerror(errno));
    if (::flock(lock_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
      throw lacuna::IoError(path_ +
                            ": another program works in this folder; wait for it, or choose another with --out");
  }
  void make_run(const std::string& model, std::uint64_t seed) { make(run(model, seed)); }

  /// Every file of ours: those half-written by a killed program, or all of them.
  void remove(bool only_temporaries) const {
    std::error_code ignored;
    std::vector<fs::path> files, folders;
    for (fs::recursive_directory_iterator at(path_, ignored), end; at != end; at.increment(ignored)) {
      if (at->is_directory(ignored)) {
        folders.push_back(at->path());
        continue;
      }
      const std::string name = at->path().filename().string();
      for (const char* ours :
           {"results.csv", "results.json", "averages.csv", "differences.csv", "report.html", "timings.csv",
            "timing.csv", "predictions.npz", "model.lacuna", "history.csv", "unfinished.lacuna"})
        if (name.rfind(std::string(ours) + ".tmp-", 0) == 0 || (!only_temporaries && name == ours))
          files.push_back(at->path());
    }
    for (const auto& file : files) fs::remove(file, ignored);
    if (only_temporaries) return;
    for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) fs::remove(*folder, ignored);  // if empty
  }

 private:
  /// With all folders above it.
  void make(const fs::path& folder) {
    std::error_code error;
    if (fs::is_directory(folder, error)) return;
    if (folder.has_parent_path()) make(folder.parent_path());
    if (!fs::create_directory(folder, error) && error)
      throw lacuna::IoError(folder.string() + ": the folder cannot be made: " + error.message());
    made_.push_back(folder);
  }

  std::string path_;
  std::vector<fs::path> made_;
  int lock_ = -1;
};

}  // namespace support
