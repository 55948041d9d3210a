// The data of a run: a file, or the synthetic corpus; the same options in every command that has data.
#pragma once

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include "data_format.hpp"
#include "lacuna/core/function.hpp"
#include "lacuna/data/leakage.hpp"
#include "lacuna/data/oddities.hpp"
#include "lacuna/data/passed.hpp"
#include "lacuna/data/salient.hpp"
#include "lacuna/data/synthetic.hpp"
#include "lacuna/data/trainable.hpp"
#include "lacuna/io/deflate.hpp"
#include "lacuna/train/targets.hpp"
#include "lacuna/zoo/spec.hpp"
#include "support/program.hpp"

namespace program {

using lacuna::Function;
using lacuna::index_t;

struct DataOptions {
  std::string data, label, simulated_text, synthetic = "salient";
  index_t samples = 2000;
  std::uint64_t data_seed = 7;
  std::vector<std::string> modalities, exclude, class_names, allow_leak;
  bool infer_padding = false;
  FormatOptions format;
};

/// What a variable of a shell holds that was never set is no wish for the synthetic corpus.
inline std::string refuse_empty(const std::string& path) {
  return path.empty() ? "is empty, expected a file or a folder; leave the option out for the synthetic corpus" : "";
}

inline void declare(CLI::App& app, DataOptions& o, bool training) {
  const char* group = "Data";
  app.add_option(
         "--data", o.data,
         "data set: an .npz, or a file or folder of the field (docs/data.md); without it a synthetic corpus whose "
         "best attainable errors are known")
      ->check(refuse_empty)
      ->group(group);
  app.add_option("--synthetic", o.synthetic,
                 "the synthetic corpus: salient (evidence in few frames, interactions between modalities; a model has "
                 "to attend) or linear (ridge regression is the right model)")
      ->check(CLI::IsMember(std::vector<std::string>{"salient", "linear"}))
      ->capture_default_str()
      ->group(group);
  support::number_option(app, "--samples", o.samples, "training samples of the synthetic corpus", {1, 10000000})
      ->group(group);
  support::number_option(app, "--data-seed", o.data_seed, "seed of the synthetic corpus")->group(group);
  support::list_option(app, "--modalities", o.modalities, "modalities to use, in this order, as a,b,c; without it all")
      ->group(group);
  support::list_option(app, "--exclude", o.exclude, "modalities to leave out, as a,b,c")->group(group);
  app.add_option("--label", o.label, "array of the labels, as label2 for train_label2; without it label or class")
      ->group(group);
  support::list_option(app, "--class-names", o.class_names,
                       "names of the classes, as a,b,c; without it the file's array class_names, where it has one")
      ->group(group);
  if (training)
    app.add_option("--simulated-text", o.simulated_text,
                   "SDUMC: stream of the data set that stands in for the missing modality; without it a decoder "
                   "trained on the training split")
        ->group(group);
  if (training)
    support::list_option(
        app, "--allow-leak", o.allow_leak,
        "modalities from which the labels may be read off, and 'splits' for samples that stand in two, as a,b")
        ->group(group);
  app.add_flag("--infer-padding", o.infer_padding,
               "where the data have neither lengths nor masks, frames of zeros are absent")
      ->group(group);
  declare(app, o.format);
}

/// What is known of a synthetic corpus: of its test split and a subset of modalities, by their names.
struct Known {
  Function<double(const std::vector<std::string>&)> best_mae;              ///< what no predictor undercuts on average
  Function<double(double, const std::vector<std::string>&)> share_of_way;  ///< from the best constant, of a MAE
};

struct Data {
  std::shared_ptr<lacuna::data::Dataset> set;  ///< shared: it destroys a corpus as what it is
  std::optional<Known> known;                  ///< of a synthetic corpus
  std::vector<std::string> modalities;         ///< without the stand-in, which follows them in the data
  std::vector<std::string> class_names;        ///< K, or none
  index_t classes = 0;                         ///< K when the labels are class ids, 0 when they are real
  std::string crc;                             ///< of every number, mask, label and id
  lacuna::zoo::Settings statistics = {};       ///< what a report says of it besides (statistics.hpp)

  std::vector<index_t> inputs() const {
    std::vector<index_t> sizes = set->dimensions();
    sizes.resize(modalities.size());
    return sizes;
  }
  /// What the test split is judged by; empty values: it has no labels.
  lacuna::train::Targets targets() const { return lacuna::train::targets_of(set->test, classes); }
};

inline std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

/// CRC-32 over every number, mask, label and id.
inline std::string fingerprint(const lacuna::data::Dataset& dataset) {
  std::uint32_t crc = 0;
  const auto bytes = [&](const void* data, std::size_t count) { crc = lacuna::io::crc32_of(crc, data, count); };
  const auto text = [&](const std::string& word) { bytes(word.c_str(), word.size() + 1); };
  const auto add = [&](const auto& split) {
    for (const auto& modality : split.modalities) {
      text(modality.name);
      text(to_string(modality.frames.shape()));
      const index_t width = modality.frames.extent(1) * modality.features();
      lacuna::detail::each_group(modality, [&](index_t first, index_t end) {
        bytes(modality.frames.data() + first * width, std::size_t((end - first) * width) * sizeof(float));
      });
      bytes(modality.present.data(), std::size_t(modality.present.size()));
    }
    bytes(split.labels.data(), split.labels.size() * sizeof(float));
    bytes(split.classes.data(), split.classes.size() * sizeof(index_t));
    for (const auto& id : split.ids) text(id);
  };
  add(dataset.train);
  add(dataset.validation);
  add(dataset.test);
  char number[16];
  std::snprintf(number, sizeof number, "%08x", crc);
  return number;
}

/// K names from the option or the file. Throws OptionError for another number of them.
inline std::vector<std::string> class_names_of(const DataOptions& options, std::vector<std::string> of_file,
                                               index_t classes) {
  std::vector<std::string> names = options.class_names;
  if (names.empty() && classes > 0) names = std::move(of_file);
  if (names.empty()) return names;
  if (classes == 0) throw lacuna::OptionError("--class-names: the labels are real numbers, there are no classes");
  if (index_t(names.size()) != classes)
    throw lacuna::OptionError(lacuna::detail::cat("--class-names: ", names.size(), " names for ", classes, " classes"));
  return names;
}

/// A corpus whose best attainable errors are known becomes the data of a run.
template <class Corpus>
void embed(Data& data, Corpus made) {
  const auto corpus = std::make_shared<Corpus>(std::move(made));
  data.set = corpus;
  data.known = Known{[corpus](const auto& subset) { return corpus->best(corpus->test, subset).mae; },
                     [corpus](double mae, const auto& subset) { return corpus->coverage(mae, corpus->test, subset); }};
}

/// Throws IoError and OptionError.
inline Data load(const DataOptions& options) {
  using namespace lacuna;
  Data result;
  std::vector<std::string> names_of_file;
  if (options.data.empty()) {
    for (const std::string* unused : {&options.simulated_text, &options.label})
      if (!unused->empty())
        throw OptionError("--simulated-text and --label need --data: the synthetic corpus has no such array");
    if (options.synthetic == "linear")
      embed(result, data::synthetic({.samples = options.samples, .seed = options.data_seed}));
    else
      embed(result, data::salient({.samples = options.samples, .seed = options.data_seed}));
    if (!options.modalities.empty() && options.modalities != result.set->modality_names())
      throw OptionError("--modalities needs --data: the synthetic corpus always has " +
                        listed(result.set->modality_names()));
  } else {
    data::LoadOptions load;
    load.modalities = options.modalities;
    load.label = options.label;
    load.infer_padding = options.infer_padding;
    load.exclude = options.exclude;
    if (!options.simulated_text.empty()) load.include.push_back(options.simulated_text);
    result.set = std::make_shared<data::Dataset>(load_any(options.data, load, options.format, names_of_file));
  }
  data::Dataset& set = *result.set;
  result.modalities = set.modality_names();
  if (!options.simulated_text.empty()) {  // the stand-in comes after the modalities
    const auto& names = result.modalities;
    const auto at = std::find(names.begin(), names.end(), options.simulated_text) - names.begin();
    if (at == std::ptrdiff_t(names.size()))
      throw OptionError(detail::cat("--simulated-text: ", set.name, " has no '", options.simulated_text, "'; it has ",
                                    listed(names)));
    const auto to_end = [at](auto& split) {
      std::rotate(split.modalities.begin() + at, split.modalities.begin() + at + 1, split.modalities.end());
    };
    to_end(set.train);
    to_end(set.validation);
    to_end(set.test);
    result.modalities = set.modality_names();
    result.modalities.pop_back();
  }
  if (set.train.labels.empty() && !set.train.classes.empty()) result.classes = set.class_count;
  result.class_names = class_names_of(options, std::move(names_of_file), result.classes);
  result.crc = fingerprint(set);
  return result;
}

/// Says what the loader took an array for and what looks odd, where that was inferred also under --quiet, and refuses
/// what may leak the labels. Throws Error.
inline void look_at(const Data& data, const DataOptions& options, const char* program, bool quiet) {
  using namespace lacuna;
  const auto say = [&](const data::Note& note) {
    if (note.always || !quiet) std::fprintf(stderr, "%s: note: %s\n", program, support::printable(note.text).c_str());
  };
  for (const data::Note& note : data.set->notes) say(note);
  data::require_trainable(*data.set);
  if (data.known) return;
  for (const data::Note& note : data::oddities(*data.set)) say(note);
  if (const auto groups = data.set->groups(); !options.simulated_text.empty() && groups.back() + 1 == groups.size())
    say("simulated text '" + options.simulated_text +
        "' goes missing with no modality; where it was heard in the sound, call it simulated_" +
        options.simulated_text);
  data::LeakageOptions leaks{.allowed = options.allow_leak};
  if (!options.simulated_text.empty()) leaks.allowed.push_back(options.simulated_text);
  data::refuse_leaks(*data.set, leaks);
}

/// What results say about the data.
inline lacuna::zoo::Settings describe_data(const Data& data) {
  const lacuna::data::Dataset& set = *data.set;
  std::string modalities;
  for (const auto& modality : set.train.modalities)
    modalities += (modalities.empty() ? "" : ", ") + support::printable(modality.name) + " (" +
                  std::to_string(modality.features()) + ")";
  const auto count = [](index_t samples) { return std::to_string(samples); };
  lacuna::zoo::Settings lines{
      {"name", support::printable(set.name)},
      {"crc32", data.crc},
      {"modalities (features)", modalities},
      {"samples: training, validation, test",
       count(set.train.size()) + ", " + count(set.validation.size()) + ", " + count(set.test.size())},
      {"labels", data.classes > 0 ? count(data.classes) + " classes" : "real numbers"}};
  lines.insert(lines.end(), data.statistics.begin(), data.statistics.end());
  return lines;
}

}  // namespace program
