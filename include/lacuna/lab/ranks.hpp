/// Several models on several data sets: average ranks, the test of Friedman, and how far average ranks must lie apart.
/// (Demšar, Statistical Comparisons of Classifiers over Multiple Data Sets, JMLR 7, 2006)
///
///     const auto ranks = lab::friedman({{.77, .63, .70}, {.81, .60, .79}, {.90, .88, .85}, {.75, .71, .70}}, true);
///     ranks.average;                                          // of every model, 1 is the best
///     ranks.p;                                                // that all models are equal
///     lab::critical_difference(3, 4);                         // Nemenyi: further apart is significant at 5 %
///
/// With r_ij the rank of model j of k on data set i of N, ties sharing the mean of their ranks, and R_j = Σ_i r_ij / N:
///   χ²_F = 12 N / (k (k + 1)) (Σ_j R_j² − k (k + 1)² / 4)
///   F_F = (N − 1) χ²_F / (N (k − 1) − χ²_F),   distributed as F with k − 1 and (k − 1)(N − 1) degrees of freedom
///                                             (Iman and Davenport 1980); infinite where all data sets rank alike
///   CD = q_α √(k (k + 1) / (6 N)),            q_α the quantile of the range of k standard normals over √2 (Nemenyi)
/// Few data sets: all of it is an approximation for N above 10 and k above 5; with fewer it errs on either side.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/core/shape.hpp"

namespace lacuna::detail {

/// The regularised incomplete beta function I_x(a, b) by its continued fraction (modified Lentz); a, b > 0, x in 0..1.
inline double incomplete_beta(double x, double a, double b) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incomplete_beta(1 - x, b, a);
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  constexpr double tiny = 1e-300;
  const auto safe = [](double v) { return std::abs(v) < tiny ? tiny : v; };
  double c = 1, d = 1 / safe(1 - (a + b) * x / (a + 1)), value = d;
  for (int i = 1; i < 500; ++i) {
    const double m = i;
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / safe(1 + even * d), c = safe(1 + even / c), value *= c * d;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / safe(1 + odd * d), c = safe(1 + odd / c);
    value *= c * d;
    if (std::abs(c * d - 1) < 1e-15) break;
  }
  return front * value / a;
}

/// P(range of k standard normals <= q) = k ∫ φ(z) (Φ(z) − Φ(z − q))^(k−1) dz, by Simpson's rule.
inline double range_probability(double q, int k) {
  constexpr int steps = 4000;
  constexpr double low = -8, high = 8, h = (high - low) / steps;
  const auto below = [](double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); };
  double sum = 0;
  for (int i = 0; i <= steps; ++i) {
    const double z = low + h * i;  // the largest of them
    const double density = std::exp(-0.5 * z * z) / std::sqrt(2 * 3.14159265358979323846);
    sum += (i == 0 || i == steps ? 1 : i % 2 == 1 ? 4 : 2) * density * std::pow(below(z) - below(z - q), k - 1);
  }
  return k * sum * h / 3;
}

}  // namespace lacuna::detail

namespace lacuna::lab {

/// P(F > value) of the F distribution with these degrees of freedom.
inline double f_survival(double value, double between, double within) {
  if (!(value > 0)) return 1;
  if (std::isinf(value)) return 0;
  return detail::incomplete_beta(within / (within + between * value), within / 2, between / 2);
}

/// Ranks from 1 for the best; equal values share the mean of their ranks. lower: the smallest value is the best.
/// Throws OptionError for NaN.
inline std::vector<double> ranks_of(const std::vector<double>& values, bool lower) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  for (const double value : values)
    if (std::isnan(value)) throw OptionError("ranks: a score is not a number");
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return lower ? values[a] < values[b] : values[a] > values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i + 1;
    while (end < order.size() && values[order[end]] == values[order[i]]) ++end;
    for (std::size_t j = i; j < end; ++j) ranks[order[j]] = 0.5 * double(i + 1 + end);
    i = end;
  }
  return ranks;
}

struct Friedman {
  std::vector<std::vector<double>> ranks;  ///< [data set][model]
  std::vector<double> average;             ///< R_j
  double chi_square = 0, f = 0;            ///< χ²_F, F_F
  double p = 1;                            ///< of F_F, were all models equal
};

/// scores [data set][model]; lower, one for all or one for every data set: the smallest is the best. Throws OptionError
/// for less than two data sets or models, for rows of unequal length and for NaN.
inline Friedman friedman(const std::vector<std::vector<double>>& scores, const std::vector<bool>& lower) {
  const std::size_t sets = scores.size(), models = sets > 0 ? scores[0].size() : 0;
  if (sets < 2 || models < 2 || lower.size() != sets)
    throw OptionError(
        detail::cat("friedman: ", sets, " data sets and ", models, " models, expected two of each at least"));
  Friedman result{{}, std::vector<double>(models, 0.0)};
  for (std::size_t i = 0; i < sets; ++i) {
    if (scores[i].size() != models)
      throw OptionError(detail::cat("friedman: ", scores[i].size(), " scores of a data set, ", models, " of another"));
    result.ranks.push_back(ranks_of(scores[i], lower[i]));
    for (std::size_t j = 0; j < models; ++j) result.average[j] += result.ranks[i][j] / double(sets);
  }
  const double n = double(sets), k = double(models);
  double squares = 0;
  for (const double mean : result.average) squares += mean * mean;
  result.chi_square = std::max(0.0, 12 * n / (k * (k + 1)) * (squares - k * (k + 1) * (k + 1) / 4));
  const double left = n * (k - 1) - result.chi_square;
  result.f = left > 1e-12 * n * k ? (n - 1) * result.chi_square / left : std::numeric_limits<double>::infinity();
  result.p = f_survival(result.f, k - 1, (k - 1) * (n - 1));
  return result;
}
inline Friedman friedman(const std::vector<std::vector<double>>& scores, bool lower) {
  return friedman(scores, std::vector<bool>(scores.size(), lower));
}

/// q_α: the quantile of the range of k standard normals over √2. Throws OptionError for k < 2 or a level outside 0..1.
inline double nemenyi_quantile(index_t models, double level = 0.05) {
  if (models < 2 || !(level > 0 && level < 1))
    throw OptionError(detail::cat("nemenyi: ", models, " models at the level ", level, ", expected 2 and 0..1"));
  double low = 0, high = 20;
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (detail::range_probability(middle, int(models)) < 1 - level ? low : high) = middle;
  }
  return 0.5 * (low + high) / std::sqrt(2.0);
}
/// How far average ranks must lie apart to differ at this level (Nemenyi).
inline double critical_difference(index_t models, index_t sets, double level = 0.05) {
  if (sets < 1) throw OptionError("critical difference: there is no data set");
  return nemenyi_quantile(models, level) * std::sqrt(double(models) * double(models + 1) / (6.0 * double(sets)));
}

}  // namespace lacuna::lab
