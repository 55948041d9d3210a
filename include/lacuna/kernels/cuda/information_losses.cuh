/// Mutual information: the Jensen-Shannon bound from the scores of a critic, and the parts of a response. Policy: one
/// team per row, all sums in double.
#pragma once

#include "lacuna/kernels/cuda/few_rows.cuh"

namespace lacuna::cuda {

template <class Run>
struct InformationLosses {
  /// −mean_i sp(−F_ii) − mean_{i≠j} sp(F_ij) over `count` of the samples of scores (n, n), the i-th of them at row[i],
  /// or all when `row` is null; the second mean is 0 for one sample. The gradient may be null; at those pairs it is
  /// written.
  template <class T>
  static Total<T, Run> jensen_shannon(index_t count, index_t n, const index_t* row, const T* score, T* gradient) {
    const auto terms = functors::JensenShannon::of(count);
    return sum_few_rows<T, Run>("jensen_shannon", count, -1.0, [=] LACUNA_DEVICE(index_t i, typename Run::Team team) {
      const index_t from = (row ? row[i] : i) * n;
      double value = 0;
      for (index_t j = team.lane(); j < count; j += team.lanes()) {
        const index_t at = from + (row ? row[j] : j);
        const double f = double(score[at]);
        value += terms.value(i == j, f);
        if (gradient) gradient[at] = T(terms.slope(i == j, f));
      }
      return team.sum(value);
    });
  }

  /// y_ij = F_ii for i = j, else F_i,partner(i): scores (n, n) where row i has one pair for all others.
  template <class T>
  static void partner_scores(index_t n, const index_t* partner, const T* score, T* y) {
    Run::each("partner_scores", n * n, [=] LACUNA_DEVICE(index_t at) {
      const index_t i = at / n;
      y[at] = score[i * n + (i == at % n ? i : partner[i])];
    });
  }
  template <class T>
  static void partner_scores_gradient(index_t n, const index_t* partner, const T* dy, GradientSlot<T> slot) {
    Run::rows("partner_scores_gradient", n, [=] LACUNA_DEVICE(index_t i, typename Run::Team team) {
      double sum = 0;
      for (index_t j = team.lane(); j < n; j += team.lanes())
        if (j != i) sum += double(dy[i * n + j]);
      const T others = T(team.sum(sum));
      for (index_t j = team.lane(); j < n; j += team.lanes())
        slot.put(i * n + j, (j == i ? dy[i * n + j] : T(0)) + (j == partner[i] ? others : T(0)));
    });
  }

  /// One part of every response softmax(z s), see functors::ResponsePart; y (n, part.width(classes)).
  template <class T>
  static void response_part(functors::ResponsePart part, index_t n, index_t classes, const T* z, const index_t* label,
                            T* y) {
    const index_t width = part.width(classes);
    Run::rows("response_part", n, [=] LACUNA_DEVICE(index_t i, typename Run::Team team) {
      const T* const from = z + i * classes;
      const double sum = part_sum(part, team, classes, from, label[i]);
      for (index_t j = team.lane(); j < width; j += team.lanes()) {
        const double log_y = double(from[part.place(label[i], j)]) * part.inverse_temperature - sum;
        y[i * width + j] = T(part.logarithm ? log_y : std::exp(log_y));
      }
    });
  }
  /// dz (+)= what dy means for z.
  template <class T>
  static void response_part_gradient(functors::ResponsePart part, index_t n, index_t classes, const T* z,
                                     const index_t* label, const T* dy, GradientSlot<T> dz) {
    const index_t width = part.width(classes);
    Run::rows("response_part_gradient", n, [=] LACUNA_DEVICE(index_t i, typename Run::Team team) {
      const T *const from = z + i * classes, *const g = dy + i * width;
      const double sum = part_sum(part, team, classes, from, label[i]), s = part.inverse_temperature;
      double along = 0;
      for (index_t j = team.lane(); j < width; j += team.lanes())
        along += by_log(part, double(g[j]), double(from[part.place(label[i], j)]) * s - sum);
      along = team.sum(along);
      for (index_t k = team.lane(); k < classes; k += team.lanes()) {
        const bool own = part.holds(k, label[i]);
        const double log_p = double(from[k]) * s - sum;
        double slope = own ? by_log(part, double(g[part.number(k, label[i])]), log_p) : 0.0;
        if (own || part.target || !part.renormalized) slope -= along * std::exp(log_p);
        dz.put(i * classes + k, T(s * slope));
      }
    });
  }

  /// log Σ exp of a row's scores, of the other classes alone when they are renormalized.
  template <class T>
  LACUNA_DEVICE static double part_sum(const functors::ResponsePart& part, const typename Run::Team& team,
                                       index_t classes, const T* z, index_t label) {
    return log_sum(team, classes, z, part.inverse_temperature, !part.target && part.renormalized ? label : -1);
  }
  /// What the slope g by a number of the part means for its logarithm.
  LACUNA_DEVICE static double by_log(const functors::ResponsePart& part, double g, double log_y) {
    return part.logarithm ? g : g * std::exp(log_y);
  }
};

}  // namespace lacuna::cuda
