/// A list of matrices, one per sample (frames × features, of different lengths), as one padded batch, and back.
///
///     std::vector<Eigen::MatrixXf> audio = ...;                  // 120 x 74, 93 x 74, 0 x 0: the third is absent
///     const auto batch = padded_batch(audio);                    // batch.frames (3, 120, 74), batch.present (3, 120)
///     const auto again = matrices_of(batch);                     // 120 x 74, 93 x 74, 0 x 74
///
/// A matrix without rows is a sample that lacks the modality: nothing of it is present. The batch is as long as the
/// longest matrix, and at least one frame; what is padded is 0 and not present.
#pragma once

#include <vector>

#include "lacuna/data/stream.hpp"
#include "lacuna/interop/eigen_dense.hpp"

namespace lacuna {

/// frames (B, T, F), present (B, T) of a list of B matrices or expressions of either order. `features` is F where no
/// matrix says it (all are 0 x 0). Throws ShapeError when two matrices have different numbers of columns, and when
/// nothing says how many there are.
template <class Matrices>
requires(detail::EigenDense<typename Matrices::value_type>) auto padded_batch(const Matrices& matrices,
                                                                              index_t features = 0) {
  using T = typename Matrices::value_type::Scalar;
  index_t frames = 1, sample = 0;
  for (const auto& matrix : matrices) {
    const index_t columns = index_t(matrix.cols());
    if (columns > 0 && features == 0) features = columns;
    if (columns != features && (columns > 0 || matrix.rows() > 0))
      throw ShapeError(detail::cat("padded_batch: matrix ", sample, " of ", matrices.size(), " has ", columns,
                                   " columns, expected ", features, " as before it"));
    if (index_t(matrix.rows()) > frames) frames = index_t(matrix.rows());
    ++sample;
  }
  if (features == 0)
    throw ShapeError(detail::cat("padded_batch: none of ", sample,
                                 " matrices has a column; say how many features there are, padded_batch(list, 74)"));
  data::Stream<T> batch{Tensor<T, 3>::zeros({sample, frames, features}), Mask<2>::zeros({sample, frames})};
  sample = 0;
  for (const auto& matrix : matrices) {
    if (matrix.rows() > 0) batch.frames.matrix(sample).topRows(matrix.rows()) = matrix.matrix();
    std::fill_n(batch.present.data() + sample * frames, matrix.rows(), std::uint8_t(1));
    ++sample;
  }
  return batch;
}

/// The present frames of every sample, in order: row-major matrices, without rows for a sample that is absent.
template <class T>
std::vector<RowMajorMatrix<T>> matrices_of(const Tensor<T, 3>& frames, const Mask<2>& present) {
  detail::expect_shape("matrices_of", "present", present.shape(), Shape{frames.extent(0), frames.extent(1)});
  std::vector<RowMajorMatrix<T>> matrices;
  for (index_t b = 0; b < frames.extent(0); ++b) {
    const std::uint8_t* const here = present.data() + b * frames.extent(1);
    index_t count = 0;
    for (index_t t = 0; t < frames.extent(1); ++t) count += here[t] != 0;
    RowMajorMatrix<T> matrix(count, frames.extent(2));
    index_t row = 0;
    for (index_t t = 0; t < frames.extent(1); ++t)
      if (here[t]) matrix.row(row++) = frames.matrix(b).row(t);
    matrices.push_back(std::move(matrix));
  }
  return matrices;
}
template <class T>
std::vector<RowMajorMatrix<T>> matrices_of(const data::Stream<T>& stream) {
  return matrices_of(stream.frames, stream.present);
}

}  // namespace lacuna
