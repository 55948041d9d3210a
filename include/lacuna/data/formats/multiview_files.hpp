/// Views and labels in a MATLAB file, of level 5 (io/mat.hpp) or of level 7.3, which is HDF5 (io/hdf5.hpp): there a cell
/// is a dataset of references, and every matrix lies as MATLAB has it in memory, column after column.
#pragma once

#include <cmath>

#include "lacuna/data/formats/arrays.hpp"
#include "lacuna/io/mat.hpp"
#ifdef LACUNA_HDF5  // the component lacuna::hdf5
#include "lacuna/io/hdf5.hpp"
#endif

namespace lacuna::data::formats {

/// (rows, columns) as MATLAB counts them; `read` gives its numbers column after column, or row after row.
struct MatlabMatrix {
  index_t rows = 0, columns = 0;
  bool by_columns = false;
  std::function<std::vector<float>()> read;
};

struct MultiviewFile {
  std::vector<double> labels;
  std::vector<MatlabMatrix> views;
};

inline constexpr const char* names_of_labels[] = {"Y", "gt", "gnd", "truth", "label", "labels"};
inline constexpr const char* names_of_views[] = {"X", "fea", "data", "views"};

[[noreturn]] inline void refuse_multiview(const std::string& path, const std::vector<std::string>& found) {
  std::string names;
  for (const std::string& name : found) names += (names.empty() ? "" : ", ") + lacuna::detail::printable(name);
  throw IoError(
      lacuna::detail::cat(path, ": has ", names,
                          "; expected views (X or fea, a cell of matrices and not one; or X1, X2) and labels (Y, gt, "
                          "gnd, truth or label)"));
}
[[noreturn]] inline void refuse_view(const std::string& path, std::size_t view, const Shape& shape) {
  throw IoError(lacuna::detail::cat(path, ": view ", view, " has shape ", shape, ", expected a matrix of numbers"));
}

inline MultiviewFile open_mat5(const std::string& path) {
  const auto file = std::make_shared<const io::Mat>(path);
  std::vector<const io::MatValue*> matrices;
  for (const char* name : names_of_views)
    if (matrices.empty() && file->contains(name) && file->at(name).cell)
      for (const io::MatValue& cell : file->at(name).cells) matrices.push_back(&cell);
  for (int i = 1; (i > 1 || matrices.empty()) && file->contains("X" + std::to_string(i)); ++i)
    matrices.push_back(&file->at("X" + std::to_string(i)));
  MultiviewFile result;
  for (const char* name : names_of_labels)
    if (result.labels.empty() && file->contains(name) && file->at(name).array)
      result.labels = file->at(name).array->as<double>();
  if (result.labels.empty() || matrices.empty()) refuse_multiview(path, file->names());
  for (const io::MatValue* const matrix : matrices) {
    const Shape shape = matrix->shape;
    if (shape.rank() != 2 || !matrix->array) refuse_view(path, result.views.size() + 1, shape);
    result.views.push_back({shape[0], shape[1], false, [file, matrix] { return matrix->array->template as<float>(); }});
  }
  return result;
}

#ifdef LACUNA_HDF5
inline MultiviewFile open_mat73(const std::string& path) {
  const auto file = std::make_shared<const io::Hdf5>(path);
  std::vector<std::string> matrices;
  for (const char* name : names_of_views)
    if (matrices.empty() && file->contains(name) && file->is_reference(name)) matrices = file->references(name);
  for (int i = 1; (i > 1 || matrices.empty()) && file->contains("X" + std::to_string(i)); ++i)
    matrices.push_back("X" + std::to_string(i));
  MultiviewFile result;
  for (const char* name : names_of_labels)
    if (result.labels.empty() && file->contains(name) && !file->is_reference(name))
      result.labels = file->get(name).as<double>();
  if (result.labels.empty() || matrices.empty()) refuse_multiview(path, file->children(""));
  for (const std::string& name : matrices) {
    const Shape shape = file->header(name).shape;
    if (shape.rank() != 2) refuse_view(path, result.views.size() + 1, shape);
    result.views.push_back({shape[1], shape[0], true, [file, name] { return file->get(name).as<float>(); }});
  }
  return result;
}
#endif

/// Throws IoError.
inline MultiviewFile open_multiview(const std::string& path) {
#ifdef LACUNA_HDF5
  if (lacuna::detail::starts_with(io::MappedFile(path).bytes(), "MATLAB 7.3")) return open_mat73(path);
#endif
  return open_mat5(path);
}

}  // namespace lacuna::data::formats
