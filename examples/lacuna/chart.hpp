/// Charts as inline SVG: lines with bands, and intervals beside a zero. Colours are the classes k0, k1, ... of the
/// style sheet, so that they follow light and dark. A point that is not a number leaves a gap.
#pragma once

#include <algorithm>
#include <limits>

#include "html.hpp"

namespace program {

struct Series {
  std::string name;
  std::vector<double> x, y, spread;  ///< band y ± spread; empty or NaN: none
  std::size_t colour = 0;
  bool quiet = false;  ///< dashed and grey: what the others are compared with
};

/// Round numbers that cover low..high, about `count` of them.
inline std::vector<double> ticks(double low, double high, int count = 6) {
  // Numbers that differ by their rounding alone are equal: steps of that size would never get anywhere.
  if (!(high - low > 1e-9 * std::max(std::abs(low), std::abs(high)))) high = low + 1;
  const double raw = (high - low) / count, power = std::pow(10.0, std::floor(std::log10(raw)));
  double step = 10 * power;
  for (const double one : {1.0, 2.0, 2.5, 5.0})
    if (raw <= one * power * 1.0000001) {
      step = one * power;
      break;
    }
  std::vector<double> at;
  for (double k = std::ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; ++k) at.push_back(k * step);
  return at;
}
inline std::string tick_text(double value, double step) {
  int digits = 0;
  for (double left = step; digits < 6 && std::abs(left - std::round(left)) > 1e-6; left *= 10) ++digits;
  return lacuna::detail::fixed_text(value == 0 ? 0.0 : value, digits);
}

struct ChartOptions {
  std::string x_title, y_title;
  double width = 720, height = 340;
  std::vector<double> x_ticks = {};  ///< empty: round numbers
};

/// Numbers to places.
struct Scale {
  double from, to, low, high;
  double operator()(double value) const { return low + (value - from) / (to - from) * (high - low); }
};

inline std::string svg_text(double x, double y, const std::string& anchor, const std::string& text,
                            const std::string& kind = "") {
  return element("text",
                 "x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) + "\" text-anchor=\"" + anchor + "\"" +
                     (kind.empty() ? "" : " class=\"" + kind + "\""),
                 escaped(text));
}
inline std::string svg_line(double x1, double y1, double x2, double y2, const std::string& kind) {
  return "<line x1=\"" + coordinate(x1) + "\" y1=\"" + coordinate(y1) + "\" x2=\"" + coordinate(x2) + "\" y2=\"" +
         coordinate(y2) + "\" class=\"" + kind + "\"/>";
}

/// A whole picture: `drawn` in a box of this size. title: what is read to those who do not see it.
inline std::string svg_chart(double width, double height, const std::string& title, const std::string& drawn) {
  return element("svg",
                 "class=\"chart\" role=\"img\" viewBox=\"0 0 " + coordinate(width) + " " + coordinate(height) +
                     "\" xmlns=\"http://www.w3.org/2000/svg\"",
                 element("title", "", escaped(title)) + drawn) +
         "\n";
}

/// Least and largest of all that is drawn.
inline void stretch(double& low, double& high, double value) {
  if (!std::isfinite(value)) return;
  low = std::min(low, value);
  high = std::max(high, value);
}

inline std::string colour_class(const Series& series) {
  return series.quiet ? "quiet" : "k" + std::to_string(series.colour % 9);
}

/// Swatches and names.
inline std::string legend(const std::vector<Series>& all) {
  std::string items;
  for (const Series& one : all)
    items += element("li", "", "<span class=\"swatch " + colour_class(one) + "\"></span>" + escaped(one.name));
  return element("ul", "class=\"legend\"", items) + "\n";
}

inline std::string line_chart(const std::vector<Series>& all, const ChartOptions& options) {
  const double infinite = std::numeric_limits<double>::infinity();
  double x0 = infinite, x1 = -infinite, y0 = infinite, y1 = -infinite;
  for (const Series& one : all)
    for (std::size_t i = 0; i < one.x.size(); ++i) {
      const double spread = i < one.spread.size() && std::isfinite(one.spread[i]) ? one.spread[i] : 0;
      if (!std::isfinite(one.y[i])) continue;
      stretch(x0, x1, one.x[i]);
      stretch(y0, y1, one.y[i] - spread);
      stretch(y0, y1, one.y[i] + spread);
    }
  if (!(x1 >= x0)) return element("p", "class=\"note\"", "Nothing to draw: no number is defined.");
  if (x1 == x0) x0 -= 0.5, x1 += 0.5;
  const bool flat = !(y1 - y0 > 1e-9 * std::max(std::abs(y0), std::abs(y1)));
  const double space = flat ? std::max(0.5 * std::abs(y0), 0.5) : 0.06 * (y1 - y0);
  y0 -= space, y1 += space;
  const Scale x{x0, x1, 62, options.width - 18}, y{y0, y1, options.height - 46, 14};
  std::string svg;
  const std::vector<double> y_ticks = ticks(y0, y1),
                            x_ticks = options.x_ticks.empty() ? ticks(x0, x1) : options.x_ticks;
  for (const double tick : y_ticks) {
    svg += svg_line(x.low, y(tick), x.high, y(tick), "grid");
    svg += svg_text(x.low - 8, y(tick) + 4, "end", tick_text(tick, y_ticks.size() > 1 ? y_ticks[1] - y_ticks[0] : 1));
  }
  for (const double tick : x_ticks) {
    svg += svg_line(x(tick), y.low, x(tick), y.low + 5, "axis");
    svg += svg_text(x(tick), y.low + 19, "middle", tick_text(tick, x_ticks.size() > 1 ? x_ticks[1] - x_ticks[0] : 1));
  }
  svg += svg_line(x.low, y.low, x.high, y.low, "axis");
  svg += svg_text((x.low + x.high) / 2, options.height - 8, "middle", options.x_title, "title");
  const std::string middle = coordinate((y.low + y.high) / 2);
  svg +=
      element("text", "class=\"title\" text-anchor=\"middle\" transform=\"translate(15 " + middle + ") rotate(-90)\"",
              escaped(options.y_title)) +
      "\n";
  for (const Series& one : all) {  // bands below all lines
    std::string upper, lower;
    for (std::size_t i = 0; i < one.x.size() && i < one.spread.size(); ++i) {
      if (!std::isfinite(one.y[i]) || !std::isfinite(one.spread[i])) continue;
      upper += coordinate(x(one.x[i])) + "," + coordinate(y(one.y[i] + one.spread[i])) + " ";
      lower = coordinate(x(one.x[i])) + "," + coordinate(y(one.y[i] - one.spread[i])) + " " + lower;
    }
    if (!upper.empty()) svg += "<polygon class=\"band " + colour_class(one) + "\" points=\"" + upper + lower + "\"/>\n";
  }
  for (const Series& one : all) {
    std::string path, dots;
    bool drawing = false;
    for (std::size_t i = 0; i < one.x.size(); ++i) {
      if (!std::isfinite(one.y[i])) {
        drawing = false;
        continue;
      }
      const std::string at = coordinate(x(one.x[i])) + " " + coordinate(y(one.y[i]));
      path += (drawing ? "L" : "M") + at + " ";
      drawing = true;
      const std::string value =
          lacuna::detail::general_text(one.x[i], 6) + ": " + lacuna::detail::general_text(one.y[i], 4);
      dots += "<circle class=\"dot " + colour_class(one) + "\" cx=\"" + coordinate(x(one.x[i])) + "\" cy=\"" +
              coordinate(y(one.y[i])) + "\" r=\"3\">" + element("title", "", escaped(one.name + ", " + value)) +
              "</circle>";
    }
    svg += "<path class=\"line " + colour_class(one) + "\" d=\"" + path + "\"/>" + dots + "\n";
  }
  return svg_chart(options.width, options.height, options.y_title + " over " + options.x_title, svg);
}

/// At most `most` letters, the middle left out: both ends of a model's name tell it from others.
inline std::string shortened(const std::string& text, std::size_t most) {
  if (text.size() <= most) return text;
  const std::size_t kept = most / 2;
  std::size_t first = kept, last = text.size() - kept;
  while (first > 0 && (text[first] & 0xC0) == 0x80) --first;  // whole characters only
  while (last < text.size() && (text[last] & 0xC0) == 0x80) ++last;
  return text.substr(0, first) + "…" + text.substr(last);
}

struct IntervalRow {
  std::string name;
  double value = 0, low = 0, high = 0;
  std::size_t colour = 0;
  std::string text;  ///< at the right end
};

/// One line per row, zero marked.
inline std::string interval_chart(const std::vector<IntervalRow>& rows, const std::string& x_title) {
  double low = 0, high = 0;
  std::size_t longest = 8;
  for (const IntervalRow& row : rows) {
    for (const double value : {row.value, row.low, row.high}) stretch(low, high, value);
    longest = std::max(longest, std::min<std::size_t>(34, row.name.size()));
  }
  if (!(high > low)) low = -1, high = 1;
  const double space = 0.05 * (high - low), width = 720, step = 26, height = 44 + step * double(rows.size());
  const double left = 24 + 7.8 * double(longest);
  const Scale x{low - space, high + space, left, width - 190};
  std::string svg;
  const auto at = ticks(low - space, high + space, 4);
  for (const double tick : at) {
    svg += svg_line(x(tick), 6, x(tick), height - 38, "grid");
    svg += svg_text(x(tick), height - 24, "middle", tick_text(tick, at.size() > 1 ? at[1] - at[0] : 1));
  }
  svg += svg_line(x(0), 6, x(0), height - 38, "axis");
  svg += svg_text((x.low + x.high) / 2, height - 6, "middle", x_title, "title");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const IntervalRow& row = rows[i];
    const double y = 18 + step * double(i);
    const std::string kind = "k" + std::to_string(row.colour % 9);
    svg += svg_text(left - 12, y + 4, "end", shortened(row.name, 34), "name");
    if (std::isfinite(row.low) && std::isfinite(row.high))
      svg += svg_line(x(row.low), y, x(row.high), y, "interval " + kind);
    if (std::isfinite(row.value))
      svg += "<circle class=\"dot " + kind + "\" cx=\"" + coordinate(x(row.value)) + "\" cy=\"" + coordinate(y) +
             "\" r=\"4.5\"/>";
    svg += svg_text(width - 4, y + 4, "end", row.text);
  }
  return svg_chart(width, height, x_title, svg);
}

}  // namespace program
