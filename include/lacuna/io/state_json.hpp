/// A state as one JSON text, and back to the same bits: what a file of tensors says about them besides.
///
///     writer.add_metadata("lacuna", io::to_json(state));
///     const State state = io::state_from_json(text, "weights.safetensors");
///
/// {"width": [8], "spec": "sdumc", "streams": ["audio", "text"], "mean": {"f64": ["0x1.8p+1"], "shape": [1]}}: whole numbers
/// are lists, texts are texts, real numbers are written in base 16, as C's %a does, which rounds nothing.
#pragma once

#include <cstdio>
#include <cstdlib>

#include "lacuna/core/state.hpp"
#include "lacuna/io/json_file.hpp"

namespace lacuna::io {

inline std::string to_json(const State& state) {
  Json all = Json::object();
  for (const auto& [name, value] : state.values()) {
    const auto numbers = [&](const auto& array) {
      Json list = Json::array(), shape = Json::array();
      for (index_t i = 0; i < array.size(); ++i) {
        char text[40];
        std::snprintf(text, sizeof text, "%a", double(std::as_const(array).data()[i]));
        list.push_back(text);
      }
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
    for (const auto& [name, value] : all.items()) {
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
        std::vector<double> numbers;
        for (const Json& one : value.at(wide ? "f64" : "f32"))
          numbers.push_back(std::strtod(one.get_ref<const std::string&>().c_str(), nullptr));
        if (index_t(numbers.size()) != shape.size())
          throw IoError(detail::cat(origin, ": '", name, "' has ", numbers.size(), " numbers, expected shape ", shape));
        const auto put = [&](auto array) {
          using T = std::remove_cvref_t<decltype(*array.data())>;
          array.assign(std::vector<T>(numbers.begin(), numbers.end()));
          state.put_value(name, array);
        };
        wide ? put(Array<double>(shape)) : put(Array<float>(shape));
      }
    }
  } catch (const Json::exception& problem) {
    throw IoError(
        detail::cat(origin, ": what it says about its model is damaged: ", std::string(problem.what()).substr(0, 200)));
  }
  return state;
}

}  // namespace lacuna::io
