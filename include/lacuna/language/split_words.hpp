/// How byte-level tokenizers of Llama 3 and Qwen cut a text before they merge: by rules that are written as a regular
/// expression in tokenizer.json, here by hand.
///
///   's 't 're 've 'm 'll 'd | [^\r\n\p{L}\p{N}]?\p{L}+ | \p{N}{1,n} | ' '?[^\s\p{L}\p{N}]+[\r\n]* | \s*[\r\n]+ |
///   \s+(?!\S) | \s+          the first alternative that fits is taken
#pragma once

#include <string_view>
#include <vector>

#include "lacuna/language/unicode_classes.hpp"

namespace lacuna::detail {

/// Length of 's, 't, 're, 've, 'm, 'll, 'd in any case at `at`; 0 for none.
inline std::size_t contraction(std::u32string_view text, std::size_t at) {
  const auto letter = [&](std::size_t i) {
    const char32_t c = at + i < text.size() ? text[at + i] : U'\0';
    return c >= U'A' && c <= U'Z' ? c + 32 : c;
  };
  if (text[at] != U'\'') return 0;
  const char32_t a = letter(1), b = letter(2);
  if (a == U's' || a == U't' || a == U'm' || a == U'd') return 2;
  return (a == U'r' && b == U'e') || (a == U'v' && b == U'e') || (a == U'l' && b == U'l') ? 3 : 0;
}

/// Parts in order, which together are the text; numbers in groups of at most `digits`.
inline std::vector<std::u32string_view> split_words(std::u32string_view text, std::size_t digits) {
  const std::size_t n = text.size();
  const auto run = [&](std::size_t from, auto&& belongs) {
    while (from < n && belongs(text[from])) ++from;
    return from;
  };
  const auto line_end = [](char32_t c) { return c == U'\r' || c == U'\n'; };
  const auto other = [](char32_t c) { return !is_space(c) && !is_letter(c) && !is_number(c); };
  const auto end_of = [&](std::size_t at) -> std::size_t {
    if (const std::size_t length = contraction(text, at)) return at + length;
    const char32_t c = text[at];
    const bool lead = !line_end(c) && !is_letter(c) && !is_number(c);
    if (const std::size_t word = lead ? at + 1 : at; word < n && is_letter(text[word])) return run(word, is_letter);
    if (is_number(c)) return std::min(run(at, is_number), at + digits);
    if (const std::size_t mark = c == U' ' ? at + 1 : at; mark < n && other(text[mark]))
      return run(run(mark, other), line_end);
    const std::size_t space = run(at, is_space);
    for (std::size_t i = space; i > at; --i)
      if (line_end(text[i - 1])) return i;
    return space == n || space - at == 1 ? space : space - 1;
  };
  std::vector<std::u32string_view> parts;
  for (std::size_t at = 0; at < n;) {
    const std::size_t end = end_of(at);
    parts.push_back(text.substr(at, end - at));
    at = end;
  }
  return parts;
}

}  // namespace lacuna::detail
