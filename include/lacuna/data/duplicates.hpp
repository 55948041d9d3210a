/// Samples that come twice: equal in every modality, to the bit, in their present frames. Labels and ids may differ.
///
///     for (const data::Repeat& r : data::find_repeats(dataset)) ...   // r.sample of r.role is r.earlier of
///     r.earlier_role
///
/// Lengths of padding do not matter. Samples without any present frame are equal to nothing: there is nothing to tell
/// them by. Of every sample at most one earlier equal of each split is named, the first. Samples are found by a hash
/// and then compared, so the time is that of reading the data once.
#pragma once

#include <cmath>
#include <cstring>
#include <unordered_map>
#include <vector>

#include "lacuna/core/threads.hpp"
#include "lacuna/data/dataset.hpp"
#include "lacuna/data/passed.hpp"

namespace lacuna::data {

/// `sample` of split `role` equals the sample `earlier` of `earlier_role`, which comes before it.
struct Repeat {
  Role role = Role::train;
  index_t sample = 0;
  Role earlier_role = Role::train;
  index_t earlier = 0;
  bool same_label = false;  ///< real labels and class ids are equal too; two NaN labels count as equal
};

}  // namespace lacuna::data

namespace lacuna::detail {

/// The present frames of one sample: calls f(frame, pointer to its features).
template <class F>
void each_present_frame(const data::Modality& modality, index_t sample, F&& f) {
  const index_t frames = modality.frames.extent(1), features = modality.features();
  for (index_t t = 0; t < frames; ++t)
    if (modality.present.data()[sample * frames + t]) f(t, modality.frames.data() + (sample * frames + t) * features);
}

/// 0 for a sample without any present frame.
template <class Split>
std::uint64_t sample_hash(const Split& split, index_t sample) {
  std::uint64_t hash = 0x9e3779b97f4a7c15u;
  bool any = false;
  const auto mix = [&](std::uint64_t word) {
    hash = (hash ^ word) * 0xff51afd7ed558ccdu;
    hash ^= hash >> 32;
  };
  for (const data::Modality& modality : split.modalities) {
    mix(0x5bd1e995);
    each_present_frame(modality, sample, [&](index_t t, const float* x) {
      any = true;
      mix(std::uint64_t(t) + 1);
      index_t d = 0;
      for (; d + 2 <= modality.features(); d += 2) {
        std::uint64_t two;
        std::memcpy(&two, x + d, sizeof two);
        mix(two);
      }
      if (d < modality.features()) {
        std::uint32_t last;
        std::memcpy(&last, x + d, sizeof last);
        mix(last);
      }
    });
    passed(modality, sample);
  }
  return any ? hash | 1 : 0;
}

/// Equal presence up to the padding, and equal bits of the present frames, in all modalities.
template <class A, class B>
bool equal_samples(const A& a, index_t i, const B& b, index_t j) {
  if (a.modalities.size() != b.modalities.size()) return false;
  for (std::size_t m = 0; m < a.modalities.size(); ++m) {
    const data::Modality &x = a.modalities[m], &y = b.modalities[m];
    if (x.features() != y.features()) return false;
    const index_t tx = x.frames.extent(1), ty = y.frames.extent(1);
    for (index_t t = 0; t < std::max(tx, ty); ++t) {
      const bool in_x = t < tx && x.present.data()[i * tx + t], in_y = t < ty && y.present.data()[j * ty + t];
      if (in_x != in_y) return false;
      if (in_x &&
          std::memcmp(x.frames.data() + (i * tx + t) * x.features(), y.frames.data() + (j * ty + t) * y.features(),
                      std::size_t(x.features()) * sizeof(float)) != 0)
        return false;
    }
  }
  return true;
}
template <class A, class B>
bool equal_labels(const A& a, index_t i, const B& b, index_t j) {
  const auto same = [](const auto& x, index_t p, const auto& y, index_t q) {
    if (x.empty() || y.empty()) return x.empty() == y.empty();
    const auto u = x[std::size_t(p)], v = y[std::size_t(q)];
    return u == v || (u != u && v != v);
  };
  return same(a.labels, i, b.labels, j) && same(a.classes, i, b.classes, j);
}

}  // namespace lacuna::detail

namespace lacuna::data {

/// Ordered by split and sample; of one sample the pair inside its own split comes first, then train, then validation.
inline std::vector<Repeat> find_repeats(const Dataset& dataset) {
  std::vector<Repeat> repeats;
  std::unordered_multimap<std::uint64_t, index_t> seen_train, seen_validation, seen_test;
  const auto hashes = [](const auto& split) {
    std::vector<std::uint64_t> all(std::size_t(split.size()));
    parallel_for(split.size(), 16, [&](index_t begin, index_t end) {
      for (index_t n = begin; n < end; ++n) all[std::size_t(n)] = lacuna::detail::sample_hash(split, n);
    });
    return all;
  };
  const auto look = [&]<Role role, Role before>(const Split<role>& split, index_t n, std::uint64_t hash,
                                                const Split<before>& earlier, const auto& seen) {
    index_t first = -1;
    for (auto [at, end] = seen.equal_range(hash); at != end; ++at)
      if ((first < 0 || at->second < first) && lacuna::detail::equal_samples(split, n, earlier, at->second))
        first = at->second;
    if (first >= 0) repeats.push_back({role, n, before, first, lacuna::detail::equal_labels(split, n, earlier, first)});
    return first >= 0;
  };
  const auto walk = [&](const auto& split, auto& own, auto&& also) {
    const auto hash = hashes(split);
    for (index_t n = 0; n < split.size(); ++n) {
      const std::uint64_t code = hash[std::size_t(n)];
      if (code == 0) continue;
      // One of a group of equals is enough to find the rest by.
      if (!look(split, n, code, split, own)) own.emplace(code, n);
      also(n, code);
    }
  };
  walk(dataset.train, seen_train, [](index_t, std::uint64_t) {});
  walk(dataset.validation, seen_validation,
       [&](index_t n, std::uint64_t code) { look(dataset.validation, n, code, dataset.train, seen_train); });
  walk(dataset.test, seen_test, [&](index_t n, std::uint64_t code) {
    look(dataset.test, n, code, dataset.train, seen_train);
    look(dataset.test, n, code, dataset.validation, seen_validation);
  });
  return repeats;
}

}  // namespace lacuna::data
