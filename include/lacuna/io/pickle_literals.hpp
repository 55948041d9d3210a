/// Numbers and strings as pickles spell them. Every function gives nothing where the bytes are not what they should be.
#pragma once

#include <charconv>
#include <optional>

#include "lacuna/io/utf8.hpp"
#include "lacuna/io/value_tree.hpp"

namespace lacuna::detail {

/// Python itself turns no longer text into an int.
inline constexpr std::size_t most_digits = 4300;
/// Bytes that 4300 digits fit in.
inline constexpr std::size_t most_integer_bytes = 1786;

/// An int: of 64 bits, or as decimal digits with a '-' in front where it is negative.
struct PickleInteger {
  std::int64_t small = 0;
  std::string digits;  ///< empty when `small` holds it
};

/// Text such as "-12" or, from Python 2, "12L".
inline std::optional<PickleInteger> decimal_integer(std::string_view text) {
  if (text.ends_with('L')) text.remove_suffix(1);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.size() > most_digits) return std::nullopt;
  for (const char c : text)
    if (c < '0' || c > '9') return std::nullopt;
  while (text.size() > 1 && text[0] == '0') text.remove_prefix(1);
  PickleInteger number;
  const std::string digits = (negative && text != "0" ? "-" : "") + std::string(text);
  if (std::from_chars(digits.data(), digits.data() + digits.size(), number.small).ec != std::errc())
    number.digits = digits;
  return number;
}

/// Two's complement, lowest byte first, of at most `most_integer_bytes` bytes.
inline PickleInteger binary_integer(std::span<const std::uint8_t> bytes) {
  PickleInteger number;
  const bool negative = !bytes.empty() && bytes.back() >= 0x80;
  if (bytes.size() <= 8) {
    std::uint64_t bits = negative ? ~std::uint64_t(0) : 0;
    for (std::size_t i = bytes.size(); i-- > 0;) bits = (bits << 8) | bytes[i];
    number.small = std::int64_t(bits);
    return number;
  }
  std::vector<std::uint32_t> words((bytes.size() + 3) / 4);  // the magnitude, lowest first
  std::uint32_t carry = negative;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::uint32_t word = 0;
    for (std::size_t b = 4; b-- > 0;) {
      const std::size_t at = 4 * i + b;
      word = (word << 8) | std::uint32_t(at < bytes.size() ? bytes[at] : negative ? 0xFF : 0);
    }
    if (negative) {
      word = ~word + carry;
      carry = carry && word == 0;
    }
    words[i] = word;
  }
  std::string reversed;
  while (!words.empty()) {
    std::uint64_t rest = 0;
    for (std::size_t i = words.size(); i-- > 0;) {
      rest = (rest << 32) | words[i];
      words[i] = std::uint32_t(rest / 1000000000);
      rest %= 1000000000;
    }
    while (!words.empty() && words.back() == 0) words.pop_back();
    for (int digit = 0; digit < 9 && (rest > 0 || !words.empty()); ++digit, rest /= 10)
      reversed += char('0' + rest % 10);
  }
  if (reversed.empty()) return number;
  const std::string digits = (negative ? "-" : "") + std::string(reversed.rbegin(), reversed.rend());
  if (std::from_chars(digits.data(), digits.data() + digits.size(), number.small).ec != std::errc())
    number.digits = digits;
  return number;
}

inline std::optional<double> decimal_real(std::string_view text) {
  double number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() || text.ends_with(')')) return std::nullopt;
  return number;
}

/// The value of `count` hexadecimal digits at `at`; -1 where they are none.
inline std::int64_t hex_digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at > text.size() || count > text.size() - at) return -1;
  std::uint32_t value = 0;
  const auto result = std::from_chars(text.data() + at, text.data() + at + count, value, 16);
  return result.ec == std::errc() && result.ptr == text.data() + at + count ? std::int64_t(value) : -1;
}

/// A string of Python 2 in quotes, with escapes.
inline std::optional<std::string> quoted_bytes(std::string_view text) {
  if (text.size() < 2 || (text[0] != '\'' && text[0] != '"') || text.back() != text[0]) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    constexpr std::string_view letters = "\\'\"ntrabfv", meaning = "\\'\"\n\t\r\a\b\f\v";
    if (const std::size_t which = letters.find(text[i]); which != std::string_view::npos) {
      bytes += meaning[which];
    } else if (const std::int64_t code = text[i] == 'x' ? hex_digits(text, i + 1, 2) : -1; code >= 0) {
      bytes += char(std::uint8_t(code));
      i += 2;
    } else {
      return std::nullopt;
    }
  }
  return bytes;
}

/// A line of raw-unicode-escape as UTF-8: \uXXXX and \UXXXXXXXX, every other byte is Latin-1.
inline std::optional<std::string> unescaped_text(std::string_view text) {
  std::string utf8;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : ' ';
    if (next == 'u' || next == 'U') {
      const std::size_t count = next == 'u' ? 4 : 8;
      std::int64_t code = hex_digits(text, i + 2, count);
      if (code < 0 || code > 0x10FFFF) return std::nullopt;
      i += 1 + count;
      // Python 2 with 16-bit characters wrote two halves.
      if (code >= 0xD800 && code < 0xDC00 && text.substr(i + 1, 2) == "\\u") {
        const std::int64_t low = hex_digits(text, i + 3, 4);
        if (low >= 0xDC00 && low < 0xE000) {
          code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
          i += 6;
        }
      }
      append_utf8(utf8, std::uint32_t(code));
    } else {
      append_utf8(utf8, std::uint8_t(text[i]));
      if (next == '\\') append_utf8(utf8, std::uint8_t(text[++i]));  // "\\u" after a backslash is no escape
    }
  }
  return utf8;
}

}  // namespace lacuna::detail
