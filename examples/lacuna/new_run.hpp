// A new run beside an old one in the same folder: it is made in FOLDER/new-run, and takes the old one's place when it is whole.
// Until then every file of the old run stays as it is.
#pragma once

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "locked_folder.hpp"
#include "lacuna/io/atomic_file.hpp"

namespace program {

class NewRun {
 public:
  /// Of the folder of a run. Does not touch the disk.
  explicit NewRun(const std::string& folder) : folder_(folder) {}

  std::string path() const { return folder_ + "/new-run"; }
  bool exists() const { return LockedFolder::exists(path()); }
  void discard() const {
    std::error_code error;
    fs::remove_all(path(), error);
    if (error) throw lacuna::IoError(path() + ": cannot be removed: " + error.message());
  }

  /// Says that everything is there. From here on the new run is the run: should the program be killed, the next one that
  /// works in the folder goes on with `take_place`.
  void seal() const {
    std::string names;
    for (const std::string& name : files()) names += name + '\n';
    lacuna::io::AtomicFile list(seal_file());
    list.write(names);
    list.commit();
  }
  bool sealed() const { return LockedFolder::exists(seal_file()); }

  /// Renames every file into the folder. Those of the old run that have no successor are left to `left_over`. Throws IoError.
  template <class LeftOver>
  void take_place(LeftOver&& left_over) const {
    std::vector<std::string> names;
    std::ifstream list(seal_file());
    for (std::string name; std::getline(list, name);) names.push_back(name);
    for (const std::string& name : names) {
      const fs::path from = fs::path(path()) / name, to = fs::path(folder_) / name;
      std::error_code error;
      if (!fs::exists(from, error)) continue;  // it is in its place since before the program was killed
      fs::create_directories(to.parent_path(), error);
      fs::rename(from, to, error);
      if (error)
        throw lacuna::IoError(to.string() + ": cannot be replaced: " + error.message() + "; the new one is " +
                              from.string());
    }
    left_over(names);
    discard();
  }

  /// What a program that was killed between two steps may leave: folders without files.
  void tidy() const {
    if (exists() && files().empty()) discard();
  }

 private:
  std::string seal_file() const { return path() + "/complete"; }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    std::error_code ignored;
    for (fs::recursive_directory_iterator at(path(), ignored), end; at != end; at.increment(ignored))
      if (!at->is_directory(ignored)) names.push_back(fs::path(at->path()).lexically_relative(path()).string());
    std::sort(names.begin(), names.end());
    return names;
  }

  std::string folder_;
};

}  // namespace program
