// lacuna describe: what is in a data set.
#include <cmath>

#include "commands.hpp"
#include "data.hpp"
#include "support/program.hpp"

namespace program {
namespace {

using namespace lacuna;

/// Samples that have the modality, and how long it is where it is there.
template <data::Role role>
void show_lengths(const data::Split<role>& split) {
  for (const auto& modality : split.modalities) {
    index_t have = 0, shortest = 0, longest = 0, frames = 0;
    const index_t columns = modality.present.extent(1);
    for (index_t n = 0; n < split.size(); ++n) {
      index_t length = 0;
      for (index_t t = 0; t < columns; ++t) length += modality.present(n, t);
      if (length == 0) continue;
      shortest = have == 0 ? length : std::min(shortest, length);
      longest = std::max(longest, length);
      frames += length;
      ++have;
    }
    std::printf("    %-16s %6lld features   present in %5.1f %%", modality.name.c_str(),
                static_cast<long long>(modality.features()),
                split.size() > 0 ? 100 * double(have) / double(split.size()) : 0.0);
    if (have > 0)
      std::printf("   frames %lld to %lld, %.1f on average", static_cast<long long>(shortest),
                  static_cast<long long>(longest), double(frames) / double(have));
    std::printf("\n");
  }
}

template <data::Role role>
void show_labels(const data::Split<role>& split, const std::vector<std::string>& names) {
  if (!split.labels.empty()) {
    double least = INFINITY, most = -INFINITY, sum = 0, squares = 0;
    for (const float label : split.labels) {
      least = std::min(least, double(label));
      most = std::max(most, double(label));
      sum += double(label);
    }
    const double mean = sum / double(split.labels.size());
    for (const float label : split.labels) squares += (double(label) - mean) * (double(label) - mean);
    std::printf("    labels           %.4g to %.4g, mean %.4g, deviation %.4g\n", least, most, mean,
                std::sqrt(squares / double(split.labels.size())));
  }
  if (!split.classes.empty()) {
    std::vector<index_t> counts;
    for (const index_t k : split.classes) {
      if (k >= index_t(counts.size())) counts.resize(std::size_t(k) + 1, 0);
      ++counts[std::size_t(k)];
    }
    std::printf("    classes         ");
    for (std::size_t k = 0; k < counts.size(); ++k)
      std::printf(" %s: %lld", k < names.size() ? names[k].c_str() : std::to_string(k).c_str(),
                  static_cast<long long>(counts[k]));
    std::printf("\n");
  }
  if (split.labels.empty() && split.classes.empty()) std::printf("    no labels\n");
}

}  // namespace

int describe(const Call& call) {
  DataOptions options;
  CLI::App app("Says what is in a data set: sizes, lengths, labels, what is missing.", "lacuna describe");
  declare(app, options, false);
  return support::run("lacuna describe", app, call.argc, call.argv, [] {}, [&] {
    const Data data = load(options);
    std::printf("%s   crc32 %s\n", data.set->name.c_str(), data.crc.c_str());
    const auto show = [&](const auto& split, const char* name) {
      std::printf("\n  %s, %lld samples\n", name, static_cast<long long>(split.size()));
      if (split.size() == 0) return;
      show_lengths(split);
      show_labels(split, data.class_names);
    };
    show(data.set->train, "training");
    show(data.set->validation, "validation");
    show(data.set->test, "test");
    for (const std::string& note : data.set->notes) std::printf("\n  note: %s", note.c_str());
    if (!data.set->notes.empty()) std::printf("\n");
    return 0;
  });
}

}  // namespace program
