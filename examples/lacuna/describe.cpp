// lacuna describe: what is in a data set, or in a file of weights.
#include <cmath>

#include "commands.hpp"
#include "data.hpp"
#include "support/program.hpp"
#include "weights.hpp"

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

/// What would hurt training, one line each.
std::vector<std::string> problems(const Data& data, const DataOptions& options) {
  std::vector<std::string> list;
  const data::Dataset& set = *data.set;
  if (set.train.size() == 0) list.push_back("there is no training split");
  if (set.validation.size() == 0) list.push_back("there is no validation split, which training selects on");
  if (set.train.size() > 0 && set.train.labels.empty() && set.train.classes.empty())
    list.push_back("the training split has no labels");
  try {
    data::refuse_leaks(set, {.allowed = options.allow_leak});
  } catch (const Error& error) {
    list.push_back(error.what());
  }
  for (const auto& modality : set.train.modalities)
    if (set.train.size() > 0 && std::count(modality.present.data(), modality.present.data() + modality.present.size(),
                                           0) == modality.present.size())
      list.push_back(modality.name + " is absent from all samples of the training split");
  for (const data::Note& note : set.notes)
    for (const char* hurts : {"looks inverted", "may overlap", " NaN", "and are left out"})
      if (note.text.find(hurts) != std::string::npos) {
        list.push_back(note.text);
        break;
      }
  return list;
}

int show(const Data& data, const DataOptions& options, bool check) {
  std::printf("%s   crc32 %s\n", data.set->name.c_str(), data.crc.c_str());
  const auto show_split = [&](const auto& split, const char* name) {
    std::printf("\n  %s, %lld samples\n", name, static_cast<long long>(split.size()));
    if (split.size() == 0) return;
    show_lengths(split);
    show_labels(split, data.class_names);
  };
  show_split(data.set->train, "training");
  show_split(data.set->validation, "validation");
  show_split(data.set->test, "test");
  for (const std::string& note : data.set->notes) std::printf("\n  note: %s", note.c_str());
  if (!data.known)
    for (const data::Note& note : data::oddities(*data.set)) std::printf("\n  note: %s", note.text.c_str());
  std::printf("\n");
  if (!check) return 0;
  const std::vector<std::string> found = problems(data, options);
  for (const std::string& problem : found) std::printf("\n  problem: %s", problem.c_str());
  std::printf("\n  %s\n", found.empty() ? "no problem for training" : "training would be hurt");
  return found.empty() ? 0 : 1;
}

}  // namespace

int describe(const Call& call) {
  DataOptions options;
  bool check = false;
  CLI::App app("Says what is in a data set (sizes, lengths, labels, what is missing) or in a file of weights.",
               "lacuna describe");
  app.add_option("file", options.data, "the same as --data; also weights: .pt, .pth, .bin, .safetensors");
  app.add_flag("--check", check, "end with status 1 where something would hurt training");
  declare(app, options, false);
  return support::run(
      "lacuna describe", app, call.argc, call.argv, [] {},
      [&] {
        const std::string weights = options.data.empty() ? "" : kind_of_weights(options.data);
        if (!weights.empty()) {
          show_weights(options.data, weights);
          return 0;
        }
        if (!options.data.empty() && show_other(options.data, options.format.import)) return 0;
        options.format.non_finite = "zero";  // what training would refuse is shown, and counts as a problem
        options.format.unlabelled = "drop";
        return show(load(options), options, check);
      });
}

}  // namespace program
