/// Another sampling rate, by one windowed sinc of 20 periods: what scipy's resample_poly computes.
#pragma once

#include <cmath>
#include <numbers>
#include <numeric>
#include <span>
#include <vector>

#include "lacuna/core/threads.hpp"

namespace lacuna::detail {

/// Modified Bessel function of the first kind, order 0, by its series: all terms are positive.
inline double bessel_i0(double x) {
  double term = 1, sum = 1;
  for (int k = 1; term > 1e-18 * sum; ++k) {
    term *= x * x / (4.0 * k * k);
    sum += term;
  }
  return sum;
}

}  // namespace lacuna::detail

namespace lacuna::speech {

/// With L/M = to/from reduced and half = 10 max(L, M): h_j = sinc((j − half)/max(L, M)) · Kaiser window of β = 5, scaled
/// to sum L;  y_k = Σ_i x_i h[k M − i L + half], k = 0 .. ⌈n L/M⌉ − 1, with zeros beyond the ends.
/// Other programs' filters differ by some thousandths of the signal near the highest frequency.
/// Throws OptionError for rates outside 1000 .. 1 000 000.
inline std::vector<double> resample(std::span<const double> x, index_t from, index_t to = 16000) {
  for (const index_t rate : {from, to})
    if (rate < 1000 || rate > 1'000'000)
      throw OptionError(detail::cat("resample: a rate of ", rate, " Hz, expected 1000 to 1000000"));
  const index_t common = std::gcd(from, to), up = to / common, down = from / common, widest = std::max(up, down),
                half = 10 * widest, n = index_t(x.size());
  if (up == down) return {x.begin(), x.end()};
  std::vector<double> filter(std::size_t(2 * half + 1));
  double sum = 0;
  for (index_t j = 0; j <= 2 * half; ++j) {
    const double t = double(j - half) / double(widest), w = double(j) / double(half) - 1;
    const double sinc = j == half ? 1 : std::sin(std::numbers::pi * t) / (std::numbers::pi * t);
    sum += filter[std::size_t(j)] = sinc * detail::bessel_i0(5 * std::sqrt(std::max(0.0, 1 - w * w)));
  }
  for (double& h : filter) h *= double(up) / sum;
  std::vector<double> y(std::size_t((n * up + down - 1) / down));
  parallel_for(index_t(y.size()), 4096, [&](index_t begin, index_t end) {
    for (index_t k = begin; k < end; ++k) {
      const index_t at = k * down, behind = at - half;
      const index_t first = behind <= 0 ? 0 : (behind + up - 1) / up, last = std::min((at + half) / up, n - 1);
      double value = 0;
      for (index_t i = first; i <= last; ++i) value += x[std::size_t(i)] * filter[std::size_t(at - i * up + half)];
      y[std::size_t(k)] = value;
    }
  });
  return y;
}

}  // namespace lacuna::speech
