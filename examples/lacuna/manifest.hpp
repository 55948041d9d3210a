// What is known of clips: a list with a header, clip,split,label,class,text, of which clip alone must be there; or all
// sounds of a folder, each with its transcript beside it (clip.txt).
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lacuna/core/error.hpp"

namespace program {

struct ClipRow {
  std::string file, name;  ///< where it is; what its results are called
  std::string split = "test", label, class_id;
  std::optional<std::string> text;
};

inline std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw lacuna::IoError(path + ": cannot be opened");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

/// Cells of a CSV file; in quotes they may hold commas, line ends and doubled quotes.
inline std::vector<std::vector<std::string>> read_csv(const std::string& path) {
  std::vector<std::vector<std::string>> rows{{""}};
  bool quoted = false;
  const std::string text = read_text(path);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    std::string& cell = rows.back().back();
    if (c == '"' && quoted && i + 1 < text.size() && text[i + 1] == '"')
      cell += text[++i];
    else if (c == '"')
      quoted = !quoted;
    else if (quoted || (c != ',' && c != '\n' && c != '\r'))
      cell += c;
    else if (c == ',')
      rows.back().emplace_back();
    else if (c == '\n')
      rows.push_back({""});
  }
  if (quoted) throw lacuna::IoError(path + ": ends within quotes");
  return rows;
}

inline std::vector<ClipRow> rows_of_manifest(const std::string& path, const std::string& folder) {
  const auto cells = read_csv(path);
  const auto column = [&](const char* name) {
    return std::size_t(std::find(cells[0].begin(), cells[0].end(), name) - cells[0].begin());
  };
  const std::size_t clip = column("clip"), split = column("split"), label = column("label"), kind = column("class"),
                    text = column("text");
  if (clip == cells[0].size())
    throw lacuna::IoError(path + ": has no column 'clip' in its first line; expected clip,split,label,class,text");
  std::vector<ClipRow> rows;
  std::set<std::string> names;
  for (std::size_t i = 1; i < cells.size(); ++i) {
    const auto& row = cells[i];
    if (row.size() != cells[0].size())
      throw lacuna::IoError(
          lacuna::detail::cat(path, ": line ", i + 1, " has ", row.size(), " cells, expected ", cells[0].size()));
    ClipRow made;
    made.name = std::filesystem::path(row[clip]).stem().string();
    made.file = (std::filesystem::path(folder) / row[clip]).string();
    if (split < row.size()) made.split = row[split];
    if (label < row.size()) made.label = row[label];
    if (kind < row.size()) made.class_id = row[kind];
    if (text < row.size()) made.text = row[text];
    if (made.split != "train" && made.split != "valid" && made.split != "test")
      throw lacuna::IoError(
          lacuna::detail::cat(path, ": line ", i + 1, ": split '", made.split, "', expected train, valid or test"));
    if (made.name.empty() || !names.insert(made.name).second)
      throw lacuna::IoError(
          lacuna::detail::cat(path, ": line ", i + 1, ": the clip '", made.name, "' comes twice, or has no name"));
    rows.push_back(std::move(made));
  }
  return rows;
}

inline std::vector<ClipRow> rows_of_folder(const std::string& folder) {
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
  return rows;
}

}  // namespace program
