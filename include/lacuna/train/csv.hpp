/// Numbers and fields of CSV files (RFC 4180, lines end with \n).
#pragma once

#include <charconv>
#include <cmath>
#include <concepts>
#include <string>

namespace lacuna::train {

/// The shortest text that reads back as the same number; nan, inf, -inf.
template <std::floating_point T>
std::string csv_number(T number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, number).ptr};
}

/// Quoted where it must be.
inline std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

}  // namespace lacuna::train
