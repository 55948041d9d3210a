/// Fused linear layer: product, bias and activation in one pass over each tile.
#pragma once

#include "lacuna/core/row_sums.hpp"
#include "lacuna/kernels/cpu/activation.hpp"
#include "lacuna/kernels/cpu/drop.hpp"
#include "lacuna/kernels/cpu/elementwise.hpp"
#include "lacuna/kernels/cpu/gemm_packed.hpp"

namespace lacuna::cpu {

struct Linear {
  /// Up to so many rows, which should meet a weight together: the time of their product goes into reading it, and its sums run
  /// in an order of their own.
  static constexpr index_t joined_rows = Gemm::few;

  /// y (rows, out) = activation(x (rows, in) W' + b); weight (out, in), and where there is one its layout for products
  /// (gemm_packed.hpp); bias may be null.
  template <class T>
  static void linear(index_t rows, index_t in, index_t out, const T* x, const T* weight, const T* bias,
                     Activation activation, T* y, const T* packed = nullptr) {
    const auto finish = [=](index_t row, index_t row_count, index_t column, index_t columns) {
      for (index_t i = row; i < row + row_count; ++i) {
        T* run = y + i * out + column;
        if (bias)
          for (index_t j = 0; j < columns; ++j) run[j] += bias[column + j];
        activate(activation, run, columns);
      }
    };
    const bool alike = same_row_sums();
    if (packed)
      PackedGemm::gemm(rows, out, in, x, weight, packed, y, finish, alike);
    else
      Gemm::gemm<T>(rows, out, in, {x, in}, {weight, in, true}, T(0), y, out, finish, alike);
  }
  /// y = dropout(relu(x W' + b)), the dropout of an array (rows, out).
  template <class T>
  static void linear_relu_dropped(index_t rows, index_t in, index_t out, const T* x, const T* weight, const T* bias,
                                  functors::Keep keep, T* y) {
    Gemm::gemm<T>(rows, out, in, {x, in}, {weight, in, true}, T(0), y, out,
                  [=](index_t row, index_t row_count, index_t column, index_t columns) {
                    for (index_t i = row; i < row + row_count; ++i) {
                      T* const run = y + i * out + column;
                      for (index_t j = 0; j < columns; ++j) {
                        const T z = bias ? run[j] + bias[column + j] : run[j];
                        run[j] = T(0) > z ? T(0) : z;
                      }
                      if (columns < out) drop_run(keep, i * out + column, columns, run, run);
                    }
                    if (columns == out) drop_run(keep, row * out, row_count * out, y + row * out, y + row * out);
                  });
  }
};

}  // namespace lacuna::cpu
