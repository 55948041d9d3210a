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

  void save_state(State& state) const {
    state.put("epochs", epochs.size());
    for (std::size_t i = 0; i < epochs.size(); ++i) {
      const EpochRecord& record = epochs[i];
      State row;
      row.put("epoch", record.epoch);
      row.put("best", record.best);
      row.put("numbers", std::vector<double>{record.learning_rate, record.score, record.seconds});
      put_scores(row, "losses", record.losses);
      row.put("conditions", record.validation.size());
      for (std::size_t c = 0; c < record.validation.size(); ++c) {
        row.put(detail::cat("condition.", c), record.validation[c].condition);
        put_scores(row, detail::cat("scores.", c), record.validation[c].values);
      }
      state.put(detail::cat("epoch.", i), row);
    }
  }
  void load_state(const State& state) {
    epochs.clear();
    const auto count = state.get<std::size_t>("epochs");
    for (std::size_t i = 0; i < count; ++i) {
      const State row = state.under(detail::cat("epoch.", i));
      EpochRecord record;
      row.get("epoch", record.epoch);
      row.get("best", record.best);
      const auto numbers = row.get<std::vector<double>>("numbers");
      if (numbers.size() != 3) row.fail("numbers", detail::cat("holds ", numbers.size(), " numbers, expected 3"));
      record.learning_rate = numbers[0];
      record.score = numbers[1];
      record.seconds = numbers[2];
      record.losses = get_scores(row, "losses");
      const auto conditions = row.get<std::size_t>("conditions");
      for (std::size_t c = 0; c < conditions; ++c)
        record.validation.push_back(
            {row.get<std::string>(detail::cat("condition.", c)), get_scores(row, detail::cat("scores.", c))});
      epochs.push_back(std::move(record));
    }
  }

 private:
  static void put_scores(State& state, const std::string& name, const Scores& scores) {
    std::vector<std::string> names;
    std::vector<double> numbers;
    for (const auto& [key, number] : scores) {
      names.push_back(key);
      numbers.push_back(number);
    }
    state.put(name + ".names", names);
    state.put(name, numbers);
  }
  static Scores get_scores(const State& state, const std::string& name) {
    const auto names = state.get<std::vector<std::string>>(name + ".names");
    const auto numbers = state.get<std::vector<double>>(name);
    if (names.size() != numbers.size())
      state.fail(name, detail::cat("holds ", numbers.size(), " numbers for ", names.size(), " names"));
    Scores scores;
    for (std::size_t i = 0; i < names.size(); ++i) scores.emplace_back(names[i], numbers[i]);
    return scores;
  }
};

/// Writes a temporary file beside `path` and renames it, so that no reader sees half a file. Throws IoError.
inline void write_text(const std::string& path, const std::string& text) {
  io::AtomicFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace lacuna::train
