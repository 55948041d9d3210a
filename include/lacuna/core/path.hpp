/// Paths of parameters: "encoder.layers.0.weight".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lacuna::detail {

/// "a.b.c" → {"a", "b", "c"}
inline std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> parts{""};
  for (const char c : path)
    if (c == '.')
      parts.emplace_back();
    else
      parts.back() += c;
  return parts;
}

}  // namespace lacuna::detail
