// Options that hold lists, a,b,c: CLI11's own reading drops what is empty, so that "1,,2" and "1," were 1,2 and 1.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "lacuna/core/error.hpp"

namespace support {

/// The items of every text, which are separated by commas. Throws OptionError for an empty one.
inline std::vector<std::string> items_of(const std::string& name, const std::vector<std::string>& texts) {
  std::vector<std::string> items;
  for (const std::string& text : texts)
    for (std::size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
      end = text.find(',', begin);
      items.push_back(text.substr(begin, end == std::string::npos ? end : end - begin));
      if (items.back().empty())
        throw lacuna::OptionError(
            lacuna::detail::cat(name, ": '", text, "' has an empty item; expected items with a comma between two"));
    }
  return items;
}

/// `--name A,B,...` into `member`.
inline CLI::Option* list_option(CLI::App& app, const std::string& name, std::vector<std::string>& member,
                                const std::string& help) {
  CLI::Option* option = app.add_option_function<std::vector<std::string>>(
      name, [&member, name](const std::vector<std::string>& texts) { member = items_of(name, texts); }, help);
  std::string usual;
  for (const std::string& one : member) usual += (usual.empty() ? "" : ",") + one;
  if (!usual.empty()) option->default_str("[" + usual + "]");
  return option;
}

}  // namespace support
