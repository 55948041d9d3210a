// The models that can be compared, by name. They are compiled in files of their own, systems_*.cpp, because each costs
// as much to compile as the rest of the program; a new one is an entry there.
#pragma once

#include <algorithm>
#include <functional>

#include "lacuna/lab/system.hpp"
#include "systems_spec.hpp"

namespace support {

/// What every recipe is given.
struct SystemRequest {
  std::vector<std::string> modalities;
  std::vector<lacuna::index_t> inputs;  ///< feature size of every modality
  lacuna::index_t classes = 0;          ///< K, or 0 for real labels
  Settings common;                      ///< options of training that the user has set for all models
};

struct Variant {
  std::string name, what;
};
/// `variants`: what may follow the name after a hyphen; they are the rows of its ablation table.
struct SystemEntry {
  std::string name, what;
  std::vector<Variant> variants;
  std::function<lacuna::lab::System(const ModelSpec&, const std::string& variant, const SystemRequest&)> make;
};

std::vector<SystemEntry> baseline_systems();
std::vector<SystemEntry> corrkd_systems();
std::vector<SystemEntry> sdumc_systems();

inline const std::vector<SystemEntry>& system_entries() {
  static const std::vector<SystemEntry> all = [] {
    std::vector<SystemEntry> entries;
    for (const auto& part : {baseline_systems(), corrkd_systems(), sdumc_systems()})
      entries.insert(entries.end(), part.begin(), part.end());
    return entries;
  }();
  return all;
}

/// Throws OptionError for a name that no entry has.
inline lacuna::lab::System make_model(const ModelSpec& spec, const SystemRequest& request) {
  const SystemEntry* best = nullptr;
  std::string known;
  for (const SystemEntry& entry : system_entries()) {
    known += (known.empty() ? "" : ", ") + entry.name;
    if (spec.name != entry.name && spec.name.rfind(entry.name + "-", 0) != 0) continue;
    const std::string variant = spec.name == entry.name ? "" : spec.name.substr(entry.name.size() + 1);
    const bool has = variant.empty() || std::any_of(entry.variants.begin(), entry.variants.end(),
                                                    [&](const Variant& one) { return one.name == variant; });
    if (has && (best == nullptr || entry.name.size() > best->name.size())) best = &entry;
  }
  if (best == nullptr)
    throw lacuna::OptionError("there is no model '" + spec.name + "'; there are " + known +
                              "; --list-models shows their variants");
  return best->make(spec, spec.name == best->name ? "" : spec.name.substr(best->name.size() + 1), request);
}

/// A system and all its variants, the rows of an ablation table; options behind the name are those of every row.
/// Throws OptionError.
inline std::vector<std::string> ablation_of(const std::string& text) {
  const std::string name = parse_model(text).name, options = text.substr(name.size());
  std::string known;
  for (const SystemEntry& entry : system_entries()) {
    if (entry.variants.empty()) continue;
    known += (known.empty() ? "" : ", ") + entry.name;
    if (entry.name != name) continue;
    std::vector<std::string> models{text};
    for (const Variant& variant : entry.variants) models.push_back(name + "-" + variant.name + options);
    return models;
  }
  throw lacuna::OptionError("there is no ablation table of '" + name + "'; there are those of " + known);
}

}  // namespace support
