/// A folder with MMSA's label.csv and features as text, one table a sample:
///
///   label.csv                        video_id, clip_id, text, label, label_T, label_A, label_V, mode (train, valid, test)
///   features/FEATURE/VIDEO/CLIP.csv  or VIDEO_CLIP.csv, VIDEO$_$CLIP.csv: a header, then a row of numbers per frame
///
/// Ids are text (0001 is not 1) and become VIDEO$_$CLIP. An empty label is none. Of OpenFace's output frame, face_id,
/// timestamp, confidence and success are no features, and a frame without success is absent; nor is a column without
/// name, where pandas counts rows. Tables without header, or with their columns in another order, are refused. A sample
/// without file lacks the modality.
/// Source: thuiar/MMSA-FET; TadasBaltrusaitis/OpenFace.
#pragma once

#include <map>

#include "lacuna/core/number_from.hpp"
#include "lacuna/data/array_names.hpp"
#include "lacuna/data/formats/feature_folder.hpp"
#include "lacuna/data/formats/options.hpp"
#include "lacuna/io/csv.hpp"

namespace lacuna::data::formats {

/// Throws IoError where the first row is a frame: numbers, but for those that count columns, as pandas names them.
inline void refuse_without_header(const io::Csv& table) {
  bool counted = true;
  std::optional<double> before;
  for (const std::string& field : table.rows()[0]) {
    if (field.empty()) continue;
    const auto number = lacuna::detail::number_from<double>(field);
    if (!number) return;
    counted = counted && *number == (before ? *before + 1 : std::floor(*number));
    before = number;
  }
  if (!counted)
    throw IoError(table.path() +
                  ": has numbers in its first row, expected the names of the columns; write it with a header");
}

/// The frames of one table. `names` are the columns of those before it; empty: it is the first.
inline Sequence sequence_of_csv(const std::string& path, std::vector<std::string>& names) {
  const io::Csv table(path);
  refuse_without_header(table);
  std::vector<std::size_t> columns;
  std::vector<std::string> own;
  for (std::size_t c = 0; c < table.rows()[0].size(); ++c)
    if (!lacuna::detail::listed({"", "frame", "face_id", "timestamp", "confidence", "success", "frame_time"},
                                table.rows()[0][c])) {
      columns.push_back(c);
      own.push_back(table.rows()[0][c]);
    }
  if (names.empty()) names = own;
  if (own != names && std::is_permutation(own.begin(), own.end(), names.begin(), names.end())) {
    const auto [found, expected] = std::mismatch(own.begin(), own.end(), names.begin());
    throw IoError(lacuna::detail::cat(path, ": has column '", lacuna::detail::printable(*found),
                                      "' where other tables have '", lacuna::detail::printable(*expected),
                                      "', expected the same order in all"));
  }
  const auto success = table.find("success");
  std::vector<float> numbers;
  Sequence sequence;
  sequence.where = path;
  sequence.length = index_t(table.rows().size()) - 1;
  sequence.features = index_t(columns.size());
  for (std::size_t r = 1; r < table.rows().size(); ++r) {
    for (const std::size_t c : columns) numbers.push_back(table.number<float>(r, c));
    if (success) sequence.present.push_back(table.number(r, *success) == 1);
  }
  sequence.fill = [numbers](float* to) { std::copy(numbers.begin(), numbers.end(), to); };
  return sequence;
}

inline void read_csv_folder(Arrays& arrays, const std::string& folder, const ImportOptions& options) {
  const io::Csv table(options.labels.empty() ? folder + "/label.csv" : folder + "/" + options.labels);
  const std::size_t video = table.column("video_id"), clip = table.column("clip_id"), mode = table.column("mode");
  std::vector<std::string> wanted = options.features;
  if (wanted.empty() && kind_of_path(folder + "/features") == PathKind::folder)
    wanted = names_in(folder + "/features", "");
  if (wanted.empty())
    throw IoError(folder +
                  ": has no features; expected tables features/FEATURE/VIDEO/CLIP.csv, a folder FEATURE per modality");
  const std::pair<const char*, const char*> splits[] = {{"train", "train_"}, {"valid", "valid_"}, {"test", "test_"}};
  index_t elsewhere = 0;
  std::string mode_of_first;
  for (std::size_t r = 1; r < table.rows().size(); ++r) {
    const std::string& found = table.rows()[r][mode];
    if (found != "train" && found != "valid" && found != "test" && elsewhere++ == 0) mode_of_first = found;
  }
  if (elsewhere > 0)
    arrays.note(lacuna::detail::cat(elsewhere, " of ", table.rows().size() - 1, " samples are left out: mode is '",
                                    lacuna::detail::printable(mode_of_first), "', expected train, valid or test"));
  std::map<std::string, std::vector<std::string>> names;  // of columns, by modality
  for (const auto& [name, prefix] : splits) {
    std::vector<std::size_t> rows;
    for (std::size_t r = 1; r < table.rows().size(); ++r)
      if (table.rows()[r][mode] == name) rows.push_back(r);
    if (rows.empty()) continue;
    std::vector<std::string> ids, text;
    for (const std::size_t r : rows) {
      ids.push_back(table.rows()[r][video] + "$_$" + table.rows()[r][clip]);
      if (const auto column = table.find("text")) text.push_back(table.rows()[r][*column]);
    }
    arrays.strings(prefix + std::string("id"), ids);
    if (!text.empty()) arrays.strings(prefix + std::string("raw_text"), text);
    for (const char* label : {"label", "label_T", "label_A", "label_V"})
      if (const auto column = table.find(label)) {
        std::vector<float> numbers;
        for (const std::size_t r : rows) numbers.push_back(table.number<float>(r, *column));
        if (!std::all_of(numbers.begin(), numbers.end(), [](float x) { return std::isnan(x); }))
          arrays.reals(std::string(prefix) + label, numbers);
      }
    for (const std::string& one : wanted) {
      const std::size_t equal = one.find('=');
      const std::string feature = equal == std::string::npos ? one : one.substr(equal + 1);
      const std::string modality = equal == std::string::npos ? one : one.substr(0, equal);
      std::vector<Sequence> samples;
      index_t absent = 0;
      for (const std::size_t r : rows) {
        const std::string &v = table.rows()[r][video], &c = table.rows()[r][clip];
        for (const std::string& id : {v, c})
          if (id.empty() || id[0] == '.' || id.find('/') != std::string::npos)
            throw IoError(lacuna::detail::cat(table.path(), ": '", lacuna::detail::printable(id),
                                              "' cannot be the name of a file"));
        const std::string stem = folder + "/features/" + feature + "/" + v;
        samples.emplace_back();
        for (const std::string& path : {stem + "/" + c + ".csv", stem + "_" + c + ".csv", stem + "$_$" + c + ".csv"})
          if (kind_of_path(path) == PathKind::file) samples.back() = sequence_of_csv(path, names[modality]);
        absent += samples.back().length == 0;
      }
      if (absent > 0)
        arrays.note(lacuna::detail::cat(prefix, modality, ": ", absent, " of ", rows.size(),
                                        " samples have no table: the modality is absent there"));
      add_sequences(arrays, prefix + modality, std::move(samples));
    }
  }
}

}  // namespace lacuna::data::formats
