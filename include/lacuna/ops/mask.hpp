/// Absence applied to arrays: what is absent becomes 0, whatever it held, and gets gradient 0.
#pragma once

#include "lacuna/autograd/record.hpp"
#include "lacuna/kernels/cpu/loss_rows.hpp"
#include "lacuna/kernels/cpu/rows.hpp"
#include "lacuna/kernels/kernels.hpp"

namespace lacuna {
namespace detail {

/// y = factor · x, one factor for each entry of the leading axes.
template <class T, int R, class D, class F, int S>
Variable<T, R, D> scale_leading(const char* name, const Variable<T, R, D>& x, const Tensor<F, S, D>& factor) {
  static_assert(S <= R);
  expect_shape(name, "the mask", factor.shape(), Shape(x.shape().begin(), S));
  const index_t rows = factor.size(), width = rows > 0 ? x.size() / rows : 0;
  Tensor<T, R, D> y(x.extents());
  Kernels<D>::RowMoves::template scale_rows<T>(rows, width, factor.data(), x.data(), {y.data(), true});
  return record(
      name, y,
      [=, x = x.node()](const Tensor<T, R, D>& dy) {
        if (const auto slot = x->slot())
          Kernels<D>::RowMoves::template scale_rows<T>(rows, width, factor.data(), dy.data(), slot);
      },
      x);
}

}  // namespace detail

/// x (B, T, ...) or (B, ...) with a mask of its leading axes, 1 = present → x where present, 0 elsewhere (NaN
/// included). Throws ShapeError when the mask does not fit.
template <class T, int R, class D, int S>
Variable<T, R, D> apply_mask(const Variable<T, R, D>& x, const Tensor<std::uint8_t, S, D>& present) {
  return detail::scale_leading("apply_mask", x, present);
}

/// present (B, T) → (B): 1 where a sample has anything present.
template <class D>
Mask<1, D> any_present(const Mask<2, D>& present) {
  Mask<1, D> any({present.extent(0)});
  Kernels<D>::LossRows::any_present(present.extent(0), present.extent(1), present.data(), 1, false, any.data());
  return any;
}

}  // namespace lacuna
