/// Probabilities that mean what they say, also where classes are as frequent as they were not in training.
///
///     const double t = train::temperature(scores_of_validation, labels_of_validation);   // one number, by validation
///     auto p = train::probabilities_at(scores, t);                                        // (N, K)
///     const auto prior = train::estimated_prior(p, shares_of_training);                   // of these N samples
///     p = train::with_prior(p, shares_of_training, prior);
///
/// Temperature scaling divides all scores by one number, which moves no decision (Guo, Pleiss, Sun & Weinberger, ICML
/// 2017). Where classes of the samples at hand have other shares than those of training, and look within each class as
/// they did there, p_k ∝ p_k new_k / old_k is their posterior, and the new shares are found without labels by
/// expectation maximisation (Saerens, Latinne & Decaestecker, Neural Computation 14, 2002).
///
/// A row of scores that is absent has no place here: leave out samples of which nothing is present; the prior answers for
/// them. Throws ShapeError for sizes that differ, OptionError for a class outside 0..K−1, a temperature or a share that
/// is not positive, Error for scores that are not finite.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "lacuna/core/tensor.hpp"

namespace lacuna::train {

/// softmax(scores / t), row by row: scores (N, K) → (N, K).
inline Tensor<double, 2> probabilities_at(const Tensor<double, 2>& scores, double t) {
  if (!(t > 0) || !std::isfinite(t)) throw OptionError(detail::cat("calibration: the temperature is ", t));
  const index_t samples = scores.extent(0), classes = scores.extent(1);
  Tensor<double, 2> result({samples, classes});
  for (index_t n = 0; n < samples; ++n) {
    double top = scores(n, 0), sum = 0;
    for (index_t k = 0; k < classes; ++k) top = std::max(top, scores(n, k));
    for (index_t k = 0; k < classes; ++k) sum += result(n, k) = std::exp((scores(n, k) - top) / t);
    if (!std::isfinite(sum)) throw Error(detail::cat("calibration: the scores of sample ", n, " are not finite"));
    for (index_t k = 0; k < classes; ++k) result(n, k) /= sum;
  }
  return result;
}

/// −mean log p of the labels; `class_weights`: what a sample of every class counts in that mean, 1 each without.
inline double log_loss(const Tensor<double, 2>& p, const std::vector<index_t>& labels,
                       const std::vector<double>& class_weights = {}) {
  if (p.extent(0) != index_t(labels.size()) || labels.empty())
    throw ShapeError(detail::cat("calibration: ", labels.size(), " labels for ", p.extent(0), " samples"));
  double sum = 0, total = 0;
  for (std::size_t n = 0; n < labels.size(); ++n) {
    if (labels[n] < 0 || labels[n] >= p.extent(1))
      throw OptionError(
          detail::cat("calibration: class ", labels[n], " of sample ", n, ", expected 0..", p.extent(1) - 1));
    const double weight = class_weights.empty() ? 1 : class_weights.at(std::size_t(labels[n]));
    sum -= weight * std::log(std::max(p(index_t(n), labels[n]), 1e-300));
    total += weight;
  }
  return sum / total;
}

/// The temperature with the least −mean log p of these labels, between 1/100 and 100: a golden-section search in log t;
/// the loss is convex in 1 / t. `class_weights` as in log_loss: of scores that assume other shares than these labels have,
/// the assumed share over the one they have.
inline double temperature(const Tensor<double, 2>& scores, const std::vector<index_t>& labels,
                          const std::vector<double>& class_weights = {}) {
  const double golden = 0.61803398874989484820, edge = std::log(100.0);
  const auto loss = [&](double log_t) {
    return log_loss(probabilities_at(scores, std::exp(log_t)), labels, class_weights);
  };
  double low = -edge, high = edge, a = high - golden * (high - low), b = low + golden * (high - low);
  double at_a = loss(a), at_b = loss(b);
  while (high - low > 1e-7) {
    if (at_a <= at_b) {
      high = b, b = a, at_b = at_a;
      at_a = loss(a = high - golden * (high - low));
    } else {
      low = a, a = b, at_a = at_b;
      at_b = loss(b = low + golden * (high - low));
    }
  }
  return std::exp(0.5 * (low + high));
}

/// p_k new_k / old_k, rows summing to 1.
inline Tensor<double, 2> with_prior(const Tensor<double, 2>& p, const std::vector<double>& old_shares,
                                    const std::vector<double>& new_shares) {
  const index_t samples = p.extent(0), classes = p.extent(1);
  if (index_t(old_shares.size()) != classes || index_t(new_shares.size()) != classes)
    throw ShapeError(detail::cat("calibration: ", old_shares.size(), " and ", new_shares.size(), " shares for ",
                                 classes, " classes"));
  for (const double share : old_shares)
    if (!(share > 0)) throw OptionError("calibration: every class needs a share above 0 in training");
  Tensor<double, 2> result({samples, classes});
  for (index_t n = 0; n < samples; ++n) {
    double sum = 0;
    for (index_t k = 0; k < classes; ++k)
      sum += result(n, k) = p(n, k) * new_shares[std::size_t(k)] / old_shares[std::size_t(k)];
    for (index_t k = 0; k < classes; ++k) result(n, k) /= sum;
  }
  return result;
}

/// Shares of the classes among these samples, without their labels: shares ← mean over samples of with_prior(p, old,
/// shares), from the old ones on, until no share moves by more than 1e-9, at most 10000 times.
inline std::vector<double> estimated_prior(const Tensor<double, 2>& p, const std::vector<double>& old_shares) {
  std::vector<double> shares = old_shares;
  for (int step = 0; step < 10000 && p.extent(0) > 0; ++step) {
    const Tensor<double, 2> now = with_prior(p, old_shares, shares);
    double moved = 0;
    for (std::size_t k = 0; k < shares.size(); ++k) {
      double mean = 0;
      for (index_t n = 0; n < now.extent(0); ++n) mean += now(n, index_t(k)) / double(now.extent(0));
      moved = std::max(moved, std::abs(mean - shares[k]));
      shares[k] = mean;
    }
    if (moved < 1e-9) break;
  }
  return shares;
}

/// conformal_width of errors that are ascending already; an infinite one stands for an answer that was none.
inline double conformal_width_sorted(std::span<const double> errors, double coverage) {
  if (!(coverage > 0 && coverage < 1))
    throw OptionError(detail::cat("conformal: coverage is ", coverage, ", expected 0..1"));
  const auto rank = std::size_t(std::ceil((double(errors.size()) + 1) * coverage - 1e-9));
  return rank > errors.size() ? std::numeric_limits<double>::infinity() : errors[rank - 1];
}

/// Half the width of an interval around a prediction of a real label that holds the label with this probability, whatever the
/// model: the ceil((N + 1) coverage)-th smallest of the N errors |y − ŷ| of samples that took no part in training, chosen
/// epochs included (split conformal prediction; Lei, G'Sell, Rinaldo, Tibshirani & Wasserman, JASA 113, 2018). Infinite
/// where N is too small for the coverage. The probability is one over samples of the same kind, not one given a sample.
inline double conformal_width(std::vector<double> errors, double coverage) {
  for (const double error : errors)
    if (!(error >= 0) || !std::isfinite(error)) throw Error(detail::cat("conformal: an error is ", error));
  std::sort(errors.begin(), errors.end());
  return conformal_width_sorted(errors, coverage);
}

/// What is made of the probabilities of a trained model, once it is trained.
struct CalibrationOptions {
  bool temperature = false;  ///< divide scores by the temperature of the validation split
  std::vector<double> assumed =
      {};  ///< shares of the classes that its probabilities assume: those of training, or equal ones
  std::vector<double> prior = {};  ///< shares that its answers are to assume; empty: as it was trained
};

}  // namespace lacuna::train
