/// Which modalities a sample has: a pattern, 1 = available, 0 = missing; and the list of all patterns.
#pragma once

#include <string>
#include <vector>

#include "lacuna/core/shape.hpp"

namespace lacuna::missing {

using Pattern = std::vector<std::uint8_t>;

/// All patterns with something missing and something left, by size, then in the order of the modalities; three give
/// {0} {1} {2} {0,1} {0,2} {1,2}. One modality has none. Throws OptionError for none or more than 16 modalities.
inline std::vector<Pattern> proper_subsets(index_t modalities) {
  if (modalities < 1 || modalities > 16)
    throw OptionError(detail::cat("patterns: ", modalities, " modalities, expected 1 to 16"));
  const auto count = std::size_t(modalities);
  std::vector<Pattern> all;
  for (std::size_t size = 1; size < count; ++size) {
    std::vector<std::size_t> chosen(size);
    for (std::size_t i = 0; i < size; ++i) chosen[i] = i;
    for (bool more = true; more;) {
      Pattern pattern(count, 0);
      for (const std::size_t m : chosen) pattern[m] = 1;
      all.push_back(std::move(pattern));
      more = false;
      for (std::size_t i = size; i-- > 0 && !more;) {
        if (chosen[i] == count - size + i) continue;
        ++chosen[i];
        for (std::size_t j = i + 1; j < size; ++j) chosen[j] = chosen[j - 1] + 1;
        more = true;
      }
    }
  }
  return all;
}

/// The same and, at the end, the complete one: 2^M − 1.
inline std::vector<Pattern> all_subsets(index_t modalities) {
  std::vector<Pattern> all = proper_subsets(modalities);
  all.emplace_back(std::size_t(modalities), std::uint8_t(1));
  return all;
}

/// "text", "text+audio"; "nothing" when all are missing. Throws OptionError when the counts differ.
inline std::string pattern_name(const Pattern& pattern, const std::vector<std::string>& modalities) {
  if (pattern.size() != modalities.size())
    throw OptionError(detail::cat("pattern: ", pattern.size(), " entries for ", modalities.size(), " modalities"));
  std::string name;
  for (std::size_t m = 0; m < pattern.size(); ++m)
    if (pattern[m]) name += (name.empty() ? "" : "+") + modalities[m];
  return name.empty() ? "nothing" : name;
}

}  // namespace lacuna::missing
