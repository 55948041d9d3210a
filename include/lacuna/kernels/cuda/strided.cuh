/// Loops over places with strides: broadcasting, moves. Policy: one thread per place, neighbours of the last axis to
/// neighbouring threads.
#pragma once

#include "lacuna/kernels/cuda/run.cuh"
#include "lacuna/kernels/elementwise_table.hpp"
#include "lacuna/kernels/strided.hpp"

namespace lacuna::cuda {

template <class Run>
struct Strided {
  /// f(i) for every i < n, each of them by itself.
  template <class F>
  static void for_elements(const char* name, index_t n, F f) {
    Run::each(name, n, [=] LACUNA_DEVICE(index_t i) { f(i); });
  }
  /// f(to, a, b) for every place of a walk.
  template <class F>
  static void walk(const char* name, const Walk& w, F f) {
    Run::each(name, w.size, [=] LACUNA_DEVICE(index_t i) {
      index_t at[Walk::operands];
      w.offsets(i, at);
      f(at[0], at[1], at[2]);
    });
  }
  /// y = eˣ
  template <class T>
  static void exponential(index_t n, const T* x, T* y) {
    Run::each("exp", n, [=] LACUNA_DEVICE(index_t i) { y[i] = std::exp(x[i]); });
  }
};

}  // namespace lacuna::cuda
