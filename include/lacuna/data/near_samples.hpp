/// Samples of two splits that differ by no more than rounding: a copy in another precision, scaled there and back, or with
/// one feature rounded. What is equal to the bit is for others to say (data/leakage.hpp).
///
/// Two samples are nearly equal when the same frames are present and every two numbers are
///   * equal, or within 1e-6 of the larger one;
///   * or, of one feature of one modality alone, within 1 % of the number or of the mean size of the sample's numbers;
/// and outside of that feature at least eight different numbers are no integers. Two different integers are never
/// near, however large: codes, counts and times stay what they are, and so do features of a few levels.
///
/// Where samples of one split are as near to each other, as features that hardly vary make them, nothing is said: a
/// quarter as many pairs within splits as between them is too many.
///
/// Candidates are found by three sums over a third of the features each: of near samples two agree, since one feature
/// is in one of them. Sorted by a sum, a sample is compared with the next eight, so the time is that of reading once.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "lacuna/data/dataset.hpp"
#include "lacuna/data/passed.hpp"

namespace lacuna::detail {

/// What a sample is looked up by: sums of its numbers and of their sizes, and a hash of its bits.
struct SampleSign {
  std::uint64_t hash = 0;
  std::array<double, 3> sum{}, size{};
  void add(std::size_t modality, index_t feature, float x) {
    const std::size_t third = (modality + std::size_t(feature)) % 3;
    sum[third] += double(x);
    size[third] += std::abs(double(x));
  }
};
struct SignedSample {
  data::Role role;
  index_t sample;
  SampleSign sign;
};

inline bool agree(const SampleSign& a, const SampleSign& b, std::size_t third) {
  return std::abs(a.sum[third] - b.sum[third]) <= 2e-6 * std::max(a.size[third], b.size[third]);
}

/// One pass over two samples, number by number.
class NearComparison {
 public:
  template <data::Role first, data::Role second>
  static bool near(const data::Split<first>& a, index_t i, const data::Split<second>& b, index_t j) {
    NearComparison own;
    bool near = a.modalities.size() == b.modalities.size();
    for (std::size_t m = 0; near && m < a.modalities.size(); ++m) {
      own.modality_ = m;
      near = own.modality(a.modalities[m], i, b.modalities[m], j);
      passed(a.modalities[m], i);
      passed(b.modalities[m], j);
    }
    if (own.rounded_) std::erase_if(own.real_, [&](const Number& one) { return one.place == *own.rounded_; });
    std::set<float> different;
    for (const Number& one : own.real_) different.insert(one.value);
    return near && different.size() >= 8;
  }

 private:
  using Place = std::pair<std::size_t, index_t>;  // modality and feature
  struct Number {
    Place place;
    float value;
  };

  bool modality(const data::Modality& a, index_t i, const data::Modality& b, index_t j) {
    const index_t d = a.features(), ta = a.frames.extent(1), tb = b.frames.extent(1);
    if (b.features() != d) return false;
    const auto here = [](const data::Modality& one, index_t sample, index_t frames, index_t t) {
      return t < frames && one.present.data()[sample * frames + t] != 0;
    };
    double size = 0, count = 0;
    for (index_t t = 0; t < ta; ++t)
      if (here(a, i, ta, t))
        for (index_t f = 0; f < d; ++f, ++count) size += std::abs(double(a.frames.data()[(i * ta + t) * d + f]));
    mean_size_ = count > 0 ? size / count : 0;
    for (index_t t = 0; t < std::max(ta, tb); ++t) {
      if (here(a, i, ta, t) != here(b, j, tb, t)) return false;
      if (!here(a, i, ta, t)) continue;
      const float* const x = a.frames.data() + (i * ta + t) * d;
      const float* const y = b.frames.data() + (j * tb + t) * d;
      for (index_t f = 0; f < d; ++f)
        if (!number({modality_, f}, x[f], y[f])) return false;
    }
    return true;
  }
  bool number(Place place, float x, float y) {
    const bool real = x != std::floor(x);
    if (real && real_.size() < enough) real_.push_back({place, x});
    if (x == y) return true;
    if (!std::isfinite(x) || !std::isfinite(y) || (!real && y == std::floor(y))) return false;
    const double apart = std::abs(double(x) - double(y)), larger = std::max(std::abs(double(x)), std::abs(double(y)));
    if (apart <= 1e-6 * larger) return true;
    if (apart > 1e-2 * std::max(larger, mean_size_) || (rounded_ && *rounded_ != place)) return false;
    rounded_ = place;
    return true;
  }

  static constexpr std::size_t enough = 256;  ///< of numbers to count different ones among
  std::size_t modality_ = 0;
  double mean_size_ = 0;
  std::optional<Place> rounded_;
  std::vector<Number> real_;
};

template <class F>
bool with_split(const data::Dataset& set, data::Role role, F&& f) {
  if (role == data::Role::train) return f(set.train);
  return role == data::Role::validation ? f(set.validation) : f(set.test);
}

/// Pairs of two splits, the later split first; every sample is the first of one pair at most. None where nearness says
/// nothing. Samples without a hash are left out.
inline std::vector<std::pair<SignedSample, SignedSample>> near_pairs(const data::Dataset& set,
                                                                     std::vector<SignedSample> all) {
  std::erase_if(all, [](const SignedSample& one) { return one.sign.hash == 0; });
  std::vector<std::pair<SignedSample, SignedSample>> pairs;
  std::set<std::pair<data::Role, index_t>> found, within;
  for (const std::size_t third :
       {std::size_t(0), std::size_t(1)}) {  // of three sums that agree in two, one is one of these
    std::stable_sort(all.begin(), all.end(), [&](const SignedSample& a, const SignedSample& b) {
      return a.sign.sum[third] < b.sign.sum[third];
    });
    for (std::size_t p = 0; p < all.size(); ++p)
      for (std::size_t q = p + 1; q < std::min(all.size(), p + 9) && agree(all[p].sign, all[q].sign, third); ++q) {
        const bool swap = all[p].role < all[q].role;
        const SignedSample &late = all[swap ? q : p], &early = all[swap ? p : q];
        auto& those = late.role == early.role ? within : found;
        if (late.sign.hash == early.sign.hash || those.count({late.role, late.sample}) != 0 ||
            !(agree(late.sign, early.sign, 1 - third) || agree(late.sign, early.sign, 2)))
          continue;
        const bool near = with_split(set, late.role, [&](const auto& a) {
          return with_split(set, early.role,
                            [&](const auto& b) { return NearComparison::near(a, late.sample, b, early.sample); });
        });
        if (!near) continue;
        those.insert({late.role, late.sample});
        if (late.role != early.role) pairs.emplace_back(late, early);
      }
  }
  if (4 * within.size() >= pairs.size()) pairs.clear();
  return pairs;
}

}  // namespace lacuna::detail
