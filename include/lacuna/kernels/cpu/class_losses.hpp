/// Losses of class scores: each row is read once; value and gradient come from the same softmax. Policy: see
/// loss_rows.hpp. Gradients are added to and may be null.
#pragma once

#include "lacuna/kernels/cpu/loss_rows.hpp"

namespace lacuna::cpu {

struct ClassLosses {
  /// scale · Σ_i [(1−s) w_y (−log p_y) + s/K Σ_k w_k (−log p_k)], p = softmax of row i of z (n, classes).
  template <class T>
  static double cross_entropy(index_t n, index_t classes, const T* z, const index_t* label,
                              functors::CrossEntropyTerms terms, T* gradient) {
    double all_weights = 0;
    for (index_t k = 0; k < classes; ++k) all_weights += terms.weight(k);
    const double spread = terms.spread(classes);
    return terms.scale * sum_rows(n, 32 * classes, classes, [&](index_t i, double* log_p) {
             const index_t y = label[i];
             log_softmax(classes, z + i * classes, 1.0, log_p);
             double value = -terms.keep() * terms.weight(y) * log_p[y];
             if (spread != 0)
               for (index_t k = 0; k < classes; ++k) value -= spread * terms.weight(k) * log_p[k];
             if (gradient)
               for (index_t k = 0; k < classes; ++k)
                 gradient[i * classes + k] += T(terms.scale * terms.slope(k, y, classes, all_weights, log_p[k]));
             return value;
           });
  }

  /// scale · Σ_i Σ_k p log(p/q), p = softmax(teacher s), q = softmax(student s), s the inverse temperature.
  template <class T>
  static double kl_divergence(index_t n, index_t classes, const T* student, const T* teacher, double s, double scale,
                              T* grad_student, T* grad_teacher) {
    return sum_rows(n, 64 * classes, 2 * classes, [&](index_t i, double* log_p) {
      double* const log_q = log_p + classes;
      const index_t row = i * classes;
      log_softmax(classes, teacher + row, s, log_p);
      log_softmax(classes, student + row, s, log_q);
      double value = 0;
      for (index_t k = 0; k < classes; ++k) value += std::exp(log_p[k]) * (log_p[k] - log_q[k]);
      for (index_t k = 0; k < classes; ++k) {
        const double p = std::exp(log_p[k]);
        if (grad_student) grad_student[row + k] += T(scale * s * (std::exp(log_q[k]) - p));
        if (grad_teacher) grad_teacher[row + k] += T(scale * s * p * (log_p[k] - log_q[k] - value));
      }
      return scale * value;
    });
  }

  /// scale · Σ_i [alpha KL(b^t ‖ b^s) + beta KL(p̃^t ‖ p̃^s)]: b = (p_y, 1 − p_y), p̃ the softmax over the other classes.
  template <class T>
  static double decoupled(index_t n, index_t classes, const T* student, const T* teacher, const index_t* label,
                          double s, double alpha, double beta, double scale, T* grad_student, T* grad_teacher) {
    return sum_rows(n, 64 * classes, 2 * classes, [&](index_t i, double* room) {
      const index_t row = i * classes, y = label[i];
      const Split t(classes, teacher + row, y, s, room), u(classes, student + row, y, s, room + classes);
      const functors::Decoupled parts{alpha, beta, t.log_target, t.log_rest, u.log_target, u.log_rest};
      double rest = 0;
      for (index_t k = 0; k < classes; ++k)
        if (k != y) rest += std::exp(t.others[k]) * (t.others[k] - u.others[k]);
      const double odds_student = parts.odds_student(), odds_teacher = parts.odds_teacher();
      for (index_t k = 0; k < classes; ++k) {
        const double p = k == y ? 0 : std::exp(t.others[k]), q = k == y ? 0 : std::exp(u.others[k]);
        if (grad_student)
          grad_student[row + k] += T(scale * s * (k == y ? odds_student : parts.other_student(odds_student, p, q)));
        if (grad_teacher)
          grad_teacher[row + k] +=
              T(scale * s *
                (k == y ? odds_teacher : parts.other_teacher(odds_teacher, p, t.others[k] - u.others[k], rest)));
      }
      return scale * (alpha * parts.value() + beta * rest);
    });
  }

 private:
  /// One row as log p_y, log(1 − p_y) and the log-softmax over the other classes.
  struct Split {
    double log_target, log_rest;
    const double* others;

    template <class T>
    Split(index_t classes, const T* z, index_t y, double s, double* room) : others(room) {
      double largest = -INFINITY, sum = 0;
      for (index_t k = 0; k < classes; ++k)
        if (k != y) largest = std::max(largest, double(z[k]) * s);
      for (index_t k = 0; k < classes; ++k)
        if (k != y) sum += std::exp(double(z[k]) * s - largest);
      const double rest = largest + std::log(sum), odds = double(z[y]) * s - rest;
      for (index_t k = 0; k < classes; ++k) room[k] = k == y ? 0 : double(z[k]) * s - rest;
      log_target = functors::Decoupled::log_target(odds);
      log_rest = functors::Decoupled::log_rest(odds);
    }
  };
};

}  // namespace lacuna::cpu
