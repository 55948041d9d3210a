/// Which video is in which split, from a JSON file of lists of ids: {"train": [...], "valid": [...], "test": [...]}.
/// Standard folds of CMU-MOSI, CMU-MOSEI and IEMOCAP are such lists; none is shipped. "dev" and "val" mean "valid".
#pragma once

#include <map>

#include "lacuna/core/error.hpp"
#include "lacuna/io/json_header.hpp"

namespace lacuna::data::formats {

class Folds {
 public:
  /// Without a path everything is in the training split. Throws IoError, also for an id that stands in two splits.
  explicit Folds(const std::string& path) : all_(path.empty()) {
    if (all_) return;
    const io::ByteSource source(path);
    if (source.size() > (std::uint64_t(1) << 28))
      throw IoError(path + ": has more than 256 MiB, expected lists of ids");
    std::string text(source.size(), ' ');
    source.read(0, text.data(), text.size());
    lacuna::detail::JsonHeader json(text, path);
    json.expect('{');
    for (bool first = true; !json.accept('}'); first = false) {
      if (!first) json.expect(',');
      std::string split = json.string();
      if (split == "dev" || split == "val" || split == "validation") split = "valid";
      if (split != "train" && split != "valid" && split != "test")
        json.fail("has a fold '", lacuna::detail::printable(split), "', expected train, valid and test");
      json.expect(':');
      json.expect('[');
      for (bool one = true; !json.accept(']'); one = false) {
        if (!one) json.expect(',');
        const std::string id = json.string();
        if (const auto [at, fresh] = splits_.emplace(id, split); !fresh && at->second != split)
          json.fail("has '", lacuna::detail::printable(id), "' in ", at->second, " and in ", split);
      }
    }
    json.expect_end();
  }
  /// "train", "valid", "test"; empty: in none.
  std::string of(const std::string& id) const {
    if (all_) return "train";
    const auto found = splits_.find(id);
    return found == splits_.end() ? "" : found->second;
  }

 private:
  bool all_;
  std::map<std::string, std::string> splits_;
};

}  // namespace lacuna::data::formats
