/// Linear layers of equal modules as one: x (G · rows, in), group g with weight and bias of its own. Policy: one batch
/// of products where the operands stand at equal distances (nn/pack.hpp seats them so), else one product after another;
/// one launch for all groups behind it.
#pragma once

#include "lacuna/kernels/cuda/activation.cuh"
#include "lacuna/kernels/groups.hpp"

namespace lacuna::cuda {

/// Numbers from each address to the next; -1 where they differ, lead backwards, or are of arrays of their own: where
/// those stand is chance, and the bits of a product must not depend on it.
template <class P>
index_t equal_step(const Groups<P>& groups) {
  using T = std::remove_pointer_t<P>;
  index_t step = 0;
  if (groups.count > 1 && !groups.one_block) return -1;
  for (int g = 1; g < groups.count; ++g) {
    const auto before = std::uintptr_t(groups.of[g - 1]), here = std::uintptr_t(groups.of[g]);
    if (here < before || (here - before) % sizeof(T) != 0) return -1;
    const index_t apart = index_t((here - before) / sizeof(T));
    if (g > 1 && apart != step) return -1;
    step = apart;
  }
  return step;
}

/// Where the group's part of an array stands, `step` numbers behind that of the one before.
template <class T>
Groups<T*> parts_of(T* first, int count, index_t step) {
  Groups<T*> parts;
  parts.one_block = true;
  for (int g = 0; g < count; ++g) parts.add(first + g * step);
  return parts;
}

template <class Run>
struct GroupedLinear {
  /// C_g = beta C_g + op(A_g) op(B_g); `a` and `b` say how the operands lie, not where.
  template <class T>
  static void gemm_grouped(index_t m, index_t n, index_t k, cpu::Operand<T> a, Groups<const T*> as, cpu::Operand<T> b,
                           Groups<const T*> bs, T beta, Groups<T*> cs, index_t ldc) {
    const GemmBatch batch{cs.count, equal_step(as), equal_step(bs), equal_step(cs), 0};
    // results may not overlap
    if (m > 0 && n > 0 && k > 0 && batch.a >= 0 && batch.b >= 0 && batch.c >= (m - 1) * ldc + n && cs.count > 1) {
      a.data = as.of[0], b.data = bs.of[0];
      return Run::gemm(m, n, k, a, b, beta, cs.of[0], ldc, batch);
    }
    for (int g = 0; g < cs.count; ++g) {
      a.data = as.of[g], b.data = bs.of[g];
      Linear<Run>::template gemm<T>(m, n, k, a, b, beta, cs.of[g], ldc);
    }
  }
  /// The same into gradients of parameters, one product after the other: their depth is all rows of a batch, which
  /// cuBLASLt cuts into parts for a product alone. On an H100 the products of a step of CorrKD took 34 µs each on
  /// average with these in batches, and 9 µs without any batch.
  template <class T>
  static void gemm_grouped(index_t m, index_t n, index_t k, cpu::Operand<T> a, Groups<const T*> as, cpu::Operand<T> b,
                           Groups<const T*> bs, Groups<GradientSlot<T>> slots, index_t ldc) {
    for (int g = 0; g < slots.count; ++g) {
      if (!slots.of[g]) continue;
      a.data = as.of[g], b.data = bs.of[g];
      Linear<Run>::template gemm<T>(m, n, k, a, b, slots.of[g].beta(), slots.of[g].data, ldc);
    }
  }

  /// y (G · rows, out) = activation(x (G · rows, in) W_g' + b_g); the biases may be null.
  template <class T>
  static void linear_grouped(index_t rows, index_t in, index_t out, const T* x, Groups<const T*> weights,
                             Groups<const T*> biases, Activation activation, T* y) {
    const int count = weights.count;
    const GemmBatch batch{count, rows * in, equal_step(weights), rows * out, equal_step(biases)};
    if (biases.of[0] != nullptr && activation == Activation::none && count > 1 && rows > 0 && in > 0 && out > 0 && batch.b >= 0 &&
        batch.bias >= 0 &&
        Run::template gemm_finished<T>(rows, out, in, {x, in}, {weights.of[0], in, true}, biases.of[0],
                                       MatmulFinish::bias, y, batch))
      return;
    products(rows, in, out, x, weights, y);
    if (biases.of[0] == nullptr && activation == Activation::none) return;
    functors::with_activation(activation, default_parameter(activation),
                              [&](auto f) { Linear<Run>::finish(f, count * rows * out, out, biases, y); });
  }
  /// y = dropout(max(x W_g' + b_g, 0)).
  template <class T>
  static void linear_relu_dropped_grouped(index_t rows, index_t in, index_t out, const T* x, Groups<const T*> weights,
                                          Groups<const T*> biases, const GroupedKeep& own, T* y) {
    products(rows, in, out, x, weights, y);
    Linear<Run>::finish_dropped(own, weights.count * rows * out, out, biases, y);
  }
  template <class T>
  static void products(index_t rows, index_t in, index_t out, const T* x, Groups<const T*> weights, T* y) {
    const int count = weights.count;
    gemm_grouped<T>(rows, out, in, {x, in}, parts_of(x, count, rows * in), {nullptr, in, true}, weights, T(0),
                    parts_of(y, count, rows * out), out);
  }
};

}  // namespace lacuna::cuda
