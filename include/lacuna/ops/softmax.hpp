/// Softmax and its logarithm over any axis.
#pragma once

#include "lacuna/autograd/record.hpp"
#include "lacuna/kernels/cpu/softmax.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/kernels/strided.hpp"

namespace lacuna {
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
