// The curves of one training as TensorBoard reads them, written while it runs: MODEL/seed-N/tensorboard/PHASE/, one run of
// TensorBoard for every phase. A training that is resumed goes on in its files.
#pragma once

#include <chrono>
#include <map>

#include "folder.hpp"
#include "lacuna/io/tensorboard.hpp"
#include "lacuna/train/history.hpp"

namespace program {

class EventCurves {
 public:
  /// `run`: the folder of the training; empty: nothing is written.
  explicit EventCurves(std::string run) : run_(std::move(run)) {}

  /// Throws IoError.
  void epoch(const lacuna::train::EpochRecord& record) {
    if (run_.empty()) return;
    const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    const std::string phase = record.phase.empty() ? "training" : Folder::safe(record.phase);
    auto found = files_.find(phase);
    if (found == files_.end()) {
      const std::string folder = run_ + "/tensorboard/" + phase;
      std::error_code error;
      fs::create_directories(folder, error);
      found = files_.try_emplace(phase, folder + '/' + tensorboard_file).first;
      if (found->second.goes_on()) found->second.restart(record.epoch, now);
    }
    lacuna::train::Scores points;
    for (const auto& [name, value] : record.losses)
      points.emplace_back(points.empty() ? name : record.losses[0].first + "/" + name, value);
    for (const auto& [condition, scores] : record.validation)
      for (const auto& [metric, value] : scores) points.emplace_back("valid/" + condition + "/" + metric, value);
    points.emplace_back("score", record.score);
    points.emplace_back("learning_rate", record.learning_rate);
    found->second.write(record.epoch, points, now);
  }

 private:
  std::string run_;
  std::map<std::string, lacuna::io::TensorboardFile> files_;  ///< by phase
};

}  // namespace program
