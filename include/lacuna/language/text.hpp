/// UTF-8 to code points and back, for tokenizers: what is no character becomes U+FFFD.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lacuna/core/shape.hpp"
#include "lacuna/io/utf8.hpp"

namespace lacuna::detail {

/// A character, or U+FFFD for a byte that starts none; moves on.
inline char32_t next_character(std::string_view text, std::size_t& at) {
  const std::int64_t code = next_utf8(text, at);
  if (code >= 0 && !(code >= 0xD800 && code < 0xE000)) return char32_t(code);
  if (code < 0) ++at;
  return 0xFFFD;
}
inline std::u32string characters(std::string_view text) {
  std::u32string codes;
  for (std::size_t at = 0; at < text.size();) codes += next_character(text, at);
  return codes;
}
inline std::string utf8(std::u32string_view codes) {
  std::string text;
  for (const char32_t c : codes) append_utf8(text, std::uint32_t(c));
  return text;
}
inline std::string utf8(char32_t code) { return utf8(std::u32string_view(&code, 1)); }

/// Bytes that need be no UTF-8, each bad one as U+FFFD.
inline std::string repaired(std::string_view bytes) { return utf8(characters(bytes)); }

inline std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  while (true) {
    const std::size_t at = text.find(from);
    result += text.substr(0, at);
    if (at == std::string_view::npos || from.empty()) return result;
    result += to;
    text.remove_prefix(at + from.size());
  }
}

/// "<0x0A>" → 10; −1 for anything else.
inline int byte_of_piece(std::string_view piece) {
  if (piece.size() != 6 || !piece.starts_with("<0x") || piece[5] != '>') return -1;
  int value = 0;
  for (const char c : piece.substr(3, 2)) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (digit < 0) return -1;
    value = 16 * value + digit;
  }
  return value;
}
inline std::string piece_of_byte(std::uint8_t byte) {
  constexpr const char* digits = "0123456789ABCDEF";
  return {'<', '0', 'x', digits[byte >> 4], digits[byte & 15], '>'};
}

/// A part of a text between special tokens, or such a token.
struct TextPart {
  std::string_view text;
  index_t token = -1;  ///< −1: plain text
};
/// Cuts texts out: at every place the longest of them that stands there.
inline std::vector<TextPart> cut_out(std::string_view text, std::span<const std::pair<std::string, index_t>> tokens) {
  std::vector<TextPart> parts;
  std::size_t from = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::pair<std::string, index_t>* longest = nullptr;
    for (const auto& token : tokens)
      if (!token.first.empty() && text.substr(at).starts_with(token.first) &&
          (longest == nullptr || token.first.size() > longest->first.size()))
        longest = &token;
    if (longest == nullptr) {
      ++at;
      continue;
    }
    if (at > from) parts.push_back({text.substr(from, at - from)});
    parts.push_back({text.substr(at, longest->first.size()), longest->second});
    from = at += longest->first.size();
  }
  if (from < text.size()) parts.push_back({text.substr(from)});
  return parts;
}

}  // namespace lacuna::detail
