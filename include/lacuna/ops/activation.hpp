/// Activations, elementwise.
#pragma once

#include "lacuna/autograd/record.hpp"
#include "lacuna/kernels/kernels.hpp"

namespace lacuna {
namespace detail {

template <class T, int R, class D>
Variable<T, R, D> activation(const char* name, Activation kind, const Variable<T, R, D>& x) {
  Tensor<T, R, D> y(x.value().extents());
  Kernels<D>::activation(kind, y.size(), x.data(), y.data());
  return record(
      name, y,
      [x, y, kind](const Tensor<T, R, D>& dy) {
        if (const auto slot = x.gradient_slot())
          Kernels<D>::activation_gradient(kind, dy.size(), y.data(), dy.data(), slot);
      },
      x);
}

}  // namespace detail

/// y = max(x, 0); slope 0 at 0.
template <class T, int R, class D>
Variable<T, R, D> relu(const Variable<T, R, D>& x) {
  return detail::activation("relu", Activation::relu, x);
}

/// y = tanh x.
template <class T, int R, class D>
Variable<T, R, D> tanh(const Variable<T, R, D>& x) {
  return detail::activation("tanh", Activation::tanh, x);
}

}  // namespace lacuna
