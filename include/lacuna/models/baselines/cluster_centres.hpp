/// k-means: what a modality usually looks like, as K points.  (Lloyd 1982; started as Arthur & Vassilvitskii 2007)
///
///     const auto centres = models::cluster_centres(rows, width, 10, Random(1));   // (10, width), one after the other
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "lacuna/core/random.hpp"

namespace lacuna {

namespace detail {
inline double square_distance(const double* a, const double* b, index_t width) {
  double sum = 0;
  for (index_t c = 0; c < width; ++c) sum += (a[c] - b[c]) * (a[c] - b[c]);
  return sum;
}
}  // namespace detail

namespace models {

/// rows (n, width) → centres (clusters, width). The first centre is a row drawn at random, each further one with a
/// probability that grows with the square of its distance to those before; then `rounds` times every centre moves to
/// the mean of its rows, until none moves. A centre without rows stays; where all rows are taken, centres repeat; of no
/// rows all are 0.
inline std::vector<double> cluster_centres(const std::vector<double>& rows, index_t width, index_t clusters,
                                           Random random, int rounds = 50) {
  const index_t count = width > 0 ? index_t(rows.size()) / width : 0;
  std::vector<double> centres(std::size_t(clusters * width), 0.0);
  if (count == 0) return centres;
  std::vector<double> nearest(std::size_t(count), std::numeric_limits<double>::infinity());
  for (index_t k = 0; k < clusters; ++k) {
    double total = 0;
    for (const double d : nearest) total += k == 0 ? 1.0 : d;
    double left = random.uniform() * total;
    index_t chosen = 0;
    for (index_t i = 0; i < count && left >= 0; ++i) {
      const double d = k == 0 ? 1.0 : nearest[std::size_t(i)];
      if (d > 0) chosen = i;
      left -= d;
    }
    double* const centre = centres.data() + k * width;
    for (index_t c = 0; c < width; ++c) centre[c] = rows[std::size_t(chosen * width + c)];
    for (index_t i = 0; i < count; ++i)
      nearest[std::size_t(i)] =
          std::min(nearest[std::size_t(i)], lacuna::detail::square_distance(rows.data() + i * width, centre, width));
  }
  std::vector<index_t> own(std::size_t(count), -1);
  for (int round = 0; round < rounds; ++round) {
    bool moved = false;
    std::vector<double> sums(centres.size(), 0.0);
    std::vector<index_t> members(std::size_t(clusters), 0);
    for (index_t i = 0; i < count; ++i) {
      const double* const row = rows.data() + i * width;
      index_t best = 0;
      double least = std::numeric_limits<double>::infinity();
      for (index_t k = 0; k < clusters; ++k)
        if (const double d = lacuna::detail::square_distance(row, centres.data() + k * width, width); d < least)
          least = d, best = k;
      moved |= own[std::size_t(i)] != best;
      own[std::size_t(i)] = best;
      ++members[std::size_t(best)];
      for (index_t c = 0; c < width; ++c) sums[std::size_t(best * width + c)] += row[c];
    }
    if (!moved) break;
    for (index_t k = 0; k < clusters; ++k)
      for (index_t c = 0; members[std::size_t(k)] > 0 && c < width; ++c)
        centres[std::size_t(k * width + c)] = sums[std::size_t(k * width + c)] / double(members[std::size_t(k)]);
  }
  return centres;
}

}  // namespace models
}  // namespace lacuna
