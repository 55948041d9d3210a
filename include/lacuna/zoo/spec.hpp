/// A model as a user names it: NAME or NAME:OPTION=VALUE:OPTION=VALUE, as corrkd:scd=0.5:epochs=30.
///
///     const zoo::ModelSpec spec = zoo::parse_model("corrkd:scd=0.5:epochs=30");   // name "corrkd", two settings
///
/// Settings are pairs of texts; `apply_settings` puts them into any object that names its fields (core/fields.hpp).
/// Numbers are read whole or refused, also where they are outside the field's range; flags are 0 or 1; enumerations go
/// by the field's choices, else by the names of `choices_of`; elements of lists are divided by '/'. In names '-' and '_'
/// are the same, so that an option of the command line and a setting are spelled alike. Errors: OptionError.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/core/fields.hpp"
#include "lacuna/core/number_from.hpp"
#include "lacuna/core/state.hpp"
#include "lacuna/train/csv.hpp"
#include "lacuna/zoo/options.hpp"

namespace lacuna::zoo {

using Settings = std::vector<std::pair<std::string, std::string>>;

struct ModelSpec {
  std::string text;  ///< as it was written: the name in all tables
  std::string name;
  Settings settings;
};

/// An option's name as members have it.
inline std::string option_name(std::string name) {
  for (char& c : name)
    if (c == '-') c = '_';
  return name;
}

/// Throws OptionError.
inline ModelSpec parse_model(const std::string& text) {
  ModelSpec spec{text, text.substr(0, text.find(':')), {}};
  for (std::size_t at = spec.name.size(); at < text.size();) {
    const std::size_t end = std::min(text.find(':', at + 1), text.size());
    const std::string piece = text.substr(at + 1, end - at - 1);
    const std::size_t equals = piece.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == piece.size())
      throw OptionError("model '" + text + "': '" + piece + "' is not OPTION=VALUE");
    spec.settings.emplace_back(option_name(piece.substr(0, equals)), piece.substr(equals + 1));
    at = end;
  }
  if (spec.name.empty()) throw OptionError("model '" + text + "': has no name");
  return spec;
}

/// Text to number, whole or nothing. Throws OptionError.
template <class Number>
Number number_from(const std::string& option, const std::string& text) {
  if (const auto number = detail::number_from<Number>(text)) return *number;
  throw OptionError("model option " + option + ": '" + text + "' is not " + detail::number_kind<Number>());
}

/// The values of an enumeration by name, in their order.
inline std::vector<std::string> choices_of(const std::string& option, const Facts& facts) {
  return facts.choices.size() > 0 ? std::vector<std::string>(facts.choices.begin(), facts.choices.end())
                                  : choices_of(option);
}

/// Throws OptionError.
template <class Value>
void set_value(const std::string& option, const std::string& text, Value& value, const Facts& facts = {}) {
  if constexpr (std::is_same_v<Value, bool>) {
    const bool on = text == "1" || text == "true" || text == "on";
    if (!on && text != "0" && text != "false" && text != "off")
      throw OptionError("model option " + option + ": '" + text + "' is not 0 or 1");
    value = on;
  } else if constexpr (std::is_enum_v<Value>) {
    const std::vector<std::string> names = choices_of(option, facts);
    std::string known;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == text) {
        value = Value(i);
        return;
      }
      known += (i ? ", " : "") + names[i];
    }
    if (!names.empty()) throw OptionError("model option " + option + ": '" + text + "' is not one of " + known);
    value = Value(number_from<int>(option, text));
  } else if constexpr (detail::is_state_list<Value>) {
    value.clear();
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t end = std::min(text.find('/', at), text.size());
      value.emplace_back();
      set_value(option, text.substr(at, end - at), value.back(), facts);
      at = end + 1;
    }
  } else if constexpr (std::is_same_v<Value, std::string>) {
    value = text;
  } else {
    value = number_from<Value>(option, text);
    if (!facts.range.unlimited() && !facts.range.contains(double(value)))
      throw OptionError("model option " + option + ": " + text + ", expected " + facts.range.text());
  }
}

/// What `set_value` reads back to the same value.
template <class Value>
std::string value_text(const std::string& option, const Value& value, const Facts& facts = {}) {
  if constexpr (std::is_enum_v<Value>) {
    const std::vector<std::string> names = choices_of(option, facts);
    return std::size_t(value) < names.size() ? names[std::size_t(value)] : std::to_string(int(value));
  } else if constexpr (detail::is_state_list<Value>) {
    std::string text;
    for (const auto& one : value) text += (text.empty() ? "" : "/") + value_text(option, one);
    return text;
  } else if constexpr (std::is_same_v<Value, std::string>) {
    return value;
  } else if constexpr (std::is_floating_point_v<Value>) {
    return train::csv_number(value);
  } else {
    return std::to_string(value);
  }
}

/// Settings that the object does not know stay in the result.
template <Reflected X>
Settings apply_settings(const Settings& settings, X&& object) {
  Settings left;
  for (const auto& setting : settings) {
    const std::string &option = setting.first, &text = setting.second;  // clang 14 captures no structured binding
    bool found = false;
    for_each_field(object, [&](const char* name, auto& value, const Facts& facts) {
      if (name != option) return;
      set_value(option, text, value, facts);
      found = true;
    });
    if (!found) left.emplace_back(option, text);
  }
  return left;
}

}  // namespace lacuna::zoo
