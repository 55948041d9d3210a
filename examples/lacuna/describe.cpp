// lacuna describe: what is in a data set, a stored model or a file of weights.
#include "commands.hpp"
#include "model_file.hpp"
#include "statistics.hpp"
#include "support/program.hpp"
#include "weights.hpp"

namespace program {
namespace {

using namespace lacuna;

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
  std::fputs(statistics_text(*data.set).c_str(), stdout);
  for (std::size_t k = 0; k < data.class_names.size(); ++k)
    std::printf("%sclass %zu is %s\n", k == 0 ? "\n" : "", k, support::printable(data.class_names[k]).c_str());
  std::printf("\n  crc32 %s\n", data.crc.c_str());
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
  CLI::App app("Says what is in a data set (sizes, lengths, labels, what is missing), a stored model or a file of weights.",
               "lacuna describe");
  app.add_option("file", options.data, "the same as --data; also a model (.lacuna), or weights: .pt, .pth, .bin, .safetensors")
      ->check(refuse_empty);
  app.add_flag("--check", check, "end with status 1 where something would hurt training");
  declare(app, options, false);
  return support::run(
      "lacuna describe", app, call.argc, call.argv, [] {},
      [&] {
        if (is_model(options.data)) {
          show_model(options.data);
          return 0;
        }
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
