/// What a reduction does with its numbers, written once for all devices. A reducer has a `State` for a part of the
/// numbers: start(), add(state, x, r) for number r of the range, join(state, later) and value(state). Sums, products
/// and powers are kept in double. NaN goes through.
///
/// Behind them: what every number gets back, f(i, o) of number i that went into result o.
#pragma once

#include <cmath>
#include <limits>

#include "lacuna/core/host_device.hpp"
#include "lacuna/core/shape.hpp"

namespace lacuna::reducers {

/// factor · Σ x
template <class T>
struct Sum {
  using State = double;
  using Result = T;
  double factor = 1;
  LACUNA_HD State start() const { return 0; }
  LACUNA_HD void add(State& s, T x, index_t) const { s += double(x); }
  LACUNA_HD void join(State& s, State later) const { s += later; }
  LACUNA_HD T value(State s) const { return T(factor * s); }
};
/// Σ |x|
template <class T>
struct SumOfAbs : Sum<T> {
  LACUNA_HD void add(double& s, T x, index_t) const { s += std::abs(double(x)); }
};
/// √ Σ x²
template <class T>
struct RootOfSquares : Sum<T> {
  LACUNA_HD void add(double& s, T x, index_t) const { s += double(x) * double(x); }
  LACUNA_HD T value(double s) const { return T(std::sqrt(s)); }
};

/// Π x
template <class T>
struct Product : Sum<T> {
  LACUNA_HD double start() const { return 1; }
  LACUNA_HD void add(double& s, T x, index_t) const { s *= double(x); }
  LACUNA_HD void join(double& s, double later) const { s *= later; }
  LACUNA_HD T value(double s) const { return T(s); }
};
/// Π x over those that are not 0
template <class T>
struct ProductWithoutZeros : Product<T> {
  LACUNA_HD void add(double& s, T x, index_t) const { s *= x == T(0) ? 1.0 : double(x); }
};
/// How many are 0
template <class T>
struct CountOfZeros : Sum<T> {
  LACUNA_HD void add(double& s, T x, index_t) const { s += x == T(0) ? 1 : 0; }
};

/// The largest (Sign = 1) or smallest (−1) number of |x| or x, its first place, and how many there are of it. NaN is
/// larger and smaller than all.
template <class T, int Sign, bool Absolute = false>
struct Extreme {
  struct State {
    T best;
    index_t at, ties;
  };
  using Result = T;
  LACUNA_HD State start() const { return {T(0), -1, 0}; }
  LACUNA_HD static bool beats(T x, T y) { return (Sign > 0 ? x > y : x < y) || (x != x && y == y); }
  LACUNA_HD static bool ties_with(T x, T y) { return x == y || (x != x && y != y); }
  LACUNA_HD void add(State& s, T number, index_t r) const {
    const T x = Absolute ? (number < T(0) ? -number : number) : number;
    if (s.at < 0 || beats(x, s.best))
      s = {x, r, 1};
    else if (ties_with(x, s.best)) {
      ++s.ties;
      if (r < s.at) s.at = r;
    }
  }
  LACUNA_HD void join(State& s, const State& later) const {
    if (later.at < 0) return;
    if (s.at < 0 || beats(later.best, s.best))
      s = later;
    else if (ties_with(later.best, s.best)) {
      s.ties += later.ties;
      if (later.at < s.at) s.at = later.at;
    }
  }
  LACUNA_HD T value(const State& s) const { return s.best; }
};
template <class T, int Sign, bool Absolute = false>
struct ExtremeTies : Extreme<T, Sign, Absolute> {
  LACUNA_HD T value(const typename Extreme<T, Sign, Absolute>::State& s) const { return T(s.ties); }
};
template <class T, int Sign>
struct ExtremeAt : Extreme<T, Sign> {
  using Result = index_t;
  LACUNA_HD index_t value(const typename Extreme<T, Sign>::State& s) const { return s.at; }
};

/// log Σ eˣ without overflow: the sum is kept relative to the largest number so far.
template <class T>
struct LogSumExp {
  struct State {
    double largest, sum;
  };
  using Result = T;
  LACUNA_HD State start() const { return {-INFINITY, 0}; }
  LACUNA_HD void put(State& s, double largest, double sum) const {
    if (sum == 0) return;
    if (largest <= s.largest)
      s.sum += largest == s.largest ? sum : sum * std::exp(largest - s.largest);
    else
      s = {largest, s.sum == 0 ? sum : s.sum * std::exp(s.largest - largest) + sum};
  }
  LACUNA_HD void add(State& s, T x, index_t) const { put(s, double(x), x == T(-INFINITY) ? 0 : 1); }
  LACUNA_HD void join(State& s, const State& later) const { put(s, later.largest, later.sum); }
  LACUNA_HD T value(const State& s) const { return T(s.sum == 0 ? -INFINITY : s.largest + std::log(s.sum)); }
};

// ---- what goes back

template <class T>
struct BackOfSum {
  const T* dy;
  T factor;
  LACUNA_HD T operator()(index_t, index_t o) const { return factor * dy[o]; }
};
template <class T>
struct BackOfAbs {
  const T *x, *dy;
  LACUNA_HD T operator()(index_t i, index_t o) const {
    return x[i] > T(0) ? dy[o] : x[i] < T(0) ? -dy[o] : x[i] * T(0);
  }
};
/// dy x / y; 0 where y = 0
template <class T>
struct BackOfRoot {
  const T *x, *y, *dy;
  LACUNA_HD T operator()(index_t i, index_t o) const { return y[o] == T(0) ? T(0) : dy[o] * x[i] / y[o]; }
};
/// dy Π of the others
template <class T>
struct BackOfProduct {
  const T *x, *rest, *zeros, *dy;  ///< rest: the product without zeros
  LACUNA_HD T operator()(index_t i, index_t o) const {
    if (zeros[o] == T(0)) return dy[o] * (rest[o] / x[i]);
    return zeros[o] == T(1) && x[i] == T(0) ? dy[o] * rest[o] : T(0);
  }
};
/// Equal shares of dy for those that hold the extreme
template <class T, bool Absolute>
struct BackOfExtreme {
  const T *x, *y, *ties, *dy;
  LACUNA_HD T operator()(index_t i, index_t o) const {
    const T size = Absolute && x[i] < T(0) ? -x[i] : x[i];
    const bool holds = size == y[o] || (size != size && y[o] != y[o]);
    if (!holds || (Absolute && x[i] == T(0))) return T(0);
    const T share = dy[o] / ties[o];
    return Absolute && x[i] < T(0) ? -share : share;
  }
};
/// dy eˣ⁻ʸ
template <class T>
struct BackOfLogSumExp {
  const T *x, *y, *dy;
  LACUNA_HD T operator()(index_t i, index_t o) const {
    return x[i] == T(-INFINITY) ? T(0) : dy[o] * std::exp(x[i] - y[o]);
  }
};

}  // namespace lacuna::reducers
