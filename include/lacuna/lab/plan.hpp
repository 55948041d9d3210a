/// Under which conditions everything is evaluated: protocols by name, and the masks of every condition, drawn once, so
/// that all models and seeds see the same.
///
///     const lab::Plan plan = lab::make_plan({"p1", "p1-intra"}, corpus.test, {.seed = 7});
///
/// none       complete data
/// p1         every subset of the modalities, the complete one too
/// p1-intra   frames of every modality erased at 0.0, 0.1, ..., 1.0
/// p2         modalities of a sample missing at 0.1, ..., 0.7, one stays
/// p3         frames erased at 0.0, ..., 0.9 by NumPy's generator (MT19937); of 'text' the first and last stay
/// p4         every incomplete subset
/// as missing/protocol.hpp defines them with their averages. Here the subset protocols get an average "r=1", "r=2", ...
/// over all subsets of r modalities too, and the rate protocols "AUILC", the area under the metric as a curve over the
/// rate (TFR-Net). Throws OptionError for other names and for a name twice.
#pragma once

#include <algorithm>

#include "lacuna/data/array_names.hpp"
#include "lacuna/missing/mask_file.hpp"
#include "lacuna/missing/protocol.hpp"
#include "lacuna/missing/sampling.hpp"
#include "lacuna/train/classification_metrics.hpp"

namespace lacuna::lab {

/// One condition, without its masks.
struct ConditionInfo {
  std::string name;
  double rate = 0;
  index_t present = -1;  ///< modalities (sources) that are there; −1 where that differs between samples
  std::string masks;     ///< fingerprint of the masks (missing/mask_set.hpp)
};
struct ProtocolInfo {
  std::string name;
  bool rates = false;  ///< conditions differ in their rate, which rises
  std::vector<ConditionInfo> conditions;
  std::vector<missing::Average> averages;
};

/// missing::averages_of, and for rates AUILC. One score per condition.
inline std::vector<std::pair<std::string, double>> averages_of(const ProtocolInfo& protocol,
                                                               std::span<const double> scores) {
  if (scores.size() != protocol.conditions.size())
    throw ShapeError(detail::cat("protocol ", protocol.name, ": ", scores.size(), " scores for ",
                                 protocol.conditions.size(), " conditions"));
  auto means = missing::averages_of(protocol.averages, scores);
  if (!protocol.rates) return means;
  std::vector<double> rates;
  bool defined = scores.size() > 1;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    rates.push_back(protocol.conditions[i].rate);
    defined = defined && std::isfinite(scores[i]);
  }
  means.emplace_back("AUILC", defined ? train::auilc(rates, scores) : std::numeric_limits<double>::quiet_NaN());
  return means;
}

struct PlanOptions {
  std::uint64_t seed = 1;  ///< of the masks
};

struct Plan {
  std::vector<ProtocolInfo> protocols;
  std::vector<missing::MaskSet> masks;  ///< protocol after protocol, one per condition

  std::size_t size() const { return masks.size(); }
  /// Position among all conditions of the first one of a protocol.
  std::size_t first(std::size_t protocol) const {
    std::size_t sum = 0;
    for (std::size_t p = 0; p < protocol; ++p) sum += protocols[p].conditions.size();
    return sum;
  }
};

inline const std::vector<std::string>& protocol_names() {
  static const std::vector<std::string> names{"none", "p1", "p1-intra", "p2", "p3", "p4"};
  return names;
}

/// Throws OptionError for an unknown name.
inline missing::Protocol protocol_by_name(const std::string& name, const std::vector<std::string>& modalities,
                                          std::uint64_t seed) {
  if (name == "none") return {"none", {missing::MissingSpec{}}, {{"complete", {0}}}};
  if (name == "p1") return missing::protocol_p1(modalities);
  if (name == "p1-intra") return missing::protocol_p1_intra(seed);
  if (name == "p2") return missing::protocol_p2(seed);
  if (name == "p3") {
    if (seed > 0xFFFFFFFFull) throw OptionError(detail::cat("protocol p3: NumPy takes seeds below 2^32, found ", seed));
    const auto text = std::ptrdiff_t(detail::text_among(modalities));
    if (text == std::ptrdiff_t(modalities.size())) return missing::protocol_p3(std::uint32_t(seed), modalities.size());
    auto protocol = missing::protocol_p3(std::uint32_t(seed), modalities.size(), text);
    const missing::Groups groups(modalities);
    for (auto& spec : protocol.conditions)
      for (std::size_t m = 0; m < modalities.size(); ++m)
        spec.keep_ends[m] = groups.of(m) == groups.of(std::size_t(text));
    return protocol;
  }
  if (name == "p4") {
    if (missing::Groups(modalities).size() < 2)
      throw OptionError("protocol p4: of one modality there is no incomplete subset; take p1 or none");
    return missing::protocol_p4(modalities);
  }
  std::string known;
  for (const std::string& one : protocol_names()) known += (known.empty() ? "" : ", ") + one;
  throw OptionError("there is no protocol '" + name + "'; there are " + known);
}

/// Averages over the conditions of r present modalities, "r=1", "r=2", ...
inline std::vector<missing::Average> presence_averages(const std::vector<ConditionInfo>& conditions) {
  index_t most = 0;
  for (const auto& condition : conditions) most = std::max(most, condition.present);
  std::vector<missing::Average> all;
  for (index_t r = 1; r <= most; ++r) {
    missing::Average average{detail::cat("r=", r), {}};
    for (std::size_t i = 0; i < conditions.size(); ++i)
      if (conditions[i].present == r) average.of.push_back(i);
    if (!average.of.empty()) all.push_back(std::move(average));
  }
  return all;
}

/// Masks for every condition of these protocols.
template <data::Role role>
Plan plan_of(const std::vector<missing::Protocol>& protocols, const data::Split<role>& split) {
  Plan plan;
  const missing::Groups groups(split.modality_names());
  for (const missing::Protocol& protocol : protocols) {
    ProtocolInfo info{protocol.name, protocol.conditions.size() > 1 && protocol.conditions.back().rate > 0, {}, {}};
    for (const auto& spec : protocol.conditions) {
      plan.masks.push_back(missing::sample_masks(spec, split));
      missing::Pattern present(groups.streams(), 1);
      for (std::size_t m = 0; m < spec.absent.size(); ++m) present[m] = !spec.absent[m];
      const missing::Pattern left = groups.gather(present);
      info.conditions.push_back({spec.name, spec.rate,
                                 info.rates ? -1 : index_t(std::count(left.begin(), left.end(), 1)),
                                 plan.masks.back().hash()});
    }
    info.averages = protocol.averages;
    if (info.conditions.size() > 1)
      for (auto& average : presence_averages(info.conditions)) info.averages.push_back(std::move(average));
    plan.protocols.push_back(std::move(info));
  }
  return plan;
}
template <data::Role role>
Plan make_plan(const std::vector<std::string>& names, const data::Split<role>& split, const PlanOptions& options = {}) {
  const std::vector<std::string> modalities = split.modality_names();
  std::vector<missing::Protocol> protocols;
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j)
      if (names[i] == names[j]) throw OptionError("protocol '" + names[i] + "' is named twice");
    protocols.push_back(protocol_by_name(names[i], modalities, options.seed));
    protocols.back().name = names[i];
  }
  return plan_of(protocols, split);
}
/// The masks of a file, which other programs may have made, in the place of those that were drawn. Throws IoError when
/// the file has other conditions or modalities, Error when it lacks a sample.
inline void take_masks(Plan& plan, const std::string& path, const std::vector<std::string>& ids) {
  const std::vector<missing::MaskSet> stored = missing::load_masks(path);
  if (stored.size() != plan.size())
    throw IoError(
        detail::cat(path, ": holds masks of ", stored.size(), " conditions, the protocols have ", plan.size()));
  std::size_t at = 0;
  for (auto& protocol : plan.protocols)
    for (auto& condition : protocol.conditions) {
      const missing::MaskSet& set = stored[at];
      if (set.name != condition.name || set.modalities != plan.masks[at].modalities)
        throw IoError(detail::cat(path, ": condition ", at + 1, " is '", set.name, "', expected '", condition.name,
                                  "' of protocol ", protocol.name, " with the modalities of the data"));
      plan.masks[at] = set.aligned(ids);
      condition.masks = plan.masks[at].hash();
      ++at;
    }
}

}  // namespace lacuna::lab
