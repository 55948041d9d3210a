/// Errors of the library. Every message is one line: what failed, where, found, expected, what to do.
#pragma once

#include <charconv>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include "lacuna/core/finite_math.hpp"

namespace lacuna {

/// Root of all errors thrown by the library.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Two sizes that must agree do not.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// A file is missing, truncated, damaged, or not of the expected kind.
class IoError : public Error {
 public:
  using Error::Error;
};

/// A device is absent or refused a request.
class DeviceError : public Error {
 public:
  using Error::Error;
};

/// An option has a value outside its range, or two options exclude each other.
class OptionError : public Error {
 public:
  using Error::Error;
};

namespace detail {

inline void append(std::string& text, std::string_view piece) { text += piece; }
inline void append(std::string& text, const char* piece) { text += piece; }
inline void append(std::string& text, const std::string& piece) { text += piece; }
inline void append(std::string& text, char piece) { text += piece; }
inline void append(std::string& text, bool piece) { text += piece ? "true" : "false"; }
template <class Number>
requires requires(Number n) { std::to_string(n); }
void append(std::string& text, Number piece) {
  if constexpr (std::is_floating_point_v<Number>) {  // as std::to_string, whatever the locale
    char digits[400];
    const auto end = std::to_chars(digits, digits + sizeof digits, double(piece), std::chars_format::fixed, 6);
    text.append(digits, end.ptr);
  } else {
    text += std::to_string(piece);
  }
}

/// Joins strings, numbers and everything that has `append` into one message.
template <class... Pieces>
std::string cat(const Pieces&... pieces) {
  std::string text;
  (append(text, pieces), ...);
  return text;
}

}  // namespace detail
}  // namespace lacuna
