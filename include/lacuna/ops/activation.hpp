/// Activations, elementwise, for any rank, and the gated linear unit. The gradient at the kink is stated where there is
/// one.
#pragma once

#include "lacuna/autograd/record.hpp"
#include "lacuna/kernels/cpu/activation.hpp"
#include "lacuna/kernels/kernels.hpp"

namespace lacuna {

/// The activation named by an option; `parameter` is the slope of leaky_relu or the alpha of elu.
template <class T, int R, class D>
Variable<T, R, D> activate(const Variable<T, R, D>& x, Activation kind, double parameter) {
  if (kind == Activation::none) return x;
  static constexpr const char* names[] = {"none", "relu",      "tanh", "sigmoid",  "leaky_relu", "elu",
                                          "gelu", "gelu_tanh", "silu", "softplus", "mish"};
  Tensor<T, R, D> y(x.value().extents());
  Kernels<D>::Activations::activation(kind, parameter, y.size(), x.data(), y.data());
  return record(
      names[int(kind)], y,
      [x, y, kind, parameter](const Tensor<T, R, D>& dy) {
        if (const auto slot = x.gradient_slot())
          Kernels<D>::Activations::activation_gradient(kind, parameter, dy.size(), x.data(), y.data(), dy.data(), slot);
      },
      x);
}
template <class T, int R, class D>
Variable<T, R, D> activate(const Variable<T, R, D>& x, Activation kind) {
  return activate(x, kind, default_parameter(kind));
}

/// y = max(x, 0); slope 0 at 0.
template <class T, int R, class D>
Variable<T, R, D> relu(const Variable<T, R, D>& x) {
  return activate(x, Activation::relu);
}

/// y = x for x > 0, else slope · x; the slope at 0 is `slope`.  (Maas, Hannun & Ng 2013)
template <class T, int R, class D>
Variable<T, R, D> leaky_relu(const Variable<T, R, D>& x, double slope = 0.01) {
  return activate(x, Activation::leaky_relu, slope);
}

/// y = x for x > 0, else alpha (eˣ − 1); the slope at 0 is alpha.  (Clevert, Unterthiner & Hochreiter 2016)
template <class T, int R, class D>
Variable<T, R, D> elu(const Variable<T, R, D>& x, double alpha = 1) {
  return activate(x, Activation::elu, alpha);
}

/// y = tanh x.
template <class T, int R, class D>
Variable<T, R, D> tanh(const Variable<T, R, D>& x) {
  return activate(x, Activation::tanh);
}

/// y = 1 / (1 + e⁻ˣ).
template <class T, int R, class D>
Variable<T, R, D> sigmoid(const Variable<T, R, D>& x) {
  return activate(x, Activation::sigmoid);
}

/// Gaussian error linear unit, y = x Φ(x) = ½ x (1 + erf(x/√2)).  (Hendrycks & Gimpel 2016)
template <class T, int R, class D>
Variable<T, R, D> gelu(const Variable<T, R, D>& x) {
  return activate(x, Activation::gelu);
}

/// Its approximation y = ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))).
template <class T, int R, class D>
Variable<T, R, D> gelu_tanh(const Variable<T, R, D>& x) {
  return activate(x, Activation::gelu_tanh);
}

/// y = x σ(x), also called swish.  (Elfwing, Uchibe & Doya 2018)
template <class T, int R, class D>
Variable<T, R, D> silu(const Variable<T, R, D>& x) {
  return activate(x, Activation::silu);
}

/// y = log(1 + eˣ), exact for every x.
template <class T, int R, class D>
Variable<T, R, D> softplus(const Variable<T, R, D>& x) {
  return activate(x, Activation::softplus);
}

/// y = x tanh(softplus x).  (Misra 2020)
template <class T, int R, class D>
Variable<T, R, D> mish(const Variable<T, R, D>& x) {
  return activate(x, Activation::mish);
}

/// Gated linear unit: (..., 2C) → (..., C), y = a ∘ σ(b), a the first half of the last axis and b the second.
/// Throws ShapeError when the last axis is odd.  (Dauphin, Fan, Auli & Grangier 2017)
template <class T, int R, class D>
requires(R >= 1) Variable<T, R, D> glu(const Variable<T, R, D>& x) {
  const index_t rows = x.shape().rows(), half = x.shape().columns() / 2;
  if (x.shape().columns() % 2) throw ShapeError(detail::cat("glu: the last axis of x ", x.shape(), " must be even"));
  auto extents = x.value().extents();
  extents[R - 1] = half;
  Tensor<T, R, D> y(extents);
  Kernels<D>::Activations::glu(rows, half, x.data(), y.data());
  return record(
      "glu", y,
      [x, rows, half](const Tensor<T, R, D>& dy) {
        if (const auto slot = x.gradient_slot())
          Kernels<D>::Activations::glu_gradient(rows, half, x.data(), dy.data(), slot);
      },
      x);
}

}  // namespace lacuna
