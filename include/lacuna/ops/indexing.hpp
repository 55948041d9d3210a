/// Choosing numbers: by a mask, by indices, by their order. Negative axes count from the end; indices do not: they are
/// 0..n-1. Throws ShapeError for an index outside; on a GPU indices that live there are not looked at, and what lies
/// outside reads as NaN.
#pragma once

#include "lacuna/kernels/cpu/axes.hpp"
#include "lacuna/kernels/cpu/elementwise.hpp"
#include "lacuna/kernels/cpu/shape.hpp"
#include "lacuna/kernels/cpu/strided.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/ops/manipulation.hpp"
#include "lacuna/ops/softmax.hpp"

namespace lacuna {
namespace detail {

/// A mask repeated to a shape.
template <int S, int M, class D>
Mask<S, D> expand_mask(const Tensor<std::uint8_t, M, D>& mask, const Shape& shape) {
  Mask<S, D> all(extents_of<S>(shape));
  Kernels<D>::Strided::walk("where", walk_over(shape, broadcast_strides(mask.shape(), shape)),
                            functors::Move<std::uint8_t>{mask.data(), {all.data(), true}});
  return all;
}
template <int S, class T, int R, class D>
Variable<T, S, D> expand_to(const Variable<T, R, D>& x, const Shape& shape) {
  if constexpr (R == S)
    if (x.shape() == shape) return x;
  return expand(x, extents_of<S>(shape));
}

/// Throws ShapeError for an index outside of an axis of length n.
template <class D>
void expect_indices(const char* operation, const Array<index_t, D>& index, index_t n) {
  const index_t bad = Kernels<D>::Axes::index_outside(index.size(), index.data(), n);
  if (bad >= 0)
    throw ShapeError(cat(operation, ": index ", index.to_vector()[std::size_t(bad)], " at position ", bad,
                         " is outside 0..", n - 1));
}

}  // namespace detail

/// a where the mask is 1, b where it is 0; all three broadcast. What is not chosen is not read (NaN included) and gets
/// gradient 0.
template <int M, class T, int A, int B, class D>
auto where(const Tensor<std::uint8_t, M, D>& mask, const Variable<T, A, D>& a, const Variable<T, B, D>& b) {
  constexpr int R = M > A ? (M > B ? M : B) : (A > B ? A : B);
  const Shape shape =
      detail::broadcast_shape("where", mask.shape(), detail::broadcast_shape("where", a.shape(), b.shape()));
  const Mask<R, D> chosen = detail::expand_mask<R>(mask, shape);
  const auto yes = detail::expand_to<R>(a, shape), no = detail::expand_to<R>(b, shape);
  Tensor<T, R, D> y(detail::extents_of<R>(shape));
  Kernels<D>::Strided::for_elements("where", y.size(),
                                    functors::Choose<T>{chosen.data(), yes.data(), no.data(), y.data()});
  return record(
      "where", y,
      [yes, no, chosen](const Tensor<T, R, D>& dy) {
        if (const auto slot = yes.gradient_slot())
          Kernels<D>::Strided::for_elements("where", dy.size(),
                                            functors::ChooseSlope<T>{chosen.data(), dy.data(), true, slot});
        if (const auto slot = no.gradient_slot())
          Kernels<D>::Strided::for_elements("where", dy.size(),
                                            functors::ChooseSlope<T>{chosen.data(), dy.data(), false, slot});
      },
      yes, no);
}
template <int M, class T, int R, class D>
auto where(const Tensor<std::uint8_t, M, D>& mask, const Variable<T, R, D>& a, double b) {
  return where(mask, a, Variable<T, 0, D>(Tensor<T, 0, D>::full({}, T(b))));
}
template <int M, class T, int R, class D>
auto where(const Tensor<std::uint8_t, M, D>& mask, double a, const Variable<T, R, D>& b) {
  return where(mask, Variable<T, 0, D>(Tensor<T, 0, D>::full({}, T(a))), b);
}
/// `number` where the mask is 1, x elsewhere.
template <class T, int R, class D, int M>
requires(M <= R) Variable<T, R, D> masked_fill(const Variable<T, R, D>& x, const Tensor<std::uint8_t, M, D>& mask,
                                               double number) {
  return where(mask, number, x);
}

namespace detail {

/// y (outer, count, inner) = x (outer, n, inner) at the indices, which are known to be inside.
template <class T, int R, class D>
Variable<T, R, D> gather_along(const char* name, const Variable<T, R, D>& x, const AxisView& view, int at,
                               index_t count, const Array<index_t, D>& index, std::array<index_t, 3> strides) {
  auto extents = x.extents();
  extents[std::size_t(at)] = count;
  Tensor<T, R, D> y(extents);
  Kernels<D>::Axes::gather_axis(view.outer, count, view.n, view.inner, index.data(), strides, x.data(),
                                GradientSlot<T>{y.data(), true});
  return record(
      name, y,
      [=](const Tensor<T, R, D>& dy) {
        GradientSlot<T> slot = x.gradient_slot();
        if (!slot) return;
        clear_fresh<D>(slot, x.size());
        Kernels<D>::Axes::scatter_axis(view.outer, count, view.n, view.inner, index.data(), strides, dy.data(),
                                       slot.data);
      },
      x);
}

}  // namespace detail

/// The entries of an axis with the given numbers, in their order; any of them may come several times. (n) indices on
/// the device of x, or a list on the host.
template <class T, int R, class D>
requires(R >= 1) Variable<T, R, D> index_select(const Variable<T, R, D>& x, int axis,
                                                const Tensor<index_t, 1, D>& index) {
  const detail::AxisView view("index_select", x.shape(), axis);
  detail::expect_indices("index_select", index, view.n);
  return detail::gather_along("index_select", x, view, detail::axis_of("index_select", x.shape(), axis), index.size(),
                              index, {0, 1, 0});
}
template <class T, int R, class D>
requires(R >= 1) Variable<T, R, D> index_select(const Variable<T, R, D>& x, int axis, std::span<const index_t> index) {
  const index_t n = x.extent(detail::axis_of("index_select", x.shape(), axis));
  for (std::size_t i = 0; i < index.size(); ++i)
    if (index[i] < 0 || index[i] >= n)
      throw ShapeError(detail::cat("index_select: index ", index[i], " at position ", i, " is outside 0..", n - 1));
  return index_select(x, axis, Tensor<index_t, 1, D>::from({index_t(index.size())}, index));
}
template <class T, int R, class D>
requires(R >= 1) Variable<T, R, D> index_select(const Variable<T, R, D>& x, int axis,
                                                std::initializer_list<index_t> index) {
  return index_select(x, axis, std::span<const index_t>(index.begin(), index.size()));
}

/// y[i, j, k] = x[i, index[i, j, k], k] for axis 1, and so on: the index has the shape of the result, which agrees with
/// x in all other axes.
template <class T, int R, class D>
requires(R >= 1) Variable<T, R, D> gather(const Variable<T, R, D>& x, int axis, const Tensor<index_t, R, D>& index) {
  const detail::AxisView view("gather", x.shape(), axis);
  const int at = detail::axis_of("gather", x.shape(), axis);
  for (int i = 0; i < R; ++i)
    if (i != at) detail::expect_axis("gather", "index", index.shape(), i, x.extent(i));
  detail::expect_indices("gather", index, view.n);
  const index_t count = index.extent(at);
  return detail::gather_along("gather", x, view, at, count, index, {count * view.inner, view.inner, 1});
}
/// y = x, and y[i, index[i, j, k], k] += source[i, j, k] for axis 1, and so on, in the order of j.
template <class T, int R, class D>
requires(R >= 1) Variable<T, R, D> scatter_add(const Variable<T, R, D>& x, int axis, const Tensor<index_t, R, D>& index,
                                               const Variable<T, R, D>& source) {
  const detail::AxisView view("scatter_add", x.shape(), axis);
  const int at = detail::axis_of("scatter_add", x.shape(), axis);
  detail::expect_shape("scatter_add", "source", source.shape(), index.shape());
  for (int i = 0; i < R; ++i)
    if (i != at) detail::expect_axis("scatter_add", "index", index.shape(), i, x.extent(i));
  detail::expect_indices("scatter_add", index, view.n);
  const index_t count = index.extent(at);
  const std::array<index_t, 3> strides{count * view.inner, view.inner, 1};
  Tensor<T, R, D> y = x.value().clone();
  Kernels<D>::Axes::scatter_axis(view.outer, count, view.n, view.inner, index.data(), strides, source.data(), y.data());
  return record(
      "scatter_add", y,
      [=](const Tensor<T, R, D>& dy) {
        if (const auto slot = x.gradient_slot())
          Kernels<D>::Elementwise::contribute_scaled(dy.size(), T(1), dy.data(), slot);
        if (const auto slot = source.gradient_slot())
          Kernels<D>::Axes::gather_axis(view.outer, count, view.n, view.inner, index.data(), strides, dy.data(), slot);
      },
      x, source);
}

/// The numbers where the mask is 1, in row-major order: (how many). The mask is read by the host.
template <class T, int R, class D>
Variable<T, 1, D> masked_select(const Variable<T, R, D>& x, const Tensor<std::uint8_t, R, D>& mask) {
  detail::expect_shape("masked_select", "mask", mask.shape(), x.shape());
  const auto host = mask.to_list();
  List<index_t> chosen;
  for (std::size_t i = 0; i < host.size(); ++i)
    if (host[i]) chosen.push_back(index_t(i));
  return index_select(reshape(x, std::array<index_t, 1>{x.size()}), 0, std::span<const index_t>(chosen));
}

/// The places along an axis in the order of their numbers, the smallest first; equal numbers keep their order, NaN
/// counts as the largest.
template <class T, int R, class D>
requires(R >= 1) Tensor<index_t, R, D> argsort(const Variable<T, R, D>& x, int axis = -1, bool descending = false) {
  const detail::AxisView view("argsort", x.shape(), axis);
  Tensor<index_t, R, D> order(x.extents());
  Kernels<D>::Axes::order_axis(view.outer, view.n, view.inner, x.data(), descending, order.data());
  return order;
}

/// Numbers, and where along the axis they stood.
template <class T, int R, class D>
struct Sorted {
  Variable<T, R, D> values;
  Tensor<index_t, R, D> indices;
};
/// In order along an axis; see `argsort`. The gradient goes where the numbers came from.
template <class T, int R, class D>
requires(R >= 1) Sorted<T, R, D> sort(const Variable<T, R, D>& x, int axis = -1, bool descending = false) {
  const auto order = argsort(x, axis, descending);
  return {gather(x, axis, order), order};
}
/// The k largest (or smallest) along an axis, best first.
template <class T, int R, class D>
requires(R >= 1) Sorted<T, R, D> topk(const Variable<T, R, D>& x, index_t k, int axis = -1, bool largest = true) {
  const detail::AxisView view("topk", x.shape(), axis);
  if (k < 0 || k > view.n) throw ShapeError(detail::cat("topk: ", k, " of axis ", axis, " of ", x.shape()));
  const auto order = argsort(x, axis, largest);
  auto extents = x.extents();
  extents[std::size_t(detail::axis_of("topk", x.shape(), axis))] = k;
  Tensor<index_t, R, D> first(extents);
  Kernels<D>::ShapeMoves::copy_runs(view.outer, k * view.inner, order.data(), view.n * view.inner, first.data(),
                                    k * view.inner);
  return {gather(x, axis, first), first};
}

}  // namespace lacuna
