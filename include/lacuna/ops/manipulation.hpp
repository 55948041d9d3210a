/// The same numbers under other axes, in other places, or more often. (Joined: ops/shape.hpp.) The rank of the result is part of its
/// type. Negative axes count from the end. Throws ShapeError for axes that are not there and for sizes that do not fit.
///
///     reshape(x, batch, -1)            // one length may be left to the sizes
///     permute(x, {0, 2, 1})            // (B, T, F) → (B, F, T)
///     expand(bias, {batch, features})  // repeats axes of length 1, and missing ones
#pragma once

#include <concepts>
#include <vector>

#include "lacuna/kernels/cpu/elementwise.hpp"
#include "lacuna/kernels/cpu/reduce.hpp"
#include "lacuna/kernels/cpu/rows.hpp"
#include "lacuna/kernels/cpu/strided.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/ops/reduction.hpp"
#include "lacuna/ops/shape.hpp"
#include "lacuna/ops/slice.hpp"

namespace lacuna {
namespace detail {

/// The way back of a walk.
inline Walk swapped(Walk walk) {
  std::swap(walk.stride[Walk::to], walk.stride[Walk::a]);
  return walk;
}
template <class D, class T>
void clear_fresh(GradientSlot<T>& slot, index_t size) {
  if (slot.fresh) Kernels<D>::Elementwise::generate(size, slot.data, functors::Constant<T>{T(0)});
  slot.fresh = false;
}

/// y (of `shape`) takes its numbers from x with strides, from number `first` on; none twice. `all`: every number of x
/// is taken.
template <int S, class T, int R, class D>
Variable<T, S, D> move(const char* name, const Variable<T, R, D>& x, const Shape& shape, const Strides& strides,
                       index_t first, bool all) {
  const Walk walk = walk_over(shape, strides);
  Tensor<T, S, D> y(extents_of<S>(shape));
  if (y.size() > 0) Kernels<D>::Strided::walk(name, walk, functors::Move<T>{x.data() + first, {y.data(), true}});
  return record(
      name, y,
      [x = x.node(), walk, first, all, name](const Tensor<T, S, D>& dy) {
        GradientSlot<T> slot = x->slot();
        if (!slot) return;
        if (!all) clear_fresh<D>(slot, x->size());
        if (dy.size() > 0) Kernels<D>::Strided::walk(name, swapped(walk), functors::Move<T>{dy.data(), slot.at(first)});
      },
      x);
}

}  // namespace detail

/// The same numbers under other axes; one length may be −1: what is left over.
template <class T, int R, class D, std::convertible_to<index_t>... Length>
requires(sizeof...(Length) > 0) Variable<T, int(sizeof...(Length)), D> reshape(const Variable<T, R, D>& x,
                                                                               Length... length) {
  std::array<index_t, sizeof...(Length)> extents{index_t(length)...};
  index_t known = 1, open = -1;
  for (std::size_t i = 0; i < extents.size(); ++i) {
    if (extents[i] == -1 && open >= 0) throw ShapeError("reshape: more than one length is -1");
    if (extents[i] == -1)
      open = index_t(i);
    else
      known *= extents[i];
  }
  if (open >= 0) {
    if (known <= 0 || x.size() % known != 0)
      throw ShapeError(detail::cat("reshape: ", x.size(), " elements of ", x.shape(), " do not divide by ", known));
    extents[std::size_t(open)] = x.size() / known;
  }
  return reshape(x, extents);
}

/// Without an axis of length 1.
template <class T, int R, class D>
requires(R >= 1) Variable<T, R - 1, D> squeeze(const Variable<T, R, D>& x, int axis) {
  const int at = detail::axis_of("squeeze", x.shape(), axis);
  detail::expect_axis("squeeze", "x", x.shape(), at, 1);
  std::array<index_t, std::size_t(R - 1)> extents{};
  for (int i = 0; i + 1 < R; ++i) extents[std::size_t(i)] = x.extent(i < at ? i : i + 1);
  return reshape(x, extents);
}
/// With a new axis of length 1 in place `axis` of the result.
template <class T, int R, class D>
Variable<T, R + 1, D> unsqueeze(const Variable<T, R, D>& x, int axis) {
  const int at = axis < 0 ? axis + R + 1 : axis;
  if (at < 0 || at > R) throw ShapeError(detail::cat("unsqueeze: no place ", axis, " among the axes of ", x.shape()));
  std::array<index_t, std::size_t(R + 1)> extents{};
  for (int i = 0; i <= R; ++i) extents[std::size_t(i)] = i == at ? 1 : x.extent(i < at ? i : i - 1);
  return reshape(x, extents);
}

/// Axis i of the result is axis axes[i] of x.
template <class T, int R, class D>
Variable<T, R, D> permute(const Variable<T, R, D>& x, const std::array<int, std::size_t(R)>& axes) {
  const auto own = detail::strides_of(x.shape());
  detail::Strides strides{};
  auto extents = x.extents();
  bool used[std::size_t(R) + 1] = {};
  for (int axis = 0; axis < R; ++axis) {
    const std::size_t i = std::size_t(axis);
    const int from = detail::axis_of("permute", x.shape(), axes[i]);
    if (used[from]) throw ShapeError(detail::cat("permute: axis ", axes[i], " of ", x.shape(), " is named twice"));
    used[from] = true;
    extents[i] = x.extent(from);
    strides[i] = own[std::size_t(from)];
  }
  return detail::move<R>("permute", x, Shape(extents), strides, 0, true);
}
/// Two axes exchanged, the last two unless others are named.
template <class T, int R, class D>
requires(R >= 2) Variable<T, R, D> transpose(const Variable<T, R, D>& x, int first = -2, int second = -1) {
  std::array<int, std::size_t(R)> axes{};
  for (int i = 0; i < R; ++i) axes[std::size_t(i)] = i;
  std::swap(axes[std::size_t(detail::axis_of("transpose", x.shape(), first))],
            axes[std::size_t(detail::axis_of("transpose", x.shape(), second))]);
  return permute(x, axes);
}
/// The other way round along an axis.
template <class T, int R, class D>
requires(R >= 1) Variable<T, R, D> flip(const Variable<T, R, D>& x, int axis) {
  const std::size_t at = std::size_t(detail::axis_of("flip", x.shape(), axis));
  auto strides = detail::strides_of(x.shape());
  const index_t first = x.size() > 0 ? (x.extent(int(at)) - 1) * strides[at] : 0;
  strides[at] = -strides[at];
  return detail::move<R>("flip", x, x.shape(), strides, first, true);
}
/// Entry `index` of an axis, without the axis; a negative one counts from the end.
template <class T, int R, class D>
requires(R >= 1) Variable<T, R - 1, D> select(const Variable<T, R, D>& x, int axis, index_t index) {
  const int at = detail::axis_of("select", x.shape(), axis);
  const index_t n = x.extent(at), entry = index < 0 ? index + n : index;
  if (entry < 0 || entry >= n)
    throw ShapeError(detail::cat("select: entry ", index, " of axis ", axis, " of ", x.shape()));
  return squeeze(slice(x, at, entry, 1), at);
}

/// x repeated to `extents`, by the rules of broadcasting; the gradient sums over what was repeated.
template <class T, int R, class D, std::size_t S>
requires(int(S) >= R) Variable<T, int(S), D> expand(const Variable<T, R, D>& x, const std::array<index_t, S>& extents) {
  const Shape shape(extents);
  if (!(detail::broadcast_shape("expand", x.shape(), shape) == shape))
    throw ShapeError(detail::cat("expand: ", x.shape(), " does not repeat to ", shape));
  Tensor<T, int(S), D> y(extents);
  if constexpr (int(S) == R + 1) {
    if (Shape(shape.begin() + 1, R) == x.shape()) {  // one block for every sample of a batch
      const index_t count = shape[0], inner = x.size();
      Kernels<D>::RowMoves::add_block(count, inner, static_cast<const T*>(nullptr), x.data(), y.data());
      return record(
          "expand", y,
          [=](const Tensor<T, int(S), D>& dy) {
            if (const auto slot = x.gradient_slot()) Kernels<D>::Reduce::column_sums(count, inner, dy.data(), slot);
          },
          x);
    }
  }
  Kernels<D>::Strided::walk("expand", detail::walk_over(shape, detail::broadcast_strides(x.shape(), shape)),
                            functors::Move<T>{x.data(), {y.data(), true}});
  return record(
      "expand", y,
      [x](const Tensor<T, int(S), D>& dy) {
        if (const auto slot = x.gradient_slot()) detail::contribute_sum(dy, x.shape(), slot);
      },
      x);
}
/// The same for lengths in braces: expand(x, {batch, 1, features}).
template <class T, int R, class D, std::size_t S>
requires(S >= std::size_t(R)) Variable<T, int(S), D> expand(const Variable<T, R, D>& x, const index_t (&lengths)[S]) {
  return expand(x, detail::extents_of<int(S)>(Shape(lengths, int(S))));
}
/// The whole array several times along each axis: lengths are multiplied by `times`.
template <class T, int R, class D>
Variable<T, R, D> repeat(const Variable<T, R, D>& x, const std::array<index_t, std::size_t(R)>& times) {
  Variable<T, R, D> y = x;
  for (int axis = 0; axis < R; ++axis) {
    const index_t count = times[std::size_t(axis)];
    if (count < 0) throw ShapeError(detail::cat("repeat: ", count, " times along axis ", axis));
    if (count == 1) continue;
    index_t outer = 1, block = 1;
    for (int i = 0; i < axis; ++i) outer *= y.extent(i);
    for (int i = axis; i < R; ++i) block *= y.extent(i);
    auto extents = y.extents();
    extents[std::size_t(axis)] *= count;
    y = reshape(expand(reshape(y, std::array<index_t, 3>{outer, 1, block}), {outer, count, block}), extents);
  }
  return y;
}

/// `before` and `after` entries of `number` around those of an axis.
template <class T, int R, class D>
requires(R >= 1) Variable<T, R, D> pad(const Variable<T, R, D>& x, int axis, index_t before, index_t after,
                                       double number = 0) {
  const std::size_t at = std::size_t(detail::axis_of("pad", x.shape(), axis));
  if (before < 0 || after < 0) throw ShapeError(detail::cat("pad: ", before, " before and ", after, " after"));
  auto extents = x.extents();
  extents[at] += before + after;
  Tensor<T, R, D> y(extents);
  const auto strides = detail::strides_of(y.shape());
  const index_t first = before * strides[at];
  Walk walk = detail::walk_over(x.shape(), strides);  // to: x, a: its place in y
  if (before + after > 0) Kernels<D>::Elementwise::generate(y.size(), y.data(), functors::Constant<T>{T(number)});
  if (x.size() > 0)
    Kernels<D>::Strided::walk("pad", detail::swapped(walk), functors::Move<T>{x.data(), {y.data() + first, true}});
  return record(
      "pad", y,
      [x, walk, first](const Tensor<T, R, D>& dy) {
        if (const auto slot = x.gradient_slot())
          Kernels<D>::Strided::walk("pad", walk, functors::Move<T>{dy.data() + first, slot});
      },
      x);
}

/// Parts of the given lengths along an axis, which they must fill.
template <class T, int R, class D>
requires(R >= 1) std::vector<Variable<T, R, D>> split(const Variable<T, R, D>& x, std::span<const index_t> lengths,
                                                      int axis) {
  const int at = detail::axis_of("split", x.shape(), axis);
  std::vector<Variable<T, R, D>> parts;
  index_t begin = 0;
  for (const index_t length : lengths) {
    parts.push_back(slice(x, at, begin, length));
    begin += length;
  }
  if (begin != x.extent(at))
    throw ShapeError(detail::cat("split: parts of ", begin, " entries for axis ", axis, " of ", x.shape()));
  return parts;
}
template <class T, int R, class D>
requires(R >= 1) std::vector<Variable<T, R, D>> split(const Variable<T, R, D>& x,
                                                      std::initializer_list<index_t> lengths, int axis) {
  return split(x, std::span<const index_t>(lengths.begin(), lengths.size()), axis);
}
/// Parts of `length` entries, the last one of what is left.
template <class T, int R, class D>
requires(R >= 1) std::vector<Variable<T, R, D>> split(const Variable<T, R, D>& x, index_t length, int axis) {
  const index_t n = x.extent(detail::axis_of("split", x.shape(), axis));
  if (length < 1) throw ShapeError(detail::cat("split: parts of ", length, " entries"));
  std::vector<index_t> lengths;
  for (index_t begin = 0; begin < n; begin += length) lengths.push_back(std::min(length, n - begin));
  return split(x, lengths, axis);
}

}  // namespace lacuna
