// The folder of a run:
//
//   metrics.json                   all results
//   seed-1/checkpoint.lacuna       the trained model; predict needs nothing else
//          history.csv             one row per epoch
//          predictions.csv         one row per test sample and condition
//          unfinished.lacuna       while training: what --resume goes on from
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

class RunFolder {
 public:
  /// Does not touch the disk.
  explicit RunFolder(std::string path) : path_(std::move(path)) {
    while (path_.size() > 1 && path_.back() == '/') path_.pop_back();
  }
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;
  /// Folders that it made and that stayed empty, after an error, go.
  ~RunFolder() {
    std::error_code ignored;
    for (auto folder = made_.rbegin(); folder != made_.rend(); ++folder) fs::remove(*folder, ignored);
    if (lock_ >= 0) ::close(lock_);
  }

  const std::string& path() const { return path_; }
  std::string metrics() const { return path_ + "/metrics.json"; }
  std::string seed(std::uint64_t number) const { return path_ + "/seed-" + std::to_string(number); }
  std::string checkpoint(std::uint64_t number) const { return seed(number) + "/checkpoint.lacuna"; }
  std::string unfinished(std::uint64_t number) const { return seed(number) + "/unfinished.lacuna"; }
  std::string history(std::uint64_t number) const { return seed(number) + "/history.csv"; }
  std::string predictions(std::uint64_t number) const { return seed(number) + "/predictions.csv"; }

  static bool exists(const std::string& file) {
    std::error_code ignored;
    return fs::exists(file, ignored);
  }
  /// Seeds that have left something here.
  std::vector<std::uint64_t> seeds() const {
    std::vector<std::uint64_t> found;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(path_, ignored)) {
      const std::string name = entry.path().filename().string();
      if (name.rfind("seed-", 0) != 0 || name.find_first_not_of("0123456789", 5) != std::string::npos) continue;
      if (name.size() == 5 || name.size() > 25) continue;
      found.push_back(std::strtoull(name.c_str() + 5, nullptr, 10));
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  /// Makes the folder and keeps others out. Throws IoError.
  void open() {
    make(path_);
    lock_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock_ < 0) throw lacuna::IoError(path_ + ": cannot be opened: " + std::strerror(errno));
    if (::flock(lock_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
      throw lacuna::IoError(path_ +
                            ": another program works in this folder; wait for it, or choose another with --out");
  }
  void make_seed(std::uint64_t number) { make(seed(number)); }
  /// What a killed program left half-written.
  void remove_temporaries() const {
    remove_temporaries(path_);
    for (const std::uint64_t number : seeds()) remove_temporaries(seed(number));
  }
  /// The results of an earlier run; nothing that we did not write.
  void clear() const {
    std::error_code ignored;
    fs::remove(metrics(), ignored);
    for (const std::uint64_t number : seeds()) {
      for (const std::string& file : {unfinished(number), checkpoint(number), history(number), predictions(number)})
        fs::remove(file, ignored);
      fs::remove(seed(number), ignored);  // only when it is empty
    }
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
  static void remove_temporaries(const std::string& folder) {
    std::error_code ignored;
    std::vector<fs::path> left;
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
      const std::string name = entry.path().filename().string();
      for (const char* ours :
           {"metrics.json", "checkpoint.lacuna", "unfinished.lacuna", "history.csv", "predictions.csv"})
        if (name.rfind(std::string(ours) + ".tmp-", 0) == 0) left.push_back(entry.path());
    }
    for (const auto& file : left) fs::remove(file, ignored);
  }

  std::string path_;
  std::vector<fs::path> made_;
  int lock_ = -1;
};

}  // namespace support
