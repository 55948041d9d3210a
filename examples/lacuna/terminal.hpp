/// lab::Results as plain tables for a terminal: of every protocol its averages, models down, mean ± deviation over seeds,
/// the best of every column marked; then whether curves over the missing rate only fall, and the differences, of the
/// headline metric. Shares are shown in percent.
#pragma once

#include <cstdio>

#include "lacuna/lab/results.hpp"

namespace program {

namespace lab = lacuna::lab;

/// True for metrics that are shares of right answers, F1 or recall: shown in percent.
inline bool is_share(const std::string& metric) {
  return !lacuna::train::is_error(metric) && metric != "pearson" && metric != "ccc";
}
/// "12.34", in percent for shares; "–" for NaN.
inline std::string shown_number(double value, const std::string& metric, int digits = -1) {
  if (std::isnan(value)) return "–";
  const bool share = is_share(metric);
  return lacuna::detail::fixed_text(share ? 100 * value : value, digits >= 0 ? digits : share ? 2 : 4);
}
inline std::string metric_title(const std::string& metric) { return metric + (is_share(metric) ? ", %" : ""); }

/// Columns on a terminal, not bytes.
inline std::size_t columns_of(const std::string& text) {
  std::size_t count = 0;
  for (const char c : text) count += (c & 0xC0) != 0x80;
  return count;
}

/// Rows of cells, the first row the titles; the first column to the left, the others to the right.
inline std::string text_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), 0);
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns_of(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string fill(widths[i] - columns_of(row[i]), ' ');
      line += (i ? "  " + fill + row[i] : row[i] + fill);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += "  " + line + "\n";
  }
  return text;
}

/// Of the headline metric, whether its curves only fall; "" where there are none.
inline std::string curves_text(const lab::Results& results) {
  std::vector<std::vector<std::string>> rows{
      {"model", "protocol", "largest gain", "95 % interval", "from", "to", "only worse", "at rate 1"}};
  for (const lab::Curve& one : results.curves)
    if (one.metric == results.metrics.at(0))
      rows.push_back({one.model, one.protocol, shown_number(one.gain, one.metric),
                      shown_number(one.interval.low, one.metric) + " to " + shown_number(one.interval.high, one.metric),
                      one.from, one.to, one.falls ? "yes" : "NO",
                      one.end == lab::CurveEnd::open       ? ""
                      : one.end == lab::CurveEnd::constant ? "constant"
                                                           : "OTHER"});
  if (rows.size() == 1) return "";
  return "\n" + metric_title(results.metrics[0]) + " over the missing rate\n" + text_table(rows);
}

inline std::string terminal_text(const lab::Results& results) {
  std::string text;
  const auto cells = [](const lab::Summary* one, const std::string& metric, double best) -> std::string {
    if (one == nullptr) return "";
    const double mean = lab::score_of(one->mean, metric), deviation = lab::score_of(one->deviation, metric);
    std::string cell = shown_number(mean, metric);
    if (!std::isnan(deviation)) cell += " ± " + shown_number(deviation, metric);
    return cell + (mean == best ? " *" : "  ");
  };
  for (const std::string& metric : results.metrics)
    for (const lab::ProtocolInfo& protocol : results.protocols) {
      const std::vector<std::string> names = lab::average_names(results, protocol);
      constexpr std::size_t wide = 6;  // averages per block, so that lines stay readable
      for (std::size_t from = 0; from < names.size(); from += wide) {
        std::vector<std::vector<std::string>> rows{{metric_title(metric)}};
        const std::size_t to = std::min(names.size(), from + wide);
        for (std::size_t i = from; i < to; ++i) rows[0].push_back(names[i] + "  ");
        for (const lab::ModelInfo& model : results.models) {
          rows.push_back({model.title()});
          for (std::size_t i = from; i < to; ++i)
            rows.back().push_back(cells(lab::find_summary(results, model.name, protocol.name, names[i], true), metric,
                                        lab::best_of(results, protocol.name, names[i], metric)));
        }
        text += (text.empty() ? "" : "\n") + protocol.name + "\n" + text_table(rows);
      }
    }
  text += curves_text(results);
  for (const lab::ModelInfo& model : results.models)
    for (const lab::Failure& failure : model.failures)
      text += "\nfailed: " + model.name + " seed " + std::to_string(failure.seed) + ", " + failure.what + "\n";
  if (results.differences.empty()) return text;
  std::vector<std::vector<std::string>> rows{{"model", "protocol", "average", "difference", "95 % interval"}};
  const std::string& metric = results.metrics.at(0);
  for (const lab::Difference& one : results.differences)
    if (one.average && one.metric == metric)
      rows.push_back({one.model, one.protocol, one.name, shown_number(one.value, metric),
                      shown_number(one.interval.low, metric) + " to " + shown_number(one.interval.high, metric)});
  text += "\n" + metric_title(metric) + ", less that of " + results.reference + "\n" + text_table(rows);
  return text;
}

}  // namespace program
