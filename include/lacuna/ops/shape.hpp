/// Operations that move numbers: reshape, concatenation, stacking, weighted sums of rows.
#pragma once

#include <algorithm>

#include "lacuna/autograd/accumulate.hpp"
#include "lacuna/autograd/record.hpp"
#include "lacuna/core/precompile.hpp"
#include "lacuna/kernels/cpu/shape.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/kernels/row_parts.hpp"
#include "lacuna/kernels/strided.hpp"

namespace lacuna {
namespace detail {

/// What a backward keeps of a list of variables: where their gradients go.
template <class T, int R, class D, class A>
List<NodeHandle<T, D>> nodes_of(const std::vector<Variable<T, R, D>, A>& parts) {
  List<NodeHandle<T, D>> nodes;
  for (const auto& part : parts) nodes.push_back(part.node());
  return nodes;
}

inline index_t row_width(index_t size, index_t rows) { return rows > 0 ? size / rows : 0; }

/// y (rows, width) = the parts side by side, each seen as (rows, size / rows). A device moves up to eight at once.
template <class T, int R, class D>
void join_rows(index_t rows, std::span<const Variable<T, R, D>> parts, T* y, index_t width) {
  index_t column = 0;
  if constexpr (requires(RowParts<const T*> some) { Kernels<D>::ShapeMoves::join_rows(rows, some, y, width); }) {
    RowParts<const T*> some;
    for (const auto& part : parts) {
      const index_t count = row_width(part.size(), rows);
      some.add(part.data(), column, count);
      column += count;
      if (some.count < some.most && &part != &parts.back()) continue;
      Kernels<D>::ShapeMoves::join_rows(rows, some, y, width);
      some = {};
    }
  } else {
    for (const auto& part : parts) {
      const index_t count = row_width(part.size(), rows);
      Kernels<D>::ShapeMoves::copy_runs(rows, count, part.data(), count, y + column, width);
      column += count;
    }
  }
}

/// The way back: what dy (rows, width) means for each part.
template <class T, class D>
void split_rows(index_t rows, const T* dy, index_t width, const List<NodeHandle<T, D>>& parts) {
  index_t column = 0;
  if constexpr (requires(RowParts<GradientSlot<T>> some) {
                  Kernels<D>::ShapeMoves::split_rows(rows, dy, width, some);
                }) {
    RowParts<GradientSlot<T>> some;
    const void* receiver[RowParts<GradientSlot<T>>::most];
    const auto move = [&] {
      if (some.count > 0) Kernels<D>::ShapeMoves::split_rows(rows, dy, width, some);
      some = {};
    };
    for (const auto& part : parts) {
      const void* const node = part.get();
      // what is a part twice is written by one kernel and added to by the next
      if (some.count == some.most || std::find(receiver, receiver + some.count, node) != receiver + some.count) move();
      const index_t count = row_width(part->size(), rows);
      if (const auto slot = part->slot()) {
        receiver[some.count] = node;
        some.add(slot, column, count);
      }
      column += count;
    }
    move();
  } else {
    for (const auto& part : parts) {
      const index_t count = row_width(part->size(), rows);
      if (const auto slot = part->slot())
        Kernels<D>::ShapeMoves::contribute_runs(rows, count, dy + column, width, slot, count);
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
      "reshape", y, [x = x.node()](const Tensor<T, int(S), D>& dy) { accumulate(x, dy); }, x);
}

/// Joins parts along an axis; all other axes must agree. (..., F_1), (..., F_2), ... → (..., ΣF) along axis −1.
/// Negative axes count from the end. Throws ShapeError when there is no part, no such axis, or when sizes do not fit.
template <class T, int R, class D, class A>
requires(R >= 1) Variable<T, R, D> concat(const std::vector<Variable<T, R, D>, A>& parts, int axis) {
  if (parts.empty()) throw ShapeError("concat: needs at least one part");
  const int at = detail::axis_of("concat", parts[0].shape(), axis);
  auto extents = parts[0].extents();
  index_t rows = 1, inner = 1;
  for (int i = 0; i < at; ++i) rows *= extents[std::size_t(i)];
  for (int i = at + 1; i < R; ++i) inner *= extents[std::size_t(i)];
  extents[std::size_t(at)] = 0;
  for (const auto& part : parts) {
    for (int i = 0; i < R; ++i)
      if (i != at) detail::expect_axis("concat", "a part", part.shape(), i, parts[0].extent(i));
    extents[std::size_t(at)] += part.extent(at);
  }
  Tensor<T, R, D> y(extents);
  const index_t width = extents[std::size_t(at)] * inner;
  detail::join_rows(rows, std::span<const Variable<T, R, D>>(parts), y.data(), width);
  return record_list(
      "concat", y,
      [parts = detail::nodes_of(parts), rows, width](const Tensor<T, R, D>& dy) {
        detail::split_rows(rows, dy.data(), width, parts);
      },
      std::span<const Variable<T, R, D>>(parts));
}
/// The same for parts in braces: concat({audio, text}, -1).
template <class T, int R, class D>
requires(R >= 1) Variable<T, R, D> concat(std::initializer_list<Variable<T, R, D>> parts, int axis) {
  return concat(std::vector<Variable<T, R, D>>(parts), axis);
}

/// Stacks N parts of equal shape along a new axis, which is `axis` of the result: (...) → (N, ...) along axis 0,
/// (B, ...) → (B, N, ...) along axis 1. Negative axes count from the end of the result. Throws ShapeError as concat.
template <class T, int R, class D, class A>
Variable<T, R + 1, D> stack(const std::vector<Variable<T, R, D>, A>& parts, int axis = 0) {
  if (parts.empty()) throw ShapeError("stack: needs at least one part");
  for (const auto& part : parts) detail::expect_shape("stack", "a part", part.shape(), parts[0].shape());
  const int at = axis < 0 ? axis + R + 1 : axis;
  if (at < 0 || at > R) throw ShapeError(detail::cat("stack: no axis ", axis, " beside those of ", parts[0].shape()));
  std::array<index_t, std::size_t(R) + 1> extents{};
  for (int i = 0; i < R; ++i) extents[std::size_t(i < at ? i : i + 1)] = parts[0].extent(i);
  const index_t count = index_t(parts.size());
  extents[std::size_t(at)] = count;
  index_t rows = 1;
  for (int i = 0; i < at; ++i) rows *= extents[std::size_t(i)];
  const index_t width = rows > 0 ? parts[0].size() / rows : 0;
  Tensor<T, R + 1, D> y(extents);
  detail::join_rows(rows, std::span<const Variable<T, R, D>>(parts), y.data(), count * width);
  return record_list(
      "stack", y,
      [parts = detail::nodes_of(parts), rows, count, width](const Tensor<T, R + 1, D>& dy) {
        detail::split_rows(rows, dy.data(), count * width, parts);
      },
      std::span<const Variable<T, R, D>>(parts));
}
/// The same for parts in braces: stack({first, second}).
template <class T, int R, class D>
Variable<T, R + 1, D> stack(std::initializer_list<Variable<T, R, D>> parts, int axis = 0) {
  return stack(std::vector<Variable<T, R, D>>(parts), axis);
}

/// y (B, F) = Σ_n w (B, N) · x (B, N, F), over the n with chosen[n] (all when `chosen` is empty): gates over
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
  Kernels<D>::ShapeMoves::weighted_sum(batch, n, features, w.data(), x.data(), include.data(), y.data());
  return record(
      "weighted_sum", y,
      [=](const Tensor<T, 2, D>& dy) {
        Kernels<D>::ShapeMoves::weighted_sum_gradient(batch, n, features, w.data(), x.data(), include.data(), dy.data(),
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

#define LACUNA_DETAIL_JOIN(T, R)                                                                \
  LACUNA_PRECOMPILE(template Variable<T, R, Cpu> concat(const List<Variable<T, R, Cpu>>&, int)) \
  LACUNA_PRECOMPILE(template Variable<T, R + 1, Cpu> stack(const List<Variable<T, R, Cpu>>&, int))
LACUNA_DETAIL_JOIN(float, 2)
LACUNA_DETAIL_JOIN(float, 3)
LACUNA_DETAIL_JOIN(double, 2)
LACUNA_DETAIL_JOIN(double, 3)
#undef LACUNA_DETAIL_JOIN

}  // namespace lacuna
