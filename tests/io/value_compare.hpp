/// Compares a value that a reader made with the description of the same file in JSON ("t" is the kind, "v" what it
/// holds; numbers of arrays are in a .npz beside it).
#pragma once

#include <bit>
#include <nlohmann/json.hpp>

#include "io/numpy_files.hpp"
#include "lacuna/io/numpy_objects.hpp"

namespace lacuna::test {

class ValueCompare {
 public:
  /// `arrays`: the .npz, or empty.
  explicit ValueCompare(const std::string& arrays) {
    if (!arrays.empty()) arrays_ = io::load_npz_values(arrays);
  }

  /// Empty when both agree; else the first difference.
  std::string difference(const io::Value& value, const nlohmann::json& node) const {
    const std::string kind = node.at("t");
    const auto differs = [&](const std::string& found, const std::string& wanted) {
      return found == wanted ? std::string() : value.where() + " is " + found + ", expected " + wanted;
    };
    if (kind == "str" && value.kind() == io::ValueKind::text8) return differs(value.text(), node.at("v"));
    if (kind != kind_name(value.kind())) return differs(kind_name(value.kind()), kind);
    if (kind == "none") return "";
    if (kind == "bool") return differs(value.boolean() ? "true" : "false", node.at("v").get<bool>() ? "true" : "false");
    if (kind == "int") return differs(value.integer_text(), node.at("v"));
    if (kind == "float") {
      const auto bits = unhex(node.at("bits").get<std::string>());
      std::uint64_t wanted = 0;
      for (const std::uint8_t byte : bits) wanted = 256 * wanted + byte;
      return differs(std::to_string(std::bit_cast<std::uint64_t>(value.real())), std::to_string(wanted));
    }
    if (kind == "str")
      return differs(std::string(value.bytes()),
                     node.contains("v") ? node.at("v").get<std::string>() : text(node.at("utf8_surrogatepass_hex")));
    if (kind == "str8" || kind == "bytes" || kind == "bytearray")
      return differs(std::string(value.bytes()), text(node.at("hex")));
    if (kind == "dict" || kind == "odict") return pairs(value, node.at("v"));
    if (kind == "set" || kind == "frozenset") return members(value, node.at("v"));
    if (kind == "list" || kind == "tuple") return items(value, node.at("v"));
    if (kind == "dtype") return differs(value.dtype(), node.at("v"));
    if (kind == "npscalar" && node.contains("hex")) return differs(value.array().strings()[0], text(node.at("hex")));
    if (kind == "npscalar" && node.contains("v")) return differs(value.text(), node.at("v").at("v"));
    return numbers(value, node);
  }

 private:
  static std::string text(const std::string& hex) {
    const auto bytes = unhex(hex);
    return {bytes.begin(), bytes.end()};
  }
  static std::string kind_name(io::ValueKind kind) {
    static const char* names[] = {"none",  "bool",      "int",   "float",    "str",    "str8",
                                  "bytes", "bytearray", "list",  "tuple",    "set",    "frozenset",
                                  "dict",  "odict",     "array", "npscalar", "tensor", "dtype"};
    return names[std::size_t(kind)];
  }
  std::string pairs(const io::Value& value, const nlohmann::json& wanted) const {
    if (value.size() != wanted.size()) return value.where() + " has another number of pairs";
    for (std::size_t i = 0; i < wanted.size(); ++i)
      for (const std::string& found :
           {difference(value.key(i), wanted[i][0]), difference(value.value(i), wanted[i][1])})
        if (!found.empty()) return found;
    for (std::size_t i = 0; i < wanted.size(); ++i)  // and each is found by its name
      if (value.key(i).is_string() && !value.at(value.key(i).bytes()).same_as(value.value(i)))
        return value.where() + " does not find a key";
    return "";
  }
  std::string items(const io::Value& value, const nlohmann::json& wanted) const {
    if (value.size() != wanted.size()) return value.where() + " has another number of items";
    for (std::size_t i = 0; i < wanted.size(); ++i)
      if (const std::string found = difference(value[i], wanted[i]); !found.empty()) return found;
    return "";
  }
  std::string members(const io::Value& value, const nlohmann::json& wanted) const {
    if (value.size() != wanted.size()) return value.where() + " has another number of members";
    for (const auto& member : wanted) {
      bool found = false;
      for (std::size_t i = 0; i < value.size(); ++i) found = found || difference(value[i], member).empty();
      if (!found) return value.where() + " lacks " + member.dump();
    }
    return "";
  }
  std::string numbers(const io::Value& value, const nlohmann::json& node) const {
    const std::string where = value.where();
    if (value.dtype() != node.at("dtype").get<std::string>()) return where + " has dtype " + value.dtype();
    if (node.contains("shape")) {
      const auto wanted = node.at("shape").get<std::vector<index_t>>();
      if (!(value.shape() == Shape(wanted.data(), int(wanted.size())))) return where + " has another shape";
    }
    if (node.contains("items")) return items(value, node.at("items"));
    if (node.contains("stride") && value.strides() != node.at("stride").get<std::vector<index_t>>())
      return where + " has other strides";
    if (node.contains("offset") && value.storage_offset() != node.at("offset").get<index_t>())
      return where + " has another offset";
    if (node.contains("requires_grad") && value.requires_grad() != node.at("requires_grad").get<bool>())
      return where + " says otherwise about its gradient";
    if (node.contains("parameter") && value.is_parameter() != node.at("parameter").get<bool>())
      return where + " says otherwise about being a parameter";
    const io::NpyArray array = value.array();
    if (node.contains("strings") || node.contains("bytes_hex")) {
      const bool hex = node.contains("bytes_hex");
      const nlohmann::json& wanted = node.at(hex ? "bytes_hex" : "strings");
      const std::vector<std::string> found = array.strings();
      if (found.size() != wanted.size()) return where + " has another number of strings";
      for (std::size_t i = 0; i < found.size(); ++i)
        if (found[i] != (hex ? text(wanted[i]) : wanted[i].at("v").get<std::string>())) return where + ": " + found[i];
      return "";
    }
    const io::NpyArray wanted = arrays_->at(node.at("npz").get<std::string>()).array();
    const bool widened = node.contains("npz_as");
    const bool same = widened ? array.as<float>() == wanted.as<float>() : array.bytes() == wanted.bytes();
    return same ? "" : where + " has other numbers";
  }

  std::optional<io::Value> arrays_;
};

}  // namespace lacuna::test
