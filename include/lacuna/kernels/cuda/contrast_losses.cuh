/// Contrastive losses over all pairs of a batch: one matrix product, then passes over the pairs. Policy: one team per
/// row or column of pairs, one thread per pair; gradients are added to and may be null.
#pragma once

#include "lacuna/kernels/cuda/pair_distances.cuh"

namespace lacuna::cuda {

template <class Run>
struct ContrastLosses {
  template <class T>
  using Matrix = Array<T, typename Run::device>;

  /// InfoNCE of unit rows x, y (n, d): s = x yᵀ/τ; w_r of −log softmax over rows and w_c of that over columns, at (i,
  /// i). Gradients to the unit rows are written; both or none.
  template <class T>
  static Total<T, Run> info_nce(index_t n, index_t d, const T* x, const T* y, double temperature, double w_r,
                                double w_c, T* grad_x, T* grad_y) {
    const double s = 1 / temperature;
    Matrix<T> score(Shape{n, n});
    T* const p = score.data();
    Linear<Run>::template gemm<T>(n, n, d, {x, d}, {y, d, true}, T(0), p, n);
    const Buffer<double, Run> rows(n), columns(n);
    double *const by_row = rows.data(), *const by_column = columns.data();
    Run::rows("info_nce", n, [=] LACUNA_DEVICE(index_t i, typename Run::Team team) {
      const double row = log_sum(team, n, p + i * n, s), column = w_c != 0 ? log_sum(team, n, p + i, s, -1, n) : 0.0;
      if (team.lane() == 0) by_row[i] = row, by_column[i] = column;
    });
    Total<T, Run> value = sum_terms<T, Run>("info_nce", n, 1.0, [=] LACUNA_DEVICE(index_t i) {
      const double own = s * double(p[i * n + i]);
      return w_r * (by_row[i] - own) + (w_c != 0 ? w_c * (by_column[i] - own) : 0.0);
    });
    if (!grad_x && !grad_y) return value;
    Run::each("info_nce", n * n, [=] LACUNA_DEVICE(index_t at) {
      const index_t i = at / n, j = at % n;
      const double score_at = s * double(p[at]);
      double slope = w_r * std::exp(score_at - by_row[i]);
      if (w_c != 0) slope += w_c * std::exp(score_at - by_column[j]);
      p[at] = T(s * (slope - (i == j ? w_r + w_c : 0.0)));
    });
    const T* const slope = p;
    if (grad_x) Linear<Run>::template gemm<T>(n, d, n, {slope, n}, {y, d}, T(0), grad_x, d);
    if (grad_y) Linear<Run>::template gemm<T>(n, d, n, {slope, n, true}, {x, d}, T(0), grad_y, d);
    return value;
  }

  /// Supervised contrast of rows z (n, d) with labels; the gradient to z is written.
  template <class T>
  static Total<T, Run> supcon(index_t n, index_t d, const T* z, const index_t* label, double temperature, T* gradient) {
    const double s = 1 / temperature;
    Matrix<T> score(Shape{n, n});
    T* const p = score.data();
    Linear<Run>::template gemm<T>(n, n, d, {z, d}, {z, d, true}, T(0), p, n);
    const Buffer<double, Run> counts(n);
    double* const positives = counts.data();
    Run::rows("supcon", n, [=] LACUNA_DEVICE(index_t i, typename Run::Team team) {
      double count = 0;
      for (index_t j = team.lane(); j < n; j += team.lanes()) count += j != i && label[j] == label[i];
      count = team.sum(count);
      if (team.lane() == 0) positives[i] = count;
    });
    const Total<double, Run> anchors =
        sum_terms<double, Run>("supcon", n, 1.0, [=] LACUNA_DEVICE(index_t i) { return positives[i] > 0 ? 1.0 : 0.0; });
    const double* const anchor_count = anchors.data();
    Total<T, Run> value = sum_rows<T, Run>("supcon", n, 1.0, [=] LACUNA_DEVICE(index_t i, typename Run::Team team) {
      T* const row = p + i * n;
      const double count = positives[i], each = *anchor_count > 0 ? 1 / *anchor_count : 0.0;
      const double all = log_sum(team, n, row, s, i);
      double pull = 0;
      for (index_t j = team.lane(); j < n; j += team.lanes()) {
        const bool positive = j != i && label[j] == label[i];
        const double at = s * double(row[j]);
        if (positive) pull += at;
        row[j] = count > 0 && j != i ? T(each * s * (std::exp(at - all) - (positive ? 1 / count : 0.0))) : T(0);
      }
      pull = team.sum(pull);
      return count > 0 ? each * (all - pull / count) : 0.0;
    });
    if (!gradient) return value;
    const T* const slope = p;
    Linear<Run>::template gemm<T>(n, d, n, {slope, n}, {z, d}, T(0), gradient, d);
    Linear<Run>::template gemm<T>(n, d, n, {slope, n, true}, {z, d}, T(1), gradient, d);
    return value;
  }

  /// Σ_i w_+ D_ii² + w_− Σ_{j≠i} max(0, margin − √(D_ij² + 1e-12))², D_ij the distance of row i of a and row j of b (n,
  /// d).
  template <class T>
  static Total<T, Run> sample_contrast(index_t n, index_t d, const T* a, const T* b, double margin, double positive,
                                       double negative, T* grad_a, T* grad_b) {
    const functors::SampleContrast contrast{margin, positive, negative};
    const PairDistances<T, Run> pairs(n, n, d, a, b);
    const T* const squared = pairs.squared();
    Matrix<T> weight(Shape{n, n});
    T* const w = weight.data();
    Total<T, Run> value =
        sum_few_rows<T, Run>("sample_contrast", n, 1.0, [=] LACUNA_DEVICE(index_t i, typename Run::Team team) {
          double hinges = 0;
          for (index_t j = team.lane(); j < n; j += team.lanes()) {
            const double distance = double(squared[i * n + j]), hinge = contrast.hinge(distance);
            w[i * n + j] = T(contrast.slope(j == i, distance));
            if (j != i) hinges += hinge * hinge;
          }
          return contrast.positive * double(squared[i * n + i]) + contrast.negative * team.sum(hinges);
        });
    if (grad_a || grad_b) pairs.gradient(w, grad_a, grad_b);
    return value;
  }

  /// scale · Σ_i max(0, margin + ‖a−p+ε‖ − ‖a−q+ε‖); swap: the nearer of ‖a−q+ε‖ and ‖p−q+ε‖. All (n, d).
  template <class T>
  static Total<T, Run> triplet(index_t n, index_t d, const T* a, const T* p, const T* q, double margin, bool swap,
                               double epsilon, double scale, T* grad_a, T* grad_p, T* grad_q) {
    return sum_rows<T, Run>("triplet", n, scale, [=] LACUNA_DEVICE(index_t i, typename Run::Team team) {
      const Edge<T> to_p{i * d, d, a, p, epsilon}, to_q{i * d, d, a, q, epsilon}, across{i * d, d, p, q, epsilon};
      const double near = to_p.length(team), direct = to_q.length(team),
                   other = swap ? across.length(team) : double(INFINITY);
      const double value = margin + near - (other < direct ? other : direct);
      if (value <= 0) return 0.0;  // NaN is none of it
      to_p.push(team, near, scale, grad_a, grad_p);
      if (direct <= other)
        to_q.push(team, direct, -scale, grad_a, grad_q);
      else
        across.push(team, other, -scale, grad_p, grad_q);
      return value;
    });
  }

  /// scale · Σ_i [1 − c_i] for target 1, max(0, c_i − margin) for −1; c = ⟨x,y⟩/√((‖x‖²+1e-12)(‖y‖²+1e-12)).
  template <class T>
  static Total<T, Run> cosine_embedding(index_t n, index_t d, const T* x, const T* y, const index_t* target,
                                        double margin, double scale, T* grad_x, T* grad_y) {
    return sum_rows<T, Run>("cosine_embedding", n, scale, [=] LACUNA_DEVICE(index_t i, typename Run::Team team) {
      const T *const a = x + i * d, *const b = y + i * d;
      const double aa = inner(team, d, a, a), bb = inner(team, d, b, b), ab = inner(team, d, a, b);
      const auto angle = functors::Cosine::of(aa, bb, ab);
      const bool alike = target[i] == 1;
      if (!alike && angle.cosine <= margin) return 0.0;  // NaN is none of it
      const double slope = alike ? -scale : scale;
      for (index_t f = team.lane(); f < d; f += team.lanes()) {
        if (grad_x) grad_x[i * d + f] += T(slope * angle.slope_x(double(a[f]), double(b[f])));
        if (grad_y) grad_y[i * d + f] += T(slope * angle.slope_y(double(a[f]), double(b[f])));
      }
      return alike ? 1 - angle.cosine : angle.cosine - margin;
    });
  }

  /// ‖x − y + ε‖ of one row, which starts at number `row` of both.
  template <class T>
  struct Edge {
    index_t row, d;
    const T *x, *y;
    double epsilon;

    template <class Team>
    LACUNA_DEVICE double length(const Team& team) const {
      double sum = 0;
      for (index_t f = row + team.lane(); f < row + d; f += team.lanes()) {
        const double apart = double(x[f]) - double(y[f]) + epsilon;
        sum += apart * apart;
      }
      return std::sqrt(team.sum(sum));
    }
    template <class Team>
    LACUNA_DEVICE void push(const Team& team, double along, double factor, T* grad_x, T* grad_y) const {
      if (along == 0) return;
      for (index_t f = row + team.lane(); f < row + d; f += team.lanes()) {
        const double slope = factor * (double(x[f]) - double(y[f]) + epsilon) / along;
        if (grad_x) grad_x[f] += T(slope);
        if (grad_y) grad_y[f] -= T(slope);
      }
    }
  };
};

}  // namespace lacuna::cuda
