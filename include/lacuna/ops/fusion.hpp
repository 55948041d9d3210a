/// Products of the vectors of several modalities.
#pragma once

#include "lacuna/autograd/record.hpp"
#include "lacuna/kernels/cpu/fusion.hpp"
#include "lacuna/kernels/cpu/gemm.hpp"
#include "lacuna/kernels/cpu/shape.hpp"
#include "lacuna/kernels/kernels.hpp"

namespace lacuna {

/// (B, n) → (B, n + 1): a one before each vector, so that products keep the terms of lower order.
template <class T, class D>
Variable<T, 2, D> prepend_one(const Variable<T, 2, D>& x) {
  const index_t rows = x.extent(0), n = x.extent(1);
  Tensor<T, 2, D> y({rows, n + 1});
  Kernels<D>::Fusion::prepend_one(rows, n, x.data(), y.data());
  return record(
      "prepend_one", y,
      [=](const Tensor<T, 2, D>& dy) {
        if (const auto slot = x.gradient_slot())
          Kernels<D>::ShapeMoves::contribute_runs(rows, n, dy.data() + 1, n + 1, slot, n);
      },
      x);
}

/// a (B, m), b (B, n) → (B, m·n): y[i·n + j] = a_i b_j. Throws ShapeError when the batches differ.
template <class T, class D>
Variable<T, 2, D> outer(const Variable<T, 2, D>& a, const Variable<T, 2, D>& b) {
  const index_t rows = a.extent(0), m = a.extent(1), n = b.extent(1);
  detail::expect_axis("outer", "b", b.shape(), 0, rows);
  Tensor<T, 2, D> y({rows, m * n});
  Kernels<D>::Fusion::outer(rows, m, n, a.data(), b.data(), y.data());
  return record(
      "outer", y,
      [=](const Tensor<T, 2, D>& dy) {
        Kernels<D>::Fusion::outer_gradient(rows, m, n, a.data(), b.data(), dy.data(), a.gradient_slot(),
                                           b.gradient_slot());
      },
      a, b);
}

/// Outer product of all [1; x_m], the last modality fastest: x_m (B, D_m) → (B, Π (D_m + 1)).  (Zadeh et al., EMNLP
/// 2017) A modality set to 0 leaves the products without it.
template <class T, class D>
Variable<T, 2, D> tensor_fusion(const std::vector<Variable<T, 2, D>>& modalities) {
  if (modalities.empty()) throw ShapeError("tensor_fusion: needs at least one modality");
  Variable<T, 2, D> product = prepend_one(modalities[0]);
  for (std::size_t m = 1; m < modalities.size(); ++m) product = outer(product, prepend_one(modalities[m]));
  return product;
}

/// y[r] = x F[r]: x (B, n), factors (R, n, out) → (R, B, out). Throws ShapeError when n differs.
template <class T, class D>
Variable<T, 3, D> rank_products(const Variable<T, 2, D>& x, const Variable<T, 3, D>& factors) {
  const index_t batch = x.extent(0), ranks = factors.extent(0), n = factors.extent(1), out = factors.extent(2);
  detail::expect_axis("rank_products", "x", x.shape(), 1, n);
  Tensor<T, 3, D> y({ranks, batch, out});
  for (index_t r = 0; r < ranks; ++r)
    Kernels<D>::Gemm::template gemm<T>(batch, out, n, {x.data(), n}, {factors.data() + r * n * out, out}, T(0),
                                       y.data() + r * batch * out, out);
  return record(
      "rank_products", y,
      [=](const Tensor<T, 3, D>& dy) {
        const auto dx = x.gradient_slot(), df = factors.gradient_slot();
        for (index_t r = 0; r < ranks; ++r) {
          const T* g = dy.data() + r * batch * out;
          if (dx)
            Kernels<D>::Gemm::template gemm<T>(batch, n, out, {g, out}, {factors.data() + r * n * out, out, true},
                                               r == 0 ? dx.beta() : T(1), dx.data, n);
          if (df)
            Kernels<D>::Gemm::template gemm<T>(n, out, batch, {x.data(), n, true}, {g, out}, df.beta(),
                                               df.data + r * n * out, out);
        }
      },
      x, factors);
}

}  // namespace lacuna
