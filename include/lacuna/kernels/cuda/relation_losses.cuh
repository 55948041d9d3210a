/// Losses that compare the relations within two sets of rows, one of the student and one of the teacher, of any widths:
/// distances, angles. Policy: one team per row of pairs; angles take the anchors one after the other,
/// each with two products, so that they need O(n²) memory; gradients are added to and may be null.
#pragma once

#include "lacuna/kernels/cuda/loss_rows.cuh"
#include "lacuna/kernels/cuda/pair_distances.cuh"

namespace lacuna::cuda {

template <class Run>
struct RelationLosses {
  template <class T>
  using Matrix = Array<T, typename Run::device>;

  /// Mean over all pairs of the smooth absolute difference of D_ij, each divided by the mean of its positive entries.
  template <class T>
  static Total<T, Run> distance_relations(index_t n, index_t ds, const T* student, index_t dt, const T* teacher,
                                          T* grad_s, T* grad_t) {
    const Relative<T> a(n, ds, student), b(n, dt, teacher);
    const double each = n > 0 ? 1 / (double(n) * double(n)) : 0;
    const Buffer<double, Run> slopes(n * n);
    double* const slope = slopes.data();
    const RelativeView<T> of_a = a.view(), of_b = b.view();
    Total<T, Run> value = sum_terms<T, Run>("distance_relations", n * n, each, [=] LACUNA_DEVICE(index_t at) {
      const double apart = of_a.at(at) - of_b.at(at);
      slope[at] = each * functors::smooth_sign(apart);
      return functors::smooth_absolute(apart);
    });
    if (grad_s) relative_gradient(a, slope, 1.0, grad_s);
    if (grad_t) relative_gradient(b, slope, -1.0, grad_t);
    return value;
  }

  /// Mean over all triples of the smooth absolute difference of ⟨e_ij, e_ik⟩, e_ij the unit vector from row i to row j.
  template <class T>
  static Total<T, Run> angle_relations(index_t n, index_t ds, const T* student, index_t dt, const T* teacher, T* grad_s,
                                       T* grad_t) {
    const double each = n > 0 ? 1 / (double(n) * double(n) * double(n)) : 0;
    const Star<T> a(n, ds, student, grad_s != nullptr), b(n, dt, teacher, grad_t != nullptr);
    const Buffer<double, Run> parts(n * n);
    Matrix<T> slope(Shape{n, n});
    for (index_t i = 0; i < n; ++i) {
      a.centre(i);
      b.centre(i);
      compare_angles(n, a.cosine.data(), b.cosine.data(), 2 * each, slope.data(), parts.data() + i * n);
      if (grad_s) a.back(i, slope.data(), 1.0);
      if (grad_t) b.back(i, slope.data(), -1.0);
    }
    if (grad_s) a.hand_over(grad_s);
    if (grad_t) b.hand_over(grad_t);
    return total<T, Run>("angle_relations", n * n, parts.data(), each);
  }

  /// Distances (n, n) of one set and their scale: the number of positive ones and the sum of all.
  template <class T>
  struct RelativeView {
    const T* distance;
    const double *positive, *sum;

    LACUNA_HD double mean() const { return *positive > 0 ? *sum / *positive : 1.0; }
    LACUNA_HD double at(index_t pair) const { return double(distance[pair]) / mean(); }
  };
  template <class T>
  struct Relative {
    index_t n;
    PairDistances<T, Run> pairs;
    Matrix<T> distance;
    Total<double, Run> positive, sum;

    Relative(index_t count, index_t d, const T* x)
        : n(count), pairs(count, count, d, x, x), distance(roots<T>(count, pairs.squared())) {
      positive = positive_distances<T>(n * n, distance.data());
      sum = all_distances<T>(n * n, distance.data());
    }
    RelativeView<T> view() const { return {distance.data(), positive.data(), sum.data()}; }
  };
  template <class T>
  static Matrix<T> roots(index_t n, const T* squared) {
    Matrix<T> distance(Shape{n, n});
    T* const to = distance.data();
    Run::each("distances", n * n, [=] LACUNA_DEVICE(index_t at) { to[at] = std::sqrt(squared[at]); });
    return distance;
  }
  template <class T>
  static Total<double, Run> positive_distances(index_t n, const T* distance) {
    return sum_terms<double, Run>("distances", n, 1.0,
                                  [=] LACUNA_DEVICE(index_t at) { return distance[at] > 0 ? 1.0 : 0.0; });
  }
  template <class T>
  static Total<double, Run> all_distances(index_t n, const T* distance) {
    return sum_terms<double, Run>("distances", n, 1.0, [=] LACUNA_DEVICE(index_t at) { return double(distance[at]); });
  }
  /// gradient += sign times what the slopes of the relative distances mean for the rows.
  template <class T>
  static void relative_gradient(const Relative<T>& own, const double* slope, double sign, T* gradient) {
    const RelativeView<T> view = own.view();
    const Total<double, Run> through_mean = sum_terms<double, Run>(
        "distance_relations", own.n * own.n, sign, [=] LACUNA_DEVICE(index_t at) { return slope[at] * view.at(at); });
    const double* const through = through_mean.data();
    Matrix<T> weight(Shape{own.n, own.n});
    T* const w = weight.data();
    Run::each("distance_relations", own.n * own.n, [=] LACUNA_DEVICE(index_t at) {
      const double apart = double(view.distance[at]), shift = *view.positive > 0 ? *through / *view.positive : 0.0;
      w[at] = apart > 0 ? T((sign * slope[at] - shift) / (2 * view.mean() * apart)) : T(0);
    });
    own.pairs.gradient_within(w, gradient);
  }

  /// Unit vectors from one row to all, and their cosines; `total` (n, d) collects the gradient over the anchors.
  template <class T>
  struct Star {
    index_t n, d;
    const T* x;
    mutable Matrix<T> unit, slope, cosine;
    Buffer<double, Run> length, share, all;

    Star(index_t count, index_t width, const T* rows, bool gradient)
        : n(count),
          d(width),
          x(rows),
          unit(Shape{count, width}),
          slope(Shape{count, width}),
          cosine(Shape{count, count}),
          length(count),
          share(count * width),
          all(gradient ? count * width : 0) {
      if (gradient) clear_angles(n * d, all.data());
    }
    void centre(index_t i) const {
      point(n, d, i, x, unit.data(), length.data());
      const T* const u = unit.data();
      Linear<Run>::template gemm<T>(n, n, d, {u, d}, {u, d, true}, T(0), cosine.data(), n);
    }
    /// Adds sign times what the (symmetric) slopes of the cosines mean for the rows.
    void back(index_t i, const T* w, double sign) const {
      const T* const u = unit.data();
      Linear<Run>::template gemm<T>(n, d, n, {w, n}, {u, d}, T(0), slope.data(), d);
      spread(n, d, i, sign, u, slope.data(), length.data(), share.data(), all.data());
    }
    void hand_over(T* gradient) const { add_angles(n * d, all.data(), gradient); }
  };
  static void clear_angles(index_t n, double* to) {
    Run::each("angle_relations", n, [=] LACUNA_DEVICE(index_t at) { to[at] = 0; });
  }
  template <class T>
  static void add_angles(index_t n, const double* from, T* to) {
    Run::each("angle_relations", n, [=] LACUNA_DEVICE(index_t at) { to[at] += T(from[at]); });
  }
  /// unit_j = (x_j − x_i) / ‖x_j − x_i‖, 0 where they coincide.
  template <class T>
  static void point(index_t n, index_t d, index_t i, const T* x, T* unit, double* length) {
    Run::rows("angle_relations", n, [=] LACUNA_DEVICE(index_t j, typename Run::Team team) {
      double sum = 0;
      for (index_t f = team.lane(); f < d; f += team.lanes()) {
        const double apart = double(x[j * d + f]) - double(x[i * d + f]);
        sum += apart * apart;
      }
      const double norm = std::sqrt(team.sum(sum));
      if (team.lane() == 0) length[j] = norm;
      for (index_t f = team.lane(); f < d; f += team.lanes())
        unit[j * d + f] = norm == 0 ? T(0) : T((double(x[j * d + f]) - double(x[i * d + f])) / norm);
    });
  }
  /// parts_j = Σ_k of the smooth absolute differences; slope = factor times that of each.
  template <class T>
  static void compare_angles(index_t n, const T* a, const T* b, double factor, T* slope, double* parts) {
    Run::rows("angle_relations", n, [=] LACUNA_DEVICE(index_t j, typename Run::Team team) {
      double sum = 0;
      for (index_t at = j * n + team.lane(); at < (j + 1) * n; at += team.lanes()) {
        const double apart = double(a[at]) - double(b[at]);
        sum += functors::smooth_absolute(apart);
        slope[at] = T(factor * functors::smooth_sign(apart));
      }
      sum = team.sum(sum);
      if (team.lane() == 0) parts[j] = sum;
    });
  }
  /// all_j += the share of row j, all_i −= the shares of all; `share` (n, d).
  template <class T>
  static void spread(index_t n, index_t d, index_t i, double sign, const T* unit, const T* slope, const double* length,
                     double* share, double* all) {
    Run::rows("angle_relations_gradient", n, [=] LACUNA_DEVICE(index_t j, typename Run::Team team) {
      const T *const u = unit + j * d, *const g = slope + j * d;
      const double along = inner(team, d, u, g), factor = j == i ? 0.0 : sign / (length[j] > 0 ? length[j] : 1.0);
      for (index_t f = team.lane(); f < d; f += team.lanes()) {
        share[j * d + f] = factor * (double(g[f]) - along * double(u[f]));
        if (j != i) all[j * d + f] += share[j * d + f];
      }
    });
    Run::each("angle_relations_gradient", d, [=] LACUNA_DEVICE(index_t f) {
      double sum = 0;
      for (index_t j = 0; j < n; ++j) sum += share[j * d + f];
      all[i * d + f] -= sum;
    });
  }
};

}  // namespace lacuna::cuda
