/// Reads JSON from left to right, one expected thing after the other: enough for headers of files, with nothing that
/// recurses. Errors are IoError: "file: header, byte 12: ...".
#pragma once

#include <limits>

#include "lacuna/core/shape.hpp"
#include "lacuna/io/source.hpp"
#include "lacuna/io/utf8.hpp"

namespace lacuna::detail {

class JsonHeader {
 public:
  JsonHeader(std::string_view text, std::string where) : text_(text), where_(std::move(where)) {}

  template <class... Pieces>
  [[noreturn]] void fail(const Pieces&... pieces) const {
    throw IoError(cat(where_, ", byte ", at_, ": ", pieces...));
  }
  /// Passes over `c` if it comes next.
  bool accept(char c) {
    space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c))
      fail(at_ < text_.size() ? cat("has '", printable(text_.substr(at_, 1)), "'") : "ends", ", expected '", c, "'");
  }
  /// Nothing but blanks may follow.
  void expect_end() {
    space();
    if (at_ != text_.size()) fail("has text after its end");
  }
  /// A string, its escapes resolved.
  std::string string() {
    expect('"');
    std::string text;
    while (true) {
      if (at_ >= text_.size()) fail("ends within a string");
      const char c = text_[at_];
      if (c == '"') break;
      if (std::uint8_t(c) < 32) fail("has a control character within a string");
      if (c == '\\') {
        escape(text);
        continue;
      }
      const std::size_t from = at_;
      if (next_utf8(text_, at_) < 0) fail("is not UTF-8");
      text += text_.substr(from, at_ - from);
    }
    ++at_;
    if (utf8_strict(text)) return text;
    fail("has half a character (a lone surrogate) within a string");
  }
  /// An integer from 0 to 2^63-1.
  index_t natural(std::string_view what) {
    space();
    const std::size_t start = at_;
    index_t value = 0;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      const index_t next = text_[at_++] - '0';
      if (value > (std::numeric_limits<index_t>::max() - next) / 10) fail(what, " is above 2^63-1");
      value = 10 * value + next;
    }
    const bool more = at_ < text_.size() && (text_[at_] == '.' || text_[at_] == 'e' || text_[at_] == 'E');
    if (start == at_ || more || (text_[start] == '0' && at_ - start > 1)) fail(what, " is no integer from 0 to 2^63-1");
    return value;
  }

 private:
  void space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
  }
  std::uint32_t four_digits() {
    std::uint32_t code = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = at_ < text_.size() ? text_[at_++] : ' ';
      if (c >= '0' && c <= '9')
        code = 16 * code + std::uint32_t(c - '0');
      else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
        code = 16 * code + std::uint32_t((c | 32) - 'a' + 10);
      else
        fail("has a \\u without four hexadecimal digits");
    }
    return code;
  }
  void escape(std::string& text) {
    ++at_;
    const char c = at_ < text_.size() ? text_[at_++] : ' ';
    constexpr std::string_view letters = "\"\\/bfnrt", meaning = "\"\\/\b\f\n\r\t";
    if (const std::size_t which = letters.find(c); which != std::string_view::npos) {
      text += meaning[which];
      return;
    }
    if (c != 'u') fail("has an unknown escape");
    std::uint32_t code = four_digits();
    if (code >= 0xD800 && code < 0xDC00 && text_.substr(at_, 2) == "\\u") {
      at_ += 2;
      const std::uint32_t low = four_digits();
      if (low < 0xDC00 || low > 0xDFFF) fail("has half a character (a lone surrogate) within a string");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    append_utf8(text, code);
  }
  std::string_view text_;
  std::string where_;
  std::size_t at_ = 0;
};

/// A string in quotes, as JSON. Throws IoError when it is not UTF-8.
inline std::string json_string(std::string_view text) {
  if (!utf8_strict(text)) throw IoError(cat("json: '", printable(text), "' is not UTF-8"));
  constexpr char digits[] = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char c : text) {
    if (std::uint8_t(c) < 32) {
      quoted += cat("\\u00", digits[c >> 4], digits[c & 15]);
      continue;
    }
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace lacuna::detail
