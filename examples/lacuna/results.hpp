// The tables and the page of a run: written, and read back for `lacuna report`.
#pragma once

#include <fstream>
#include <sstream>

#include "lacuna/lab/results_csv.hpp"
#include "lacuna/lab/results_json.hpp"
#include "report_html.hpp"
#include "run.hpp"
#include "terminal.hpp"

namespace program {

inline void write_results(const Folder& folder, const lacuna::lab::Results& results,
                          const std::vector<Record>& records) {
  using namespace lacuna;
  train::write_text(folder.file("results.csv"), lab::rows_csv(results));
  train::write_text(folder.file("averages.csv"), lab::averages_csv(results));
  train::write_text(folder.file("differences.csv"), lab::differences_csv(results));
  train::write_text(folder.file("curves.csv"), lab::curves_csv(results));
  train::write_text(folder.file("timings.csv"), timings_csv(records));
  train::write_text(folder.file("results.json"), lab::results_text(results));
  train::write_text(folder.file("report.html"), report_html(results, records));
}

/// Throws IoError.
inline lacuna::lab::Results load_results(const Folder& folder) {
  const std::string path = folder.file("results.json");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw lacuna::IoError(path + ": cannot be opened; has the run ended?");
  std::ostringstream text;
  text << file.rdbuf();
  return lacuna::lab::results_from_json(text.str(), path);
}

/// report.html from results.json and the files of the runs.
inline void report_again(const Folder& folder) {
  using namespace lacuna;
  const lab::Results results = load_results(folder);
  std::vector<Record> records;
  for (const auto& model : results.models)
    for (const auto& run : model.runs) {
      Record record{model.name, run.seed, {}, {}, run.best_epoch, 0, 0};
      const std::string path = folder.run_file(model.name, run.seed, "predictions.npz");
      if (Folder::exists(path)) {  // the tables do without curves
        const io::Npz file(path);
        record.loss = file.get("loss").as<double>();
        record.score = file.get("score").as<double>();
        load_explanation(file, record);
      }
      load_timing(folder.run_file(model.name, run.seed, "timing.csv"), record);
      records.push_back(std::move(record));
    }
  train::write_text(folder.file("report.html"), report_html(results, records));
}

}  // namespace program
