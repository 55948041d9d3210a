/// Cosines of rows to the means of their classes, compared between two networks. Policy: all in double, O(n classes
/// width); gradients are added to and may be null.
#pragma once

#include "lacuna/kernels/cpu/loss_rows.hpp"

namespace lacuna::cpu {

struct PrototypeLosses {
  /// Σ_i Σ_{k present} |M^s_k(i) − M^t_k(i)|^power / (n · classes), M_k(i) = cos(h_i, c_k), c_k the mean of the rows
  /// labelled k, norms clamped below at epsilon; classes that occur count, or all. With `fixed_prototypes` the
  /// student's c_k are constants.
  template <class T>
  static double class_variation(index_t n, index_t classes, index_t ds, const T* student, index_t dt, const T* teacher,
                                const index_t* label, int power, bool fixed_prototypes, double epsilon,
                                bool all_classes, T* grad_s, T* grad_t) {
    const Variation<T> a(n, classes, ds, student, label, epsilon), b(n, classes, dt, teacher, label, epsilon);
    const functors::PowerOfDifference difference{power};
    const double occur = double(all_classes ? classes : a.occurring()), divisor = double(n) * occur,
                 scale = divisor > 0 ? 1 / divisor : 0;
    List<double> slope(static_cast<std::size_t>(n * classes));
    const double value = sum_rows(n, 4 * classes, 0, [&](index_t i, double*) {
      double sum = 0;
      for (index_t k = 0; k < classes; ++k) {
        const auto p = std::size_t(i * classes + k);
        const double apart = a.cosine[p] - b.cosine[p];
        sum += difference.value(apart);
        slope[p] = scale * difference.slope(apart);
      }
      return scale * sum;
    });
    if (grad_s) a.back(student, label, slope, 1, fixed_prototypes, grad_s);
    if (grad_t) b.back(teacher, label, slope, -1, false, grad_t);
    return value;
  }

 private:
  /// Cosines (n, classes) of one network; those to an absent class are 0.
  template <class T>
  struct Variation {
    index_t n, classes, width;
    double epsilon;
    List<double> count, mean, mean_norm, row_norm, cosine;

    Variation(index_t rows, index_t kinds, index_t d, const T* h, const index_t* label, double floor)
        : n(rows),
          classes(kinds),
          width(d),
          epsilon(floor),
          count(std::size_t(kinds)),
          mean(std::size_t(kinds * d)),
          mean_norm(std::size_t(kinds)),
          row_norm(std::size_t(rows)),
          cosine(std::size_t(rows * kinds)) {
      for (index_t i = 0; i < n; ++i) count[std::size_t(label[i])] += 1;
      parallel_for(width, detail::row_grain(n), [&](index_t begin, index_t end) {
        for (index_t i = 0; i < n; ++i)
          for (index_t f = begin; f < end; ++f)
            mean[std::size_t(label[i] * width + f)] += double(h[i * width + f]) / count[std::size_t(label[i])];
      });
      for (index_t k = 0; k < classes; ++k) mean_norm[std::size_t(k)] = norm(mean.data() + k * width);
      parallel_for(n, detail::row_grain(classes * width), [&](index_t begin, index_t end) {
        for (index_t i = begin; i < end; ++i) {
          row_norm[std::size_t(i)] = norm(h + i * width);
          for (index_t k = 0; k < classes; ++k)
            cosine[std::size_t(i * classes + k)] = inner(width, h + i * width, mean.data() + k * width) / both(i, k);
        }
      });
    }
    index_t occurring() const {
      return std::count_if(count.begin(), count.end(), [](double samples) { return samples > 0; });
    }
    template <class N>
    double norm(const N* x) const {
      return std::sqrt(inner(width, x, x));
    }
    /// Product of the clamped norms.
    double both(index_t i, index_t k) const {
      return std::max(row_norm[std::size_t(i)], epsilon) * std::max(mean_norm[std::size_t(k)], epsilon);
    }
    /// gradient += sign times what the slopes of the cosines mean for h.
    void back(const T* h, const index_t* label, const List<double>& slope, double sign, bool fixed, T* gradient) const {
      List<double> to_mean(mean.size());
      if (!fixed)
        parallel_for(classes, detail::row_grain(n * width), [&](index_t begin, index_t end) {
          for (index_t k = begin; k < end; ++k) {
            double* const g = to_mean.data() + k * width;
            double along = 0;
            if (count[std::size_t(k)] == 0) continue;
            for (index_t i = 0; i < n; ++i) {
              const auto p = std::size_t(i * classes + k);
              const double each = slope[p] / (both(i, k) * count[std::size_t(k)]);
              along += slope[p] * cosine[p] / count[std::size_t(k)];
              for (index_t f = 0; f < width; ++f) g[f] += each * double(h[i * width + f]);
            }
            const double length = mean_norm[std::size_t(k)];
            if (length > epsilon)
              for (index_t f = 0; f < width; ++f) g[f] -= along * mean[std::size_t(k * width + f)] / (length * length);
          }
        });
      parallel_for(n, detail::row_grain(classes * width), [&](index_t begin, index_t end) {
        List<double> sum(static_cast<std::size_t>(width));
        for (index_t i = begin; i < end; ++i) {
          for (index_t f = 0; f < width; ++f) sum[std::size_t(f)] = to_mean[std::size_t(label[i] * width + f)];
          double along = 0;
          for (index_t k = 0; k < classes; ++k) {
            const auto p = std::size_t(i * classes + k);
            const double each = slope[p] / both(i, k);
            along += slope[p] * cosine[p];
            for (index_t f = 0; f < width; ++f) sum[std::size_t(f)] += each * mean[std::size_t(k * width + f)];
          }
          const double length = row_norm[std::size_t(i)], shrink = length > epsilon ? along / (length * length) : 0;
          for (index_t f = 0; f < width; ++f)
            gradient[i * width + f] += T(sign * (sum[std::size_t(f)] - shrink * double(h[i * width + f])));
        }
      });
    }
  };
};

}  // namespace lacuna::cpu
