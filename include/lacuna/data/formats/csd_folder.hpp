/// A folder of computational sequences (.csd), aligned to words and then to labels, as MISA, MulT and MAG-BERT made their
/// data sets of CMU-MOSI and CMU-MOSEI. Needs the component lacuna::hdf5.
///
/// The sequence of fixed-length text is the words (another one with --features words=FILE), the one with "label" in its
/// name the labels (--label-file), every other one a modality by its name. Features are the mean of the rows that overlap
/// with a word; NaN become 0. A word that straddles two segments is in both; pauses ("sp") are left out with their
/// frames. A segment is a sample; its label is column 0 of its row. --folds says which video is in which split: a JSON
/// file {"train": [ids], "valid": [...], "test": [...]}; none is shipped.
///
/// Features are read a segment at a time while they are asked for, so that the files may be larger than memory.
#pragma once

#include "lacuna/data/array_names.hpp"
#include "lacuna/data/formats/align.hpp"
#include "lacuna/data/formats/feature_folder.hpp"
#include "lacuna/data/formats/folds.hpp"
#include "lacuna/data/formats/odd_times.hpp"
#include "lacuna/data/formats/options.hpp"
#include "lacuna/io/csd.hpp"

namespace lacuna::data::formats {

/// When and of what: every row is its own source.
inline TimeSeries time_series(const io::Csd& file) {
  TimeSeries series{file.name(), file.keys()};
  for (std::uint32_t k = 0; k < series.keys.size(); ++k) {
    TimedRows& rows = series.rows[series.keys[k]];
    rows.intervals = file.intervals(series.keys[k]);
    rows.key = k;
  }
  return series;
}

/// The numbers of a row, as many in every video. Throws IoError.
inline index_t width_of(const io::Csd& file) {
  index_t width = -1;
  for (const std::string& key : file.keys()) {
    const Shape shape = file.header(key).shape;
    index_t own = 1;
    for (int axis = 1; axis < shape.rank(); ++axis) own *= shape[axis];
    if (width >= 0 && own != width)
      throw IoError(lacuna::detail::cat(file.path(), ": '", lacuna::detail::printable(key), "' has ", own,
                                        " features, expected ", width, " as '",
                                        lacuna::detail::printable(file.keys()[0]), "' has"));
    width = own;
  }
  if (width < 1) throw IoError(file.path() + ": its rows have no features");
  return width;
}

/// What aligning lets go of, a line each.
inline void note_left_out(Arrays& arrays, const LeftOut& left, const std::string& what) {
  if (left.ids > 0)
    arrays.note(lacuna::detail::cat(left.ids, " videos of ", what,
                                    " are left out, as not all sequences have them; the first is '", left.first,
                                    "', which ", left.lacking, " lacks"));
}

/// Means of the sources of every row, (rows, D); rows of the file lie together, so each key is read once.
inline std::vector<double> aligned_features(const io::Csd& file, const TimeSeries& series, const TimedRows& rows,
                                            index_t features) {
  std::map<std::uint32_t, std::array<index_t, 2>> wanted;
  for (const auto& sources : rows.sources)
    for (const SourceRow& source : sources) {
      auto& range = wanted.try_emplace(source.key, std::array<index_t, 2>{source.row, source.row + 1}).first->second;
      range = {std::min(range[0], source.row), std::max(range[1], source.row + 1)};
    }
  std::map<std::uint32_t, std::vector<double>> read;
  for (const auto& [key, range] : wanted) read[key] = file.rows(series.keys[key], range[0], range[1]).as<double>();
  std::vector<double> means(rows.sources.size() * std::size_t(features), 0.0);
  for (std::size_t r = 0; r < rows.sources.size(); ++r) {
    double* const to = means.data() + r * std::size_t(features);
    for (const SourceRow& source : rows.sources[r]) {
      const double* const from =
          read[source.key].data() + std::size_t(source.row - wanted[source.key][0]) * std::size_t(features);
      for (index_t f = 0; f < features; ++f) to[f] += from[f];
    }
    for (index_t f = 0; f < features; ++f) to[f] /= double(rows.sources[r].size());
  }
  return means;
}

inline void read_csd_folder(Arrays& arrays, const std::string& folder, const ImportOptions& options) {
  std::vector<std::shared_ptr<const io::Csd>> files;
  std::vector<TimeSeries> series;
  std::vector<index_t> widths;
  std::shared_ptr<const io::Csd> labels, words;
  TimeSeries label_times, word_times;
  for (const std::string& name : names_in(folder, ".csd")) {
    const auto file = std::make_shared<const io::Csd>(folder + "/" + name);
    const io::NpyHeader first = file->header(file->keys()[0]);
    std::string lower = file->name() + " " + name;
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
    const bool text = first.kind == io::NpyKind::bytes || first.kind == io::NpyKind::unicode;
    const bool labelled = options.labels.empty() ? lower.find("label") != std::string::npos : options.labels == name;
    if (text || labelled) {
      std::shared_ptr<const io::Csd>& role = text ? words : labels;
      if (role)
        throw IoError(lacuna::detail::cat(folder, ": ", role->path(), " and ", file->path(), " are both ",
                                          text ? "words" : "labels", "; keep one, or say which with --label-file"));
      role = file;
      width_of(*file);
      (text ? word_times : label_times) = time_series(*file);
      continue;
    }
    if (!options.features.empty() && !lacuna::detail::listed(options.features, file->name()) &&
        !lacuna::detail::listed(options.features, name.substr(0, name.size() - 4)))
      continue;
    files.push_back(file);
    widths.push_back(width_of(*file));
    series.push_back(time_series(*file));
  }
  if (!words || !labels || files.empty())
    throw IoError(lacuna::detail::cat(folder, ": has ", words ? "" : "no words, ", labels ? "" : "no labels, ",
                                      files.size(), " sequences of features; expected words, labels and at least one"));
  for (const TimeSeries& one : series)
    for (const std::string& line : odd_times(one, word_times)) arrays.note(line);
  for (const std::string& line : odd_times(label_times, word_times)) arrays.note(line);
  note_left_out(arrays, align(word_times, series, true), words->name());
  series.push_back(word_times);
  note_left_out(arrays, align(label_times, series, false), labels->name());
  word_times = std::move(series.back());
  series.pop_back();
  arrays.note(
      lacuna::detail::cat("aligned to ", words->name(), " by the mean of what overlaps, then to ", labels->name()));
  if (const index_t columns = width_of(*labels); columns > 1)
    arrays.note(
        lacuna::detail::cat("label: column 0 of ", columns, " of ", labels->name(), "; the others are left out"));
  const Folds folds(options.folds.empty() && kind_of_path(folder + "/folds.json") == PathKind::file
                        ? folder + "/folds.json"
                        : options.folds);
  index_t elsewhere = 0, pauses = 0;
  std::map<std::string, std::vector<std::string>> splits;
  for (const auto& named : label_times.rows) {
    const std::string split = folds.of(align_detail::id_of(named.first));
    if (split.empty())
      ++elsewhere;
    else
      splits[split].push_back(named.first);
  }
  if (elsewhere > 0) arrays.note(lacuna::detail::cat(elsewhere, " segments are in no fold and are left out"));
  for (const auto& [split, segments] : splits) {
    const std::string prefix = split + "_";
    std::vector<std::vector<std::size_t>> spoken(segments.size());  // words that are no pauses
    std::vector<std::string> texts;
    std::vector<float> values;
    for (std::size_t n = 0; n < segments.size(); ++n) {
      const auto found = word_times.rows.find(segments[n]);
      std::string text;
      for (std::size_t w = 0; found != word_times.rows.end() && w < found->second.sources.size(); ++w) {
        const SourceRow source = found->second.sources[w][0];
        const std::string word = words->rows(word_times.keys[source.key], source.row, source.row + 1).strings()[0];
        if (word == "sp") {
          ++pauses;
          continue;
        }
        spoken[n].push_back(w);
        text += (text.empty() ? "" : " ") + word;
      }
      texts.push_back(text);
      const SourceRow source = label_times.rows.at(segments[n]).source(0)[0];
      values.push_back(float(labels->rows(label_times.keys[source.key], source.row, source.row + 1).as<double>()[0]));
    }
    for (std::size_t s = 0; s < files.size(); ++s) {
      const auto times = std::make_shared<const TimeSeries>(series[s]);
      std::vector<Sequence> samples;
      index_t apart = 0;
      for (std::size_t n = 0; n < segments.size(); ++n) {
        Sequence sample;
        sample.where = files[s]->path();
        const auto found = times->rows.find(segments[n]);
        const std::size_t counted =
            word_times.rows.count(segments[n]) != 0 ? word_times.rows.at(segments[n]).sources.size() : 0;
        if (found != times->rows.end() && found->second.sources.size() == counted) {
          sample.features = widths[s];
          sample.length = index_t(spoken[n].size());
          TimedRows rows;
          for (const std::size_t w : spoken[n]) rows.sources.push_back(found->second.sources[w]);
          sample.fill = [file = files[s], times, rows, features = sample.features](float* to) {
            const std::vector<double> means = aligned_features(*file, *times, rows, features);
            for (std::size_t i = 0; i < means.size(); ++i) to[i] = float(means[i]);
          };
        } else {
          ++apart;
        }
        samples.push_back(std::move(sample));
      }
      if (apart > 0)
        arrays.note(lacuna::detail::cat(prefix, files[s]->name(), ": ", apart, " of ", segments.size(),
                                        " segments have not as many rows as words: the modality is absent there"));
      std::string name = files[s]->name();
      for (char& c : name)
        if (c == ' ' || c == '/') c = '_';
      add_sequences(arrays, prefix + name, std::move(samples), Clean::nan);
    }
    arrays.reals(prefix + "label", values);
    arrays.strings(prefix + "id", segments);
    arrays.strings(prefix + "raw_text", texts);
  }
  if (pauses > 0) arrays.note(lacuna::detail::cat(pauses, " pauses (sp) are left out with their frames"));
}

}  // namespace lacuna::data::formats
