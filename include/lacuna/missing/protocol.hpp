/// Evaluation protocols of the field: lists of conditions, and which of them a reported average is over.
///
///     const auto protocol = missing::protocol_p1(corpus.modality_names());
///     for (const auto& spec : protocol.conditions) { const auto masks = missing::sample_masks(spec, corpus.test); ... }
///     for (const auto& [name, mean] : missing::averages_of(protocol.averages, scores)) ...
///
/// Papers average over different conditions; the two averages of P1 differ by several points, so each has its name.
#pragma once

#include <span>
#include <utility>

#include "lacuna/missing/spec.hpp"

namespace lacuna::missing {

struct Average {
  std::string name;
  std::vector<std::size_t> of;  ///< positions of conditions
};

/// The averages of one score per condition, by name; NaN for an average of nothing. Throws ShapeError for a condition that has
/// no score.
inline std::vector<std::pair<std::string, double>> averages_of(const std::vector<Average>& averages,
                                                               std::span<const double> scores) {
  std::vector<std::pair<std::string, double>> means;
  for (const Average& average : averages) {
    double sum = 0;
    for (const std::size_t i : average.of) {
      if (i >= scores.size())
        throw ShapeError(detail::cat(average.name, ": condition ", i, " of ", scores.size(), " scores"));
      sum += scores[i];
    }
    means.emplace_back(average.name, sum / double(average.of.size()));  // 0/0 = NaN
  }
  return means;
}

struct Protocol {
  std::string name;
  std::vector<MissingSpec> conditions;
  std::vector<Average> averages;
};

/// Conditions at rates tenths/10; the average is over all of them, "average of rates a to b".
inline Protocol rate_protocol(std::string name, const std::vector<int>& tenths, MissingSpec each) {
  Protocol protocol{std::move(name), {}, {}};
  const auto label = [](int tenth) { return std::to_string(tenth / 10) + "." + std::to_string(tenth % 10); };
  for (const int tenth : tenths) {
    each.rate = double(tenth) / 10;
    each.name = "rate-" + label(tenth);
    protocol.conditions.push_back(each);
  }
  const auto average = [&](std::size_t from) {
    if (from >= tenths.size()) return;
    Average mean{"average of rates " + label(tenths[from]) + " to " + label(tenths.back()), {}};
    for (std::size_t i = from; i < tenths.size(); ++i) mean.of.push_back(i);
    protocol.averages.push_back(mean);
  };
  average(0);
  if (!tenths.empty() && tenths[0] == 0) average(1);
  return protocol;
}

/// P1: every subset of the modalities, the complete one last: seven for three; streams that come from one source are one
/// modality (groups.hpp) and named by their first. Averages: "average of incomplete" (six,
/// what CorrKD and HRLF report) and "average of all" (seven).  (Li et al., CVPR 2024)
inline Protocol protocol_p1(const std::vector<std::string>& modalities) {
  Protocol protocol{"P1", {}, {{"average of incomplete", {}}, {"average of all", {}}}};
  const Groups groups(modalities);
  for (const Pattern& pattern : all_subsets(index_t(groups.size()))) {
    MissingSpec spec;
    for (const std::uint8_t available : groups.spread(pattern)) spec.absent.push_back(!available);
    spec.name = pattern_name(pattern, groups.names());
    protocol.averages[1].of.push_back(protocol.conditions.size());
    if (pattern != Pattern(groups.size(), 1)) protocol.averages[0].of.push_back(protocol.conditions.size());
    protocol.conditions.push_back(std::move(spec));
  }
  if (protocol.averages[0].of.empty()) protocol.averages.erase(protocol.averages.begin());  // an average of nothing
  return protocol;
}

/// P1-intra: frames of every modality erased at 0.0, 0.1, ..., 1.0; at 1.0 nothing is left.
inline Protocol protocol_p1_intra(std::uint64_t seed) {
  return rate_protocol("P1-intra", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, {.keep_one = false, .seed = seed});
}

/// P2: whole modalities missing at 0.1, ..., 0.7 of all (sample, modality) pairs, at least one kept, so that three
/// modalities reach 2/3 at most; streams that come from one source count as one.  (GCNet: Lian et al., TPAMI 2023)
inline Protocol protocol_p2(std::uint64_t seed) {
  return rate_protocol("P2", {1, 2, 3, 4, 5, 6, 7}, {.unit = Unit::sample, .seed = seed});
}

/// P3: frames missing at 0.0, ..., 0.9, bit for bit the masks of TFR-Net and LNLN. text: the modality whose first and
/// last token stay, by position; -1 = none.
inline Protocol protocol_p3(std::uint32_t seed, std::size_t modalities, index_t text = -1) {
  MissingSpec each{.sampling = Sampling::numpy, .keep_one = false, .seed = seed};
  if (text >= 0) {
    each.keep_ends.assign(modalities, 0);
    each.keep_ends.at(std::size_t(text)) = 1;
  }
  return rate_protocol("P3", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, each);
}

/// P4: every incomplete subset, six for three modalities; the average is over these.  (MMIN: Zhao et al., ACL 2021)
inline Protocol protocol_p4(const std::vector<std::string>& modalities) {
  Protocol protocol = protocol_p1(modalities);
  protocol.name = "P4";
  protocol.conditions.pop_back();
  protocol.averages.pop_back();
  return protocol;
}

}  // namespace lacuna::missing
