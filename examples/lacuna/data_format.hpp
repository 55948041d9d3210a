// Options for data sets in other formats than lacuna's .npz, and the loading of any of them.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "lacuna/data/formats/load.hpp"
#include "support/numbers.hpp"

namespace program {

struct FormatOptions {
  lacuna::data::formats::ImportOptions import;
  std::string unlabelled = "refuse", non_finite = "refuse", scratch = "auto";
};

inline void declare(CLI::App& app, FormatOptions& o) {
  const char* group = "Data of other programs (docs/data.md)";
  app.add_option("--format", o.import.format,
                 "form of the data; without it by content: " + lacuna::data::formats::format_names())
      ->group(group);
  support::list_option(
      app, "--features", o.import.features,
      "folders of features, as audio=wavlm-large-FRA,text=FOLDER; without it all that the data set has")
      ->group(group);
  app.add_option("--label-file", o.import.labels, "file of the labels, where a folder has several")->group(group);
  app.add_option("--folds", o.import.folds,
                 "JSON file {\"train\": [ids], \"valid\": [...], \"test\": [...]}; experiment takes a number K too: "
                 "compares on K folds of training and validation, to choose without the test split")
      ->group(group);
  app.add_option("--part", o.import.part, "which of several data sets in one file: an emotion, test2")->group(group);
  app.add_option("--as-split", o.import.split, "what a file of one split is: train, valid or test")->group(group);
  support::number_option(app, "--fold", o.import.fold,
                         "IEMOCAP: the session that is the test split, 1 to 5; MMIN: the folder of target/", {0, 1000})
      ->group(group);
  support::number_option(app, "--holdout", o.import.holdout,
                         "share of the training videos that becomes the validation split", {0, 1})
      ->group(group);
  app.add_option("--unlabelled", o.unlabelled, "samples whose label is NaN: refuse them or drop them")
      ->check(CLI::IsMember({"refuse", "drop"}))
      ->capture_default_str()
      ->group(group);
  app.add_option("--non-finite", o.non_finite, "features that are NaN or infinite: refuse, or zero")
      ->check(CLI::IsMember({"refuse", "zero"}))
      ->capture_default_str()
      ->group(group);
  app.add_option(
         "--scratch", o.scratch,
         "folder in which features lie while it runs, instead of in memory; auto: $TMPDIR, else /var/tmp, where "
         "they have more than 1 GiB; off: in memory")
      ->capture_default_str()
      ->group(group);
}

/// A data set of any format; `class_names` becomes the names that the file itself has, in order of their numbers.
inline lacuna::data::Dataset load_any(const std::string& path, lacuna::data::LoadOptions load, FormatOptions options,
                                      std::vector<std::string>& class_names) {
  namespace formats = lacuna::data::formats;
  if (options.unlabelled == "drop") options.import.unlabelled = formats::Unlabelled::drop;
  if (options.non_finite == "zero") load.non_finite = lacuna::data::NonFinite::zero;
  if (options.scratch == "auto") {
    const char* const folder = std::getenv("TMPDIR");
    load.scratch = folder != nullptr && *folder != '\0' ? folder : "/var/tmp";
    load.scratch_above = std::uint64_t(1) << 30;
  } else if (options.scratch != "off") {
    load.scratch = options.scratch;
  }
  return formats::load(path, load, options.import, &class_names);
}

}  // namespace program
