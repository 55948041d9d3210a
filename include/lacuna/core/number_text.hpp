/// Numbers as text, the same in every locale: a program that calls setlocale(LC_ALL, "") must not write decimal commas
/// into a file.
///
///     fixed_text(2.5, 1)     // "2.5", as printf's %.1f
///     general_text(1e-7, 4)  // "1e-07", as %.4g
#pragma once

#include <charconv>
#include <string>

namespace lacuna::detail {

/// `digits` behind the point, at most 60.
inline std::string fixed_text(double x, int digits) {
  char text[400];  // 309 before the point
  return {text, std::to_chars(text, text + sizeof text, x, std::chars_format::fixed, digits < 60 ? digits : 60).ptr};
}
/// `digits` that count, at most 60.
inline std::string general_text(double x, int digits) {
  char text[100];
  return {text, std::to_chars(text, text + sizeof text, x, std::chars_format::general, digits < 60 ? digits : 60).ptr};
}

}  // namespace lacuna::detail
