/// Loops over elements: arithmetic, activations, dropout. Policy: chunks of fixed size in parallel; no reduction here.
#pragma once

#include <Eigen/Core>

#include "lacuna/core/gradient_slot.hpp"
#include "lacuna/core/threads.hpp"
#include "lacuna/kernels/functors.hpp"

namespace lacuna::cpu {

/// y = activation(y) over a contiguous run, vectorised where Eigen has packet code.
template <class T>
void activate(Activation activation, T* y, index_t n) {
  if (activation == Activation::relu) {
    for (index_t i = 0; i < n; ++i) y[i] = y[i] > T(0) ? y[i] : T(0);
  } else if (activation == Activation::tanh) {
    Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>> run(y, n);
    run = run.tanh();
  }
}

struct Elementwise {
  /// y_i = f(i)
  template <class T, class F>
  static void generate(index_t n, T* y, F f) {
    parallel_for(n, detail::element_grain, [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) y[i] = f(i);
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

  template <class T>
  static void activation(Activation kind, index_t n, const T* x, T* y) {
    parallel_for(n, detail::element_grain, [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) y[i] = x[i];
      activate(kind, y + begin, end - begin);
    });
  }
  /// slot += dy * slope, the slope taken from the value y.
  template <class T>
  static void activation_gradient(Activation kind, index_t n, const T* y, const T* dy, GradientSlot<T> slot) {
    switch (kind) {
      case Activation::none: return contribute(n, slot, [=](index_t i) { return dy[i]; });
      case Activation::relu: return contribute(n, slot, [=](index_t i) { return y[i] > T(0) ? dy[i] : T(0); });
      case Activation::tanh: return contribute(n, slot, [=](index_t i) { return dy[i] * (T(1) - y[i] * y[i]); });
    }
  }

  /// y_i (+)= x_i k_i with k_i = scale or 0, recomputed from the counter: nothing is stored between forward and backward.
  template <class T>
  static void dropout(functors::Keep keep, index_t n, const T* x, GradientSlot<T> y) {
    const T scale = T(keep.scale);
    parallel_for(n, detail::element_grain, [&](index_t begin, index_t end) {  // chunks start at multiples of four
      for (index_t i = begin; i < end; i += 4) {
        const PhiloxBlock four = keep.stream.block(std::uint64_t(i) >> 2);
        for (index_t j = 0; j < 4 && i + j < end; ++j)
          y.put(i + j, four.word[j] >= keep.threshold ? x[i + j] * scale : T(0));
      }
    });
  }
};

}  // namespace lacuna::cpu
