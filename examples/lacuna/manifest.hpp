// What is known of clips: a table with a header, clip,split,label,class,text, of which clip alone must be there; or all
// sounds of a folder, each with its transcript beside it (clip.txt). Classes are ids or names.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lacuna/core/number_from.hpp"
#include "lacuna/io/csv.hpp"

namespace program {

struct ClipRow {
  std::string file, name;  ///< where it is; what its results are called
  std::string split = "test";
  double label = NAN;             ///< NaN: not known
  lacuna::index_t class_id = -1;  ///< -1: not known
  std::optional<std::string> text;
};
struct Manifest {
  std::vector<ClipRow> rows;
  std::vector<std::string> class_names;  ///< where classes are named
};

inline std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw lacuna::IoError(path + ": cannot be opened");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

/// Class ids as they stand there, or names in the order of the alphabet; empty cells are -1. Gives the names, if they are names.
inline std::vector<std::string> read_classes(const lacuna::io::Csv& table, std::vector<ClipRow>& rows) {
  const auto column = table.find("class");
  std::set<std::string> words;
  if (column)
    for (std::size_t i = 0; i < rows.size(); ++i) words.insert(table.rows()[i + 1][*column]);
  words.erase("");
  const bool numbers = std::all_of(words.begin(), words.end(), [](const std::string& word) {
    return lacuna::detail::number_from<lacuna::index_t>(word).value_or(-1) >= 0;
  });
  for (std::size_t i = 0; column && i < rows.size(); ++i) {
    const std::string& word = table.rows()[i + 1][*column];
    if (!word.empty())
      rows[i].class_id = numbers ? *lacuna::detail::number_from<lacuna::index_t>(word)
                                 : std::distance(words.begin(), words.find(word));
  }
  return numbers ? std::vector<std::string>{} : std::vector<std::string>(words.begin(), words.end());
}

/// Throws IoError for a split, label or clip that cannot be: before hours of work, not behind them.
inline Manifest read_manifest(const std::string& path, const std::string& folder) {
  const lacuna::io::Csv table(path);
  const auto fail = [&](std::size_t row, const auto&... what) {
    throw lacuna::IoError(lacuna::detail::cat(path, ": row ", row, ": ", what...));
  };
  const auto split = table.find("split"), label = table.find("label"), text = table.find("text");
  Manifest made;
  std::set<std::string> names;
  for (std::size_t i = 1; i < table.rows().size(); ++i) {
    const auto& cells = table.rows()[i];
    const std::string& clip = cells[table.column("clip")];
    ClipRow row;
    row.name = std::filesystem::path(clip).stem().string();
    row.file = (std::filesystem::path(folder) / clip).string();
    if (split) row.split = cells[*split];
    if (label) row.label = table.number(i, *label);
    if (text) row.text = cells[*text];
    if (row.split != "train" && row.split != "valid" && row.split != "test")
      fail(i, "split '", lacuna::detail::printable(row.split), "', expected train, valid or test");
    if (row.name.empty() || !names.insert(row.name).second)
      fail(i, "the clip '", lacuna::detail::printable(row.name), "' comes twice, or has no name");
    if (std::isinf(row.label)) fail(i, "the label is not finite");
    made.rows.push_back(std::move(row));
  }
  if (made.rows.empty()) throw lacuna::IoError(path + ": has no clips");
  made.class_names = read_classes(table, made.rows);
  return made;
}

inline Manifest manifest_of_folder(const std::string& folder) {
  namespace fs = std::filesystem;
  static const std::set<std::string> sounds{".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".WAV", ".FLAC"};
  std::vector<ClipRow> rows;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!sounds.contains(entry.path().extension().string())) continue;
    ClipRow row;
    row.file = entry.path().string();
    row.name = entry.path().stem().string();
    fs::path words = entry.path();
    if (fs::exists(words.replace_extension(".txt"))) row.text = read_text(words.string());
    rows.push_back(std::move(row));
  }
  std::sort(rows.begin(), rows.end(), [](const ClipRow& a, const ClipRow& b) { return a.name < b.name; });
  if (rows.empty()) throw lacuna::IoError(folder + ": has no sounds (.wav, .flac, .ogg)");
  return {std::move(rows), {}};
}

}  // namespace program
