/// What happened in every epoch of a training, in memory, in a checkpoint, and as CSV.
///
/// The table has one row per epoch: epoch (from 1), learning_rate, loss and its terms (means over the training
/// samples), valid_CONDITION_METRIC for every condition and metric, score (what selection minimises), best (1 in every
/// epoch that was the best up to then), seconds. Numbers are written with as many digits as it takes to read them back
/// exactly.
#pragma once

#include "lacuna/io/atomic_file.hpp"
#include "lacuna/train/csv.hpp"
#include "lacuna/train/learner.hpp"
#include "lacuna/train/metrics.hpp"

namespace lacuna::train {

/// Metrics under one condition.
struct ConditionScores {
  std::string condition;
  Scores values;

  static void reflect(auto& self, auto&& visit) {
    visit("condition", self.condition);
    visit("values", self.values);
  }
};

struct EpochRecord {
  std::string phase = {};  ///< empty in the training of the whole model, the only one that a history keeps
  index_t epoch = 0;       ///< from 1
  double learning_rate = 0;
  Scores losses;  ///< "loss" first, then its terms
  std::vector<ConditionScores> validation;
  double score = 0;
  bool best = false;
  double seconds = 0;

  /// What is stored: all but the phase.
  static void reflect(auto& self, auto&& visit) {
    visit("epoch", self.epoch);
    visit("learning_rate", self.learning_rate);
    visit("losses", self.losses);
    visit("validation", self.validation);
    visit("score", self.score);
    visit("best", self.best);
    visit("seconds", self.seconds);
  }
};

struct History {
  std::vector<EpochRecord> epochs;

  /// The selected epoch; null before the first one ended.
  const EpochRecord* best() const {
    const EpochRecord* selected = nullptr;
    for (const EpochRecord& record : epochs)
      if (record.best) selected = &record;
    return selected;
  }
  double seconds() const {
    double sum = 0;
    for (const EpochRecord& record : epochs) sum += record.seconds;
    return sum;
  }

  std::string csv() const {
    std::string text;
    const auto row = [&](const EpochRecord& record, bool names) {
      const auto column = [&](const std::string& name, double number) {
        text += (text.empty() || text.back() == '\n' ? "" : ",") + (names ? csv_field(name) : csv_number(number));
      };
      column("epoch", double(record.epoch));
      column("learning_rate", record.learning_rate);
      for (const auto& [name, number] : record.losses) column(name, number);
      for (const auto& [condition, values] : record.validation)
        for (const auto& [name, number] : values) column(detail::cat("valid_", condition, "_", name), number);
      column("score", record.score);
      column("best", record.best);
      column("seconds", record.seconds);
      text += '\n';
    };
    if (!epochs.empty()) row(epochs[0], true);
    for (const EpochRecord& record : epochs) row(record, false);
    return text;
  }

  static void reflect(auto& self, auto&& visit) { visit("epochs", self.epochs); }
};

/// Writes a temporary file beside `path` and renames it, so that no reader sees half a file. Throws IoError.
inline void write_text(const std::string& path, const std::string& text) {
  io::AtomicFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace lacuna::train
