// The data of an experiment: a file, or the synthetic corpus.
#pragma once

#include "corpus.hpp"
#include "experiment_options.hpp"
#include "lacuna/train/targets.hpp"

namespace support {

/// Throws IoError and OptionError.
inline lacuna::data::Dataset load_experiment_data(const ExperimentOptions& options) {
  using namespace lacuna;
  if (options.data.empty()) {
    for (const char* name : {"--label", "--modalities"})
      if (name == std::string("--label") ? !options.label.empty() : !options.modalities.empty())
        throw OptionError(std::string(name) + " needs --data: the synthetic corpus is as it is");
    return data::synthetic({.samples = options.samples, .seed = options.data_seed});
  }
  data::LoadOptions load;
  load.modalities = options.modalities;
  load.label = options.label;
  load.infer_padding = options.infer_padding;
  data::Dataset set = data::load_npz(options.data, load);
  for (const auto& [split, samples] :
       {std::pair("training", set.train.size()), std::pair("validation", set.validation.size()),
        std::pair("test", set.test.size())})
    if (samples == 0) throw Error(detail::cat(set.name, ": the ", split, " split has no samples"));
  return set;
}

/// What the test split is judged by: real labels where the training split has them, else class ids of the whole data
/// set.
inline lacuna::train::Targets experiment_targets(const lacuna::data::Dataset& data) {
  using namespace lacuna;
  const bool real = !data.train.labels.empty();
  const train::Targets targets = train::targets_of(data.test, real ? 0 : data.class_count);
  if (index_t(targets.values.size()) != data.test.size() || targets.values.empty())
    throw Error(data.name + ": the test split has no labels, there is nothing to compare");
  return targets;
}

inline std::string crc_text(const lacuna::data::Dataset& data) {
  char text[16];
  std::snprintf(text, sizeof text, "%08x", fingerprint(data));
  return text;
}

/// What results say about the data.
inline Settings describe_data(const lacuna::data::Dataset& data, const std::string& crc) {
  std::string modalities;
  for (const auto& modality : data.train.modalities)
    modalities += (modalities.empty() ? "" : ", ") + modality.name + " (" + std::to_string(modality.features()) + ")";
  const auto count = [](lacuna::index_t samples) { return std::to_string(samples); };
  return {{"name", data.name},
          {"crc32", crc},
          {"modalities (features)", modalities},
          {"samples: training, validation, test",
           count(data.train.size()) + ", " + count(data.validation.size()) + ", " + count(data.test.size())},
          {"labels", data.train.labels.empty() ? count(data.class_count) + " classes" : "real numbers"}};
}

}  // namespace support
