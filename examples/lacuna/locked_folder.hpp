// A folder that belongs to one program at a time.
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

namespace program {

namespace fs = std::filesystem;

class LockedFolder {
 public:
  /// Does not touch the disk.
  explicit LockedFolder(std::string path) : path_(std::move(path)) {
    while (path_.size() > 1 && path_.back() == '/') path_.pop_back();
  }
  LockedFolder(const LockedFolder&) = delete;
  LockedFolder& operator=(const LockedFolder&) = delete;
  /// Folders that it made and that stayed empty, after an error, go.
  ~LockedFolder() {
    std::error_code ignored;
    for (auto folder = made_.rbegin(); folder != made_.rend(); ++folder) fs::remove(*folder, ignored);
    if (lock_ >= 0) ::close(lock_);
  }

  const std::string& path() const { return path_; }
  static bool exists(const std::string& file) {
    std::error_code ignored;
    return fs::exists(file, ignored);
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

 protected:
  /// With all folders above it.
  void make(const fs::path& folder) const {
    std::error_code error;
    if (fs::is_directory(folder, error)) return;
    if (folder.has_parent_path()) make(folder.parent_path());
    if (!fs::create_directory(folder, error) && error)
      throw lacuna::IoError(folder.string() + ": the folder cannot be made: " + error.message());
    made_.push_back(folder);
  }

 private:
  std::string path_;
  mutable std::vector<fs::path> made_;  ///< for the end, whoever asked for them
  int lock_ = -1;
};

}  // namespace program
