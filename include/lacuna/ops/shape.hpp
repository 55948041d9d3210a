/// Operations that move numbers: reshape, concatenation, stacking, weighted sums of rows.
#pragma once

#include <algorithm>

#include "lacuna/autograd/accumulate.hpp"
#include "lacuna/autograd/record.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/kernels/row_parts.hpp"

namespace lacuna {
namespace detail {

/// What a backward keeps of a list of variables.
template <class T, int R, class D, class A>
List<Variable<T, R, D>> kept(const std::vector<Variable<T, R, D>, A>& parts) {
  return {parts.begin(), parts.end()};
}

template <class T, int R, class D>
index_t row_width(const Variable<T, R, D>& part, index_t rows) {
  return rows > 0 ? part.size() / rows : 0;
}

/// y (rows, width) = the parts side by side, each seen as (rows, size / rows). A device moves up to eight at once.
template <class T, int R, class D>
void join_rows(index_t rows, std::span<const Variable<T, R, D>> parts, T* y, index_t width) {
  index_t column = 0;
  if constexpr (requires(RowParts<const T*> some) { Kernels<D>::join_rows(rows, some, y, width); }) {
    RowParts<const T*> some;
    for (const auto& part : parts) {
      const index_t count = row_width(part, rows);
      some.add(part.data(), column, count);
      column += count;
      if (some.count < some.most && &part != &parts.back()) continue;
      Kernels<D>::join_rows(rows, some, y, width);
      some = {};
    }
  } else {
    for (const auto& part : parts) {
      const index_t count = row_width(part, rows);
      Kernels<D>::copy_runs(rows, count, part.data(), count, y + column, width);
      column += count;
    }
  }
}

/// The way back: what dy (rows, width) means for each part.
template <class T, int R, class D>
void split_rows(index_t rows, const T* dy, index_t width, std::span<const Variable<T, R, D>> parts) {
  index_t column = 0;
  if constexpr (requires(RowParts<GradientSlot<T>> some) { Kernels<D>::split_rows(rows, dy, width, some); }) {
    RowParts<GradientSlot<T>> some;
    const void* receiver[RowParts<GradientSlot<T>>::most];
    const auto move = [&] {
      if (some.count > 0) Kernels<D>::split_rows(rows, dy, width, some);
      some = {};
    };
    for (const auto& part : parts) {
      const void* const node = part.node().get();
      // what is a part twice is written by one kernel and added to by the next
      if (some.count == some.most || std::find(receiver, receiver + some.count, node) != receiver + some.count) move();
      const index_t count = row_width(part, rows);
      if (const auto slot = part.gradient_slot()) {
        receiver[some.count] = node;
        some.add(slot, column, count);
      }
      column += count;
    }
    move();
  } else {
    for (const auto& part : parts) {
      const index_t count = row_width(part, rows);
      if (const auto slot = part.gradient_slot())
        Kernels<D>::contribute_runs(rows, count, dy + column, width, slot, count);
      column += count;
    }
  }
}

}  // namespace detail

/// The same numbers under other axes. Throws ShapeError when the sizes differ.
template <class T, int R, class D, std::size_t S>
Variable<T, int(S), D> reshape(const Variable<T, R, D>& x, const std::array<index_t, S>& extents) {
  const Tensor<T, int(S), D> y = x.value().reshape(extents);
  return record(
      "reshape", y, [x](const Tensor<T, int(S), D>& dy) { accumulate(x, dy); }, x);
}

/// Joins along the last axis: (..., F_1), (..., F_2), ... → (..., ΣF). All other axes must agree.
template <class T, int R, class D, class A>
Variable<T, R, D> concat_last(const std::vector<Variable<T, R, D>, A>& parts) {
  if (parts.empty()) throw ShapeError("concat_last: needs at least one part");
  auto extents = parts[0].extents();
  const index_t rows = parts[0].shape().rows();
  extents[R - 1] = 0;
  for (const auto& part : parts) {
    for (int axis = 0; axis + 1 < R; ++axis)
      detail::expect_axis("concat_last", "a part", part.shape(), axis, parts[0].extent(axis));
    extents[R - 1] += part.extent(R - 1);
  }
  Tensor<T, R, D> y(extents);
  const index_t width = extents[R - 1];
  detail::join_rows(rows, std::span<const Variable<T, R, D>>(parts), y.data(), width);
  return record_list(
      "concat_last", y,
      [parts = detail::kept(parts), rows, width](const Tensor<T, R, D>& dy) {
        detail::split_rows(rows, dy.data(), width, std::span<const Variable<T, R, D>>(parts));
      },
      std::span<const Variable<T, R, D>>(parts));
}

/// Stacks N tensors (B, ...) of equal shape along a new second axis: (B, N, ...).
template <class T, int R, class D, class A>
requires(R >= 1) Variable<T, R + 1, D> stack(const std::vector<Variable<T, R, D>, A>& parts) {
  if (parts.empty()) throw ShapeError("stack: needs at least one part");
  for (const auto& part : parts) detail::expect_shape("stack", "a part", part.shape(), parts[0].shape());
  const index_t batch = parts[0].extent(0), count = index_t(parts.size());
  const index_t width = batch > 0 ? parts[0].size() / batch : 0;
  std::array<index_t, std::size_t(R) + 1> extents{batch, count};
  for (int axis = 1; axis < R; ++axis) extents[std::size_t(axis) + 1] = parts[0].extent(axis);
  Tensor<T, R + 1, D> y(extents);
  detail::join_rows(batch, std::span<const Variable<T, R, D>>(parts), y.data(), count * width);
  return record_list(
      "stack", y,
      [parts = detail::kept(parts), batch, count, width](const Tensor<T, R + 1, D>& dy) {
        detail::split_rows(batch, dy.data(), count * width, std::span<const Variable<T, R, D>>(parts));
      },
      std::span<const Variable<T, R, D>>(parts));
}

/// y (B, F) = Σ_n w (B, N) · x (B, N, F), over the n with include[n] (all when `include` is empty): gates over
/// modalities. Gradients flow to w and x; an excluded n gets none.
template <class T, class D>
Variable<T, 2, D> weighted_sum(const Variable<T, 2, D>& w, const Variable<T, 3, D>& x,
                               std::span<const std::uint8_t> chosen = {}) {
  const index_t batch = x.extent(0), n = x.extent(1), features = x.extent(2);
  detail::expect_shape("weighted_sum", "w", w.shape(), Shape{batch, n});
  List<std::uint8_t> include(chosen.begin(), chosen.end());
  if (include.empty()) include.assign(std::size_t(n), 1);
  if (index_t(include.size()) != n)
    throw ShapeError(detail::cat("weighted_sum: include has ", include.size(), " entries for ", n, " rows"));
  Tensor<T, 2, D> y({batch, features});
  Kernels<D>::weighted_sum(batch, n, features, w.data(), x.data(), include.data(), y.data());
  return record(
      "weighted_sum", y,
      [=](const Tensor<T, 2, D>& dy) {
        Kernels<D>::weighted_sum_gradient(batch, n, features, w.data(), x.data(), include.data(), dy.data(),
                                          w.gradient_slot(), x.gradient_slot());
      },
      w, x);
}
/// The same for a list in braces: weighted_sum(w, x, {0, 1, 1}).
template <class T, class D>
Variable<T, 2, D> weighted_sum(const Variable<T, 2, D>& w, const Variable<T, 3, D>& x,
                               std::initializer_list<std::uint8_t> chosen) {
  return weighted_sum(w, x, std::span<const std::uint8_t>(chosen.begin(), chosen.size()));
}

}  // namespace lacuna
