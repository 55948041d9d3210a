/// Loops over elements and over places with strides: elementwise functions, broadcasting, moves. Policy: chunks of
/// fixed size in parallel, runs along the last axis inside; every place is visited once.
#pragma once

#include "lacuna/core/threads.hpp"
#include "lacuna/kernels/cpu/activation.hpp"
#include "lacuna/kernels/elementwise_table.hpp"
#include "lacuna/kernels/strided.hpp"

namespace lacuna::cpu {

/// Runs of a walk: f(first place of the run, its offsets, its length) for the places begin..end.
template <class F>
void for_runs(const Walk& w, index_t begin, index_t end, F&& f) {
  if (begin >= end) return;
  index_t at[Walk::operands], index[Shape::max_rank] = {};
  w.offsets(begin, at);
  index_t rest = begin;
  for (int axis = w.last(); axis >= 0; --axis) {
    index[axis] = rest % w.length[axis];
    rest /= w.length[axis];
  }
  for (index_t place = begin; place < end;) {
    const index_t left = w.rank > 0 ? w.run() - index[w.last()] : 1, count = left < end - place ? left : end - place;
    f(place, at, count);
    place += count;
    int axis = w.last();
    if (axis < 0) return;
    index[axis] += count;
    for (int k = 0; k < Walk::operands; ++k) at[k] += count * w.stride[k][axis];
    for (; axis > 0 && index[axis] == w.length[axis]; --axis) {  // carry
      index[axis] = 0;
      ++index[axis - 1];
      for (int k = 0; k < Walk::operands; ++k) at[k] += w.stride[k][axis - 1] - w.length[axis] * w.stride[k][axis];
    }
  }
}

struct Strided {
  /// f(to, a, b) for every place of a walk.
  template <class F>
  static void walk(const char*, const Walk& w, F f) {
    const index_t to = w.step(Walk::to), a = w.step(Walk::a), b = w.step(Walk::b);
    const bool dense = to == 1 && a == 1, repeats = to == 1 && a == 0;
    parallel_for(w.size, detail::element_grain, [&](index_t begin, index_t end) {
      for_runs(w, begin, end, [&](index_t, const index_t(&at)[Walk::operands], index_t n) {
        const index_t i = at[0], j = at[1], k = at[2];
        if (dense && b == 1)
          each(n, [=](index_t l) { f(i + l, j + l, k + l); });
        else if (dense && b == 0)
          each(n, [=](index_t l) { f(i + l, j + l, k); });
        else if (repeats && b == 1)
          each(n, [=](index_t l) { f(i + l, j, k + l); });
        else
          for (index_t l = 0; l < n; ++l) f(i + l * to, j + l * a, k + l * b);
      });
    });
  }
  /// y = eˣ through vector code, whose borders std::exp takes over: infinities, NaN, what nearly overflows.
  template <class T>
  static void exponential(index_t n, const T* x, T* y) {
    const T high = sizeof(T) == 4 ? T(88) : T(709);
    parallel_for(n, detail::element_grain / 4, [=](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) y[i] = x[i];
      exp_run(y + begin, end - begin);
      for (index_t i = begin; i < end; ++i)
        if (!(x[i] <= high)) y[i] = std::exp(x[i]);
    });
  }

 private:
  template <class F>
  static void each(index_t count, F f) {
#ifdef _OPENMP
#pragma omp simd
#endif
    for (index_t j = 0; j < count; ++j) f(j);
  }
};

}  // namespace lacuna::cpu
