/// Mutual information: the Jensen-Shannon bound from the scores of a critic, and the parts of a response. Policy: see
/// loss_rows.hpp.
#pragma once

#include "lacuna/core/gradient_slot.hpp"
#include "lacuna/kernels/cpu/loss_rows.hpp"

namespace lacuna::cpu {

using functors::ResponsePart;

struct InformationLosses {
  /// −mean_i sp(−F_ii) − mean_{i≠j} sp(F_ij) over `count` of the samples of scores (n, n), the i-th of them at row[i],
  /// or all when `row` is null; the second mean is 0 for one sample. The gradient may be null.
  template <class T>
  static double jensen_shannon(index_t count, index_t n, const index_t* row, const T* score, T* gradient) {
    const auto terms = functors::JensenShannon::of(count);
    return sum_rows(count, 32 * count, 0, [&](index_t i, double*) {
      const index_t from = (row ? row[i] : i) * n;
      double value = 0;
      for (index_t j = 0; j < count; ++j) {
        const index_t at = from + (row ? row[j] : j);
        const double f = double(score[at]);
        value -= terms.value(i == j, f);
        if (gradient) gradient[at] += T(terms.slope(i == j, f));
      }
      return value;
    });
  }

  /// y_ij = F_ii for i = j, else F_i,partner(i): scores (n, n) where row i has one pair for all others.
  template <class T>
  static void partner_scores(index_t n, const index_t* partner, const T* score, T* y) {
    parallel_for(n, detail::row_grain(n), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i)
        for (index_t j = 0; j < n; ++j) y[i * n + j] = score[i * n + (i == j ? i : partner[i])];
    });
  }
  template <class T>
  static void partner_scores_gradient(index_t n, const index_t* partner, const T* dy, GradientSlot<T> slot) {
    parallel_for(n, detail::row_grain(n), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) {
        T others = T(0);
        for (index_t j = 0; j < n; ++j)
          if (j != i) others += dy[i * n + j];
        for (index_t j = 0; j < n; ++j)
          slot.put(i * n + j, (j == i ? dy[i * n + j] : T(0)) + (j == partner[i] ? others : T(0)));
      }
    });
  }

  /// One part of every response softmax(z s), see ResponsePart; y (n, part.width(classes)).
  template <class T>
  static void response_part(ResponsePart part, index_t n, index_t classes, const T* z, const index_t* label, T* y) {
    const index_t width = part.width(classes);
    sum_rows(n, 32 * classes, classes, [&](index_t i, double* log_p) {
      part_of_row(part, classes, z + i * classes, label[i], log_p);
      for (index_t j = 0; j < width; ++j) {
        const double log_y = log_p[part.place(label[i], j)];
        y[i * width + j] = T(part.logarithm ? log_y : std::exp(log_y));
      }
      return 0.0;
    });
  }
  /// dz (+)= what dy means for z.
  template <class T>
  static void response_part_gradient(ResponsePart part, index_t n, index_t classes, const T* z, const index_t* label,
                                     const T* dy, GradientSlot<T> dz) {
    const index_t width = part.width(classes);
    sum_rows(n, 32 * classes, classes, [&](index_t i, double* log_p) {
      part_of_row(part, classes, z + i * classes, label[i], log_p);
      double along = 0;
      const auto slope = [&](index_t j) {  // by log y
        const double g = double(dy[i * width + j]);
        return part.logarithm ? g : g * std::exp(log_p[part.place(label[i], j)]);
      };
      for (index_t j = 0; j < width; ++j) along += slope(j);
      for (index_t k = 0; k < classes; ++k) {
        const bool own = part.holds(k, label[i]);
        double g = own ? slope(part.number(k, label[i])) : 0;
        if (own || part.target || !part.renormalized) g -= along * std::exp(log_p[k]);
        dz.put(i * classes + k, T(part.inverse_temperature * g));
      }
      return 0.0;
    });
  }

 private:
  /// Log-probabilities of a row, over the other classes alone when renormalized.
  template <class T>
  static void part_of_row(ResponsePart part, index_t classes, const T* z, index_t label, double* log_p) {
    log_softmax(classes, z, part.inverse_temperature, log_p);
    if (part.target || !part.renormalized) return;
    double largest = -INFINITY, sum = 0;
    for (index_t k = 0; k < classes; ++k)
      if (k != label) largest = std::max(largest, log_p[k]);
    for (index_t k = 0; k < classes; ++k)
      if (k != label) sum += std::exp(log_p[k] - largest);
    for (index_t k = 0; k < classes; ++k) log_p[k] -= largest + std::log(sum);
  }
};

}  // namespace lacuna::cpu
