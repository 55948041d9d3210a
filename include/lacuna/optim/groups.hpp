/// Parameters by name: `*` in a pattern stands for any characters, "text.*", "*.bias", "*".
///
/// ```cpp
/// // biases without decay, at twice the rate
/// optim::AdamW optimizer(model, {.learning_rate = 1e-3}, {{.pattern = "*bias", .learning_rate_factor = 2, .weight_decay_factor = 0}});
/// optimizer.zero_grad();
/// ```
#pragma once

#include <string_view>

#include "lacuna/nn/pack.hpp"

namespace lacuna::optim {

/// True when the whole path fits the pattern.
inline bool path_matches(std::string_view pattern, std::string_view path) {
  std::size_t p = 0, at = 0, star = std::string_view::npos, resume = 0;
  while (at < path.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = at;
    } else if (p < pattern.size() && pattern[p] == path[at]) {
      ++p;
      ++at;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      at = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

/// Parameters with a learning rate and a weight decay of their own, as factors of the optimizer's.
struct ParameterGroup {
  std::string pattern;
  double learning_rate_factor = 1;
  double weight_decay_factor = 1;  ///< 0: not decayed, as is usual for biases and norms
};

}  // namespace lacuna::optim

namespace lacuna::detail {

/// For every segment the first group that matches it, or -1. Throws OptionError for a group that matches nothing.
template <class T, class D>
std::vector<int> assign_groups(const char* operation, const Packed<T, D>& packed,
                               const std::vector<optim::ParameterGroup>& groups) {
  std::vector<int> chosen(packed.segments.size(), -1);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (!(groups[g].learning_rate_factor >= 0 && groups[g].weight_decay_factor >= 0))
      throw OptionError(cat(operation, ": group '", groups[g].pattern, "' has a negative factor"));
    bool any = false;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (!optim::path_matches(groups[g].pattern, packed.segments[i].path)) continue;
      any = true;
      if (chosen[i] < 0) chosen[i] = int(g);
    }
    if (!any) throw OptionError(cat(operation, ": group '", groups[g].pattern, "' matches no parameter"));
  }
  return chosen;
}

}  // namespace lacuna::detail
