/// How far a number would have wandered had other samples been drawn: the bootstrap with percentile intervals.
/// (Efron, Annals of Statistics 7, 1979; Efron & Tibshirani 1993, chapter 13)
///
///     const auto interval = lab::bootstrap(labels.size(), [&](std::span<const double> counts) { return ...; });
///
/// Replicate d draws N of the N samples with replacement; sample n occurs counts[n] times. The counts are a function of
/// (seed, d, N) alone: statistics of the same samples are paired, over models and training seeds, and the difference of
/// two replicates is a replicate of the difference. With the sorted replicates x_0 ≤ ... ≤ x_{D−1}, the interval at
/// level p reaches from quantile (1−p)/2 to (1+p)/2, quantile q being x at q (D−1), linear in between. Any number of
/// threads gives the same bits. What is not defined in one replicate (NaN) has no interval: NaN. Throws OptionError for
/// less than one sample or draw, or a level outside 0..1.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/core/function.hpp"
#include "lacuna/core/random.hpp"
#include "lacuna/core/threads.hpp"

namespace lacuna::lab {

struct BootstrapOptions {
  index_t draws = 2000;
  double level = 0.95;
  std::uint64_t seed = 1;

  void check() const {
    if (draws < 1) throw OptionError(detail::cat("bootstrap: ", draws, " draws, expected at least 1"));
    if (!(level > 0 && level < 1)) throw OptionError(detail::cat("bootstrap: level ", level, ", expected 0..1"));
  }
};

struct Interval {
  double low = 0, high = 0;
};

/// How often every sample occurs in replicate `draw`.
inline std::vector<double> resample(index_t samples, index_t draw, std::uint64_t seed) {
  std::vector<double> counts(static_cast<std::size_t>(samples), 0.0);
  const RandomStream stream = Random(seed).split(std::uint64_t(draw)).stream();
  for (index_t i = 0; i < samples; ++i) {
    const index_t n = index_t(stream.uniform(std::uint64_t(i)) * double(samples));
    ++counts[std::size_t(std::min(n, samples - 1))];
  }
  return counts;
}

/// Quantile q of sorted numbers; NaN when one is not a number.
inline double quantile(std::span<const double> sorted, double q) {
  if (sorted.empty() || std::isnan(sorted.back()) || std::isnan(sorted.front()))
    return std::numeric_limits<double>::quiet_NaN();
  const double at = q * double(sorted.size() - 1);
  const auto below = std::size_t(at);
  if (below + 1 >= sorted.size()) return sorted.back();
  return sorted[below] + (at - double(below)) * (sorted[below + 1] - sorted[below]);
}

inline Interval percentile_interval(std::vector<double> replicates, double level) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double one : replicates)
    if (std::isnan(one)) return {nan, nan};
  std::sort(replicates.begin(), replicates.end());
  return {quantile(replicates, (1 - level) / 2), quantile(replicates, (1 + level) / 2)};
}

/// statistic(counts) → a number.
using Statistic = Function<double(std::span<const double>)>;

/// Replicates of many statistics of the same samples: [statistic][draw].
inline std::vector<std::vector<double>> replicates(index_t samples, const std::vector<Statistic>& statistics,
                                                   const BootstrapOptions& options = {}) {
  options.check();
  if (samples < 1) throw OptionError("bootstrap: no samples");
  std::vector<std::vector<double>> result(statistics.size(), std::vector<double>(std::size_t(options.draws)));
  parallel_for(options.draws, 16, [&](index_t begin, index_t end) {
    for (index_t d = begin; d < end; ++d) {
      const std::vector<double> counts = resample(samples, d, options.seed);
      for (std::size_t s = 0; s < statistics.size(); ++s) result[s][std::size_t(d)] = statistics[s](counts);
    }
  });
  return result;
}

inline Interval bootstrap(index_t samples, const Statistic& statistic, const BootstrapOptions& options = {}) {
  return percentile_interval(replicates(samples, {statistic}, options)[0], options.level);
}

}  // namespace lacuna::lab
