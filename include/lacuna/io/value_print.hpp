/// A value as text for people: one line per place, indented, cut at limits, so that no file can make it long.
#pragma once

#include "lacuna/io/value.hpp"

namespace lacuna::io {

struct ValueTextLimits {
  int lines = 200;  ///< in all
  int items = 12;   ///< of one list or dict
  int depth = 8;
};

}  // namespace lacuna::io

namespace lacuna::detail {

class ValueText {
 public:
  explicit ValueText(io::ValueTextLimits limits) : limits_(limits) {}

  std::string take() { return std::move(text_); }

  void print(const std::string& label, const io::Value& value, int depth) {
    if (lines_++ == limits_.lines) text_ += "...\n";
    if (lines_ > limits_.lines) return;
    text_.append(std::size_t(2 * depth), ' ');
    text_ += label + brief(value) + '\n';
    const bool nested = value.is_dict() || value.has_items();
    if (!nested || value.size() == 0) return;
    if (depth == limits_.depth) return;
    const std::size_t count = std::min(value.size(), std::size_t(limits_.items));
    for (std::size_t i = 0; i < count && lines_ <= limits_.lines; ++i) {
      if (value.is_dict())
        print(brief(value.key(i)) + ": ", value.value(i), depth + 1);
      else
        print(cat("[", i, "] "), value[i], depth + 1);
    }
    if (count < value.size() && lines_ < limits_.lines) {
      ++lines_;
      text_.append(std::size_t(2 * (depth + 1)), ' ');
      text_ += cat("... and ", value.size() - count, " more\n");
    }
  }

 private:
  static std::string brief(const io::Value& value) {
    switch (value.kind()) {
      case io::ValueKind::boolean:
        return value.boolean() ? "True" : "False";
      case io::ValueKind::integer:
        return printable(value.integer_text());
      case io::ValueKind::real: {
        char digits[40];
        const auto end = std::to_chars(digits, digits + sizeof digits, value.real());
        return {digits, end.ptr};
      }
      case io::ValueKind::text:
      case io::ValueKind::text8:
        return "'" + printable(value.bytes()) + "'";
      case io::ValueKind::bytes:
      case io::ValueKind::byte_array:
        return cat(value.describe(), " of ", value.bytes().size());
      default:
        return value.describe();
    }
  }

  io::ValueTextLimits limits_;
  std::string text_;
  int lines_ = 0;
};

}  // namespace lacuna::detail

namespace lacuna::io {

/// What a value holds, in at most `limits.lines` lines.
inline std::string to_text(const Value& value, ValueTextLimits limits = {}) {
  detail::ValueText text(limits);
  text.print("", value, 0);
  return text.take();
}

}  // namespace lacuna::io
