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

#include <algorithm>
#include <cstdlib>

#include "locked_folder.hpp"

namespace support {

class RunFolder : public LockedFolder {
 public:
  using LockedFolder::LockedFolder;

  std::string metrics() const { return path() + "/metrics.json"; }
  std::string seed(std::uint64_t number) const { return path() + "/seed-" + std::to_string(number); }
  std::string checkpoint(std::uint64_t number) const { return seed(number) + "/checkpoint.lacuna"; }
  std::string unfinished(std::uint64_t number) const { return seed(number) + "/unfinished.lacuna"; }
  std::string history(std::uint64_t number) const { return seed(number) + "/history.csv"; }
  std::string predictions(std::uint64_t number) const { return seed(number) + "/predictions.csv"; }

  /// Seeds that have left something here.
  std::vector<std::uint64_t> seeds() const {
    std::vector<std::uint64_t> found;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(path(), ignored)) {
      const std::string name = entry.path().filename().string();
      if (name.rfind("seed-", 0) != 0 || name.find_first_not_of("0123456789", 5) != std::string::npos) continue;
      if (name.size() == 5 || name.size() > 25) continue;
      found.push_back(std::strtoull(name.c_str() + 5, nullptr, 10));
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  void make_seed(std::uint64_t number) { make(seed(number)); }
  /// What a killed program left half-written.
  void remove_temporaries() const {
    remove_temporaries(path());
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
};

}  // namespace support
