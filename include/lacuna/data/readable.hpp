/// How well labels can be read off features, by the two simplest readers there are: one feature alone, and a ridge
/// under cross-validation. Real labels are judged by R², classes by the mean of their recalls; both are at most 1.
///
/// One feature: R² of a straight line, or of the order (ranks); for classes, the class of the nearest other value. The
/// ridge: standardised features, five folds (sample i is in fold i mod 5), the best of lambda = 1e-8 n, 1e-4 n and 1e-2 n;
/// with more features than samples by the matrix of the samples. Deterministic, one thread, no more than 1200 samples
/// (512 where there are more than 512 features), taken at equal distances.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <vector>

#include "lacuna/data/dataset.hpp"

namespace lacuna::detail {

/// Features x (n, d) with real labels y (n), or with classes.
struct Readable {
  index_t n = 0, d = 0;
  std::vector<double> x, y;
  std::vector<index_t> classes;
  index_t class_count = 0;
};

/// The squared correlation of two lists; 0 where one does not vary.
inline double squared_correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const double n = double(a.size());
  const double mean_a = std::accumulate(a.begin(), a.end(), 0.0) / n,
               mean_b = std::accumulate(b.begin(), b.end(), 0.0) / n;
  double aa = 0, bb = 0, ab = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double u = a[i] - mean_a, v = b[i] - mean_b;
    aa += u * u, bb += v * v, ab += u * v;
  }
  return aa > 0 && bb > 0 ? ab * ab / (aa * bb) : 0;
}

/// Ranks from 0, equal numbers share their mean.
inline std::vector<double> ranks_of(const std::vector<double>& x) {
  std::vector<std::size_t> order(x.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return x[i] < x[j]; });
  std::vector<double> rank(x.size());
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i;
    while (end < order.size() && x[order[end]] == x[order[i]]) ++end;
    for (std::size_t k = i; k < end; ++k) rank[order[k]] = double(i + end - 1) / 2;
    i = end;
  }
  return rank;
}

/// Mean over the classes that occur of the share of their samples that are `right`.
inline double mean_recall(const Readable& r, const std::vector<bool>& right) {
  std::vector<double> all(std::size_t(r.class_count)), hit(all);
  for (std::size_t i = 0; i < right.size(); ++i) {
    all[std::size_t(r.classes[i])] += 1;
    hit[std::size_t(r.classes[i])] += right[i];
  }
  double sum = 0, occur = 0;
  for (std::size_t k = 0; k < all.size(); ++k)
    if (all[k] > 0) sum += hit[k] / all[k], occur += 1;
  return occur > 1 ? sum / occur : 0;
}

/// One feature alone.
inline double read_by_one(const Readable& r, index_t feature) {
  std::vector<double> column(static_cast<std::size_t>(r.n));
  for (index_t i = 0; i < r.n; ++i) column[std::size_t(i)] = r.x[std::size_t(i * r.d + feature)];
  if (r.classes.empty()) {
    const double line = squared_correlation(column, r.y);
    return line > 0.5 ? std::max(line, squared_correlation(ranks_of(column), ranks_of(r.y))) : line;
  }
  // groups of equal numbers; a sample alone in its group asks the nearest one
  std::map<double, std::vector<index_t>> groups;
  for (std::size_t i = 0; i < column.size(); ++i) {
    auto& count = groups[column[i]];
    count.resize(std::size_t(r.class_count));
    ++count[std::size_t(r.classes[i])];
  }
  std::vector<bool> right(column.size());
  for (std::size_t i = 0; i < column.size(); ++i) {
    const auto own = groups.find(column[i]);
    std::vector<index_t> count = own->second;
    --count[std::size_t(r.classes[i])];
    if (std::all_of(count.begin(), count.end(), [](index_t c) { return c == 0; })) {
      const auto next = std::next(own);
      const bool left = own != groups.begin() &&
                        (next == groups.end() || own->first - std::prev(own)->first <= next->first - own->first);
      if (!left && next == groups.end()) continue;
      count = left ? std::prev(own)->second : next->second;
    }
    const index_t most = *std::max_element(count.begin(), count.end());
    right[i] = count[std::size_t(r.classes[i])] == most && std::count(count.begin(), count.end(), most) == 1;
  }
  return mean_recall(r, right);
}

/// Solves m x = b for each of `count` right sides (n, count); m (n, n) symmetric positive definite, overwritten. False:
/// it is not.
inline bool solve_all(std::vector<double>& m, std::vector<double>& b, std::size_t n, std::size_t count) {
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = m[i * n + j];
      for (std::size_t k = 0; k < j; ++k) sum -= m[i * n + k] * m[j * n + k];
      if (i == j && !(sum > 0)) return false;
      m[i * n + j] = i == j ? std::sqrt(sum) : sum / m[j * n + j];
    }
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t c = 0; c < count; ++c) {
      for (std::size_t k = 0; k < i; ++k) b[i * count + c] -= m[i * n + k] * b[k * count + c];
      b[i * count + c] /= m[i * n + i];
    }
  for (std::size_t i = n; i-- > 0;)
    for (std::size_t c = 0; c < count; ++c) {
      for (std::size_t k = i + 1; k < n; ++k) b[i * count + c] -= m[k * n + i] * b[k * count + c];
      b[i * count + c] /= m[i * n + i];
    }
  return true;
}

/// A ridge over all features, under cross-validation.
class RidgeReader {
 public:
  explicit RidgeReader(Readable readable) : r_(std::move(readable)) {
    standardize();
    outputs_ = r_.classes.empty() ? 1 : std::size_t(r_.class_count);
    target_.assign(std::size_t(r_.n) * outputs_, 0);
    for (std::size_t i = 0; i < std::size_t(r_.n); ++i) {
      if (r_.classes.empty())
        target_[i] = r_.y[i];
      else
        target_[i * outputs_ + std::size_t(r_.classes[i])] = 1;
    }
  }
  double score() {
    Found found;
    found.fill(std::vector<double>(target_.size()));
    Solved solved;
    solved.fill(true);
    if (r_.d <= r_.n * 4 / 5) sum_products();
    for (std::size_t fold = 0; fold < folds; ++fold) predict(fold, found, solved);
    double best = 0;
    for (std::size_t k = 0; k < lambdas.size(); ++k)
      if (solved[k]) best = std::max(best, judge(found[k]));
    return best;
  }

 private:
  static constexpr std::array lambdas{1e-8, 1e-4, 1e-2};  // the first for what two features tell by their difference
  using Found = std::array<std::vector<double>, lambdas.size()>;
  using Solved = std::array<bool, lambdas.size()>;
  static constexpr std::size_t folds = 5;

  void standardize() {
    for (index_t f = 0; f < r_.d; ++f) {
      double mean = 0, squares = 0;
      for (index_t i = 0; i < r_.n; ++i) mean += r_.x[std::size_t(i * r_.d + f)] / double(r_.n);
      for (index_t i = 0; i < r_.n; ++i) squares += std::pow(r_.x[std::size_t(i * r_.d + f)] - mean, 2);
      const double scale = squares > 0 ? 1 / std::sqrt(squares / double(r_.n)) : 0;
      for (index_t i = 0; i < r_.n; ++i) {
        double& x = r_.x[std::size_t(i * r_.d + f)];
        x = (x - mean) * scale;
      }
    }
  }
  const double* row(std::size_t i) const { return r_.x.data() + i * std::size_t(r_.d); }
  double product(std::size_t i, std::size_t j) const {
    double sum = 0;
    for (index_t f = 0; f < r_.d; ++f) sum += row(i)[f] * row(j)[f];
    return sum;
  }

  /// Per fold, Σ x xᵀ, Σ x yᵀ and Σ x over its samples, and over all behind the last one.
  struct Sums {
    std::vector<double> xx, xy, x;
  };
  void sum_products() {
    const std::size_t d = std::size_t(r_.d);
    const Sums zeros{std::vector<double>(d * d), std::vector<double>(d * outputs_), std::vector<double>(d)};
    sums_.assign(folds + 1, zeros);
    for (std::size_t i = 0; i < std::size_t(r_.n); ++i) {
      Sums& to = sums_[i % folds];
      const double* const x = row(i);
      for (std::size_t f = 0; f < d; ++f) {
        for (std::size_t g = 0; g <= f; ++g) to.xx[f * d + g] += x[f] * x[g];
        for (std::size_t c = 0; c < outputs_; ++c) to.xy[f * outputs_ + c] += x[f] * target_[i * outputs_ + c];
        to.x[f] += x[f];
      }
    }
    const auto add = [](const std::vector<double>& from, std::vector<double>& to) {
      for (std::size_t k = 0; k < to.size(); ++k) to[k] += from[k];
    };
    for (std::size_t fold = 0; fold < folds; ++fold)
      add(sums_[fold].xx, sums_[folds].xx), add(sums_[fold].xy, sums_[folds].xy), add(sums_[fold].x, sums_[folds].x);
  }

  /// The samples of one fold from ridges of the others.
  void predict(std::size_t fold, Found& found, Solved& solved) const {
    std::vector<std::size_t> known;
    for (std::size_t i = 0; i < std::size_t(r_.n); ++i)
      if (i % folds != fold) known.push_back(i);
    std::vector<double> mean(outputs_);
    for (const std::size_t i : known)
      for (std::size_t c = 0; c < outputs_; ++c) mean[c] += target_[i * outputs_ + c] / double(known.size());
    const std::size_t n = known.size(), d = std::size_t(r_.d);
    const bool by_samples = sums_.empty();
    const std::size_t size = by_samples ? n : d;
    std::vector<double> m(size * size), b(size * outputs_);
    if (by_samples) {
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j <= i; ++j) m[i * n + j] = product(known[i], known[j]);
        for (std::size_t c = 0; c < outputs_; ++c) b[i * outputs_ + c] = target_[known[i] * outputs_ + c] - mean[c];
      }
    } else {
      const Sums &all = sums_[folds], &own = sums_[fold];
      for (std::size_t k = 0; k < m.size(); ++k) m[k] = all.xx[k] - own.xx[k];
      for (std::size_t f = 0; f < d; ++f)
        for (std::size_t c = 0; c < outputs_; ++c)
          b[f * outputs_ + c] = all.xy[f * outputs_ + c] - own.xy[f * outputs_ + c] - mean[c] * (all.x[f] - own.x[f]);
    }
    for (std::size_t k = 0; k < lambdas.size(); ++k) {
      std::vector<double> factor = m, weights = b;
      for (std::size_t i = 0; i < size; ++i) factor[i * size + i] += lambdas[k] * double(n);
      solved[k] = solved[k] && solve_all(factor, weights, size, outputs_);
      if (!solved[k]) continue;
      for (std::size_t i = fold; i < std::size_t(r_.n); i += folds)
        for (std::size_t c = 0; c < outputs_; ++c) {
          double sum = mean[c];
          for (std::size_t p = 0; p < size; ++p)
            sum += weights[p * outputs_ + c] * (by_samples ? product(i, known[p]) : row(i)[p]);
          found[k][i * outputs_ + c] = sum;
        }
    }
  }
  double judge(const std::vector<double>& found) const {
    if (r_.classes.empty()) {
      const double mean = std::accumulate(r_.y.begin(), r_.y.end(), 0.0) / double(r_.n);
      double wrong = 0, all = 0;
      for (std::size_t i = 0; i < r_.y.size(); ++i) {
        wrong += std::pow(r_.y[i] - found[i], 2);
        all += std::pow(r_.y[i] - mean, 2);
      }
      return all > 0 ? 1 - wrong / all : 0;
    }
    std::vector<bool> right(r_.classes.size());
    for (std::size_t i = 0; i < right.size(); ++i) {
      const double* const scores = found.data() + i * outputs_;
      right[i] = std::max_element(scores, scores + outputs_) - scores == r_.classes[i];
    }
    return mean_recall(r_, right);
  }

  Readable r_;
  std::size_t outputs_ = 1;
  std::vector<double> target_;
  std::vector<Sums> sums_;
};

}  // namespace lacuna::detail
