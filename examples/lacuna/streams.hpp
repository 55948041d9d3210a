// Data for a trained model: the streams it knows, in its order; those that the file lacks are absent.
#pragma once

#include <algorithm>

#include "data_format.hpp"

namespace program {

/// Throws IoError when the file has none of the streams, or one with another number of features.
inline lacuna::data::Dataset load_streams(const std::string& path, const std::vector<std::string>& streams,
                                          const std::vector<lacuna::index_t>& features,
                                          lacuna::data::LoadOptions options,
                                          lacuna::data::formats::ImportOptions how = {}) {
  using namespace lacuna;
  namespace formats = data::formats;
  std::string known;
  for (const std::string& name : streams) known += (known.empty() ? "" : ", ") + name;
  formats::Recognised found{how.format};
  if (found.format.empty()) found = formats::recognise(path);
  std::optional<formats::Arrays> arrays;
  how.unlabelled = formats::Unlabelled::keep;
  if (found.format != "npz") arrays = formats::import(path, how, std::move(found));
  {
    const io::Npz file = arrays ? arrays->npz() : io::Npz(path);
    for (const std::string& name : streams)
      for (const char* split : {"train_", "valid_", "test_"})
        if (file.contains(split + name) &&
            std::find(options.modalities.begin(), options.modalities.end(), name) == options.modalities.end())
          options.modalities.push_back(name);
  }
  if (options.modalities.empty()) throw IoError(path + ": has none of the modalities that the model knows: " + known);
  data::Dataset set = arrays ? formats::load(*std::move(arrays), options, false) : data::load_npz(path, options);
  const auto arrange = [&](auto& split) {
    std::vector<data::Modality> arranged;
    for (std::size_t m = 0; m < streams.size(); ++m) {
      const auto found = std::find_if(split.modalities.begin(), split.modalities.end(),
                                      [&](const auto& modality) { return modality.name == streams[m]; });
      if (found == split.modalities.end()) {
        arranged.push_back(
            {streams[m], Tensor<float, 3>::zeros({split.size(), 1, features[m]}), Mask<2>::zeros({split.size(), 1})});
      } else if (found->features() != features[m]) {
        throw IoError(detail::cat(path, ": '", streams[m], "' has ", found->features(), " features, the model expects ",
                                  features[m]));
      } else {
        arranged.push_back(std::move(*found));
      }
    }
    split.modalities = std::move(arranged);
  };
  arrange(set.train);
  arrange(set.validation);
  arrange(set.test);
  return set;
}

}  // namespace program
