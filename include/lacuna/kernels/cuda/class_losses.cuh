/// Losses of class scores: value and gradient from the same softmax. Policy: one team per row, its lanes share the
/// classes; logarithms are computed again where they are needed instead of kept. Gradients may be null; every number
/// of theirs is written. Labels and weights lie on the device.
#pragma once

#include "lacuna/kernels/cuda/few_rows.cuh"

namespace lacuna::cuda {

template <class Run>
struct ClassLosses {
  /// scale · Σ_i [(1−s) w_y (−log p_y) + s/K Σ_k w_k (−log p_k)], p = softmax of row i of z (n, classes).
  template <class T>
  static Total<T, Run> cross_entropy(index_t n, index_t classes, const T* z, const index_t* label,
                                     functors::CrossEntropyTerms terms, T* gradient) {
    return sum_few_rows<T, Run>("cross_entropy", n, terms.scale, [=] LACUNA_DEVICE(index_t i, typename Run::Team team) {
      const T* const row = z + i * classes;
      const index_t y = label[i];
      const double sum = log_sum(team, classes, row, 1.0), spread = terms.spread(classes);
      double all = 0, value = 0;
      for (index_t k = team.lane(); k < classes; k += team.lanes()) all += terms.weight(k);
      all = team.sum(all);
      for (index_t k = team.lane(); k < classes; k += team.lanes()) {
        const double log_p = double(row[k]) - sum;
        if (k == y) value -= terms.keep() * terms.weight(y) * log_p;
        if (spread != 0) value -= spread * terms.weight(k) * log_p;
        if (gradient) gradient[i * classes + k] = T(terms.scale * terms.slope(k, y, classes, all, log_p));
      }
      return team.sum(value);
    });
  }

  /// scale · Σ_i Σ_k p log(p/q), p = softmax(teacher s), q = softmax(student s), s the inverse temperature.
  template <class T>
  static Total<T, Run> kl_divergence(index_t n, index_t classes, const T* student, const T* teacher, double s,
                                     double scale, T* grad_student, T* grad_teacher) {
    return sum_few_rows<T, Run>("kl_divergence", n, scale, [=] LACUNA_DEVICE(index_t i, typename Run::Team team) {
      const T *const t = teacher + i * classes, *const u = student + i * classes;
      const double sum_t = log_sum(team, classes, t, s), sum_u = log_sum(team, classes, u, s);
      double value = 0;
      for (index_t k = team.lane(); k < classes; k += team.lanes()) {
        const double log_p = double(t[k]) * s - sum_t, log_q = double(u[k]) * s - sum_u;
        value += std::exp(log_p) * (log_p - log_q);
      }
      value = team.sum(value);
      for (index_t k = team.lane(); k < classes; k += team.lanes()) {
        const double log_p = double(t[k]) * s - sum_t, log_q = double(u[k]) * s - sum_u, p = std::exp(log_p);
        if (grad_student) grad_student[i * classes + k] = T(scale * s * (std::exp(log_q) - p));
        if (grad_teacher) grad_teacher[i * classes + k] = T(scale * s * p * (log_p - log_q - value));
      }
      return value;
    });
  }

  /// scale · Σ_i [alpha KL(b^t ‖ b^s) + beta KL(p̃^t ‖ p̃^s)]: b = (p_y, 1 − p_y), p̃ the softmax over the other classes.
  template <class T>
  static Total<T, Run> decoupled(index_t n, index_t classes, const T* student, const T* teacher, const index_t* label,
                                 double s, double alpha, double beta, double scale, T* grad_student, T* grad_teacher) {
    return sum_few_rows<T, Run>("decoupled", n, scale, [=] LACUNA_DEVICE(index_t i, typename Run::Team team) {
      using functors::Decoupled;
      const T *const t = teacher + i * classes, *const u = student + i * classes;
      const index_t y = label[i];
      const double sum_t = log_sum(team, classes, t, s, y), sum_u = log_sum(team, classes, u, s, y);
      const double odds_t = double(t[y]) * s - sum_t, odds_u = double(u[y]) * s - sum_u;
      const Decoupled parts{alpha,
                            beta,
                            Decoupled::log_target(odds_t),
                            Decoupled::log_rest(odds_t),
                            Decoupled::log_target(odds_u),
                            Decoupled::log_rest(odds_u)};
      double rest = 0;
      for (index_t k = team.lane(); k < classes; k += team.lanes()) {
        const double log_p = double(t[k]) * s - sum_t, log_q = double(u[k]) * s - sum_u;
        if (k != y) rest += std::exp(log_p) * (log_p - log_q);
      }
      rest = team.sum(rest);
      const double student_odds = parts.odds_student(), teacher_odds = parts.odds_teacher();
      for (index_t k = team.lane(); k < classes; k += team.lanes()) {
        const double log_p = double(t[k]) * s - sum_t, log_q = double(u[k]) * s - sum_u;
        const double p = std::exp(log_p), q = std::exp(log_q);
        if (grad_student)
          grad_student[i * classes + k] =
              T(scale * s * (k == y ? student_odds : parts.other_student(student_odds, p, q)));
        if (grad_teacher)
          grad_teacher[i * classes + k] =
              T(scale * s * (k == y ? teacher_odds : parts.other_teacher(teacher_odds, p, log_p - log_q, rest)));
      }
      return alpha * parts.value() + beta * rest;
    });
  }
};

}  // namespace lacuna::cuda
