/// A state as one JSON text, and back to the same bits: what a file of tensors says about them besides.
///
///     writer.add_metadata("lacuna", io::to_json(state));
///     const State state = io::state_from_json(text, "weights.safetensors");
///
/// {"width": [8], "spec": "sdumc", "streams": ["audio", "text"], "mean": {"f64": ["0x1.8p+1"], "shape": [1]}}: whole numbers
/// are lists, texts are texts, real numbers are written in base 16, as C's %a does, which rounds nothing; the same in every locale.
#pragma once

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

#include "lacuna/core/state.hpp"
#include "lacuna/io/json_file.hpp"

namespace lacuna::detail {

/// "0x1.8p+1", "-0x0p+0", "inf", "nan".
inline std::string exact_text(double x) {
  if (std::isnan(x)) return "nan";
  char text[40];
  const std::string digits(text, std::to_chars(text, text + sizeof text, std::abs(x), std::chars_format::hex).ptr);
  return (std::signbit(x) ? "-" : "") + (std::isfinite(x) ? "0x" + digits : digits);
}
/// Nothing for what exact_text does not write, and for what T cannot hold.
template <class T>
std::optional<T> exact_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const bool digits = text.starts_with("0x");
  if (digits) text.remove_prefix(2);
  if (!digits && text != "inf" && text != "nan") return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number,
                                            digits ? std::chars_format::hex : std::chars_format::general);
  if (error != std::errc() || end != text.data() + text.size() || (digits && text.starts_with('-')))
    return std::nullopt;
  if (std::isfinite(number) && (number > double(std::numeric_limits<T>::max()) || double(T(number)) != number))
    return std::nullopt;
  return T(negative ? -number : number);
}

}  // namespace lacuna::detail

namespace lacuna::io {

inline std::string to_json(const State& state) {
  Json all = Json::object();
  for (const auto& entry : state.values()) {  // clang 14 captures no structured binding
    const std::string& name = entry.first;
    const State::Value& value = entry.second;
    const auto numbers = [&](const auto& array) {
      Json list = Json::array(), shape = Json::array();
      for (index_t i = 0; i < array.size(); ++i)
        list.push_back(detail::exact_text(double(std::as_const(array).data()[i])));
      for (int axis = 0; axis < array.shape().rank(); ++axis) shape.push_back(array.shape()[axis]);
      const bool wide = sizeof(*array.data()) == 8;
      all[name] = {{wide ? "f64" : "f32", list}, {"shape", shape}};
    };
    if (const auto* wide = std::get_if<Array<double>>(&value))
      numbers(*wide);
    else if (const auto* narrow = std::get_if<Array<float>>(&value))
      numbers(*narrow);
    else if (const auto* text = std::get_if<std::string>(&value))
      all[name] = *text;
    else if (const auto* texts = std::get_if<State::Texts>(&value))
      all[name] = texts->empty() ? Json{{"texts", Json::array()}} : Json(*texts);
    else
      all[name] = std::get<State::Integers>(value);
  }
  return all.dump(-1, ' ', true);
}

/// Throws IoError; `origin` opens the message.
inline State state_from_json(const std::string& text, const std::string& origin) {
  State state(origin);
  try {
    const Json all = Json::parse(text);
    for (const auto& item : all.items()) {
      const std::string& name = item.key();  // clang 14 captures no structured binding
      const Json& value = item.value();
      if (value.is_string()) {
        state.put(name, value.get<std::string>());
      } else if (value.is_array() && !value.empty() && value[0].is_string()) {
        state.put_value(name, value.get<State::Texts>());
      } else if (value.is_array()) {
        state.put_value(name, value.get<State::Integers>());
      } else if (value.contains("texts")) {
        state.put_value(name, State::Texts{});
      } else {
        const bool wide = value.contains("f64");
        const auto lengths = value.at("shape").get<std::vector<index_t>>();
        if (lengths.size() > std::size_t(Shape::max_rank)) throw IoError(origin + ": '" + name + "' has too many axes");
        const Shape shape(lengths.data(), int(lengths.size()));
        const auto put = [&]<class T>(T, const char* kind) {
          std::vector<T> numbers;
          for (const Json& one : value.at(kind)) {
            const std::optional<T> number = detail::exact_number<T>(one.get_ref<const std::string&>());
            if (!number)
              throw IoError(detail::cat(origin, ": '", name, "' has ", detail::printable(one.dump()), ", expected ",
                                        kind, " in base 16, as 0x1.8p+1"));
            numbers.push_back(*number);
          }
          if (index_t(numbers.size()) != shape.size())
            throw IoError(
                detail::cat(origin, ": '", name, "' has ", numbers.size(), " numbers, expected shape ", shape));
          Array<T> array(shape);
          array.assign(std::move(numbers));
          state.put_value(name, std::move(array));
        };
        wide ? put(double(), "f64") : put(float(), "f32");
      }
    }
  } catch (const Json::exception& problem) {
    throw IoError(
        detail::cat(origin, ": what it says about its model is damaged: ", std::string(problem.what()).substr(0, 200)));
  }
  return state;
}

}  // namespace lacuna::io
