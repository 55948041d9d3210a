/// Matrix products: of vectors, matrices and batches of them.
///
///     matmul(a, b)                          // (n)·(n) → (), (m, k)·(k) → (m), (m, k)·(k, n) → (m, n)
///     matmul(q, k, {.transpose_b = true})   // (B, H, T, d) and (B, H, S, d) → (B, H, T, S)
///     matmul(x, w)                          // (B, T, F) and (F, G) → (B, T, G)
///
/// Axes before the last two are batches and broadcast. A vector on the left is a row, on the right a column, and its
/// axis is gone in the result. Throws ShapeError for sizes that do not fit.
#pragma once

#include "lacuna/kernels/cpu/axes.hpp"
#include "lacuna/kernels/cpu/elementwise.hpp"
#include "lacuna/kernels/cpu/gemm.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/ops/manipulation.hpp"

namespace lacuna {

struct MatmulOptions {
  bool transpose_a = false, transpose_b = false;  ///< of the last two axes; not of vectors
};

namespace detail {

template <int A, int B>
inline constexpr int product_rank = A == 1 && B == 1 ? 0
                                    : A == 1         ? B - 1
                                    : B == 1         ? A - 1
                                    : A > B          ? A
                                                     : B;

/// One operand of a batch of products: its matrices lie `apart` numbers apart, 0 when one serves all.
template <class T>
struct Matrices {
  cpu::Operand<T> first;
  index_t apart;

  Matrices transposed() const { return {{first.data, first.stride, !first.transposed}, apart}; }
};
/// slot_i (+)= a_i b_i, or slot (+)= Σ_i a_i b_i when `shared`.
template <class D, class T>
void multiply_batch(index_t batch, index_t m, index_t n, index_t k, const Matrices<T>& a, const Matrices<T>& b,
                    GradientSlot<T> slot, bool shared) {
  if (batch == 0 && slot.fresh) return Kernels<D>::Elementwise::generate(m * n, slot.data, functors::Constant<T>{T(0)});
  if (!shared)
    return Kernels<D>::Axes::gemm_batch(batch, m, n, k, a.first, a.apart, b.first, b.apart, slot.beta(), slot.data);
  const auto at = [](const Matrices<T>& x, index_t i) {
    return cpu::Operand<T>{x.first.data + i * x.apart, x.first.stride, x.first.transposed};
  };
  for (index_t i = 0; i < batch; ++i)
    Kernels<D>::Gemm::template gemm<T>(m, n, k, at(a, i), at(b, i), i == 0 ? slot.beta() : T(1), slot.data, n);
}

/// Both with batches of the same shape, or one of them with a single matrix.
template <class T, int A, int B, class D>
Variable<T, (A > B ? A : B), D> batch_product(const Variable<T, A, D>& a, const Variable<T, B, D>& b,
                                              const MatmulOptions& options, const Shape& shape) {
  constexpr int R = A > B ? A : B;
  const bool ta = options.transpose_a, tb = options.transpose_b;
  const index_t k = a.extent(ta ? -2 : -1), n = shape[-1], rows_of_a = a.extent(-2) * a.extent(-1),
                rows_of_b = b.extent(-2) * b.extent(-1);
  index_t m = shape[-2], batch = 1;
  for (int axis = 0; axis + 2 < R; ++axis) batch *= shape[axis];
  bool one_a = true, one_b = true;
  for (int axis = 0; axis + 2 < A; ++axis) one_a = one_a && a.extent(axis) == 1;
  for (int axis = 0; axis + 2 < B; ++axis) one_b = one_b && b.extent(axis) == 1;
  if (one_b && !ta) m *= batch, batch = 1;  // rows of one tall matrix
  one_a = one_a && batch != 1, one_b = one_b && batch != 1;
  const Matrices<T> left{{a.data(), a.extent(-1), ta}, one_a ? 0 : rows_of_a};
  const Matrices<T> right{{b.data(), b.extent(-1), tb}, one_b ? 0 : rows_of_b};
  Tensor<T, R, D> y(extents_of<R>(shape));
  Kernels<D>::Axes::gemm_batch(batch, m, n, k, left.first, left.apart, right.first, right.apart, T(0), y.data());
  return record(
      "matmul", y,
      [=](const Tensor<T, R, D>& dy) {
        const Matrices<T> g{{dy.data(), n}, m * n};
        if (const auto slot = a.gradient_slot()) {
          if (ta)
            multiply_batch<D>(batch, k, m, n, right, g.transposed(), slot, one_a);
          else
            multiply_batch<D>(batch, m, k, n, g, right.transposed(), slot, one_a);
        }
        if (const auto slot = b.gradient_slot()) {
          if (tb)
            multiply_batch<D>(batch, n, k, m, g.transposed(), left, slot, one_b);
          else
            multiply_batch<D>(batch, k, n, m, left.transposed(), g, slot, one_b);
        }
      },
      a, b);
}

}  // namespace detail

/// See above.
template <class T, int A, int B, class D>
requires(A >= 1 && B >= 1) Variable<T, detail::product_rank<A, B>, D> matmul(const Variable<T, A, D>& a,
                                                                             const Variable<T, B, D>& b,
                                                                             MatmulOptions options = {}) {
  if constexpr (A == 1) {
    const auto y = matmul(unsqueeze(a, 0), b, {false, options.transpose_b});
    if constexpr (B == 1)
      return squeeze(y, 0);
    else
      return squeeze(y, -2);
  } else if constexpr (B == 1) {
    return squeeze(matmul(a, unsqueeze(b, 1), {options.transpose_a, false}), -1);
  } else {
    constexpr int R = A > B ? A : B;
    const index_t k = a.extent(options.transpose_a ? -2 : -1);
    if (b.extent(options.transpose_b ? -1 : -2) != k)
      throw ShapeError(detail::cat("matmul: the inner sizes of ", a.shape(), options.transpose_a ? " (transposed)" : "",
                                   " and ", b.shape(), options.transpose_b ? " (transposed)" : "", " differ"));
    const Shape front_a(a.shape().begin(), A - 2), front_b(b.shape().begin(), B - 2);
    const Shape front = detail::broadcast_shape("matmul", front_a, front_b);
    std::array<index_t, std::size_t(R)> extents{};
    for (int i = 0; i + 2 < R; ++i) extents[std::size_t(i)] = front[i];
    const auto with = [&](index_t rows, index_t columns) {
      auto all = extents;
      all[R - 2] = rows, all[R - 1] = columns;
      return all;
    };
    const Shape shape(with(a.extent(options.transpose_a ? -1 : -2), b.extent(options.transpose_b ? -2 : -1)));
    const auto fits = [&](const Shape& own) { return own.size() == 1 || own.size() == front.size(); };
    if (fits(front_a) && fits(front_b)) return detail::batch_product(a, b, options, shape);
    return detail::batch_product(expand(a, with(a.extent(-2), a.extent(-1))),
                                 expand(b, with(b.extent(-2), b.extent(-1))), options, shape);
  }
}

/// The identity matrix (n, n), a constant: eye<float>(n), or eye<float, Cuda>(n).
template <class T, class D = Cpu>
Variable<T, 2, D> eye(index_t n) {
  List<T> numbers(std::size_t(n * n), T(0));
  for (index_t i = 0; i < n; ++i) numbers[std::size_t(i * n + i)] = T(1);
  return Variable<T, 2, D>(Tensor<T, 2, D>::from({n, n}, numbers));
}

/// Every number of a times every number of b: (m), (n) → (m, n). (Of batches of vectors: ops/fusion.hpp.)
template <class T, class D>
Variable<T, 2, D> outer(const Variable<T, 1, D>& a, const Variable<T, 1, D>& b) {
  return unsqueeze(a, 1) * unsqueeze(b, 0);
}

}  // namespace lacuna
