/// y = x Wᵀ + b with a weight that is never trained and stays as its file keeps it: bf16, f16, f32 or f64, mapped; or in
/// eight bits (kernels/cpu/quantize.hpp).
#pragma once

#include "lacuna/autograd/record.hpp"
#include "lacuna/kernels/cpu/stored_linear.hpp"

namespace lacuna {

/// x (N, in) → y (N, out); weight (out, in); bias (out), or undefined for none. The gradient reaches x alone, through
/// the same widened numbers: how a projector learns in front of a frozen language model.
/// Throws ShapeError when the sizes do not fit.
template <class T>
Variable<T, 2> linear(const Variable<T, 2>& x, const StoredArray& weight, const Variable<T, 1>& bias = {}) {
  const index_t rows = x.extent(0), out = weight.shape[0];
  detail::expect_axis("linear", "x", x.shape(), -1, weight.shape[1]);
  if (bias.defined()) detail::expect_shape("linear", "bias", bias.shape(), Shape{out});
  Tensor<T, 2> y({rows, out});
  cpu::StoredLinear::stored_linear<T>(rows, weight, x.data(), bias.data_or_null(), y.data());
  if (!detail::recorded(x)) return Variable<T, 2>(y);
  return record(
      "stored_linear", y,
      [x, weight, rows](const Tensor<T, 2>& dy) {
        if (const auto slot = x.gradient_slot())
          cpu::StoredLinear::stored_linear_gradient<T>(rows, weight, dy.data(), slot.beta(), slot.data);
      },
      x);
}

/// Rows of a stored table: ids (n) → (n, columns), widened. Throws ShapeError for an id outside the table.
template <class T>
Tensor<T, 2> stored_rows(const StoredArray& table, std::span<const index_t> ids) {
  const index_t width = table.shape[1];
  Tensor<T, 2> y({index_t(ids.size()), width});
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= table.shape[0])
      throw ShapeError(
          detail::cat("embedding: id ", ids[i], " at position ", i, " is outside 0..", table.shape[0] - 1));
    cpu::Widen::widen(table.type, width, table.row(ids[i]), y.data() + index_t(i) * width);
  }
  return y;
}

}  // namespace lacuna
