/// Between tensors and xtensor, the NumPy of C++: slicing, padding and statistics on the host. Any xtensor from 0.24
/// on.
///
///     auto view = as_xtensor(tensor);                    // no copy; a const tensor gives a view of const
///     Tensor<float, 2> means = from_xtensor<float, 2>(xt::mean(view, {1}));
///
/// A view does not own: the tensor must outlive it. `from_xtensor` evaluates any expression, in C order, into a new
/// tensor, and throws ShapeError when the expression has another number of axes.
#pragma once

#include <algorithm>
#include <array>

#include "lacuna/core/tensor.hpp"
#include "lacuna/interop/xtensor_headers.hpp"

namespace lacuna {
namespace detail {

template <class T, int R>
auto adapt_xtensor(T* data, const Shape& shape) {
  std::array<std::size_t, std::size_t(R)> lengths{};
  for (int axis = 0; axis < R; ++axis) lengths[std::size_t(axis)] = std::size_t(shape[axis]);
  return xt::adapt<xt::layout_type::row_major>(data, std::size_t(shape.size()), xt::no_ownership(), lengths);
}

}  // namespace detail

template <class T, int R>
auto as_xtensor(Tensor<T, R>& tensor) {
  return detail::adapt_xtensor<T, R>(tensor.data(), tensor.shape());
}
template <class T, int R>
auto as_xtensor(const Tensor<T, R>& tensor) {
  return detail::adapt_xtensor<const T, R>(tensor.data(), tensor.shape());
}
template <class T, int R>
auto as_xtensor(const Tensor<T, R>&& tensor) = delete;  // the view would outlive the tensor

template <class T, int R, class E>
Tensor<T, R> from_xtensor(const xt::xexpression<E>& expression) {
  const E& values = expression.derived_cast();
  if (values.dimension() != std::size_t(R))
    throw ShapeError(detail::cat("from_xtensor: an expression of ", values.dimension(), " axes, expected ", R));
  typename Tensor<T, R>::Extents lengths{};
  for (int axis = 0; axis < R; ++axis) lengths[std::size_t(axis)] = index_t(values.shape()[std::size_t(axis)]);
  Tensor<T, R> result(lengths);
  std::transform(values.template begin<xt::layout_type::row_major>(), values.template end<xt::layout_type::row_major>(),
                 result.data(), [](const auto& value) { return static_cast<T>(value); });
  return result;
}

}  // namespace lacuna
