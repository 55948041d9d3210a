/// Alignment of sequences in time, as the CMU-MultimodalSDK does it: to words, then to labels.
///
/// A `TimeSeries` says for every key (a video, or a segment video[i]) which seconds its rows cover and of which rows of
/// the file each is made, so that no feature is read before it is wanted.
///
/// `align(reference, series, collapse)`: ids (keys up to the first '[') that not all sequences have go, and with an id
/// every key that starts with it. The rows of one id, of all its keys, are sorted by their start. For row i of a
/// reference key of at least 10e-6 s, of the others the rows remain that overlap with it by more than 10e-6 s, clipped
/// to it, whole, however short the overlap. The result is the key id[i]; a sequence without row there has no such key.
/// With `collapse` the rows become one: the mean of all of them, each counting the same. Without, they stay rows.
/// Source: CMU-MultiComp-Lab/CMU-MultimodalSDK, mmdataset.align; numbers equal to the SDK's.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/core/shape.hpp"

namespace lacuna::data::formats {

/// A row of a key of the file.
struct SourceRow {
  std::uint32_t key = 0;
  index_t row = 0;
};

/// Rows of one key. Row i covers the seconds intervals[i] and is the mean of sources[i]; of a file, whose rows are many and
/// each its own source, there are no lists of them, and row i is that of `key`.
struct TimedRows {
  std::vector<std::array<double, 2>> intervals;
  std::vector<std::vector<SourceRow>> sources = {};
  std::uint32_t key = 0;

  std::vector<SourceRow> source(std::size_t i) const {
    return sources.empty() ? std::vector<SourceRow>{{key, index_t(i)}} : sources[i];
  }
};

struct TimeSeries {
  std::string name;
  std::vector<std::string> keys;               ///< of the file, which sources count
  std::map<std::string, TimedRows> rows = {};  ///< by key
};

namespace align_detail {

inline constexpr double epsilon = 10e-6;

inline std::string id_of(const std::string& key) { return key.substr(0, key.find('[')); }

/// Removes what not all sequences have, by prefix. Gives the ids that each had.
inline std::vector<std::set<std::string>> unify(std::vector<TimeSeries*> all) {
  std::set<std::string> ids, violators;
  std::vector<std::set<std::string>> own(all.size());
  for (std::size_t s = 0; s < all.size(); ++s) {
    for (const auto& named : all[s]->rows) own[s].insert(id_of(named.first));
    ids.insert(own[s].begin(), own[s].end());
  }
  for (const std::string& id : ids)
    for (const std::set<std::string>& has : own)
      if (has.count(id) == 0) violators.insert(id);
  for (TimeSeries* one : all)
    for (const std::string& id : violators)
      std::erase_if(one->rows, [&](const auto& named) { return named.first.starts_with(id); });
  return own;
}

/// All rows of one id, sorted by start.
inline TimedRows flattened(const TimeSeries& series, const std::string& id) {
  TimedRows all;
  for (auto at = series.rows.lower_bound(id); at != series.rows.end() && at->first.starts_with(id); ++at) {
    if (id_of(at->first) != id) continue;
    for (std::size_t i = 0; i < at->second.intervals.size(); ++i) {
      all.intervals.push_back(at->second.intervals[i]);
      all.sources.push_back(at->second.source(i));
    }
  }
  std::vector<std::size_t> order(all.intervals.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return all.intervals[a][0] < all.intervals[b][0]; });
  TimedRows sorted;
  for (const std::size_t i : order) {
    sorted.intervals.push_back(all.intervals[i]);
    sorted.sources.push_back(std::move(all.sources[i]));
  }
  return sorted;
}

}  // namespace align_detail

/// Ids of the reference that went because another sequence lacks them.
struct LeftOut {
  index_t ids = 0;
  std::string first = "", lacking = "";  ///< an id, and the sequence that has it not
};

/// Aligns `series` to `reference`, which gets one key a row, too. Throws OptionError when no id is in all of them.
inline LeftOut align(TimeSeries& reference, std::vector<TimeSeries>& series, bool collapse) {
  namespace d = align_detail;
  std::vector<TimeSeries*> all = {&reference};
  for (TimeSeries& one : series) all.push_back(&one);
  std::set<std::string> before, after;
  for (const auto& named : reference.rows) before.insert(d::id_of(named.first));
  const std::vector<std::set<std::string>> own_ids = d::unify(all);
  for (const auto& named : reference.rows) after.insert(d::id_of(named.first));
  LeftOut left;
  for (const std::string& id : before) {
    if (after.count(id) != 0 || left.ids++ > 0) continue;
    left.first = id;
    for (std::size_t s = all.size(); s-- > 0;)
      if (own_ids[s].count(id) == 0) left.lacking = all[s]->name;
  }
  if (reference.rows.empty())
    throw OptionError(lacuna::detail::cat("align: no video is in ", reference.name, " and in all other sequences"));
  std::vector<TimedRows> flat;  // of the id at hand: keys of one id mostly follow each other
  std::string at_hand;
  std::map<std::string, TimedRows> own;
  std::vector<std::map<std::string, TimedRows>> results(series.size());
  for (const auto& [key, rows] : reference.rows) {
    const std::string id = d::id_of(key);
    if (flat.empty() || id != at_hand) {
      flat.clear();
      for (const TimeSeries& one : series) flat.push_back(d::flattened(one, id));
      at_hand = id;
    }
    for (std::size_t i = 0; i < rows.intervals.size(); ++i) {
      const double start = rows.intervals[i][0], end = rows.intervals[i][1];
      if (!(std::abs(end - start) >= d::epsilon)) continue;
      const std::string name = id + "[" + std::to_string(i) + "]";
      own[name] = {{rows.intervals[i]}, {rows.source(i)}};
      for (std::size_t s = 0; s < series.size(); ++s) {
        const TimedRows& from = flat[s];
        TimedRows kept;
        for (std::size_t r = 0; r < from.intervals.size(); ++r) {
          const auto [b, e] = from.intervals[r];
          if (b - end >= d::epsilon) break;  // sorted: none that starts later overlaps
          if (!(end - b > -d::epsilon && e - start > -d::epsilon)) continue;
          const double first = std::max(b, start), last = std::min(e, end);
          if (!(last - first > d::epsilon)) continue;
          kept.intervals.push_back({first, last});
          kept.sources.push_back(from.sources[r]);
        }
        if (kept.intervals.empty()) continue;
        if (collapse) {
          TimedRows one = {{kept.intervals[0]}, {{}}};
          for (std::size_t r = 0; r < kept.intervals.size(); ++r) {
            one.intervals[0][0] = std::min(one.intervals[0][0], kept.intervals[r][0]);
            one.intervals[0][1] = std::max(one.intervals[0][1], kept.intervals[r][1]);
            one.sources[0].insert(one.sources[0].end(), kept.sources[r].begin(), kept.sources[r].end());
          }
          kept = std::move(one);
        }
        results[s][name] = std::move(kept);
      }
    }
  }
  reference.rows = std::move(own);
  for (std::size_t s = 0; s < series.size(); ++s) series[s].rows = std::move(results[s]);
  return left;
}

}  // namespace lacuna::data::formats
