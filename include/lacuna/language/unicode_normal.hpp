/// Characters and their accents as one code point where there is one: Unicode's normal form C. (Unicode 14, annex 15)
#pragma once

#include <algorithm>
#include <iterator>
#include <string>

#include "lacuna/language/unicode_tables.hpp"

namespace lacuna::detail {

inline int combining_class(char32_t c) {
  if (c < 0x300) return 0;
  const auto at = std::upper_bound(std::begin(combining_ranges), std::end(combining_ranges), c,
                                   [](char32_t code, const char32_t(&r)[3]) { return code < r[0]; });
  if (at == std::begin(combining_ranges)) return 0;
  const auto& range = *(at - 1);
  return c <= range[1] ? int(range[2]) : 0;
}
/// The row of a table whose first entry is c; nullptr when there is none.
template <std::size_t N>
const char32_t* row_of(const char32_t (&table)[N][3], char32_t c) {
  const auto at = std::lower_bound(std::begin(table), std::end(table), c,
                                   [](const char32_t(&r)[3], char32_t code) { return r[0] < code; });
  return at != std::end(table) && (*at)[0] == c ? *at : nullptr;
}
inline void decompose(char32_t c, std::u32string& to) {
  if (c >= 0xAC00 && c < 0xAC00 + 11172) {  // Hangul, by rule
    const char32_t s = c - 0xAC00;
    to += char32_t(0x1100 + s / 588);
    to += char32_t(0x1161 + s % 588 / 28);
    if (s % 28) to += char32_t(0x11A7 + s % 28);
    return;
  }
  const char32_t* row = c < 0xC0 ? nullptr : row_of(compositions, c);
  if (row == nullptr && c >= 0xC0) row = row_of(decompositions, c);
  if (row == nullptr) {
    to += c;
    return;
  }
  decompose(row[1], to);
  if (row[2]) decompose(row[2], to);
}
/// 0 when the two make no single character.
inline char32_t compose(char32_t a, char32_t b) {
  if (a >= 0x1100 && a < 0x1113 && b >= 0x1161 && b < 0x1176) return 0xAC00 + (a - 0x1100) * 588 + (b - 0x1161) * 28;
  if (a >= 0xAC00 && a < 0xAC00 + 11172 && (a - 0xAC00) % 28 == 0 && b > 0x11A7 && b < 0x11C3) return a + (b - 0x11A7);
  for (const auto& row : compositions)
    if (row[1] == a && row[2] == b) return row[0];
  return 0;
}

/// Normal form C.
inline std::u32string normal_form_c(const std::u32string& text) {
  if (std::all_of(text.begin(), text.end(), [](char32_t c) { return c < 0x300; })) return text;
  std::u32string all;
  for (const char32_t c : text) decompose(c, all);
  for (std::size_t i = 0; i < all.size();) {  // accents in the order of their classes
    std::size_t end = i;
    while (end < all.size() && combining_class(all[end]) != 0) ++end;
    std::stable_sort(all.begin() + std::ptrdiff_t(i), all.begin() + std::ptrdiff_t(end),
                     [](char32_t a, char32_t b) { return combining_class(a) < combining_class(b); });
    i = end + 1;
  }
  std::u32string made;
  std::size_t starter = std::u32string::npos;
  int last = 0;  // class of what stands between the starter and here
  for (const char32_t c : all) {
    const int rank = combining_class(c);
    if (starter != std::u32string::npos && (starter + 1 == made.size() || last < rank))
      if (const char32_t whole = compose(made[starter], c)) {
        made[starter] = whole;
        continue;
      }
    if (rank == 0) starter = made.size();
    last = rank;
    made += c;
  }
  return made;
}

}  // namespace lacuna::detail
