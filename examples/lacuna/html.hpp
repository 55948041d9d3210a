/// Text for HTML and SVG: everything that comes from outside goes through `escaped`; every element is closed, so that
/// the document is well-formed XML too.
#pragma once

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "lacuna/core/number_text.hpp"

namespace program {

/// & < > " ' as entities; control characters, which no document may hold, as a replacement character.
inline std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '"')
      result += "&quot;";
    else if (c == '\'')
      result += "&#39;";
    else if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t')
      result += "\xEF\xBF\xBD";
    else
      result += c;
  }
  return result;
}

/// <name attributes>content</name>; content is HTML already.
inline std::string element(const std::string& name, const std::string& attributes, const std::string& content) {
  return "<" + name + (attributes.empty() ? "" : " " + attributes) + ">" + content + "</" + name + ">";
}

/// A coordinate: one decimal is enough on a screen.
inline std::string coordinate(double value) {
  return lacuna::detail::fixed_text(std::isfinite(value) ? value : 0.0, 1);
}

/// Rows of cells, HTML already; the first row holds the titles, the first cell of every row names it.
inline std::string html_table(const std::vector<std::vector<std::string>>& rows, const std::string& kind = "") {
  std::string head, body;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string cells;
    for (std::size_t c = 0; c < rows[r].size(); ++c)
      cells += r == 0   ? element("th", "scope=\"col\"", rows[r][c])
               : c == 0 ? element("th", "scope=\"row\"", rows[r][c])
                        : element("td", "", rows[r][c]);
    (r == 0 ? head : body) += element("tr", "", cells) + "\n";
  }
  return "<div class=\"wide\">" +
         element("table", kind.empty() ? "" : "class=\"" + kind + "\"",
                 element("thead", "", head) + element("tbody", "", body)) +
         "</div>\n";
}

}  // namespace program
