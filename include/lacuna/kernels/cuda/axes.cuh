/// Reductions over any axes, running sums, order and numbers of entries along an axis. Policy: a reduction is cut into
/// pieces whose borders depend on the sizes alone, one thread each, and they are joined in order; nothing waits for the
/// host.
#pragma once

#include "lacuna/kernels/cuda/run.cuh"
#include "lacuna/kernels/cuda/strided.cuh"

namespace lacuna::cuda {

template <class Run>
struct Axes {
  /// y_o = what `reducer` makes of the numbers of result o (kernels/strided.hpp, kernels/reducers.hpp).
  template <class R, class T>
  static void reduce_axes(const char* name, const lacuna::detail::Reduced& cut, R reducer, const T* x,
                          typename R::Result* y) {
    const Walk kept = cut.kept, gone = cut.gone;
    const index_t results = kept.size;
    if (results == 0) return;
    const Pieces pieces = pieces_of(gone.size, 64, results < 256 ? 1024 : 64);  // enough threads for few results
    const Buffer<typename R::State, Run> parts(pieces.pieces * results);
    typename R::State* const part = parts.data();
    Run::each(name, pieces.pieces * results, [=] LACUNA_DEVICE(index_t i) {
      const index_t p = i / results;
      index_t start[Walk::operands], at[Walk::operands];
      kept.offsets(i % results, start);
      typename R::State state = reducer.start();
      for (index_t r = pieces.begin(p); r < pieces.end(p); ++r) {
        gone.offsets(r, at);
        reducer.add(state, x[start[1] + at[1]], r);
      }
      part[i] = state;
    });
    Run::each(name, results, [=] LACUNA_DEVICE(index_t o) {
      typename R::State state = part[o];
      for (index_t p = 1; p < pieces.pieces; ++p) reducer.join(state, part[p * results + o]);
      index_t start[Walk::operands];
      kept.offsets(o, start);
      y[start[0]] = reducer.value(state);
    });
  }

  /// slot (+)= running sums along the middle axis of (outer, n, inner), from the end when `backward`.
  template <class T>
  static void cumsum_axis(index_t outer, index_t n, index_t inner, const T* x, bool backward, GradientSlot<T> slot) {
    Run::each("cumsum", n > 0 ? outer * inner : 0, [=] LACUNA_DEVICE(index_t run) {
      const index_t from = run_start(run, n, inner);
      double total = 0;
      for (index_t j = 0; j < n; ++j) {
        const index_t at = from + (backward ? n - 1 - j : j) * inner;
        total += double(x[at]);
        slot.put(at, T(total));
      }
    });
  }

  /// order: the places along the middle axis of (outer, n, inner) in the order of their numbers; equal ones keep
  /// theirs, NaN counts as the largest. Every number counts those before it: n² comparisons by n threads.
  template <class T>
  static void order_axis(index_t outer, index_t n, index_t inner, const T* x, bool descending, index_t* order) {
    Run::each("order", outer * n * inner, [=] LACUNA_DEVICE(index_t i) {
      const index_t from = i / (n * inner) * n * inner + i % inner, place = i / inner % n;
      const T own = x[i];
      index_t before = 0;
      for (index_t j = 0; j < n; ++j) {
        const T other = x[from + j * inner];
        const T first = descending ? own : other, second = descending ? other : own;
        const bool less = first < second || (first == first && second != second);
        const bool more = second < first || (second == second && first != first);
        before += less || (!more && j < place);
      }
      order[from + before * inner] = place;
    });
  }

  /// Indices are not looked at here, that would wait for the device: what an index outside of its axis reads is NaN.
  static index_t index_outside(index_t, const index_t*, index_t) { return -1; }
  /// y (outer, count, inner) = x (outer, n, inner) at the indices, which have strides of their own for the three axes.
  template <class T>
  static void gather_axis(index_t outer, index_t count, index_t n, index_t inner, const index_t* index,
                          std::array<index_t, 3> strides, const T* x, GradientSlot<T> y) {
    const index_t s0 = strides[0], s1 = strides[1], s2 = strides[2];
    Run::each("gather", outer * count * inner, [=] LACUNA_DEVICE(index_t i) {
      const index_t o = i / (count * inner), j = i / inner % count, k = i % inner;
      const index_t at = index[o * s0 + j * s1 + k * s2];
      y.put(i, at >= 0 && at < n ? x[(o * n + at) * inner + k] : T(NAN));
    });
  }
  /// y (outer, n, inner) += x (outer, count, inner) at the indices, in their order.
  template <class T>
  static void scatter_axis(index_t outer, index_t count, index_t n, index_t inner, const index_t* index,
                           std::array<index_t, 3> strides, const T* x, T* y) {
    const index_t s0 = strides[0], s1 = strides[1], s2 = strides[2];
    Run::each("scatter", outer * inner, [=] LACUNA_DEVICE(index_t line) {
      const index_t o = line / inner, k = line % inner;
      for (index_t j = 0; j < count; ++j) {
        const index_t at = index[o * s0 + j * s1 + k * s2];
        if (at >= 0 && at < n)
          y[(o * n + at) * inner + k] += x[(o * count + j) * inner + k];
        else
          for (index_t l = 0; l < n; ++l) y[(o * n + l) * inner + k] = T(NAN);
      }
    });
  }

  /// C_i = beta C_i + op(A_i) op(B_i) for every i < batch, whose matrices lie a, b and c apart.
  template <class T>
  static void gemm_batch(index_t batch, index_t m, index_t n, index_t k, cpu::Operand<T> a, index_t a_apart,
                         cpu::Operand<T> b, index_t b_apart, T beta, T* c) {
    if (m == 0 || n == 0) return;
    if (k == 0) {  // there may be no memory to point to
      Run::each("gemm_batch", batch * m * n,
                [=] LACUNA_DEVICE(index_t i) { c[i] = beta == T(0) ? T(0) : beta * c[i]; });
      return;
    }
    for (index_t i = 0; i < batch; ++i)
      Run::template gemm<T>(m, n, k, {a.data + i * a_apart, a.stride, a.transposed},
                            {b.data + i * b_apart, b.stride, b.transposed}, beta, c + i * m * n, n);
  }
};

}  // namespace lacuna::cuda
