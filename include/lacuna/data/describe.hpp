/// The statistics of a data set (statistics.hpp) as text for people and as JSON for programs. Needs xtensor and JSON.
///
///     std::fputs(data::describe(dataset).c_str(), stdout);
///     std::ofstream("statistics.json") << data::to_json(data::dataset_statistics(dataset)).dump(2);
///
/// The text has a table of splits, one of modalities, one of labels, and a line for each thing that a user should look
/// at: constant and non-finite features, samples that come twice (up to ten lines of a kind). What there is nothing of
/// is "-" in the text and null in JSON. In the text `mean` is the mean over features and `deviation` the root of the
/// mean square of their deviations; JSON holds both of every feature.
#pragma once

#include <cstdio>
#include <nlohmann/json.hpp>

#include "lacuna/data/statistics.hpp"

namespace lacuna::detail {

/// "%.digits g", "-" for NaN.
inline std::string short_number(double value, int digits = 4) {
  if (std::isnan(value)) return "-";
  return general_text(value, digits);
}
inline std::string percent(double share) {
  if (std::isnan(share)) return "-";
  return fixed_text(100 * share, 1) + " %";
}

/// Rows of words in columns: the first `left` columns begin at the left, the others end at the right.
class TextTable {
 public:
  explicit TextTable(std::size_t left) : left_(left) {}
  void row(std::vector<std::string> words) { rows_.push_back(std::move(words)); }
  std::string text() const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows_)
      for (std::size_t c = 0; c < row.size(); ++c) {
        if (c == widths.size()) widths.push_back(0);
        widths[c] = std::max(widths[c], row[c].size());
      }
    std::string text;
    for (const auto& row : rows_) {
      std::string line;
      for (std::size_t c = 0; c < row.size(); ++c) {
        const std::string gap(widths[c] - row[c].size(), ' ');
        line += (c > 0 ? "  " : "") + (c < left_ ? row[c] + gap : gap + row[c]);
      }
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + "\n";
    }
    return text;
  }

 private:
  std::size_t left_;
  std::vector<std::vector<std::string>> rows_;
};

/// Up to ten lines, then how many more there are.
class Remarks {
 public:
  void add(const std::string& line) {
    if (++count_ <= 10) text_ += line + "\n";
  }
  std::string text() const { return text_ + (count_ > 10 ? cat("... and ", count_ - 10, " more\n") : ""); }

 private:
  std::string text_;
  index_t count_ = 0;
};

inline std::string describe_modalities(const data::DatasetStatistics& statistics) {
  TextTable table(2);
  table.row({"modality", "split", "samples", "missing", "length min / median / max", "gaps", "features", "constant",
             "non-finite", "mean", "deviation"});
  for (std::size_t m = 0; m < statistics.splits[0].modalities.size(); ++m)
    for (const data::SplitStatistics& split : statistics.splits) {
      if (m >= split.modalities.size()) continue;
      const data::ModalityStatistics& s = split.modalities[m];
      const auto mean = xt::adapt(s.mean, std::array{s.mean.size()});
      const auto deviation = xt::adapt(s.deviation, std::array{s.deviation.size()});
      const bool any = s.samples > s.missing_samples;
      const double nan = std::numeric_limits<double>::quiet_NaN();
      table.row({s.name, data::to_string(split.role), std::to_string(s.samples), percent(s.share_missing()),
                 any ? cat(s.shortest, " / ", short_number(s.median_length), " / ", s.longest) : "-",
                 percent(s.share_missing_frames()), std::to_string(s.features), std::to_string(s.constant.size()),
                 std::to_string(s.non_finite), short_number(any ? xt::mean(mean)() : nan, 3),
                 short_number(any ? std::sqrt(xt::mean(xt::square(deviation))()) : nan, 3)});
    }
  return table.text();
}

inline std::string describe_labels(const data::DatasetStatistics& statistics) {
  std::string text;
  if (!statistics.label_edges.empty()) {
    TextTable numbers(1), bins(1);
    numbers.row({"label", "count", "non-finite", "mean", "deviation", "min", "max"});
    std::vector<std::string> head{"label from"};
    for (const auto& split : statistics.splits) {
      const data::LabelSummary& s = split.labels;
      numbers.row({data::to_string(split.role), std::to_string(s.count), std::to_string(s.non_finite),
                   short_number(s.mean), short_number(s.deviation), short_number(s.low), short_number(s.high)});
      head.emplace_back(data::to_string(split.role));
    }
    bins.row(head);
    for (std::size_t b = 0; b + 1 < statistics.label_edges.size(); ++b) {
      std::vector<std::string> row{
          cat(short_number(statistics.label_edges[b]), " to ", short_number(statistics.label_edges[b + 1]))};
      for (const auto& split : statistics.splits) row.push_back(std::to_string(split.labels.histogram[b]));
      bins.row(row);
    }
    text += "\n" + numbers.text() + "\n" + bins.text();
  }
  if (statistics.class_count > 0) {
    TextTable classes(1);
    classes.row({"class", "train", "valid", "test"});
    for (index_t k = 0; k < statistics.class_count; ++k) {
      std::vector<std::string> row{std::to_string(k)};
      for (const auto& split : statistics.splits)
        row.push_back(split.labels.class_counts.empty() ? "-"
                                                        : std::to_string(split.labels.class_counts[std::size_t(k)]));
      classes.row(row);
    }
    text += "\n" + classes.text();
  }
  return text;
}

inline std::string describe_remarks(const data::DatasetStatistics& statistics) {
  Remarks constant, non_finite, repeats;
  for (const data::SplitStatistics& split : statistics.splits)
    for (const data::ModalityStatistics& s : split.modalities) {
      const auto place = cat(data::to_string(split.role), " ", s.name);
      for (const index_t d : s.constant)
        constant.add(cat(place, ": feature ", d, " is constant, ", short_number(s.low[std::size_t(d)])));
      if (s.first_non_finite)
        non_finite.add(cat(place, ": ", s.non_finite, " non-finite numbers in ", s.non_finite_features.size(),
                           " features, the first in sample ", s.first_non_finite->sample, ", frame ",
                           s.first_non_finite->frame, ", feature ", s.first_non_finite->feature));
    }
  for (const data::Repeat& r : statistics.repeats)
    repeats.add(cat(data::to_string(r.role), " ", r.sample, " equals ", data::to_string(r.earlier_role), " ", r.earlier,
                    r.same_label ? "" : ", but has another label"));
  const std::string text = non_finite.text() + repeats.text() + constant.text();
  return text.empty() ? "" : "\n" + text;
}

}  // namespace lacuna::detail

namespace lacuna::data {

/// Tables of lines that end with "\n".
inline std::string describe(const DatasetStatistics& statistics) {
  const auto modalities = statistics.splits[0].modalities.size();
  lacuna::detail::TextTable splits(1);
  splits.row({"split", "samples", "repeated", "in an earlier split"});
  for (const SplitStatistics& split : statistics.splits)
    splits.row({to_string(split.role), std::to_string(split.samples), std::to_string(split.repeated),
                split.role == Role::train ? "-" : std::to_string(split.in_earlier_split)});
  return lacuna::detail::cat(statistics.name, ": ", modalities, modalities == 1 ? " modality" : " modalities", "\n\n",
                             splits.text(), "\n", lacuna::detail::describe_modalities(statistics),
                             lacuna::detail::describe_labels(statistics), lacuna::detail::describe_remarks(statistics));
}
inline std::string describe(const Dataset& dataset, const StatisticsOptions& options = {}) {
  return describe(dataset_statistics(dataset, options));
}

/// An object {name, class_count, label_edges, splits: {train, valid, test}, repeats}.
inline nlohmann::ordered_json to_json(const DatasetStatistics& statistics) {
  using Json = nlohmann::ordered_json;
  Json json{{"name", statistics.name}, {"class_count", statistics.class_count}};
  json["label_edges"] = statistics.label_edges;
  json["splits"] = Json::object();
  for (const SplitStatistics& split : statistics.splits) {
    Json& part = json["splits"][to_string(split.role)] = {
        {"samples", split.samples}, {"repeated", split.repeated}, {"in_earlier_split", split.in_earlier_split}};
    part["modalities"] = Json::object();
    for (const ModalityStatistics& s : split.modalities) {
      Json& one = part["modalities"][s.name] = {{"samples", s.samples},
                                                {"missing_samples", s.missing_samples},
                                                {"share_missing", s.share_missing()},
                                                {"frames", s.frames},
                                                {"missing_frames", s.missing_frames},
                                                {"share_missing_frames", s.share_missing_frames()}};
      one["lengths"] = s.samples > s.missing_samples
                           ? Json{{"min", s.shortest}, {"median", s.median_length}, {"max", s.longest}}
                           : Json();
      one["features"] = s.features;
      one["mean"] = s.mean, one["deviation"] = s.deviation, one["min"] = s.low, one["max"] = s.high;
      one["constant"] = s.constant;
      one["non_finite"] = s.non_finite;
      one["non_finite_features"] = s.non_finite_features;
      one["first_non_finite"] = !s.first_non_finite ? Json()
                                                    : Json{{"sample", s.first_non_finite->sample},
                                                           {"frame", s.first_non_finite->frame},
                                                           {"feature", s.first_non_finite->feature}};
    }
    const LabelSummary& y = split.labels;
    part["labels"] = y.count + y.non_finite == 0 ? Json() : Json{{"count", y.count},
                                                                 {"non_finite", y.non_finite},
                                                                 {"mean", y.mean},
                                                                 {"deviation", y.deviation},
                                                                 {"min", y.low},
                                                                 {"max", y.high},
                                                                 {"histogram", y.histogram}};
    part["class_counts"] = y.class_counts.empty() ? Json() : Json(y.class_counts);
  }
  json["repeats"] = Json::array();
  for (const Repeat& r : statistics.repeats)
    json["repeats"].push_back({{"split", to_string(r.role)},
                               {"sample", r.sample},
                               {"earlier", {{"split", to_string(r.earlier_role)}, {"sample", r.earlier}}},
                               {"same_label", r.same_label}});
  return json;
}

}  // namespace lacuna::data
