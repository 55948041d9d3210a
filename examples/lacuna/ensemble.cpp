// lacuna ensemble: several trained models as one file, whose answer is the mean of theirs.
//
//   lacuna ensemble runs/mosi/corrkd/seed-* --data mosi.npz --out mosi.lacuna
#include <filesystem>

#include "commands.hpp"
#include "foresight.hpp"
#include "streams.hpp"
#include "support/program.hpp"
#include "together.hpp"

namespace program {
namespace {

using namespace lacuna;

struct EnsembleOptions {
  std::vector<std::string> models;
  std::string out, data, label;
  bool infer_padding = false;
  FormatOptions format;
};

/// A file, or the folder of one training.
std::string model_file(const std::string& path) {
  std::error_code unknown;
  return std::filesystem::is_directory(path, unknown) ? path + "/model.lacuna" : path;
}

int make_ensemble(const EnsembleOptions& options) {
  std::vector<State> members;
  for (std::size_t i = 0; i < options.models.size(); ++i) {
    const std::string file = model_file(options.models[i]);
    expect_other_file("--out", options.out, {file, options.data});
    for (std::size_t j = 0; j < i; ++j)
      if (same_file(file, model_file(options.models[j]))) throw OptionError("ensemble: " + file + " is named twice");
    members.push_back(io::load_checkpoint(file));
  }
  expect_writable(options.out);
  State state = zoo::ensemble_of(members);
  const zoo::Card card = zoo::card_of(state);
  if (!options.data.empty()) {
    data::LoadOptions load;
    load.label = options.label;
    load.infer_padding = options.infer_padding;
    load.splits = {data::Role::validation};
    if (options.format.non_finite == "zero") load.non_finite = data::NonFinite::zero;
    const data::Dataset set = load_streams(options.data, card.streams, card.features, load, options.format.import);
    if (card.classes == 0 && set.validation.labels.empty())
      throw IoError(options.data + ": has no real labels of a valid split, from which intervals follow");
    state = calibrated_ensemble(members, &set.validation);
  } else if (card.classes == 0) {
    std::fprintf(stderr,
                 "lacuna ensemble: note: without --data no intervals: they follow from errors of its valid split\n");
  }
  io::save_checkpoint(options.out, state);
  std::printf("%s: %s\n", options.out.c_str(), support::printable(card.spec).c_str());
  return 0;
}

}  // namespace

int ensemble(const Call& call) {
  EnsembleOptions options;
  CLI::App app("Several trained models as one file: its answer is the mean of theirs.", "lacuna ensemble");
  app.get_formatter()->column_width(32);
  app.add_option("models", options.models, "files model.lacuna, or folders MODEL/seed-N of a run; two at least")
      ->required();
  app.add_option("--out", options.out, "file to write, which predict takes as --checkpoint")->required();
  app.add_option("--data", options.data,
                 "data set of the training: its valid split gives the intervals of real labels");
  app.add_option("--label", options.label, "array of the labels, as label2 for valid_label2; without it label");
  app.add_flag("--infer-padding", options.infer_padding, "without lengths and masks, frames of zeros are absent");
  declare(app, options.format);
  return support::run(
      "lacuna ensemble", app, call.argc, call.argv, [] {}, [&] { return make_ensemble(options); });
}

}  // namespace program
