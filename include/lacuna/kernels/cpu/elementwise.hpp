/// Loops over elements: arithmetic, dropout. Policy: chunks of fixed size in parallel; no reduction here.
#pragma once

#include "lacuna/core/gradient_slot.hpp"
#include "lacuna/core/threads.hpp"
#include "lacuna/kernels/functors.hpp"

namespace lacuna::cpu {

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

  /// y_i (+)= x_i k_i with k_i = scale or 0, recomputed from the counter: nothing is stored between forward and backward.
  template <class T>
  static void dropout(functors::Keep keep, index_t n, const T* x, GradientSlot<T> y) {
    const T scale = T(keep.scale);
    parallel_for(n, detail::element_grain, [&](index_t begin, index_t end) {  // chunks start at multiples of 64
      PhiloxLanes four;
      for (index_t i = begin; i < end; i += 64) {
        four.fill(std::uint64_t(i) / 4, keep.stream.id, keep.stream.key);
        for (index_t w = 0; w < 4; ++w) {
          const index_t at = i + 16 * w, count = end - at < 16 ? end - at : 16;
          const std::uint32_t* word = four.word[w];
          const auto kept = [&](index_t l) { return word[l] >= keep.threshold ? x[at + l] * scale : T(0); };
          if (count == 16 && y.fresh) {  // the length must be known for the compiler to vectorise
            for (index_t l = 0; l < 16; ++l) y.data[at + l] = kept(l);
          } else if (count == 16) {
            for (index_t l = 0; l < 16; ++l) y.data[at + l] += kept(l);
          } else {
            for (index_t l = 0; l < count; ++l) y.put(at + l, kept(l));
          }
        }
      }
    });
  }
};

}  // namespace lacuna::cpu
