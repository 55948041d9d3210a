/// Parts of arrays.
#pragma once

#include "lacuna/autograd/record.hpp"
#include "lacuna/kernels/cpu/elementwise.hpp"
#include "lacuna/kernels/cpu/shape.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/kernels/strided.hpp"

namespace lacuna {

/// `count` entries of one axis from `begin` on; negative axes count from the end. The gradient is 0 outside the part.
/// Throws ShapeError when the part does not fit.
template <class T, int R, class D>
requires(R >= 1) Variable<T, R, D> slice(const Variable<T, R, D>& x, int axis, index_t begin, index_t count) {
  const int at = axis < 0 ? axis + R : axis;
  if (at < 0 || at >= R || begin < 0 || count < 0 || begin + count > x.extent(at))
    throw ShapeError(detail::cat("slice: entries ", begin, "..", begin + count, " of axis ", axis, " of ", x.shape()));
  const detail::AxisView view("slice", x.shape(), at);
  const index_t outer = view.outer, stride = view.n * view.inner, width = count * view.inner,
                first = begin * view.inner;
  auto extents = x.extents();
  extents[std::size_t(at)] = count;
  Tensor<T, R, D> y(extents);
  Kernels<D>::ShapeMoves::copy_runs(outer, width, x.data() + first, stride, y.data(), width);
  return record(
      "slice", y,
      [=, x = x.node()](const Tensor<T, R, D>& dy) {
        GradientSlot<T> slot = x->slot();
        if (!slot) return;
        if (slot.fresh) Kernels<D>::Elementwise::generate(x->size(), slot.data, functors::Constant<T>{T(0)});
        slot.fresh = false;
        Kernels<D>::ShapeMoves::contribute_runs(outer, width, dy.data(), width, slot.at(first), stride);
      },
      x);
}

namespace detail {

/// A part of an operation's flat result, sharing its storage: how an operation has several outputs.
template <int S, class T, class D>
Variable<T, S, D> output_part(const Variable<T, 1, D>& all, index_t offset,
                              const std::array<index_t, std::size_t(S)>& extents) {
  const Tensor<T, S, D> y(all.value().window(offset, Shape(extents)));
  return record(
      "output_part", y,
      [offset, all = all.node()](const Tensor<T, S, D>& dy) {
        GradientSlot<T> slot = all->slot();
        if (!slot) return;
        if (slot.fresh) Kernels<D>::Elementwise::generate(all->size(), slot.data, functors::Constant<T>{T(0)});
        slot.fresh = false;
        Kernels<D>::Elementwise::contribute_scaled(dy.size(), T(1), dy.data(), slot.at(offset));
      },
      all);
}

}  // namespace detail
}  // namespace lacuna
