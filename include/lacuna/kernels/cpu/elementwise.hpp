/// Loops over elements: arithmetic, dropout. Policy: chunks of fixed size in parallel; no reduction here.
#pragma once

#include "lacuna/core/gradient_slot.hpp"
#include "lacuna/core/threads.hpp"
#include "lacuna/kernels/cpu/drop.hpp"
#include "lacuna/kernels/functors.hpp"

namespace lacuna::cpu {

struct Elementwise {
  /// y_i = f(i)
  template <class T, class F>
  static void generate(index_t n, T* y, F f) {
    parallel_for(n, detail::element_grain, [&](index_t begin, index_t end) {
      each(end - begin, [=](index_t i) { y[begin + i] = f(begin + i); });
    });
  }
  /// slot_i (+)= f(i)
  template <class T, class F>
  static void contribute(index_t n, GradientSlot<T> slot, F f) {
    if (slot.fresh) {
      generate(n, slot.data, f);
    } else {
      T* const y = slot.data;
      generate(n, slot.data, [y, f](index_t i) { return y[i] + f(i); });
    }
  }

  template <class T>
  static void add(index_t n, const T* a, const T* b, T* y) {
    generate(n, y, [=](index_t i) { return a[i] + b[i]; });
  }
  template <class T>
  static void subtract(index_t n, const T* a, const T* b, T* y) {
    generate(n, y, [=](index_t i) { return a[i] - b[i]; });
  }
  template <class T>
  static void multiply(index_t n, const T* a, const T* b, T* y) {
    generate(n, y, [=](index_t i) { return a[i] * b[i]; });
  }
  template <class T>
  static void scale(index_t n, T factor, const T* x, T* y) {
    generate(n, y, [=](index_t i) { return factor * x[i]; });
  }
  /// slot += factor * x
  template <class T>
  static void contribute_scaled(index_t n, T factor, const T* x, GradientSlot<T> slot) {
    contribute(n, slot, [=](index_t i) { return factor * x[i]; });
  }
  /// slot += a * b
  template <class T>
  static void contribute_product(index_t n, const T* a, const T* b, GradientSlot<T> slot) {
    contribute(n, slot, [=](index_t i) { return a[i] * b[i]; });
  }

  /// y_i (+)= x_i k_i with k_i = scale or 0, recomputed from the counter: nothing is stored between forward and
  /// backward.
  template <class T>
  static void dropout(functors::Keep keep, index_t n, const T* x, GradientSlot<T> y) {
    parallel_for(n, detail::element_grain,
                 [=](index_t begin, index_t end) { drop_run(keep, begin, end - begin, x + begin, y.at(begin)); });
  }

  /// y = x + k f, the branch f dropped
  template <class T>
  static void add_dropped(functors::Keep keep, index_t n, const T* x, const T* f, T* y) {
    parallel_for(n, detail::element_grain, [=](index_t begin, index_t end) {
      drop_run(keep, begin, end - begin, f + begin, y + begin);
      for (index_t i = begin; i < end; ++i) y[i] += x[i];
    });
  }
  /// slot (+)= dy · factor but where y is 0: the way back through dropout(relu(·)), whose factor is 0 exactly there.
  template <class T>
  static void dropped_relu_gradient(index_t n, T factor, const T* y, const T* dy, GradientSlot<T> slot) {
    contribute(n, slot, [=](index_t i) { return kept_or_zero(!(y[i] <= T(0)), dy[i] * factor); });
  }

 private:
  /// A loop whose iterations are independent: compilers vectorise it even at -O2.
  template <class F>
  static void each(index_t count, F f) {
#ifdef _OPENMP
#pragma omp simd
#endif
    for (index_t j = 0; j < count; ++j) f(j);
  }
};

}  // namespace lacuna::cpu
