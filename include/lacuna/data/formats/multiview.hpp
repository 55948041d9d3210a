/// MATLAB files of several views of the same things: X or fea, a cell of matrices [N, D] or [D, N], or X1, X2, ...; Y, gt,
/// gnd, truth or label, N numbers from 1. Level 5, and with the component lacuna::hdf5 level 7.3 too.
///
/// Which axis counts the samples is not in the file: the one that is as long as the labels. Where both are, that is an
/// error. Views become view_1, view_2, ...; classes count from 0. All is the training split; --holdout makes a
/// validation split of whole samples where there are ids.
#pragma once

#include "lacuna/data/formats/multiview_files.hpp"

namespace lacuna::data::formats {

inline void read_multiview(Arrays& arrays, const std::string& path) {
  const MultiviewFile file = open_multiview(path);
  const index_t samples = index_t(file.labels.size());
  for (std::size_t m = 0; m < file.views.size(); ++m) {
    const MatlabMatrix& view = file.views[m];
    const bool rows = view.rows == samples, columns = view.columns == samples;
    if (rows == columns)
      throw IoError(lacuna::detail::cat(
          path, ": view ", m + 1, " has shape (", view.rows, ", ", view.columns, ") and there are ", samples,
          " labels: ", rows ? "which axis counts samples is not known" : "no axis counts them"));
    const index_t features = rows ? view.columns : view.rows;
    // Samples lie one after the other where they are what the file counts last.
    const bool together = rows != view.by_columns;
    arrays.whole_features("train_view_" + std::to_string(m + 1), Shape{samples, features},
                          [read = view.read, together, samples, features](float* to) {
                            const std::vector<float> x = read();
                            for (index_t n = 0; n < samples; ++n)
                              for (index_t f = 0; f < features; ++f)
                                to[n * features + f] = x[std::size_t(together ? n * features + f : f * samples + n)];
                          });
    if (columns) arrays.note("views are [D, N]: columns are the samples");
  }
  std::vector<index_t> classes;
  std::vector<std::string> ids;
  for (std::size_t n = 0; n < file.labels.size(); ++n) {
    const double label = file.labels[n];
    if (!(label >= 0 && label < 65536) || label != std::floor(label))
      throw IoError(lacuna::detail::cat(path, ": label ", n, " is ", label, ", expected a class from 1"));
    classes.push_back(index_t(label));
    ids.push_back(std::to_string(n));
  }
  if (!classes.empty() && *std::min_element(classes.begin(), classes.end()) >= 1) {
    for (index_t& one : classes) --one;
    arrays.note("labels count from 1: the class is one less");
  }
  arrays.integers("train_class", classes);
  arrays.strings("train_id", ids);
  arrays.note("the file has no splits: all of it is the training split; --holdout 0.1 makes a validation split");
}

}  // namespace lacuna::data::formats
