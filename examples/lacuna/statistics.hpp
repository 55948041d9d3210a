// What is in a data set, in numbers: the tables of `describe`, and a few lines for the report of a run. Needs xtensor.
#pragma once

#include "data.hpp"

#if __has_include(<xtensor/xadapt.hpp>) || __has_include(<xtensor/containers/xadapt.hpp>)
#include "lacuna/data/describe.hpp"

namespace program {

/// Throws what data::dataset_statistics throws.
inline std::string statistics_text(const lacuna::data::Dataset& set) {
  lacuna::data::DatasetStatistics statistics = lacuna::data::dataset_statistics(set);
  statistics.name = support::printable(statistics.name);
  for (auto& split : statistics.splits)
    for (auto& modality : split.modalities) modality.name = support::printable(modality.name);
  return lacuna::data::describe(statistics);
}

/// A line for every modality, one for the labels, and one for samples that come twice; numbers of a split beside those of the
/// others: training, validation, test.
inline lacuna::zoo::Settings statistics_lines(const lacuna::data::Dataset& set) {
  using namespace lacuna;
  const data::DatasetStatistics statistics = data::dataset_statistics(set);
  const auto splits = [&](const auto& text_of) {
    std::string text;
    for (const data::SplitStatistics& split : statistics.splits)
      text += (text.empty() ? "" : ", ") + (split.samples > 0 ? text_of(split) : std::string("-"));
    return text;
  };
  zoo::Settings lines;
  for (std::size_t m = 0; m < statistics.splits[0].modalities.size(); ++m) {
    const auto of = [m](const data::SplitStatistics& split) -> const auto& { return split.modalities.at(m); };
    lines.emplace_back(support::printable(of(statistics.splits[0]).name) + ": missing",
                       splits([&](const auto& split) { return lacuna::detail::percent(of(split).share_missing()); }) +
                           "; frames " + splits([&](const auto& split) {
                             return detail::cat(of(split).shortest, " to ", of(split).longest, " (median ",
                                                lacuna::detail::short_number(of(split).median_length), ")");
                           }) +
                           "; constant features " +
                           splits([&](const auto& split) { return std::to_string(of(split).constant.size()); }));
  }
  if (statistics.class_count > 0)
    lines.emplace_back("samples of each class", splits([](const data::SplitStatistics& split) {
                         std::string counts;
                         for (const index_t count : split.labels.class_counts)
                           counts += (counts.empty() ? "" : " ") + std::to_string(count);
                         return counts.empty() ? std::string("-") : counts;
                       }));
  if (!statistics.label_edges.empty())
    lines.emplace_back("label: mean (deviation)", splits([](const data::SplitStatistics& split) {
                         return lacuna::detail::short_number(split.labels.mean) + " (" +
                                lacuna::detail::short_number(split.labels.deviation) + ")";
                       }));
  lines.emplace_back("repeated; in an earlier split",
                     splits([](const data::SplitStatistics& split) { return std::to_string(split.repeated); }) + "; " +
                         splits([](const data::SplitStatistics& split) {
                           return split.role == data::Role::train ? "-" : std::to_string(split.in_earlier_split);
                         }));
  return lines;
}

}  // namespace program
#else
namespace program {

inline std::string statistics_text(const lacuna::data::Dataset& set) {
  return support::printable(set.name) +
         ": statistics need xtensor (libxtensor-dev), without which this program was built\n";
}
inline lacuna::zoo::Settings statistics_lines(const lacuna::data::Dataset&) { return {}; }

}  // namespace program
#endif
