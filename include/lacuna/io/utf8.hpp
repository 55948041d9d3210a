/// UTF-8 as Python's pickle writes it: lone surrogates (U+D800..U+DFFF as three bytes) are let through.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lacuna::detail {

inline void append_utf8(std::string& text, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { text += char(std::uint8_t(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0 | (code >> 6));
  } else {
    if (code < 0x10000) {
      put(0xE0 | (code >> 12));
    } else {
      put(0xF0 | (code >> 18));
      put(0x80 | ((code >> 12) & 0x3F));
    }
    put(0x80 | ((code >> 6) & 0x3F));
  }
  put(0x80 | (code & 0x3F));
}

/// The character at `at`, which moves behind it; -1, and `at` stays, where there is no valid one.
inline std::int64_t next_utf8(std::string_view text, std::size_t& at) {
  const std::uint32_t first = std::uint8_t(text[at]);
  if (first < 0x80) return ++at, first;
  const std::size_t more = first < 0xC2 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : first < 0xF5 ? 3 : 0;
  if (more == 0 || more >= text.size() - at) return -1;
  std::uint32_t code = first & (0x3Fu >> more);
  for (std::size_t i = 1; i <= more; ++i) {
    const std::uint32_t byte = std::uint8_t(text[at + i]);
    if ((byte & 0xC0) != 0x80) return -1;
    code = (code << 6) | (byte & 0x3F);
  }
  constexpr std::uint32_t least[] = {0, 0x80, 0x800, 0x10000};  // the shortest form only
  if (code < least[more] || code > 0x10FFFF) return -1;
  at += more + 1;
  return code;
}

/// How many bytes from the start are valid: all of them when the text is.
inline std::size_t utf8_length(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && next_utf8(text, at) >= 0) {
  }
  return at;
}

/// UTF-8 without lone surrogates.
inline bool utf8_strict(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::int64_t code = next_utf8(text, at);
    if (code < 0 || (code >= 0xD800 && code < 0xE000)) return false;
  }
  return true;
}

/// The same text where it is UTF-8; bytes that are none, lone surrogates among them, as \xff.
inline std::string escaped_utf8(std::string_view text) {
  constexpr char digits[] = "0123456789abcdef";
  std::string safe;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const std::int64_t code = next_utf8(text, at);
    if (code >= 0 && (code < 0xD800 || code > 0xDFFF)) {
      safe += text.substr(begin, at - begin);
      continue;
    }
    at = begin + 1;
    const auto byte = std::uint8_t(text[begin]);
    safe += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
  }
  return safe;
}

}  // namespace lacuna::detail
