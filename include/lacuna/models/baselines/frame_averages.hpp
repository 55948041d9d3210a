/// A split as a table of averages over frames, in double: what a model without frames reads.
///
/// x (N, F): of each input the average of its present frames, side by side; 0 where a sample lacks the input, whose frames
/// are not read then. has[m][n]: whether sample n has input m. An input has a name, a position among the modalities of
/// the split, and a number of features:
///
/// ```cpp
/// struct Input { std::string name; std::size_t position; index_t features; };
/// const FrameAverages table = frame_averages("mine", corpus.train, std::vector<Input>{{"text", 1, 300}});
/// ```
///
/// Throws ShapeError for a split with another modality there, or of another size; Error, naming the sample, for a
/// present feature that is not finite.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "lacuna/data/dataset.hpp"
#include "lacuna/data/passed.hpp"

namespace lacuna::models {

struct FrameAverages {
  Eigen::MatrixXd x;
  std::vector<std::vector<bool>> has;
};

/// `name`: of the model, for messages.
template <data::Role role, class Input>
FrameAverages frame_averages(const char* name, const data::Split<role>& split, const std::vector<Input>& inputs) {
  index_t columns = 0, column = 0;
  for (const Input& input : inputs) columns += input.features;
  FrameAverages table{Eigen::MatrixXd::Zero(split.size(), columns), {}};
  for (const Input& input : inputs) {
    if (input.position >= split.modalities.size() || split.modalities[input.position].name != input.name)
      throw ShapeError(detail::cat(name, ": modality ", input.position, " of ", data::to_string(role), " is not '",
                                   input.name, "' as in training"));
    const data::Modality& modality = split.modalities[input.position];
    const index_t frames = modality.present.extent(1);
    detail::expect_shape(name, "frames", modality.frames.shape(), {split.size(), frames, input.features});
    detail::expect_shape(name, "present", modality.present.shape(), {split.size(), frames});
    table.has.emplace_back(std::size_t(split.size()), false);
    for (index_t n = 0; n < split.size(); ++n) {
      auto row = table.x.row(n).segment(column, input.features);
      index_t count = 0;
      for (index_t t = 0; t < frames; ++t) {
        if (!modality.present(n, t)) continue;
        ++count;
        for (index_t f = 0; f < input.features; ++f) row(f) += double(modality.frames(n, t, f));
      }
      detail::passed(modality, n);
      if (count == 0) continue;
      table.has.back()[std::size_t(n)] = true;
      row /= double(count);
      if (!row.allFinite())
        throw Error(detail::cat(name, ": sample ", n, " of ", data::to_string(role), " has a feature of ", input.name,
                                " that is not finite"));
    }
    column += input.features;
  }
  return table;
}

}  // namespace lacuna::models
