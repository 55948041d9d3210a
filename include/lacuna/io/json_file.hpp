/// A JSON file as a whole, by nlohmann-json: the settings that stand beside weights.
#pragma once

#include <nlohmann/json.hpp>

#include "lacuna/core/shape.hpp"
#include "lacuna/io/file_kind.hpp"

namespace lacuna::io {

using Json = nlohmann::json;

/// Throws IoError when the file is missing, no JSON, or no object.
inline Json load_json(const std::string& path) {
  const MappedFile file(path);
  detail::refuse_strangers(file, "a JSON file");
  const auto bytes = file.bytes();
  try {
    Json json = Json::parse(bytes.begin(), bytes.end());
    if (!json.is_object()) throw IoError(path + ": holds no JSON object");
    return json;
  } catch (const Json::exception& problem) {
    std::string what = problem.what();
    for (char& c : what)
      if (std::uint8_t(c) < 32) c = ' ';
    throw IoError(path + ": is no JSON: " + what.substr(0, 200));
  }
}

/// The settings of one file, each asked for by its name and kind. Errors: file, setting, found, expected.
class Settings {
 public:
  explicit Settings(const std::string& path) : path_(path), json_(load_json(path)) {}
  Settings(std::string path, Json json) : path_(std::move(path)), json_(std::move(json)) {}

  const std::string& path() const { return path_; }
  const Json& json() const { return json_; }
  /// Present and not null.
  bool has(const char* name) const {
    const auto found = json_.find(name);
    return found != json_.end() && !found->is_null();
  }
  index_t integer(const char* name) const {
    const Json& value = at(name);
    if (!value.is_number_integer()) fail(name, "an integer");
    return value.get<index_t>();
  }
  index_t integer(const char* name, index_t otherwise) const { return has(name) ? integer(name) : otherwise; }
  /// An integer above 0.
  index_t size(const char* name) const {
    const index_t value = integer(name);
    if (value < 1 || value > 1'000'000'000) fail(name, "a number from 1 to 1e9");
    return value;
  }
  index_t size(const char* name, index_t otherwise) const { return has(name) ? size(name) : otherwise; }
  double number(const char* name) const {
    const Json& value = at(name);
    if (!value.is_number()) fail(name, "a number");
    return value.get<double>();
  }
  double number(const char* name, double otherwise) const { return has(name) ? number(name) : otherwise; }
  bool flag(const char* name, bool otherwise) const {
    if (!has(name)) return otherwise;
    if (!at(name).is_boolean()) fail(name, "true or false");
    return at(name).get<bool>();
  }
  std::string text(const char* name, const std::string& otherwise) const {
    if (!has(name)) return otherwise;
    if (!at(name).is_string()) fail(name, "a text");
    return at(name).get<std::string>();
  }
  /// A list of integers, a single one, or none.
  std::vector<index_t> integers(const char* name) const {
    if (!has(name)) return {};
    const Json& value = at(name);
    std::vector<index_t> list;
    for (const Json& one : value.is_array() ? value : Json::array({value})) {
      if (!one.is_number_integer()) fail(name, "integers");
      list.push_back(one.get<index_t>());
    }
    return list;
  }
  /// A group of settings; empty when absent.
  Settings group(const char* name) const {
    if (!has(name)) return Settings(path_, Json::object());
    if (!at(name).is_object()) fail(name, "an object");
    return Settings(path_, at(name));
  }
  template <class... Pieces>
  [[noreturn]] void refuse(const char* name, const Pieces&... pieces) const {
    throw IoError(detail::cat(path_, ": ", name, pieces...));
  }

 private:
  const Json& at(const char* name) const {
    const auto found = json_.find(name);
    if (found == json_.end() || found->is_null()) refuse(name, " is missing");
    return *found;
  }
  [[noreturn]] void fail(const char* name, const char* expected) const {
    refuse(name, " is ", detail::printable(json_[name].dump()), ", expected ", expected);
  }

  std::string path_;
  Json json_;
};

}  // namespace lacuna::io
