/// Broadcasts by name: one block for the whole batch. Of operators: ops/elementwise.hpp.
#pragma once

#include "lacuna/autograd/accumulate.hpp"
#include "lacuna/autograd/record.hpp"
#include "lacuna/kernels/kernels.hpp"

namespace lacuna {

/// y[b] = x[b] + block: x (B, ...), block of the shape of x without its first axis. The gradient of the block sums over
/// the batch. Throws ShapeError when the shapes do not fit.
template <class T, int R, class D>
requires(R >= 1) Variable<T, R, D> add_to_each(const Variable<T, R, D>& x, const Variable<T, R - 1, D>& block) {
  detail::expect_shape("add_to_each", "block", block.shape(), Shape(x.shape().begin() + 1, R - 1));
  const index_t batch = x.extent(0), inner = block.size();
  Tensor<T, R, D> y(x.extents());
  Kernels<D>::add_block(batch, inner, x.data(), block.data(), y.data());
  return record(
      "add_to_each", y,
      [=](const Tensor<T, R, D>& dy) {
        accumulate(x, dy);
        if (const auto slot = block.gradient_slot()) Kernels<D>::column_sums(batch, inner, dy.data(), slot);
      },
      x, block);
}

/// y[b] = block for every b of `batch`: (...) → (batch, ...).
template <class T, int R, class D>
Variable<T, R + 1, D> repeat_batch(const Variable<T, R, D>& block, index_t batch) {
  const index_t inner = block.size();
  std::array<index_t, std::size_t(R) + 1> extents{batch};
  for (int axis = 0; axis < R; ++axis) extents[std::size_t(axis) + 1] = block.extent(axis);
  Tensor<T, R + 1, D> y(extents);
  Kernels<D>::add_block(batch, inner, static_cast<const T*>(nullptr), block.data(), y.data());
  return record(
      "repeat_batch", y,
      [=](const Tensor<T, R + 1, D>& dy) {
        if (const auto slot = block.gradient_slot()) Kernels<D>::column_sums(batch, inner, dy.data(), slot);
      },
      block);
}

}  // namespace lacuna
