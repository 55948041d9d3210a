/// Rank-N-Contrast over n vectors: distances and the way back to the vectors by matrix products, everything between in
/// double.
///
/// Policy: a team per sample counts the labels before its own, which is its place among the sorted ones. One team per
/// anchor: each lane finds by search at which place of the order from the farthest label to the nearest its samples
/// stand, since on either side of the anchor the labels are sorted; then lanes take pieces of that order, each sums its
/// own, and the sums before (behind) a piece are added lane by lane. Every log-sum-exp is shifted by its running
/// maximum. Anchors are taken in groups, which bounds the scratch memory: 32 bytes per pair of a group.
#pragma once

#include <algorithm>

#include "lacuna/kernels/cuda/pair_distances.cuh"

namespace lacuna::cuda {

/// The order in which anchor i visits the others, from the farthest label to the nearest; of two at one distance the
/// one with the smaller label first. `label` (n) is sorted.
struct VisitOrder {
  index_t n, i;
  const double* label;

  LACUNA_HD double distance(index_t k) const { return k < i ? label[i] - label[k] : label[k] - label[i]; }
  /// The place of sample k ≠ i among the n − 1 others.
  LACUNA_HD index_t place(index_t k) const {
    const double own = distance(k);
    if (k < i) {  // behind those on the right that are farther
      index_t low = i + 1, high = n;
      while (low < high) {
        const index_t middle = (low + high) / 2;
        if (distance(middle) > own)
          high = middle;
        else
          low = middle + 1;
      }
      return k + (n - low);
    }
    index_t low = 0, high = i;  // behind those on the left that are at least as far
    while (low < high) {
      const index_t middle = (low + high) / 2;
      if (distance(middle) >= own)
        low = middle + 1;
      else
        high = middle;
    }
    return (n - 1 - k) + low;
  }
};

/// With the distances `far` in that order: N_j of the sample at place p is the prefix [0, end(p)), and p belongs to the
/// prefixes of the places from first(p) on.
struct Prefixes {
  index_t count;
  const double* far;
  double slack;

  LACUNA_HD index_t end(index_t p) const {
    index_t low = p + 1, high = count;
    while (low < high) {
      const index_t middle = (low + high) / 2;
      if (far[middle] >= far[p] - slack)
        low = middle + 1;
      else
        high = middle;
    }
    return low;
  }
  LACUNA_HD index_t first(index_t p) const {
    index_t low = 0, high = p;
    while (low < high) {
      const index_t middle = (low + high) / 2;
      if (far[p] >= far[middle] - slack)
        high = middle;
      else
        low = middle + 1;
    }
    return low;
  }
};

/// A piece of the places 0..count−1 for one lane: consecutive, all pieces together every place once.
struct LanePiece {
  index_t begin, end;
  LACUNA_HD static LanePiece of(index_t count, index_t lane, index_t lanes) {
    const index_t length = (count + lanes - 1) / lanes, begin = lane * length < count ? lane * length : count;
    return {begin, begin + length < count ? begin + length : count};
  }
};

template <class Run>
struct Ranking {
  /// Pairs of a group of anchors.
  static constexpr index_t group_pairs = index_t(1) << 22;

  /// Value of the loss; adds to `gradient` (n, d) when not null. features (n, d), labels (n), finite.
  template <class T>
  static Total<T, Run> rank_n_contrast(index_t n, index_t d, const T* features, const T* labels, double slack,
                                       double temperature, T* gradient) {
    if (n < 2) return total<T, Run>("rank_n_contrast", 0, nullptr, 0.0);
    const Buffer<index_t, Run> places(n);
    const Buffer<double, Run> label_list(n), values(n);
    const index_t* const place = places.data();

    Array<T, typename Run::device> rows(Shape{n, d}), weight(Shape{gradient ? n : 0, n});
    sort_rows(n, d, features, labels, places.data(), label_list.data(), rows.data());
    const T* const in_order = std::as_const(rows).data();
    const PairDistances<T, Run> pairs(n, n, d, in_order, in_order);
    const double each = 1.0 / (double(n) * double(n - 1));
    const index_t group = std::clamp<index_t>(group_pairs / n, 1, n);
    const Buffer<double, Run> scratch(4 * group * n);
    for (index_t first = 0; first < n; first += group)
      visit(n, first, std::min(group, n - first), label_list.data(), pairs.squared(), slack, temperature, each,
            scratch.data(), values.data(), weight.data());
    if (gradient) {
      Array<T, typename Run::device> share(Shape{n, d});
      T* const s = share.data();
      Run::device::fill(s, 0, std::size_t(n * d) * sizeof(T));
      pairs.gradient_within(weight.data(), s);
      Run::each("rank_n_contrast", n * d,
                [=] LACUNA_DEVICE(index_t at) { gradient[at] += s[place[at / d] * d + at % d]; });
    }
    return total<T, Run>("rank_n_contrast", n, values.data(), -each);
  }

  /// The labels from the smallest to the largest, equal ones in their order: place_i of sample i among them, the labels
  /// in that order, and the rows of x (n, d).
  template <class T>
  static void sort_rows(index_t n, index_t d, const T* x, const T* label, index_t* place, double* sorted, T* rows) {
    Run::rows("rank_n_contrast", n, [=] LACUNA_DEVICE(index_t i, typename Run::Team team) {
      const T own = label[i];
      int before = 0;
      for (index_t k = team.lane(); k < n; k += team.lanes()) before += label[k] < own || (label[k] == own && k < i);
      const index_t at = team.sum(before);
      if (team.lane() == 0) place[i] = at, sorted[at] = double(own);
      for (index_t f = team.lane(); f < d; f += team.lanes()) rows[at * d + f] = x[i * d + f];
    });
  }

  /// value_i = Σ_{j≠i} [S_ij − log Σ_{k∈N_ij} exp S_ik] for the anchors first..first+count−1, and where `weight` (n, n)
  /// is not null the slopes of the loss by D². scratch (4 count n).
  template <class T>
  static void visit(index_t n, index_t first, index_t count, const double* label, const T* squared, double slack,
                    double temperature, double each, double* scratch, double* value, T* weight) {
    Run::rows("rank_n_contrast", count, [=] LACUNA_DEVICE(index_t at, typename Run::Team team) {
      const index_t i = first + at, others = n - 1;
      double* const far = scratch + at * 4 * n;  // by place: distance of the labels,
      double* const s = far + n;                 // similarity,
      double* const log_z = s + n;               // log Σ exp of the similarities up to here,
      double* const room = log_z + n;            // and what lanes tell each other
      const VisitOrder visit_order{n, i, label};
      for (index_t k = team.lane(); k < n; k += team.lanes()) {
        if (k == i) continue;
        const index_t p = visit_order.place(k);
        far[p] = visit_order.distance(k);
        s[p] = -std::sqrt(double(squared[i * n + k])) / temperature;
      }
      team.sync();
      const LanePiece own = LanePiece::of(others, team.lane(), team.lanes());
      const Prefixes prefix{others, far, slack};

      functors::LogSum sum;
      for (index_t p = own.begin; p < own.end; ++p) sum.add(s[p]);
      sum = before(team, sum, false);
      for (index_t p = own.begin; p < own.end; ++p) {
        sum.add(s[p]);
        log_z[p] = sum.value();
      }
      team.sync();
      double total = 0;
      for (index_t p = team.lane(); p < others; p += team.lanes()) total += s[p] - log_z[prefix.end(p) - 1];
      total = team.sum(total);
      if (team.lane() == 0) value[i] = total;
      if (!weight) return;

      // log Σ 1/Z_q over the places q from here on: Z_q belongs to every prefix that reaches p when q ≥ first(p)
      functors::LogSum behind;
      for (index_t p = own.end - 1; p >= own.begin; --p) behind.add(-log_z[prefix.end(p) - 1]);
      behind = before(team, behind, true);
      for (index_t p = own.end - 1; p >= own.begin; --p) {
        behind.add(-log_z[prefix.end(p) - 1]);
        room[p] = behind.value();
      }
      team.sync();
      for (index_t k = team.lane(); k < n; k += team.lanes()) {
        double slope = 0;
        if (k != i) {
          const index_t p = visit_order.place(k);
          const double distance = std::sqrt(double(squared[i * n + k]));
          slope = std::exp(s[p] + room[prefix.first(p)]) - 1.0;
          slope = distance > 0 ? slope * (-each / (2 * temperature)) / distance : 0.0;
        }
        weight[i * n + k] = T(slope);
      }
    });
  }
  /// The joined sets of all lanes before this one, or behind it: every lane tells its own in turn.
  LACUNA_DEVICE static functors::LogSum before(const typename Run::Team& team, const functors::LogSum& own,
                                               bool behind) {
    functors::LogSum all;
    for (int step = 0; step < team.lanes(); ++step) {
      const int lane = behind ? team.lanes() - 1 - step : step;
      const bool speaks = team.lane() == lane;
      functors::LogSum from_lane;
      from_lane.scaled = team.sum(speaks ? own.scaled : 0.0);
      from_lane.largest = team.sum(speaks && own.scaled > 0 ? own.largest : 0.0);
      if (behind ? lane > team.lane() : lane < team.lane()) all.add(from_lane);
    }
    return all;
  }
};

}  // namespace lacuna::cuda
