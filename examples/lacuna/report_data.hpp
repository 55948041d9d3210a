/// What a report shows beside the results: how every training went, and how long it took.
#pragma once

#include "lacuna/train/csv.hpp"
#include "lacuna/train/history.hpp"

namespace program {

struct Record {
  std::string model;
  std::uint64_t seed = 0;
  std::vector<double> loss, score;  ///< of every epoch: of training; what selection minimises on the validation split
  lacuna::index_t best_epoch = 0;   ///< from 1; 0: there were no epochs
  double training_seconds = 0, evaluation_seconds = 0;
  std::vector<std::pair<std::string, double>> effects = {};  ///< of taking each modality away (explain.hpp)
  std::string attention_sample = {};                         ///< whose attention is shown
  std::vector<std::pair<std::string, std::vector<double>>> attention = {};  ///< of each stream, over its frames
};

/// Curves of a training.
inline void take_history(Record& record, const lacuna::train::History& history) {
  record.loss.clear();
  record.score.clear();
  for (const auto& epoch : history.epochs) {
    record.loss.push_back(epoch.losses.empty() ? 0 : epoch.losses[0].second);
    record.score.push_back(epoch.score);
  }
}

inline std::string timings_csv(const std::vector<Record>& records) {
  std::string text = "model,seed,epochs,training_seconds,evaluation_seconds\n";
  for (const Record& one : records)
    text += lacuna::train::csv_field(one.model) + ',' + std::to_string(one.seed) + ',' +
            std::to_string(one.score.size()) + ',' + lacuna::train::csv_number(one.training_seconds) + ',' +
            lacuna::train::csv_number(one.evaluation_seconds) + '\n';
  return text;
}

}  // namespace program
