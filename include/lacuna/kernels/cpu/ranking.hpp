/// Rank-N-Contrast over n vectors: value and gradient in O(n² (d + log n)) time, O(n²) memory.
///
/// Policy: distances and the way back to the vectors by matrix products (pair_distances.hpp); everything between in
/// double. Per anchor the others are visited from the farthest label to the nearest, which one merge of the sorted
/// labels gives. Where the similarities of an anchor lie close enough together, every sum is shifted by their maximum:
/// one exponential and one logarithm per pair, in whole vectors. Elsewhere each log-sum-exp is shifted by its running
/// maximum, so nothing underflows.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "lacuna/kernels/cpu/pair_distances.hpp"

namespace lacuna::cpu {

struct Ranking {
  /// The samples from the smallest label to the largest, equal ones in their order.
  template <class T>
  static List<index_t> label_order(index_t n, const T* labels) {
    List<index_t> order(static_cast<std::size_t>(n));
    for (index_t i = 0; i < n; ++i) order[std::size_t(i)] = i;
    std::sort(order.begin(), order.end(),
              [&](index_t a, index_t b) { return labels[a] != labels[b] ? labels[a] < labels[b] : a < b; });
    return order;
  }
  /// Value of the loss; adds to `gradient` (n, d) when not null. features (n, d), labels (n), finite.
  template <class T>
  static double rank_n_contrast(index_t n, index_t d, const T* features, const T* labels, double slack,
                                double temperature, T* gradient) {
    if (n < 2) return 0;
    const List<index_t> order = label_order(n, labels);
    List<double> sorted(static_cast<std::size_t>(n));
    Array<T> rows(Shape{n, d}), weight(Shape{gradient ? n : 0, n});
    for (index_t i = 0; i < n; ++i) {
      sorted[std::size_t(i)] = double(labels[order[std::size_t(i)]]);
      std::copy_n(features + order[std::size_t(i)] * d, d, rows.data() + i * d);
    }
    const T* const x = rows.data();
    const PairDistances<T> pairs(n, n, d, x, x);
    const double each = 1.0 / (double(n) * double(n - 1));
    const double total = parallel_sum(n, std::max<index_t>(8, (n + 31) / 32), [&](index_t begin, index_t end) {
      Anchor anchor(n);
      double sum = 0;
      for (index_t i = begin; i < end; ++i) {
        anchor.distance = Row<const T>(pairs.squared() + i * n, n).template cast<double>().sqrt();
        sum += anchor.visit(i, sorted.data(), slack, temperature, gradient != nullptr);
        if (gradient)
          Row<T>(weight.data() + i * n, n) =
              (anchor.distance > 0)
                  .select(anchor.slope * (-each / (2 * temperature)) / anchor.distance, 0.0)
                  .template cast<T>();
      }
      return sum;
    });
    if (gradient) {
      Array<T> share(Shape{n, d});
      std::fill(share.data(), share.data() + n * d, T(0));
      pairs.gradient_within(weight.data(), share.data());
      for (index_t i = 0; i < n; ++i)
        for (index_t f = 0; f < d; ++f) gradient[order[std::size_t(i)] * d + f] += share.data()[i * d + f];
    }
    return -each * total;
  }

 private:
  template <class N>
  using Row =
      Eigen::Map<std::conditional_t<std::is_const_v<N>, const Eigen::Array<std::remove_const_t<N>, Eigen::Dynamic, 1>,
                                    Eigen::Array<N, Eigen::Dynamic, 1>>>;

  /// Scratch of one anchor. The vectors stand in the order of their labels; the others are visited from the farthest
  /// label to the nearest: place p holds number other[p], at distance far[p] in the labels, with similarity s[p].
  struct Anchor {
    using Numbers = Eigen::Map<Eigen::ArrayXd, Eigen::AlignedMax>;
    index_t stride;
    Array<double> room;
    Numbers distance, slope, far, s, prefix, weight, count;
    List<index_t> other;

    explicit Anchor(index_t n)
        : stride((n + 7) / 8 * 8),
          room(Shape{7, stride}),
          distance(room.data(), n),
          slope(room.data() + stride, n),
          far(room.data() + 2 * stride, n - 1),
          s(room.data() + 3 * stride, n - 1),
          prefix(room.data() + 4 * stride, n - 1),
          weight(room.data() + 5 * stride, n - 1),
          count(room.data() + 6 * stride, n - 1),
          other(std::size_t(n)) {}

    /// Σ_{j≠i} [S_ij − log Σ_{k∈N_ij} exp S_ik]; slope[k] = −1 + Σ_{j: k∈N_ij} exp(S_ik) / Z_ij, which is −G_ik/c.
    double visit(index_t i, const double* label, double slack, double temperature, bool slopes) {
      const index_t others = s.size();
      index_t left = 0, right = others;
      for (index_t p = 0; p < others; ++p) {  // no branch on which side is nearer: it could not be foreseen
        const double from_left = left < i ? label[i] - label[left] : -1,
                     from_right = right > i ? label[right] - label[i] : -1;
        const index_t take_left = from_left >= from_right, k = right ^ ((left ^ right) & -take_left);
        other[std::size_t(p)] = k;
        far[p] = std::max(from_left, from_right);
        s[p] = distance[k];
        left += take_left;
        right -= 1 - take_left;
      }
      s *= -1 / temperature;
      count.setZero();
      double total = 0;
      index_t end = 0;  // N_ij is the prefix [0, end): distances at least that of j, less the slack
      for (index_t p = 0; p < others; ++p) {
        while (end < others && far[end] >= far[p] - slack) ++end;
        count[end - 1] += 1;
      }
      slope[i] = 0;
      const double largest = s.maxCoeff();
      if (largest - s.minCoeff() < 600) {
        total = close(largest, slopes);
      } else {
        total = apart(slopes);
      }
      return total + s.sum();
    }
    /// −Σ log Z and the slopes where exp(S − max S) and its sums stay far from the smallest numbers.
    double close(double largest, bool slopes) {
      weight = (s - largest).exp();
      double running = 0;
      for (index_t p = 0; p < s.size(); ++p) prefix[p] = running += weight[p];
      if (slopes) {
        double behind = 0;  // Σ over the sets that reach at least to p of 1/Z
        far = count / prefix;
        for (index_t p = s.size() - 1; p >= 0; --p) {
          behind += far[p];
          slope[other[std::size_t(p)]] = weight[p] * behind - 1.0;
        }
      }
      return -(count * prefix.log()).sum() - double(s.size()) * largest;
    }
    double apart(bool slopes) {
      functors::LogSum sum;
      double total = 0;
      for (index_t p = 0; p < s.size(); ++p) {
        sum.add(s[p]);
        prefix[p] = sum.value();
        total -= count[p] * prefix[p];
      }
      functors::LogSum behind;
      for (index_t p = s.size() - 1; p >= 0 && slopes; --p) {
        if (count[p] > 0) behind.add(std::log(count[p]) - prefix[p]);
        slope[other[std::size_t(p)]] = std::exp(s[p] + behind.value()) - 1.0;
      }
      return total;
    }
  };
};

}  // namespace lacuna::cpu
