/// Cosines of rows to the means of their classes, compared between two networks. Policy: all in double, O(n classes
/// width); one thread per number of a mean or of a gradient, which sums over the rows or classes in order; one team per
/// row for its cosines. Gradients are added to and may be null.
#pragma once

#include "lacuna/kernels/cuda/totals.cuh"

namespace lacuna::cuda {

template <class Run>
struct PrototypeLosses {
  /// Σ_i Σ_{k present} |M^s_k(i) − M^t_k(i)|^power / (n · classes), M_k(i) = cos(h_i, c_k), c_k the mean of the rows
  /// labelled k, norms clamped below at epsilon; classes that occur count, or all. With `fixed_prototypes` the
  /// student's c_k are constants.
  template <class T>
  static Total<T, Run> class_variation(index_t n, index_t classes, index_t ds, const T* student, index_t dt,
                                       const T* teacher, const index_t* label, int power, bool fixed_prototypes,
                                       double epsilon, bool all_classes, T* grad_s, T* grad_t) {
    const Variation<T> a(n, classes, ds, student, label, epsilon), b(n, classes, dt, teacher, label, epsilon);
    const functors::PowerOfDifference difference{power};
    const Buffer<double, Run> slopes(n * classes);
    double* const slope = slopes.data();
    const double *const of_a = a.view.cosine, *const of_b = b.view.cosine, *const count = a.view.count;
    Total<T, Run> value = sum_terms<T, Run>("class_variation", n * classes, 1.0, [=] LACUNA_DEVICE(index_t at) {
      index_t occur = 0;
      for (index_t k = 0; k < classes; ++k) occur += all_classes || count[k] > 0;
      const double scale = 1 / (double(n) * double(occur)), apart = of_a[at] - of_b[at];
      slope[at] = scale * difference.slope(apart);
      return scale * difference.value(apart);
    });
    if (grad_s) back(a.view, slope, 1.0, fixed_prototypes, grad_s);
    if (grad_t) back(b.view, slope, -1.0, false, grad_t);
    return value;
  }

  /// What a kernel sees of one network: rows h (n, width), their norms, the classes' counts, means and norms of means,
  /// cosines (n, classes), 0 to an absent class.
  template <class T>
  struct View {
    index_t n, classes, width;
    double epsilon;
    const T* h;
    const index_t* label;
    double *count, *mean, *mean_norm, *row_norm, *cosine;

    /// Product of the clamped norms.
    LACUNA_HD double both(index_t i, index_t k) const {
      return (row_norm[i] < epsilon ? epsilon : row_norm[i]) * (mean_norm[k] < epsilon ? epsilon : mean_norm[k]);
    }
  };
  template <class T>
  struct Variation {
    Buffer<double, Run> count, mean, mean_norm, row_norm, cosine;
    View<T> view;

    Variation(index_t n, index_t classes, index_t width, const T* h, const index_t* label, double epsilon)
        : count(classes),
          mean(classes * width),
          mean_norm(classes),
          row_norm(n),
          cosine(n * classes),
          view{n,           classes,          width,           epsilon,      h, label, count.data(),
               mean.data(), mean_norm.data(), row_norm.data(), cosine.data()} {
      compare(view);
    }
  };

  template <class T>
  static void compare(View<T> v) {
    Run::rows("class_counts", v.classes, [=] LACUNA_DEVICE(index_t k, typename Run::Team team) {
      double count = 0;
      for (index_t i = team.lane(); i < v.n; i += team.lanes()) count += v.label[i] == k;
      count = team.sum(count);
      if (team.lane() == 0) v.count[k] = count;
    });
    Run::each("class_means", v.classes * v.width, [=] LACUNA_DEVICE(index_t at) {
      const index_t k = at / v.width, f = at % v.width;
      double sum = 0;
      for (index_t i = 0; i < v.n; ++i)
        if (v.label[i] == k) sum += double(v.h[i * v.width + f]) / v.count[k];
      v.mean[at] = sum;
    });
    Run::rows("class_norms", v.classes, [=] LACUNA_DEVICE(index_t k, typename Run::Team team) {
      const double square = inner(team, v.width, v.mean + k * v.width, v.mean + k * v.width);
      if (team.lane() == 0) v.mean_norm[k] = std::sqrt(square);
    });
    Run::rows("class_cosines", v.n, [=] LACUNA_DEVICE(index_t i, typename Run::Team team) {
      const T* const row = v.h + i * v.width;
      const double norm = std::sqrt(inner(team, v.width, row, row));
      if (team.lane() == 0) v.row_norm[i] = norm;
      team.sync();
      for (index_t k = 0; k < v.classes; ++k) {
        const double along = inner(team, v.width, row, v.mean + k * v.width);
        if (team.lane() == 0) v.cosine[i * v.classes + k] = along / v.both(i, k);
      }
    });
  }
  /// gradient += sign times what the slopes of the cosines mean for h.
  template <class T>
  static void back(View<T> v, const double* slope, double sign, bool fixed, T* gradient) {
    const Buffer<double, Run> along_means(v.classes), to_means(v.classes * v.width);
    double *const along_mean = along_means.data(), *const to_mean = to_means.data();
    Run::rows("class_variation_gradient", v.classes, [=] LACUNA_DEVICE(index_t k, typename Run::Team team) {
      double along = 0;
      for (index_t i = team.lane(); i < v.n; i += team.lanes())
        along += slope[i * v.classes + k] * v.cosine[i * v.classes + k];
      along = team.sum(along);
      if (team.lane() == 0) along_mean[k] = along;
    });
    Run::each("class_variation_gradient", v.classes * v.width, [=] LACUNA_DEVICE(index_t at) {
      const index_t k = at / v.width, f = at % v.width;
      double sum = 0;
      if (!fixed && v.count[k] > 0) {
        for (index_t i = 0; i < v.n; ++i)
          sum += slope[i * v.classes + k] / (v.both(i, k) * v.count[k]) * double(v.h[i * v.width + f]);
        const double length = v.mean_norm[k];
        if (length > v.epsilon) sum -= along_mean[k] / v.count[k] * v.mean[at] / (length * length);
      }
      to_mean[at] = sum;
    });
    Run::each("class_variation_gradient", v.n * v.width, [=] LACUNA_DEVICE(index_t at) {
      const index_t i = at / v.width, f = at % v.width;
      double sum = to_mean[v.label[i] * v.width + f], along = 0;
      for (index_t k = 0; k < v.classes; ++k) {
        const index_t pair = i * v.classes + k;
        along += slope[pair] * v.cosine[pair];
        sum += slope[pair] / v.both(i, k) * v.mean[k * v.width + f];
      }
      const double length = v.row_norm[i], shrink = length > v.epsilon ? along / (length * length) : 0.0;
      gradient[at] += T(sign * (sum - shrink * double(v.h[at])));
    });
  }
};

}  // namespace lacuna::cuda
