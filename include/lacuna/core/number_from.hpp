/// Text as a number, the one way in which numbers from outside are read: options, configuration files, settings of models, the
/// environment. The whole text is the number, in decimal, the same in every locale: no blanks, no plus sign, no "0x10",
/// nothing behind it, and nothing that the type cannot hold.
///
///     number_from<int>("12")           // 12
///     number_from<unsigned>("-1")      // nothing: no number below zero
///     number_from<double>("1e-3")      // .001; "nan" and "inf" are numbers, whoever asks says whether they may be
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <type_traits>

namespace lacuna::detail {

template <class Number>
std::optional<Number> number_from(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// What a text that is none should have been.
template <class Number>
constexpr const char* number_kind() {
  return std::is_floating_point_v<Number> ? "a number" : "a whole number";
}

}  // namespace lacuna::detail
