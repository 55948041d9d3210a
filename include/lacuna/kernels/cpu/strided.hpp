/// Loops over elements and over places with strides: elementwise functions, broadcasting, moves. Policy: chunks of
/// fixed size in parallel, runs along the last axis inside; every place is visited once.
#pragma once

#include "lacuna/core/threads.hpp"
#include "lacuna/kernels/cpu/activation.hpp"
#include "lacuna/kernels/elementwise_table.hpp"
#include "lacuna/kernels/strided.hpp"

namespace lacuna::cpu {

/// f(begin, end) in chunks, as parallel_for does it; the code of threads is compiled once, not for every f.
inline void in_chunks(index_t count, index_t grain, void (*call)(const void*, index_t, index_t), const void* f) {
  parallel_for(count, grain, [=](index_t begin, index_t end) { call(f, begin, end); });
}
template <class F>
void in_chunks(index_t count, index_t grain, const F& f) {
  in_chunks(
      count, grain, [](const void* body, index_t begin, index_t end) { (*static_cast<const F*>(body))(begin, end); },
      &f);
}

/// Runs along the last axis of a walk, for the places begin..end:
///
///     for (Runs run(walk, begin, end); run.next();) ...   // run.count places from the offsets run.at on
class Runs {
 public:
  index_t count = 0, at[Walk::operands];

  Runs(const Walk& walk, index_t begin, index_t end) : walk_(walk), place_(begin), end_(end) {
    if (begin >= end) return;
    walk.offsets(begin, at);
    for (int axis = walk.last(); axis >= 0; --axis) {
      index_[axis] = begin % walk.length[axis];
      begin /= walk.length[axis];
    }
  }
  bool next() {
    int axis = walk_.last();
    if (count > 0 && axis >= 0) {
      index_[axis] += count;
      for (int k = 0; k < Walk::operands; ++k) at[k] += count * walk_.stride[k][axis];
      for (; axis > 0 && index_[axis] == walk_.length[axis]; --axis) {  // carry
        index_[axis] = 0;
        ++index_[axis - 1];
        for (int k = 0; k < Walk::operands; ++k)
          at[k] += walk_.stride[k][axis - 1] - walk_.length[axis] * walk_.stride[k][axis];
      }
    }
    const index_t left = end_ - place_;
    count = walk_.rank > 0 ? walk_.run() - index_[walk_.last()] : 1;
    if (count > left) count = left;
    place_ += count;
    return count > 0;
  }

 private:
  const Walk& walk_;
  index_t place_, end_, index_[Shape::max_rank] = {};
};

struct Strided {
  /// f(i) for every i < n, each of them by itself.
  template <class F>
  static void for_elements(const char*, index_t n, F f) {
    in_chunks(n, detail::element_grain, [&](index_t begin, index_t end) {
      const F own = f;
      each(end - begin, [=](index_t i) { own(begin + i); });
    });
  }
  /// f(to, a, b) for every place of a walk.
  template <class F>
  static void walk(const char*, const Walk& w, F f) {
    const index_t to = w.step(Walk::to), a = w.step(Walk::a), b = w.step(Walk::b);
    const bool dense = to == 1 && a == 1, repeats = to == 1 && a == 0;
    in_chunks(w.size, detail::element_grain, [&](index_t begin, index_t end) {
      for (Runs run(w, begin, end); run.next();) {
        const index_t i = run.at[0], j = run.at[1], k = run.at[2], n = run.count;
        if (dense && b == 1)
          each(n, [=](index_t l) { f(i + l, j + l, k + l); });
        else if (dense && b == 0)
          each(n, [=](index_t l) { f(i + l, j + l, k); });
        else if (repeats && b == 1)
          each(n, [=](index_t l) { f(i + l, j, k + l); });
        else
          for (index_t l = 0; l < n; ++l) f(i + l * to, j + l * a, k + l * b);
      }
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
