/// Walks over arrays with strides: what broadcasting, transposing, cutting and reducing have in common. The kernels
/// know no axes and no ranks, only lists of lengths and strides in which axes that lie behind each other are one.
#pragma once

#include <array>

#include "lacuna/core/host_device.hpp"
#include "lacuna/core/shape.hpp"

namespace lacuna {

/// The places that three operands (a result `to`, and `a`, `b`) are visited at together, the last axis fastest.
/// Stride 0 repeats a number, a negative one goes backwards.
struct Walk {
  static constexpr int to = 0, a = 1, b = 2, operands = 3;

  int rank = 0;
  index_t size = 1;
  index_t length[Shape::max_rank] = {};
  index_t stride[operands][Shape::max_rank] = {};

  /// Adds an axis inside of those that are there.
  void push(index_t n, index_t of_to, index_t of_a, index_t of_b = 0) {
    size *= n;
    if (n == 1) return;
    const index_t strides[operands] = {of_to, of_a, of_b};
    bool merges = rank > 0;
    for (int k = 0; merges && k < operands; ++k) merges = stride[k][rank - 1] == n * strides[k];
    rank += !merges;
    length[rank - 1] = merges ? n * length[rank - 1] : n;
    for (int k = 0; k < operands; ++k) stride[k][rank - 1] = strides[k];
  }
  int last() const { return rank - 1; }
  /// Length and stride of the last axis; a single place has one axis of length 1.
  index_t run() const { return rank > 0 ? length[rank - 1] : 1; }
  index_t step(int k) const { return rank > 0 ? stride[k][rank - 1] : (k == b ? 0 : 1); }

  /// Offsets of place i: divisions of 32 bits where they suffice.
  LACUNA_HD void offsets(index_t i, index_t (&at)[operands]) const {
    at[0] = at[1] = at[2] = 0;
    if (size <= 0x7fffffff) {
      std::uint32_t rest = std::uint32_t(i);
      for (int axis = rank - 1; axis >= 0; --axis) {
        const std::uint32_t n = std::uint32_t(length[axis]), next = axis > 0 ? rest / n : 0;
        for (int k = 0; k < operands; ++k) at[k] += index_t(rest - next * n) * stride[k][axis];
        rest = next;
      }
    } else {
      for (int axis = rank - 1; axis >= 0; --axis) {
        const index_t next = axis > 0 ? i / length[axis] : 0;
        for (int k = 0; k < operands; ++k) at[k] += (i - next * length[axis]) * stride[k][axis];
        i = next;
      }
    }
  }
};

namespace detail {

using Strides = std::array<index_t, Shape::max_rank>;

/// Row-major strides of a contiguous array.
inline Strides strides_of(const Shape& shape) {
  Strides strides{};
  index_t stride = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides[std::size_t(axis)] = stride;
    stride *= shape[axis];
  }
  return strides;
}
/// Strides of a contiguous array of `shape` read as if it had the axes of `as`: missing and single axes repeat.
inline Strides broadcast_strides(const Shape& shape, const Shape& as) {
  const Strides own = strides_of(shape);
  Strides strides{};
  for (int axis = 0; axis < shape.rank(); ++axis)
    if (shape[axis] != 1) strides[std::size_t(axis + as.rank() - shape.rank())] = own[std::size_t(axis)];
  return strides;
}
/// The shape of an operation of both, by NumPy's rules: axes are matched from the last one on, a missing axis counts as
/// a single one, and a single one repeats. Throws ShapeError where two axes differ and neither is single.
inline Shape broadcast_shape(const char* operation, const Shape& x, const Shape& y) {
  const Shape &longer = x.rank() >= y.rank() ? x : y, &shorter = x.rank() >= y.rank() ? y : x;
  std::array<index_t, Shape::max_rank> lengths{};
  const int ahead = longer.rank() - shorter.rank();
  for (int axis = 0; axis < longer.rank(); ++axis) {
    const index_t n = longer[axis], m = axis < ahead ? 1 : shorter[axis - ahead];
    if (n != m && n != 1 && m != 1)
      throw ShapeError(cat(operation, ": shapes ", x, " and ", y, " do not broadcast: axis ", axis - longer.rank(),
                           " is ", n, " here and ", m, " there, and neither is 1"));
    lengths[std::size_t(axis)] = n == 1 ? m : n;
  }
  return Shape(lengths.data(), longer.rank());
}
/// From a contiguous result of `shape` to two operands of any strides.
inline Walk walk_over(const Shape& shape, const Strides& of_a, const Strides& of_b = {}) {
  const Strides own = strides_of(shape);
  Walk walk;
  for (int axis = 0; axis < shape.rank(); ++axis)
    walk.push(shape[axis], own[std::size_t(axis)], of_a[std::size_t(axis)], of_b[std::size_t(axis)]);
  return walk;
}

/// The axis that a number means; negative ones count from the end. Throws ShapeError for an axis that is not there.
inline int axis_of(const char* operation, const Shape& shape, int axis) {
  const int at = axis < 0 ? axis + shape.rank() : axis;
  if (at < 0 || at >= shape.rank()) throw ShapeError(cat(operation, ": axis ", axis, " of an array of shape ", shape));
  return at;
}

/// A shape seen as (outer, n, inner) around one axis. Negative axes count from the end. Throws ShapeError for an axis that
/// is not there.
struct AxisView {
  index_t outer = 1, n = 1, inner = 1;

  AxisView(const char* operation, const Shape& shape, int axis) {
    const int at = axis_of(operation, shape, axis);
    for (int i = 0; i < at; ++i) outer *= shape[i];
    n = shape[at];
    for (int i = at + 1; i < shape.rank(); ++i) inner *= shape[i];
  }
};

/// An array cut into the axes that stay and those that a reduction goes over. `kept` walks over results (to) and where
/// their numbers start (a), `gone` over the numbers of one result (a), `all` from every number (to) to its result (a).
struct Reduced {
  Walk kept, gone, all;
  Shape shape, with_ones;  ///< of the result: without the axes, and with each of them as 1

  /// `axes` null: all of them.
  Reduced(const char* operation, const Shape& x, const int* axes, int count) {
    bool over[Shape::max_rank] = {};
    for (int i = 0; i < x.rank() && axes == nullptr; ++i) over[i] = true;
    for (int i = 0; i < count && axes != nullptr; ++i) {
      bool& chosen = over[axis_of(operation, x, axes[i])];
      if (chosen) throw ShapeError(cat(operation, ": axis ", axes[i], " of ", x, " is named twice"));
      chosen = true;
    }
    std::array<index_t, Shape::max_rank> rest{}, ones{};
    int rank = 0;
    for (int i = 0; i < x.rank(); ++i) {
      ones[std::size_t(i)] = over[i] ? 1 : x[i];
      if (!over[i]) rest[std::size_t(rank++)] = x[i];
    }
    shape = Shape(rest.data(), rank);
    with_ones = Shape(ones.data(), x.rank());
    const Strides own = strides_of(x), result = strides_of(with_ones);
    index_t number = 1;  // of a place within one result
    for (int i = 0; i < x.rank(); ++i) number *= over[i] ? x[i] : 1;
    for (int i = 0; i < x.rank(); ++i) {
      const std::size_t at = std::size_t(i);
      if (over[i]) number = x[i] > 0 ? number / x[i] : 0;
      if (over[i])
        gone.push(x[i], number, own[at]);
      else
        kept.push(x[i], result[at], own[at]);
      all.push(x[i], own[at], over[i] ? 0 : result[at]);
    }
  }
};

}  // namespace detail
}  // namespace lacuna
