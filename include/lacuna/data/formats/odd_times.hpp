/// What looks odd in the seconds of a computational sequence, a line each: rows that cover no time, which alignment never
/// uses, and a sequence that lasts far longer or shorter than the words, as one in milliseconds or in frames does.
#pragma once

#include "lacuna/data/formats/align.hpp"

namespace lacuna::data::formats {

/// Of a series of a file, beside the words it is to be aligned to.
inline std::vector<std::string> odd_times(const TimeSeries& series, const TimeSeries& words) {
  using lacuna::detail::cat;
  std::vector<std::string> lines;
  index_t rows = 0, bad = 0;
  std::string first;
  for (const auto& [key, timed] : series.rows)
    for (std::size_t i = 0; i < timed.intervals.size(); ++i, ++rows) {
      const auto [start, end] = timed.intervals[i];
      if (std::isfinite(start) && std::isfinite(end) && end >= start) continue;
      if (bad++ == 0) first = cat("row ", i, " of '", lacuna::detail::printable(key), "', from ", start, " to ", end);
    }
  if (bad > 0)
    lines.push_back(cat(series.name, ": ", bad, " of ", rows,
                        " intervals cover no time and are used nowhere; the first is ", first));
  double longest = 0, spoken = 0;  // the end of the last row, of videos that both have
  for (const auto& [key, timed] : words.rows) {
    const auto found = series.rows.find(key);
    if (found == series.rows.end()) continue;
    for (const auto& interval : timed.intervals) spoken = std::max(spoken, interval[1]);
    for (const auto& interval : found->second.intervals)
      if (std::isfinite(interval[1])) longest = std::max(longest, interval[1]);
  }
  if (longest > 0 && spoken > 0 && (longest > 20 * spoken || spoken > 20 * longest))
    lines.push_back(cat(series.name, " ends at ", longest, ", ", words.name, " at ", spoken,
                        ": are both in seconds? Intervals are taken as they are"));
  return lines;
}

}  // namespace lacuna::data::formats
