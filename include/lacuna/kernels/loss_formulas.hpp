/// Scalar formulas of the losses over a batch, written once and used by the loops of the CPU and the kernels of CUDA.
/// All in double; a loss has a value(...) and the slopes of it.
#pragma once

#include <cmath>

#include "lacuna/core/gradient_slot.hpp"
#include "lacuna/core/random.hpp"

namespace lacuna::functors {

/// log(1 + eˣ) and its slope, without overflow.
LACUNA_HD inline double softplus(double x) { return (x < 0 ? 0.0 : x) + std::log1p(std::exp(-std::abs(x))); }
LACUNA_HD inline double logistic(double x) {
  const double e = std::exp(-std::abs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

/// The smooth absolute value with beta 1, and its slope.
LACUNA_HD inline double smooth_absolute(double x) {
  const double far = std::abs(x), near = 1.0 < far ? 1.0 : far;
  return near * (far - 0.5 * near);
}
LACUNA_HD inline double smooth_sign(double x) { return x < -1.0 ? -1.0 : x > 1.0 ? 1.0 : x; }

/// A cross-entropy of one row with label y: (1−s) w_y (−log p_y) + s/K Σ_k w_k (−log p_k). `weights` (classes) or null
/// for 1; every row counts `scale`.
struct CrossEntropyTerms {
  const double* weights;
  double smoothing, scale;

  LACUNA_HD double weight(index_t k) const { return weights ? weights[k] : 1.0; }
  LACUNA_HD double keep() const { return 1 - smoothing; }
  LACUNA_HD double spread(index_t classes) const { return smoothing / double(classes); }
  /// By the score of class k; `all` is the sum of all weights.
  LACUNA_HD double slope(index_t k, index_t y, index_t classes, double all, double log_p) const {
    return (keep() * weight(y) + spread(classes) * all) * std::exp(log_p) - spread(classes) * weight(k) -
           (k == y ? keep() * weight(y) : 0.0);
  }
};

/// Decoupled distillation of one row: its target class against the rest, and the other classes among themselves. The
/// logs are of p_y and 1 − p_y, t of the teacher and u of the student.
struct Decoupled {
  double alpha, beta;
  double target_t, rest_t, target_u, rest_u;

  /// log p_y and log(1 − p_y) from the log-odds of the target class.
  LACUNA_HD static double log_target(double odds) { return -softplus(-odds); }
  LACUNA_HD static double log_rest(double odds) { return -softplus(odds); }

  LACUNA_HD double value() const {
    return std::exp(target_t) * (target_t - target_u) + std::exp(rest_t) * (rest_t - rest_u);
  }
  /// Along the log-odds of the target class.
  LACUNA_HD double odds_student() const { return alpha * (std::exp(target_u) - std::exp(target_t)); }
  LACUNA_HD double odds_teacher() const {
    return alpha * std::exp(target_t + rest_t) * ((target_t - target_u) - (rest_t - rest_u));
  }
  /// By the score of another class with probabilities p (teacher) and q (student) among the others.
  LACUNA_HD double other_student(double odds, double p, double q) const { return -odds * q + beta * (q - p); }
  /// `gap` = log p − log q, `rest` = KL(p ‖ q).
  LACUNA_HD double other_teacher(double odds, double p, double gap, double rest) const {
    return -odds * p + beta * p * (gap - rest);
  }
};

/// −mean_i sp(−F_ii) − mean_{i≠j} sp(F_ij): the share of one score and its slope.
struct JensenShannon {
  double joint, apart;

  static JensenShannon of(index_t n) {
    const double each = 1 / double(n);
    return {each, n > 1 ? each / double(n - 1) : 0};
  }
  LACUNA_HD double value(bool own, double score) const {
    return own ? joint * softplus(-score) : apart * softplus(score);
  }
  LACUNA_HD double slope(bool own, double score) const {
    return own ? joint * logistic(-score) : -apart * logistic(score);
  }
};

/// Whether D² of a pair is small against ‖a‖² + ‖b‖², so that ‖a‖² + ‖b‖² − 2⟨a, b⟩ has lost its digits.
LACUNA_HD inline bool near_pair(double squared, double both) { return squared < 0.01 * both; }

/// w_+ D² of a pair that belongs together, w_− max(0, margin − √(D² + 1e-12))² of any other.
struct SampleContrast {
  double margin, positive, negative;

  LACUNA_HD double root(double squared) const { return std::sqrt(squared + 1e-12); }
  LACUNA_HD double hinge(double squared) const {
    const double left = margin - root(squared);
    return left < 0.0 ? 0.0 : left;  // NaN stays
  }
  /// By D².
  LACUNA_HD double slope(bool own, double squared) const {
    return own ? positive : -negative * hinge(squared) / root(squared);
  }
};

/// Parts of ⟨x,y⟩/√((‖x‖²+1e-12)(‖y‖²+1e-12)) from the sums xx, yy, xy.
struct Cosine {
  double xx, yy, root, cosine;

  LACUNA_HD static Cosine of(double xx, double yy, double xy) {
    const double a = xx + 1e-12, b = yy + 1e-12, root = std::sqrt(a * b);
    return {a, b, root, xy / root};
  }
  /// By one number of x, and the number of y beside it.
  LACUNA_HD double slope_x(double x, double y) const { return y / root - cosine * x / xx; }
  LACUNA_HD double slope_y(double x, double y) const { return x / root - cosine * y / yy; }
};

/// |apart| or apart², and its slope.
struct PowerOfDifference {
  int power;
  LACUNA_HD double value(double apart) const { return power == 1 ? std::abs(apart) : apart * apart; }
  LACUNA_HD double slope(double apart) const { return power == 1 ? double(apart > 0) - double(apart < 0) : 2 * apart; }
};

/// Which numbers of a response make a part: the probability of the target class, or those of all others in class order.
/// `logarithm`: their logarithms. `renormalized`: the others divided by their sum.
struct ResponsePart {
  bool target = true, logarithm = false, renormalized = false;
  double inverse_temperature = 1;

  LACUNA_HD index_t width(index_t classes) const { return target ? 1 : classes - 1; }
  /// Whether class k belongs to the part, the class of its j-th number, and the number of its class k.
  LACUNA_HD bool holds(index_t k, index_t label) const { return (k == label) == target; }
  LACUNA_HD index_t place(index_t label, index_t j) const { return target ? label : j + (j >= label); }
  LACUNA_HD index_t number(index_t k, index_t label) const { return target ? 0 : k - (k > label); }
};

/// Some numbers on the device and their weights, by value.
template <class T>
struct WeightedTerms {
  static constexpr int most = 8;
  int count = 0;
  const T* term[most] = {};
  T weight[most] = {};

  void add(const T* number, T factor) {
    term[count] = number;
    weight[count++] = factor;
  }
  LACUNA_HD T sum() const {
    T total = weight[0] * *term[0];
    for (int k = 1; k < count; ++k) total += weight[k] * *term[k];
    return total;
  }
};
/// Where their gradients go.
template <class T>
struct TermGradients {
  int count = 0;
  GradientSlot<T> slot[WeightedTerms<T>::most] = {};
  void add(GradientSlot<T> to) { slot[count++] = to; }
};

/// log Σ exp of a growing set, shifted by its running maximum.
struct LogSum {
  double largest = -INFINITY, scaled = 0;

  LACUNA_HD void add(double x) {
    if (x <= largest) {
      scaled += std::exp(x - largest);
    } else {
      scaled = scaled * std::exp(largest - x) + 1.0;
      largest = x;
    }
  }
  /// Joins the set behind this one.
  LACUNA_HD void add(const LogSum& other) {
    if (other.scaled == 0) return;
    if (other.largest <= largest) {
      scaled += other.scaled * std::exp(other.largest - largest);
    } else {
      scaled = scaled * std::exp(largest - other.largest) + other.scaled;
      largest = other.largest;
    }
  }
  LACUNA_HD double value() const { return largest + std::log(scaled); }
};

}  // namespace lacuna::functors
