// The data of a run: a file, or the synthetic corpus; and its fingerprint, by which --resume knows that it is the same.
#pragma once

#include <algorithm>
#include <cstdio>
#include <memory>

#include "lacuna/data/load.hpp"
#include "lacuna/data/synthetic.hpp"
#include "lacuna/io/deflate.hpp"
#include "train_options.hpp"

namespace support {

struct Data {
  std::shared_ptr<lacuna::data::Dataset> dataset;  ///< shared: it destroys a Corpus as what it is
  const lacuna::data::Corpus* synthetic = nullptr;  ///< the same, where it is one
  std::vector<std::string> modalities;              ///< without the simulated stream, which follows them in the data
  lacuna::index_t missing = 0;                      ///< position of the modality that may be missing
  lacuna::index_t classes = 0;                      ///< K when the labels are class ids, 0 when they are real
};

inline std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

/// Throws IoError and OptionError.
inline Data load(const TrainOptions& options) {
  using namespace lacuna;
  Data result;
  if (options.data.empty()) {
    for (const std::string* unused : {&options.simulated_text, &options.label})
      if (!unused->empty())
        throw OptionError("--simulated-text and --label need --data: the synthetic corpus has no such array");
    auto corpus =
        std::make_shared<data::Corpus>(data::synthetic({.samples = options.samples, .seed = options.data_seed}));
    const auto names = corpus->modality_names();
    if (!options.modalities.empty() && options.modalities != names)
      throw OptionError("--modalities needs --data: the synthetic corpus always has " + listed(names));
    result.synthetic = corpus.get();
    result.dataset = std::move(corpus);
    result.modalities = names;
  } else {
    data::LoadOptions load;
    load.modalities = options.modalities;
    load.label = options.label;
    load.infer_padding = options.infer_padding;
    if (!options.simulated_text.empty()) load.include.push_back(options.simulated_text);
    result.dataset = std::make_shared<data::Dataset>(data::load_npz(options.data, load));
    data::Dataset& set = *result.dataset;
    if (!options.simulated_text.empty()) {
      // the stand-in comes after the modalities
      const auto names = set.modality_names();
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
    }
    result.modalities = set.modality_names();
    if (!options.simulated_text.empty()) result.modalities.pop_back();
    if (set.train.labels.empty() && !set.train.classes.empty()) result.classes = set.class_count;
  }
  const auto& names = result.modalities;
  const auto at = std::find(names.begin(), names.end(), options.missing);
  if (at == names.end())
    throw OptionError(detail::cat("--missing: '", options.missing, "' is no modality of ", result.dataset->name,
                                  "; it has ", listed(names)));
  result.missing = at - names.begin();
  return result;
}

/// CRC-32 over every number, mask, label and id.
inline std::uint32_t fingerprint(const lacuna::data::Dataset& dataset) {
  std::uint32_t crc = 0;
  const auto bytes = [&](const void* data, std::size_t count) { crc = lacuna::io::crc32_of(crc, data, count); };
  const auto text = [&](const std::string& word) { bytes(word.c_str(), word.size() + 1); };
  const auto add = [&](const auto& split) {
    for (const auto& modality : split.modalities) {
      text(modality.name);
      text(to_string(modality.frames.shape()));
      bytes(modality.frames.data(), std::size_t(modality.frames.size()) * sizeof(float));
      bytes(modality.present.data(), std::size_t(modality.present.size()));
    }
    bytes(split.labels.data(), split.labels.size() * sizeof(float));
    bytes(split.classes.data(), split.classes.size() * sizeof(lacuna::index_t));
    for (const auto& id : split.ids) text(id);
  };
  add(dataset.train);
  add(dataset.validation);
  add(dataset.test);
  return crc;
}

/// What the metrics file says about the data.
inline nlohmann::ordered_json describe(const Data& data) {
  const auto& set = *data.dataset;
  char crc[16];
  std::snprintf(crc, sizeof crc, "%08x", fingerprint(set));
  nlohmann::ordered_json json{{"name", set.name}, {"crc32", crc}, {"modalities", nlohmann::ordered_json::object()}};
  for (const auto& modality : set.train.modalities) json["modalities"][modality.name] = modality.features();
  json["samples"] = {{"train", set.train.size()}, {"valid", set.validation.size()}, {"test", set.test.size()}};
  return json;
}

}  // namespace support
