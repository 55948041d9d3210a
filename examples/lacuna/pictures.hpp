/// Bars, and attention over frames, as inline SVG beside those of chart.hpp.
#pragma once

#include "chart.hpp"

namespace program {

struct Bar {
  std::string name;
  double value = 0;
  std::string text;  ///< at its right end
};

/// Lying bars from 0; `most`: what the full width stands for.
inline std::string bar_chart(const std::vector<Bar>& bars, double most, std::size_t colour, const std::string& title) {
  std::size_t longest = 6;
  for (const Bar& bar : bars) longest = std::max(longest, std::min<std::size_t>(24, bar.name.size()));
  const double width = 420, step = 28, height = 8 + step * double(bars.size()), left = 20 + 7.0 * double(longest);
  const Scale x{0, most > 0 ? most : 1, left, width - 64};
  std::string svg;
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const double y = 6 + step * double(i), end = std::isfinite(bars[i].value) ? x(std::max(0.0, bars[i].value)) : left;
    svg += svg_text(left - 10, y + 14, "end", shortened(bars[i].name, 24), "name");
    svg += "<rect class=\"bar k" + std::to_string(colour % 9) + "\" x=\"" + coordinate(left) + "\" y=\"" +
           coordinate(y) + "\" width=\"" + coordinate(end - left) + "\" height=\"18\"/>";
    svg += svg_text(end + 8, y + 14, "start", bars[i].text) + "\n";
  }
  svg += svg_line(left, 2, left, height - 2, "axis");
  return svg_chart(width, height, title, svg);
}

/// A row of columns per stream: the weight of every frame in its time order, the tallest of a row as high as the row.
inline std::string attention_chart(const std::vector<std::pair<std::string, std::vector<double>>>& streams,
                                   std::size_t colour, const std::string& title) {
  std::size_t longest = 6;
  for (const auto& [name, weights] : streams) longest = std::max(longest, std::min<std::size_t>(24, name.size()));
  const double width = 720, row = 56, height = 14 + row * double(streams.size()), left = 20 + 7.0 * double(longest);
  const double right = width - 120;
  std::string svg;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    const auto& weights = streams[i].second;
    const double base = 4 + row * double(i + 1), room = row - 14;
    const auto top = std::max_element(weights.begin(), weights.end());
    const double most = top == weights.end() || !(*top > 0) ? 1 : *top,
                 step = std::min(26.0, (right - left) / double(weights.size()));
    svg += svg_text(left - 10, base - 4, "end", shortened(streams[i].first, 24), "name");
    for (std::size_t t = 0; t < weights.size(); ++t) {
      const double tall = std::isfinite(weights[t]) ? room * std::max(0.0, weights[t]) / most : 0;
      svg += "<rect class=\"bar k" + std::to_string(colour % 9) + "\" x=\"" + coordinate(left + step * double(t)) +
             "\" y=\"" + coordinate(base - tall) + "\" width=\"" + coordinate(std::max(0.6, step * 0.82)) +
             "\" height=\"" + coordinate(tall) + "\">" +
             element("title", "",
                     escaped(streams[i].first + ", frame " + std::to_string(t + 1) + ": " +
                             lacuna::detail::general_text(weights[t], 3))) +
             "</rect>";
    }
    svg += svg_line(left, base, right, base, "axis");
    if (top != weights.end())
      svg +=
          svg_text(right + 8, base - 4, "start",
                   lacuna::detail::general_text(*top, 2) + " at frame " + std::to_string(top - weights.begin() + 1)) +
          "\n";
  }
  return svg_chart(width, height, title, svg);
}

}  // namespace program
