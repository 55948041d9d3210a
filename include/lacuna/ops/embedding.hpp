/// Rows of a table by their numbers.
#pragma once

#include "lacuna/autograd/record.hpp"
#include "lacuna/kernels/cpu/rows.hpp"
#include "lacuna/kernels/kernels.hpp"

namespace lacuna {

/// ids (...) in 0..V-1, table (V, E) → (..., E): y = table[id]. The row `padding_index` (none when negative) is read as
/// it stands and gets no gradient. The gradient sums over equal ids, in their order. Absent positions: `apply_mask`.
/// Throws ShapeError for an id outside the table, naming it and its position.
template <int R, class T, class D>
Variable<T, R + 1, D> embedding(const Tensor<index_t, R, D>& ids, const Variable<T, 2, D>& table,
                                index_t padding_index = -1) {
  const index_t rows = table.extent(0), width = table.extent(1), count = ids.size();
  const std::vector<index_t> host = ids.to_vector();
  for (std::size_t i = 0; i < host.size(); ++i)
    if (host[i] < 0 || host[i] >= rows)
      throw ShapeError(detail::cat("embedding: id ", host[i], " at position ", i, " is outside 0..", rows - 1));
  std::array<index_t, std::size_t(R) + 1> extents{};
  for (int axis = 0; axis < R; ++axis) extents[std::size_t(axis)] = ids.extent(axis);
  extents[std::size_t(R)] = width;
  Tensor<T, R + 1, D> y(extents);
  Kernels<D>::RowMoves::lookup(count, width, ids.data(), table.data(), y.data());
  return record(
      "embedding", y,
      [=](const Tensor<T, R + 1, D>& dy) {
        if (const auto slot = table.gradient_slot())
          Kernels<D>::RowMoves::lookup_gradient(count, rows, width, ids.data(), padding_index, dy.data(), slot);
      },
      table);
}

}  // namespace lacuna
