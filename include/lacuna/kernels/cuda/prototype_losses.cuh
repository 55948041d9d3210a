/// Cosines of rows to the means of their classes, compared between two networks. Policy: all in double, O(n classes
/// width); one block per class, for its mean and its gradient, whose threads take a number each and sum over the rows
/// in order; one team per row for its cosines. Both networks share a launch. Gradients are written and may be null.
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
    compare(a.view, b.view);
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
               mean.data(), mean_norm.data(), row_norm.data(), cosine.data()} {}
  };

  template <class T>
  static void compare(View<T> first, View<T> second) {
    const index_t n = first.n, classes = first.classes;
    using Block = typename Run::Block;
    Run::template blocks<256>("class_means", 2 * classes, sizeof(double), [=] LACUNA_DEVICE(index_t at, Block block) {
      const View<T> v = at < classes ? first : second;
      const index_t k = at % classes;
      const auto team = block.team();
      if (block.team_number() == 0) {
        double count = 0;
        for (index_t i = team.lane(); i < n; i += team.lanes()) count += v.label[i] == k;
        count = team.sum(count);
        if (team.lane() == 0) block.template memory<double>()[0] = v.count[k] = count;
      }
      block.sync();
      const double count = block.template memory<double>()[0];
      double* const mean = v.mean + k * v.width;
      for (index_t f = block.thread(); f < v.width; f += block.threads()) {
        double sum = 0;
        for (index_t i = 0; i < n; ++i)
          if (v.label[i] == k) sum += double(v.h[i * v.width + f]) / count;
        mean[f] = sum;
      }
      block.sync();
      if (block.team_number() != 0) return;
      const double square = inner(team, v.width, mean, mean);
      if (team.lane() == 0) v.mean_norm[k] = std::sqrt(square);
    });
    Run::rows("class_cosines", 2 * n, [=] LACUNA_DEVICE(index_t at, typename Run::Team team) {
      const View<T> v = at < n ? first : second;
      const index_t i = at % n;
      const T* const row = v.h + i * v.width;
      const double norm = std::sqrt(inner(team, v.width, row, row));
      if (team.lane() == 0) v.row_norm[i] = norm;
      team.sync();
      for (index_t k = 0; k < classes; ++k) {
        const double along = inner(team, v.width, row, v.mean + k * v.width);
        if (team.lane() == 0) v.cosine[i * classes + k] = along / v.both(i, k);
      }
    });
  }
  /// gradient = sign times what the slopes of the cosines mean for h.
  template <class T>
  static void back(View<T> v, const double* slope, double sign, bool fixed, T* gradient) {
    const Buffer<double, Run> to_means(v.classes * v.width);
    double* const to_mean = to_means.data();
    using Block = typename Run::Block;
    const char* const name = "class_variation_gradient";
    Run::template blocks<256>(name, v.classes, sizeof(double), [=] LACUNA_DEVICE(index_t k, Block block) {
      const auto team = block.team();
      if (block.team_number() == 0) {
        double along = 0;
        for (index_t i = team.lane(); i < v.n; i += team.lanes())
          along += slope[i * v.classes + k] * v.cosine[i * v.classes + k];
        along = team.sum(along);
        if (team.lane() == 0) block.template memory<double>()[0] = along;
      }
      block.sync();
      const double along = block.template memory<double>()[0], count = v.count[k], length = v.mean_norm[k];
      for (index_t f = block.thread(); f < v.width; f += block.threads()) {
        double sum = 0;
        if (!fixed && count > 0) {
          for (index_t i = 0; i < v.n; ++i)
            sum += slope[i * v.classes + k] / (v.both(i, k) * count) * double(v.h[i * v.width + f]);
          if (length > v.epsilon) sum -= along / count * v.mean[k * v.width + f] / (length * length);
        }
        to_mean[k * v.width + f] = sum;
      }
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
      gradient[at] = T(sign * (sum - shrink * double(v.h[at])));
    });
  }
};

}  // namespace lacuna::cuda
