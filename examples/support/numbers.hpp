// Options that hold numbers: read whole, in decimal, and in their range, or refused by name. CLI11's own conversion takes
// "-1" for the largest unsigned number, "" for 0, "0x10" for 16 and "1e30" for what is left of it; their writers meant none
// of these.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/core/number_from.hpp"
#include "lists.hpp"

namespace support {

/// Inclusive.
template <class Number>
struct Range {
  Number least = std::numeric_limits<Number>::lowest(), most = std::numeric_limits<Number>::max();
};

inline std::string shown(double number) { return lacuna::detail::general_text(number, 6); }
template <class Number>
requires std::is_integral_v<Number> std::string shown(Number number) { return std::to_string(number); }

/// One number. Throws OptionError with the name, what was found and what was expected.
template <class Number>
Number number_of(const std::string& name, const std::string& text, const Range<Number>& range) {
  using lacuna::OptionError, lacuna::detail::cat;
  const auto number = lacuna::detail::number_from<Number>(text);
  const bool digits = !text.empty() && text.find_first_not_of("0123456789", text[0] == '-') == std::string::npos &&
                      text != "-";  // a whole number, if one that the type cannot hold
  if (!number && !(std::is_integral_v<Number> && digits))
    throw OptionError(cat(name, ": '", text, "' is not ", lacuna::detail::number_kind<Number>()));
  if (number ? !(*number >= range.least) : text[0] == '-')
    throw OptionError(cat(name, ": ", text, ", expected ", shown(range.least), " or more"));
  if (!number || !(*number <= range.most))
    throw OptionError(cat(name, ": ", text, ", expected at most ", shown(range.most)));
  return *number;
}

/// `--name NUMBER` into `member`.
template <class Number>
CLI::Option* number_option(CLI::App& app, const std::string& name, Number& member, const std::string& help,
                           Range<Number> range = {}) {
  CLI::Option* option = app.add_option_function<std::string>(
      name, [&member, name, range](const std::string& text) { member = number_of<Number>(name, text, range); }, help);
  return option->type_name("NUMBER")->default_str(shown(member));
}

/// `--name NUMBER,NUMBER,...` into `member`.
template <class Number>
CLI::Option* number_option(CLI::App& app, const std::string& name, std::vector<Number>& member, const std::string& help,
                           Range<Number> range = {}) {
  CLI::Option* option = app.add_option_function<std::vector<std::string>>(
      name,
      [&member, name, range](const std::vector<std::string>& texts) {
        member.clear();
        for (const std::string& text : items_of(name, texts)) member.push_back(number_of<Number>(name, text, range));
      },
      help);
  std::string usual;
  for (const Number& one : member) usual += (usual.empty() ? "" : ",") + shown(one);
  return option->type_name("NUMBER,...")->default_str("[" + usual + "]");
}

/// The most threads that are asked for by hand or by the environment: beyond it the system gives none, late and without a reason.
inline constexpr int most_threads = 1024;

/// OMP_NUM_THREADS and OMP_THREAD_LIMIT as OpenMP reads them, with a line and an end where it would fail without a word.
/// Throws OptionError.
inline void check_environment() {
  for (const char* name : {"OMP_NUM_THREADS", "OMP_THREAD_LIMIT"}) {
    const char* const set = std::getenv(name);
    if (set == nullptr) continue;
    const std::string text = set;  // OMP_NUM_THREADS may be a list, one number per level of nesting
    (void)number_of<int>(name, text.substr(0, text.find(',')), {1, name[4] == 'N' ? most_threads : 1 << 30});
  }
}

}  // namespace support
