/// Folders of HDF5 files as MFN and SMIL keep them. Needs the component lacuna::hdf5.
///
///   X_train.h5, X_valid.h5, X_test.h5    one array [N, T, 325]: text 300, audio 5, vision 20 along the last axis
///   text_train.h5, audio_train.h5, ...   one array [N, T, D] each; video is vision
///   y_train.h5, ...                      [N] or [N, k]; column 0 is label, all of them label_all
///
/// Rows are read a piece at a time while they are asked for. Source: pliang279/MFN; mengmenm/SMIL.
#pragma once

#include "lacuna/data/formats/feature_folder.hpp"
#include "lacuna/io/hdf5.hpp"

namespace lacuna::data::formats {

inline void read_mfn_folder(Arrays& arrays, const std::string& folder) {
  const auto only = [](const io::Hdf5& file) {
    if (file.names().size() != 1)
      throw IoError(lacuna::detail::cat(file.path(), ": has ", file.names().size(), " datasets, expected one"));
    return file.names()[0];
  };
  for (const char* split : {"train", "valid", "test"}) {
    const std::string prefix = std::string(split) + "_", ending = "_" + std::string(split) + ".h5";
    const auto open = [&](const std::string& name) -> std::shared_ptr<const io::Hdf5> {
      const std::string path = folder + "/" + name + ending;
      if (kind_of_path(path) != PathKind::file) return nullptr;
      return std::make_shared<const io::Hdf5>(path);
    };
    const auto add = [&](const std::string& name, const std::shared_ptr<const io::Hdf5>& file, index_t from,
                         index_t count) {
      const std::string dataset = only(*file);
      const Shape shape = file->header(dataset).shape;
      if (shape.rank() != 3)
        throw IoError(lacuna::detail::cat(file->path(), ": has shape ", shape, ", expected (N, T, D)"));
      if (count == 0) count = shape[2];
      arrays.features(prefix + name, Shape{shape[0], shape[1], count}, [=](std::span<const index_t> rows, float* to) {
        for (const index_t n : rows) {
          const std::vector<float> row = file->rows(dataset, n, n + 1).as<float>();
          for (index_t t = 0; t < shape[1]; ++t) to = std::copy_n(row.begin() + t * shape[2] + from, count, to);
        }
      });
    };
    if (const auto all = open("X")) {
      const Shape shape = all->header(only(*all)).shape;
      if (shape[-1] == 325) {
        add("text", all, 0, 300);
        add("audio", all, 300, 5);
        add("vision", all, 305, 20);
        arrays.note("X holds text (300), audio (5) and vision (20) along its last axis");
      } else {
        add("features", all, 0, 0);
        arrays.note(
            lacuna::detail::cat("X has ", shape[-1], " features, not the 325 of text, audio and vision: one stream"));
      }
    }
    const std::pair<const char*, const char*> streams[] = {
        {"text", "text"}, {"audio", "audio"}, {"video", "vision"}, {"covarep", "audio"}, {"facet", "vision"}};
    for (const auto& [theirs, ours] : streams)
      if (const auto file = open(theirs)) add(ours, file, 0, 0);
    if (const auto labels = open("y")) {
      const io::NpyArray y = labels->get(only(*labels));
      const std::vector<float> numbers = y.as<float>();
      const index_t columns = y.rank() == 2 ? y.shape()[1] : 1;
      std::vector<float> first;
      for (std::size_t i = 0; i < numbers.size(); i += std::size_t(columns)) first.push_back(numbers[i]);
      arrays.reals(prefix + "label", first);
      if (columns > 1) {
        arrays.reals(prefix + "label_all", y.shape(), numbers);
        arrays.note(lacuna::detail::cat("labels have ", columns, " columns: column 0 is label"));
      }
    }
  }
  arrays.note("the files have neither lengths nor ids: --infer-padding takes frames of zeros for absent");
}

}  // namespace lacuna::data::formats
