/// Softmax and its logarithm over any axis.
#pragma once

#include "lacuna/autograd/record.hpp"
#include "lacuna/kernels/cpu/softmax.hpp"
#include "lacuna/kernels/kernels.hpp"

namespace lacuna {
namespace detail {

/// A shape seen as (outer, n, inner) around one axis.
struct AxisView {
  index_t outer = 1, n = 1, inner = 1;

  /// Negative axes count from the end. Throws ShapeError for an axis that is not there.
  AxisView(const char* operation, const Shape& shape, int axis) {
    const int at = axis < 0 ? axis + shape.rank() : axis;
    if (at < 0 || at >= shape.rank())
      throw ShapeError(cat(operation, ": axis ", axis, " of an array of shape ", shape));
    for (int i = 0; i < at; ++i) outer *= shape[i];
    n = shape[at];
    for (int i = at + 1; i < shape.rank(); ++i) inner *= shape[i];
  }
};

}  // namespace detail

/// y_i = exp(x_i) / Σ_j exp(x_j) along `axis`; negative axes count from the end. With a mask of the shape of x (1 =
/// present) the sum goes over the present entries, absent ones get 0 and gradient 0, and where nothing is present all
/// are 0. Throws ShapeError when the axis or the mask does not fit.
template <class T, int R, class D>
Variable<T, R, D> softmax(const Variable<T, R, D>& x, int axis = -1, const Mask<R, D>& present = {}) {
  const detail::AxisView view("softmax", x.shape(), axis);
  if (present.defined()) detail::expect_shape("softmax", "present", present.shape(), x.shape());
  Tensor<T, R, D> y(x.extents());
  Kernels<D>::Softmax::softmax_axis(view.outer, view.n, view.inner, x.data(), present.data(), y.data());
  return record(
      "softmax", y,
      [x, y, view](const Tensor<T, R, D>& dy) {
        if (const auto slot = x.gradient_slot())
          Kernels<D>::Softmax::softmax_axis_gradient(view.outer, view.n, view.inner, y.data(), dy.data(), slot);
      },
      x);
}

/// y_i = x_i − log Σ_j exp(x_j) along `axis`.
template <class T, int R, class D>
Variable<T, R, D> log_softmax(const Variable<T, R, D>& x, int axis = -1) {
  const detail::AxisView view("log_softmax", x.shape(), axis);
  Tensor<T, R, D> y(x.extents());
  Kernels<D>::Softmax::log_softmax_axis(view.outer, view.n, view.inner, x.data(), y.data());
  return record(
      "log_softmax", y,
      [x, y, view](const Tensor<T, R, D>& dy) {
        if (const auto slot = x.gradient_slot())
          Kernels<D>::Softmax::log_softmax_axis_gradient(view.outer, view.n, view.inner, y.data(), dy.data(), slot);
      },
      x);
}

}  // namespace lacuna
