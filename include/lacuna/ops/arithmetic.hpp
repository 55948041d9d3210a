/// Elementwise arithmetic of equal shapes, sums, and one block added to every sample of a batch. Operators, which broadcast: ops/elementwise.hpp.
#pragma once

#include "lacuna/autograd/accumulate.hpp"
#include "lacuna/autograd/record.hpp"
#include "lacuna/core/precompile.hpp"
#include "lacuna/kernels/cpu/elementwise.hpp"
#include "lacuna/kernels/cpu/reduce.hpp"
#include "lacuna/kernels/cpu/rows.hpp"
#include "lacuna/kernels/kernels.hpp"

namespace lacuna {

/// y = a + b. Throws ShapeError when the shapes differ.
template <class T, int R, class D>
Variable<T, R, D> add(const Variable<T, R, D>& a, const Variable<T, R, D>& b) {
  detail::expect_shape("add", "b", b.shape(), a.shape());
  Tensor<T, R, D> y(a.extents());
  Kernels<D>::Elementwise::add(y.size(), a.data(), b.data(), y.data());
  if (!detail::recorded(a, b)) return Variable<T, R, D>(y);
  return record(
      "add", y,
      [a = a.node(), b = b.node()](const Tensor<T, R, D>& dy) {
        accumulate(a, dy);
        accumulate(b, dy);
      },
      a, b);
}

namespace detail {

/// y[b] = x[b] + block: x (B, ...), block of the shape of x without its first axis. The gradient of the block sums over
/// the batch. Throws ShapeError when the shapes do not fit.
template <class T, int R, class D>
requires(R >= 1) Variable<T, R, D> add_block(const Variable<T, R, D>& x, const Variable<T, R - 1, D>& block) {
  expect_shape("add", "block", block.shape(), Shape(x.shape().begin() + 1, R - 1));
  const index_t batch = x.extent(0), inner = block.size();
  Tensor<T, R, D> y(x.extents());
  Kernels<D>::RowMoves::add_block(batch, inner, x.data(), block.data(), y.data());
  return record(
      "add", y,
      [batch, inner, x = x.node(), block = block.node()](const Tensor<T, R, D>& dy) {
        accumulate(x, dy);
        if (const auto slot = block->slot()) Kernels<D>::Reduce::column_sums(batch, inner, dy.data(), slot);
      },
      x, block);
}

}  // namespace detail

/// y = a - b.
template <class T, int R, class D>
Variable<T, R, D> subtract(const Variable<T, R, D>& a, const Variable<T, R, D>& b) {
  detail::expect_shape("subtract", "b", b.shape(), a.shape());
  Tensor<T, R, D> y(a.extents());
  Kernels<D>::Elementwise::subtract(y.size(), a.data(), b.data(), y.data());
  return record(
      "subtract", y,
      [a = a.node(), b = b.node()](const Tensor<T, R, D>& dy) {
        accumulate(a, dy);
        if (const auto slot = b->slot()) Kernels<D>::Elementwise::contribute_scaled(dy.size(), T(-1), dy.data(), slot);
      },
      a, b);
}

/// y = a ∘ b, elementwise.
template <class T, int R, class D>
Variable<T, R, D> multiply(const Variable<T, R, D>& a, const Variable<T, R, D>& b) {
  detail::expect_shape("multiply", "b", b.shape(), a.shape());
  Tensor<T, R, D> y(a.extents());
  Kernels<D>::Elementwise::multiply(y.size(), a.data(), b.data(), y.data());
  if (!detail::recorded(a, b)) return Variable<T, R, D>(y);
  return record(
      "multiply", y,
      [a, b](const Tensor<T, R, D>& dy) {
        if (const auto slot = a.gradient_slot())
          Kernels<D>::Elementwise::contribute_product(dy.size(), dy.data(), b.data(), slot);
        if (const auto slot = b.gradient_slot())
          Kernels<D>::Elementwise::contribute_product(dy.size(), dy.data(), a.data(), slot);
      },
      a, b);
}

/// y = factor · x.
template <class T, int R, class D>
Variable<T, R, D> scale(const Variable<T, R, D>& x, double factor) {
  Tensor<T, R, D> y(x.extents());
  Kernels<D>::Elementwise::scale(y.size(), T(factor), x.data(), y.data());
  if (!detail::recorded(x)) return Variable<T, R, D>(y);
  return record(
      "scale", y,
      [x = x.node(), factor](const Tensor<T, R, D>& dy) {
        if (const auto slot = x->slot())
          Kernels<D>::Elementwise::contribute_scaled(dy.size(), T(factor), dy.data(), slot);
      },
      x);
}

/// The sum of all elements, accumulated in double; 0 for an empty tensor.
template <class T, int R, class D>
Variable<T, 0, D> sum(const Variable<T, R, D>& x) {
  const auto y = Tensor<T, 0, D>::full({}, T(Kernels<D>::Reduce::sum(x.size(), x.data())));
  return record(
      "sum", y,
      [x = x.node()](const Tensor<T, 0, D>& dy) {
        const T each = dy.first();
        if (const auto slot = x->slot())
          Kernels<D>::Elementwise::contribute(x->size(), slot, functors::Constant<T>{each});
      },
      x);
}

/// The mean of all elements; 0 for an empty tensor.
template <class T, int R, class D>
Variable<T, 0, D> mean(const Variable<T, R, D>& x) {
  return scale(sum(x), x.size() > 0 ? 1.0 / double(x.size()) : 0.0);
}

#define LACUNA_DETAIL_ARITHMETIC(T, R)                                                                        \
  LACUNA_PRECOMPILE(template Variable<T, R, Cpu> add(const Variable<T, R, Cpu>&, const Variable<T, R, Cpu>&)) \
  LACUNA_PRECOMPILE(template Variable<T, R, Cpu> scale(const Variable<T, R, Cpu>&, double))                   \
  LACUNA_PRECOMPILE(template Variable<T, 0, Cpu> sum(const Variable<T, R, Cpu>&))
LACUNA_DETAIL_ARITHMETIC(float, 2)
LACUNA_DETAIL_ARITHMETIC(float, 3)
LACUNA_DETAIL_ARITHMETIC(double, 2)
LACUNA_DETAIL_ARITHMETIC(double, 3)
#undef LACUNA_DETAIL_ARITHMETIC

}  // namespace lacuna
