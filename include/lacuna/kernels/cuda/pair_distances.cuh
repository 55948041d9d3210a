/// Squared distances D²_ij of all pairs of rows a_i, b_j, and the way back, as cpu/pair_distances.hpp.
///
/// Policy: one matrix product, ‖a‖² + ‖b‖² − 2⟨a, b⟩; pairs where that cancels are computed from their difference by
/// the thread of the pair, forward, and by the team of the row, backward. Every row of a gradient is written by one
/// team.
#pragma once

#include "lacuna/kernels/cuda/activation.cuh"
#include "lacuna/kernels/cuda/totals.cuh"

namespace lacuna::cuda {

/// What a kernel sees of all pairs.
template <class T>
struct PairView {
  index_t n, m, width;
  const T *a, *b, *squared;
  const double *norm_a, *norm_b;

  /// Pairs whose difference is taken directly; a row and itself are at 0 for ever and pull nothing.
  LACUNA_HD bool own(index_t i, index_t j) const { return a == b && i == j; }
  LACUNA_HD bool near(index_t i, index_t j) const {
    return !own(i, j) && functors::near_pair(double(squared[i * m + j]), norm_a[i] + norm_b[j]);
  }
  LACUNA_HD double difference(index_t i, index_t j) const {
    double sum = 0;
    for (index_t f = 0; f < width; ++f) {
      const double apart = double(a[i * width + f]) - double(b[j * width + f]);
      sum += apart * apart;
    }
    return sum;
  }
};

template <class T, class Run>
class PairDistances {
 public:
  /// a (n, width), b (m, width), not copied.
  PairDistances(index_t n, index_t m, index_t width, const T* a, const T* b)
      : squared_(Shape{n, m}),
        norm_a_(norms(n, width, a)),
        norm_b_(a == b && n == m ? norm_a_ : norms(m, width, b)),
        view_{n, m, width, a, b, squared_.data(), norm_a_.data(), norm_b_.data()} {
    Linear<Run>::template gemm<T>(n, m, width, {a, width}, {b, width, true}, T(0), squared_.data(), m);
    finish(view_, squared_.data());
  }

  const T* squared() const { return view_.squared; }
  /// grad_a_i += Σ_j 2 w_ij (a_i − b_j) and grad_b_j −= Σ_i of the same, w = dL/dD². Either may be null; uses w up.
  void gradient(T* w, T* grad_a, T* grad_b) const {
    const index_t n = view_.n, m = view_.m, width = view_.width;
    const T *const a = view_.a, *const b = view_.b;
    if (grad_a) pull_rows(view_, w, grad_a);
    if (grad_b) pull_columns(view_, w, grad_b);
    leave_out(view_, w);
    const T* const minus = w;
    if (grad_a) {
      Linear<Run>::template gemm<T>(n, width, m, {minus, m}, {b, width}, T(1), grad_a, width);
      own_rows(n, m, width, minus, a, grad_a);
    }
    if (grad_b) {
      Linear<Run>::template gemm<T>(m, width, n, {minus, m, true}, {a, width}, T(1), grad_b, width);
      own_columns(n, m, width, minus, b, grad_b);
    }
  }
  /// The same where a and b are one set: grad_i += Σ_j 2 (w_ij + w_ji) (x_i − x_j) by one product instead of two.
  void gradient_within(T* w, T* grad) const {
    join(view_.n, w);
    gradient(w, grad, nullptr);
  }

  static Array<double, typename Run::device> norms(index_t rows, index_t width, const T* x) {
    Array<double, typename Run::device> squares(Shape{rows});
    double* const to = squares.data();
    Run::rows("pair_norms", rows, [=] LACUNA_DEVICE(index_t i, typename Run::Team team) {
      const double square = inner(team, width, x + i * width, x + i * width);
      if (team.lane() == 0) to[i] = square;
    });
    return squares;
  }
  static void finish(PairView<T> pairs, T* product) {
    Run::each("pair_distances", pairs.n * pairs.m, [=] LACUNA_DEVICE(index_t at) {
      const index_t i = at / pairs.m, j = at % pairs.m;
      const double both = pairs.norm_a[i] + pairs.norm_b[j], squares = both - 2 * double(product[at]);
      product[at] = T(functors::near_pair(squares, both) ? pairs.difference(i, j) : squares);
    });
  }
  static void pull_rows(PairView<T> pairs, const T* w, T* gradient) {
    Run::rows("near_pairs", pairs.n, [=] LACUNA_DEVICE(index_t i, typename Run::Team team) {
      int some = 0;
      for (index_t j = team.lane(); j < pairs.m; j += team.lanes()) some |= pairs.near(i, j);
      if (team.largest(some) == 0) return;
      for (index_t j = 0; j < pairs.m; ++j)
        if (pairs.near(i, j)) pull(pairs.width, w[i * pairs.m + j], pairs.a, i, pairs.b, j, gradient, team);
    });
  }
  static void pull_columns(PairView<T> pairs, const T* w, T* gradient) {
    Run::rows("near_pairs", pairs.m, [=] LACUNA_DEVICE(index_t j, typename Run::Team team) {
      int some = 0;
      for (index_t i = team.lane(); i < pairs.n; i += team.lanes()) some |= pairs.near(i, j);
      if (team.largest(some) == 0) return;
      for (index_t i = 0; i < pairs.n; ++i)
        if (pairs.near(i, j)) pull(pairs.width, w[i * pairs.m + j], pairs.b, j, pairs.a, i, gradient, team);
    });
  }
  LACUNA_DEVICE static void pull(index_t width, T w, const T* own, index_t i, const T* other, index_t j, T* gradient,
                                 const typename Run::Team& team) {
    for (index_t f = team.lane(); f < width; f += team.lanes())
      gradient[i * width + f] += T(2 * double(w) * (double(own[i * width + f]) - double(other[j * width + f])));
  }
  /// What the matrix products take: −2 w, 0 where a pair was pulled already.
  static void leave_out(PairView<T> pairs, T* w) {
    Run::each("pair_weights", pairs.n * pairs.m, [=] LACUNA_DEVICE(index_t at) {
      const index_t i = at / pairs.m, j = at % pairs.m;
      w[at] = pairs.own(i, j) || pairs.near(i, j) ? T(0) : T(-2) * w[at];
    });
  }
  static void own_rows(index_t n, index_t m, index_t width, const T* minus, const T* a, T* gradient) {
    Run::rows("pair_gradient", n, [=] LACUNA_DEVICE(index_t i, typename Run::Team team) {
      double sum = 0;
      for (index_t j = team.lane(); j < m; j += team.lanes()) sum += double(minus[i * m + j]);
      sum = team.sum(sum);
      for (index_t f = team.lane(); f < width; f += team.lanes())
        gradient[i * width + f] -= T(sum * double(a[i * width + f]));
    });
  }
  static void own_columns(index_t n, index_t m, index_t width, const T* minus, const T* b, T* gradient) {
    const Buffer<double, Run> sums(m);
    const double* const sum = sums.data();
    fold<Run>(
        "pair_gradient", n, m, [=] LACUNA_DEVICE(index_t i, index_t j) { return double(minus[i * m + j]); },
        sums.data());
    Run::each("pair_gradient", m * width,
              [=] LACUNA_DEVICE(index_t at) { gradient[at] -= T(sum[at / width] * double(b[at])); });
  }
  /// w_ij and w_ji become their sum: the thread of i < j writes both.
  static void join(index_t n, T* w) {
    Run::each("pair_weights", n * n, [=] LACUNA_DEVICE(index_t at) {
      const index_t i = at / n, j = at % n;
      if (i < j) w[at] = w[j * n + i] = w[at] + w[j * n + i];
    });
  }

 private:
  Array<T, typename Run::device> squared_;
  Array<double, typename Run::device> norm_a_, norm_b_;
  PairView<T> view_;
};

}  // namespace lacuna::cuda
