/// Rotary positions: pairs of numbers turned by an angle that grows with the position. (Su et al. 2021)
#pragma once

#include "lacuna/autograd/record.hpp"

namespace lacuna {
namespace detail {

/// Every head of every row turned; `sign` −1 turns back.
template <class T>
void rotate_rows(index_t rows, index_t heads, index_t half, const T* x, const T* cosine, const T* sine, T sign,
                 bool add, T* y) {
  for (index_t i = 0; i < rows; ++i)
    for (index_t h = 0; h < heads; ++h) {
      const T *const a = x + (i * heads + h) * 2 * half, *const c = cosine + i * half, *const s = sine + i * half;
      T* const to = y + (a - x);
      for (index_t j = 0; j < half; ++j) {
        const T low = a[j] * c[j] - sign * a[j + half] * s[j], high = a[j + half] * c[j] + sign * a[j] * s[j];
        to[j] = add ? to[j] + low : low;
        to[j + half] = add ? to[j + half] + high : high;
      }
    }
}

}  // namespace detail

/// Pairs (j, j + d/2) of each head of size d:  y_j = x_j cos − x_{j+d/2} sin,  y_{j+d/2} = x_{j+d/2} cos + x_j sin.
/// x (N, heads · d); cosine, sine (N, d/2): of the angle position · frequency_j. Throws ShapeError when they do not fit.
template <class T>
Variable<T, 2> rotary(const Variable<T, 2>& x, const Tensor<T, 2>& cosine, const Tensor<T, 2>& sine) {
  const index_t rows = x.extent(0), half = cosine.extent(1);
  detail::expect_axis("rotary", "cosine", cosine.shape(), 0, rows);
  detail::expect_shape("rotary", "sine", sine.shape(), cosine.shape());
  if (half < 1 || x.extent(1) % (2 * half) != 0)
    throw ShapeError(detail::cat("rotary: x ", x.shape(), " does not divide into heads of size ", 2 * half));
  const index_t heads = x.extent(1) / (2 * half);
  Tensor<T, 2> y(x.extents());
  detail::rotate_rows<T>(rows, heads, half, x.data(), cosine.data(), sine.data(), T(1), false, y.data());
  return record(
      "rotary", y,
      [=](const Tensor<T, 2>& dy) {
        if (const auto slot = x.gradient_slot())
          detail::rotate_rows<T>(rows, heads, half, dy.data(), cosine.data(), sine.data(), T(-1), !slot.fresh,
                                 slot.data);
      },
      x);
}

}  // namespace lacuna
