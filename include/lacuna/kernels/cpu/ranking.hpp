/// Rank-N-Contrast over n vectors: value and gradient in O(n² (d + log n)) time, O(n²) memory.
///
/// Policy: distances and the way back to the vectors by matrix products (pair_distances.hpp); everything between in
/// double. Per anchor the others are visited from the farthest label to the nearest, which one merge of the sorted
/// labels gives; every log-sum-exp is shifted by its running maximum, so nothing underflows.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "lacuna/kernels/cpu/pair_distances.hpp"

namespace lacuna::cpu {

/// log Σ exp of a growing set.
struct LogSum {
  double largest = -std::numeric_limits<double>::infinity(), scaled = 0;

  void add(double x) {
    if (x <= largest) {
      scaled += std::exp(x - largest);
    } else {
      scaled = scaled * std::exp(largest - x) + 1.0;
      largest = x;
    }
  }
  double value() const { return largest + std::log(scaled); }
};

struct Ranking {
  /// Value of the loss; adds to `gradient` (n, d) when not null. features (n, d), labels (n).
  template <class T>
  static double rank_n_contrast(index_t n, index_t d, const T* features, const double* labels, double slack,
                                double temperature, T* gradient) {
    if (n < 2) return 0;
    std::vector<index_t> order(static_cast<std::size_t>(n));
    for (index_t i = 0; i < n; ++i) order[std::size_t(i)] = i;
    std::stable_sort(order.begin(), order.end(), [&](index_t a, index_t b) { return labels[a] < labels[b]; });

    const PairDistances<T> pairs(n, n, d, features, features);
    Array<T> weight(Shape{gradient ? n : 0, n});
    const double each = 1.0 / (double(n) * double(n - 1));
    const double total = parallel_sum(n, 8, [&](index_t begin, index_t end) {
      Anchor anchor(n);
      std::vector<double> distance(static_cast<std::size_t>(n)), row(distance);
      double sum = 0;
      for (index_t i = begin; i < end; ++i) {
        for (index_t k = 0; k < n; ++k) distance[std::size_t(k)] = std::sqrt(double(pairs.squared()[i * n + k]));
        sum += anchor.visit(i, order, labels, slack, temperature, distance.data(), gradient ? row.data() : nullptr);
        if (!gradient) continue;
        for (index_t k = 0; k < n; ++k) {
          const double apart = distance[std::size_t(k)];
          weight.data()[i * n + k] = apart > 0 ? T(-each * row[std::size_t(k)] / (2 * temperature * apart)) : T(0);
        }
      }
      return sum;
    });
    if (gradient) pairs.gradient(weight.data(), gradient, gradient);
    return -each * total;
  }

 private:
  /// Scratch of one anchor: the others from the farthest label to the nearest.
  struct Anchor {
    std::vector<index_t> other;
    std::vector<double> label_distance, similarity, prefix;
    std::vector<index_t> count;

    explicit Anchor(index_t n)
        : other(std::size_t(n)),
          label_distance(std::size_t(n)),
          similarity(std::size_t(n)),
          prefix(std::size_t(n)),
          count(std::size_t(n)) {}

    /// Σ_{j≠i} [S_ij − log Σ_{k∈N_ij} exp S_ik]; row[k] = −1 + Σ_{j: k∈N_ij} exp(S_ik) / Z_ij, which is −G_ik/c.
    double visit(index_t i, const std::vector<index_t>& order, const double* labels, double slack, double temperature,
                 const double* distance, double* row) {
      const index_t n = index_t(order.size()), others = n - 1;
      index_t left = 0, right = n - 1;
      for (index_t p = 0; p < others; ++p) {
        if (order[std::size_t(left)] == i) ++left;
        if (order[std::size_t(right)] == i) --right;
        const double from_left = std::abs(labels[i] - labels[order[std::size_t(left)]]);
        const double from_right = std::abs(labels[i] - labels[order[std::size_t(right)]]);
        const bool take_left = from_left >= from_right;
        const index_t k = take_left ? order[std::size_t(left++)] : order[std::size_t(right--)];
        other[std::size_t(p)] = k;
        label_distance[std::size_t(p)] = take_left ? from_left : from_right;
        similarity[std::size_t(p)] = -distance[k] / temperature;
      }
      LogSum sum;
      for (index_t p = 0; p < others; ++p) {
        sum.add(similarity[std::size_t(p)]);
        prefix[std::size_t(p)] = sum.value();
        count[std::size_t(p)] = 0;
      }
      double total = 0;
      index_t end = 0;  // N_ij is the prefix [0, end): distances at least that of j, less the slack
      for (index_t p = 0; p < others; ++p) {
        while (end < others && label_distance[std::size_t(end)] >= label_distance[std::size_t(p)] - slack) ++end;
        total += similarity[std::size_t(p)] - prefix[std::size_t(end - 1)];
        ++count[std::size_t(end - 1)];
      }
      if (!row) return total;
      LogSum behind;  // log Σ over the sets that reach at least to p of 1/Z
      for (index_t p = others - 1; p >= 0; --p) {
        if (count[std::size_t(p)] > 0) behind.add(std::log(double(count[std::size_t(p)])) - prefix[std::size_t(p)]);
        row[other[std::size_t(p)]] = std::exp(similarity[std::size_t(p)] + behind.value()) - 1.0;
      }
      row[i] = 0;
      return total;
    }
  };
};

}  // namespace lacuna::cpu
