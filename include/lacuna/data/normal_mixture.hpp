/// A mixture of normal distributions: what a label is given some evidence, where one factor stays uncertain and the rest
/// is Gaussian once that factor is known.
///
///     data::NormalMixture y;
///     data::for_normal(0, 1, [&](double weight, double v) { y.add(weight, std::sin(v), 0.3); });   // y = sin v + 0.3 n
///     y.median();   y.mean();   y.absolute_error(y.median());
///
/// Weights sum to 1 and deviations are positive: whoever fills it sees to that.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "lacuna/core/error.hpp"

namespace lacuna::data {

/// f(weight, v) at the nodes of the trapezoidal rule for v ~ N(mean, deviation²): 73 nodes, a quarter of a deviation
/// apart; the weights sum to 1. Of functions that are smooth over a quarter of a deviation the error is that of
/// rounding, because the rule converges exponentially on the whole line (Trefethen & Weideman, SIAM Review 56, 2014).
template <class F>
void for_normal(double mean, double deviation, F&& f) {
  static const std::vector<double> weights = [] {
    std::vector<double> all;
    double sum = 0;
    for (int i = -36; i <= 36; ++i) all.push_back(std::exp(-0.5 * std::pow(0.25 * i, 2)));
    for (const double one : all) sum += one;
    for (double& one : all) one /= sum;
    return all;
  }();
  for (int i = -36; i <= 36; ++i) f(weights[std::size_t(i + 36)], mean + deviation * 0.25 * i);
}

class NormalMixture {
 public:
  void add(double weight, double mean, double deviation) { parts_.push_back({weight, mean, deviation}); }

  double mean() const {
    double sum = 0;
    for (const Part& p : parts_) sum += p.weight * p.mean;
    return sum;
  }
  double variance() const {
    double sum = 0;
    const double centre = mean();
    for (const Part& p : parts_) sum += p.weight * (p.deviation * p.deviation + std::pow(p.mean - centre, 2));
    return sum;
  }
  /// P(y <= x)
  double cumulative(double x) const {
    double sum = 0;
    for (const Part& p : parts_) sum += p.weight * below((x - p.mean) / p.deviation);
    return sum;
  }
  /// x with P(y <= x) = share, 0 < share < 1: Newton's steps, halved where they leave the bracket.
  double quantile(double share) const {
    if (!(share > 0 && share < 1)) throw OptionError(detail::cat("quantile: ", share, " is no share between 0 and 1"));
    double low = 0, high = 0;
    for (const Part& p : parts_) low = std::min(low, p.mean - 40 * p.deviation);
    for (const Part& p : parts_) high = std::max(high, p.mean + 40 * p.deviation);
    double x = mean();
    for (int step = 0; step < 200; ++step) {
      double value = -share, slope = 0;
      for (const Part& p : parts_) {
        const double z = (x - p.mean) / p.deviation;
        value += p.weight * below(z);
        slope += p.weight * density(z) / p.deviation;
      }
      (value > 0 ? high : low) = x;
      double next = x - value / slope;
      if (!(next > low && next < high)) next = 0.5 * (low + high);
      if (std::abs(next - x) < 1e-12 * (1 + std::abs(x))) return next;
      x = next;
    }
    return x;
  }
  /// The best prediction by absolute error.
  double median() const { return quantile(0.5); }
  /// E |y - x|
  double absolute_error(double x) const {
    double sum = 0;
    for (const Part& p : parts_) {
      const double z = (x - p.mean) / p.deviation;
      sum += p.weight * p.deviation * (2 * density(z) + z * (2 * below(z) - 1));
    }
    return sum;
  }

 private:
  struct Part {
    double weight, mean, deviation;
  };
  static double below(double z) { return 0.5 * std::erfc(-z * 0.70710678118654752440); }
  static double density(double z) { return 0.39894228040143267794 * std::exp(-0.5 * z * z); }

  std::vector<Part> parts_;
};

}  // namespace lacuna::data
