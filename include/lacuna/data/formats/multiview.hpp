/// MATLAB files of several views of the same things: X or fea, a cell of matrices [N, D] or [D, N], or X1, X2, ...; Y, gt,
/// gnd, truth or label, N numbers from 1.
///
/// Which axis counts the samples is not in the file: the one that is as long as the labels. Where both are, that is an
/// error. Views become view_1, view_2, ...; classes count from 0. All is the training split; --holdout makes a
/// validation split of whole samples where there are ids.
#pragma once

#include "lacuna/data/formats/arrays.hpp"
#include "lacuna/io/mat.hpp"

namespace lacuna::data::formats {

inline void read_multiview(Arrays& arrays, const std::string& path) {
  const auto file = std::make_shared<const io::Mat>(path);
  std::string labels, views;
  for (const char* name : {"Y", "gt", "gnd", "truth", "label", "labels"})
    if (labels.empty() && file->contains(name)) labels = name;
  for (const char* name : {"X", "fea", "data", "views"})
    if (views.empty() && file->contains(name) && file->at(name).cell) views = name;
  std::vector<const io::MatValue*> matrices;
  if (!views.empty())
    for (const io::MatValue& cell : file->at(views).cells) matrices.push_back(&cell);
  for (int i = 1; views.empty() && file->contains("X" + std::to_string(i)); ++i)
    matrices.push_back(&file->at("X" + std::to_string(i)));
  if (labels.empty() || matrices.empty()) {
    std::string names;
    for (const std::string& name : file->names()) names += (names.empty() ? "" : ", ") + name;
    throw IoError(lacuna::detail::cat(path, ": has ", names,
                                      "; expected views (X or fea, a cell of matrices; or X1, X2) and "
                                      "labels (Y, gt, gnd, truth or label)"));
  }
  const io::MatValue& truth = file->at(labels);
  const std::vector<double> numbers = truth.array->as<double>();
  const index_t samples = index_t(numbers.size());
  for (std::size_t m = 0; m < matrices.size(); ++m) {
    const Shape shape = matrices[m]->shape;
    const bool rows = shape[0] == samples, columns = shape.rank() == 2 && shape[1] == samples;
    if (shape.rank() != 2 || !matrices[m]->array || rows == columns)
      throw IoError(
          lacuna::detail::cat(path, ": view ", m + 1, " has shape ", shape, " and there are ", samples,
                              " labels: ", rows ? "which axis counts samples is not known" : "no axis counts them"));
    const index_t features = rows ? shape[1] : shape[0];
    arrays.whole_features("train_view_" + std::to_string(m + 1), Shape{samples, features},
                          [file, matrix = matrices[m], rows, samples, features](float* to) {
                            const std::vector<float> x = matrix->array->as<float>();
                            for (index_t n = 0; n < samples; ++n)
                              for (index_t f = 0; f < features; ++f)
                                to[n * features + f] = x[std::size_t(rows ? n * features + f : f * samples + n)];
                          });
    if (columns) arrays.note("views are [D, N]: columns are the samples");
  }
  std::vector<index_t> classes;
  std::vector<std::string> ids;
  for (std::size_t n = 0; n < numbers.size(); ++n) {
    if (!(numbers[n] >= 0 && numbers[n] < 65536) || numbers[n] != std::floor(numbers[n]))
      throw IoError(lacuna::detail::cat(path, ": label ", n, " is ", numbers[n], ", expected a class from 1"));
    classes.push_back(index_t(numbers[n]));
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
