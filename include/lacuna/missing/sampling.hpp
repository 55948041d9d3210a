/// How the masks of one condition are drawn for every sample of a split: once, the same for every model, every batch
/// size and every order of the samples.
///
///     const auto masks = missing::sample_masks({.name = "half", .rate = 0.5, .seed = 7}, corpus.test);
///     const auto batch = missing::apply(masks, data::gather<float>(corpus.test, samples));
///
/// Streams that come from one source (groups.hpp) lose the same: whole streams together, and where they have as many frames
/// the same frames. A mask is a function of (seed, sample id, name of the first stream of its source); draws at a larger rate erase what smaller rates do,
/// and more, so that curves over the rate compare like with like. The exception is Sampling::numpy, which follows the order
/// of the split as the published programs do.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include "lacuna/core/random.hpp"
#include "lacuna/missing/groups.hpp"
#include "lacuna/missing/mask_set.hpp"
#include "lacuna/missing/mt19937.hpp"

namespace lacuna::detail {

/// Which of the streams a sample has stay at a missing rate. With keep_one, one of them, drawn uniformly, stays, and
/// each other one with the probability that makes the expected share kept 1 − rate, or 0 where rate is beyond that
/// (GCNet's protocol); otherwise each with probability 1 − rate.
inline missing::Pattern keep_streams(const missing::Pattern& has, double rate, bool keep_one, RandomStream stream) {
  index_t count = 0;
  for (const std::uint8_t one : has) count += one != 0;
  missing::Pattern kept(has.size(), 0);
  if (count == 0) return kept;
  double others = 1 - rate;
  index_t guaranteed = -1;
  if (keep_one) {
    guaranteed = std::min(index_t(stream.uniform(0) * double(count)), count - 1);
    others = count > 1 ? std::max(0.0, (double(count) * (1 - rate) - 1) / double(count - 1)) : 0;
  }
  for (std::size_t m = 0; m < has.size(); ++m) {
    if (!has[m]) continue;
    kept[m] = guaranteed-- == 0 || stream.uniform(1 + m) < others;
  }
  return kept;
}

/// Erases frames of one stream of one sample: `row` has `frames` flags. Larger rates erase what smaller ones do, and
/// more.
inline void erase_frames(std::uint8_t* row, index_t frames, double rate, missing::Sampling sampling, Random source) {
  if (sampling != missing::Sampling::exact) {
    const RandomStream stream = source.stream();
    for (index_t t = 0; t < frames; ++t)
      if (stream.uniform(std::uint64_t(t)) < rate) row[t] = 0;
    return;
  }
  std::vector<index_t> present;
  for (index_t t = 0; t < frames; ++t)
    if (row[t]) present.push_back(t);
  const std::vector<index_t> order = source.permutation(index_t(present.size()));
  const auto erased = std::size_t(std::lround(rate * double(present.size())));
  for (std::size_t i = 0; i < erased; ++i) row[present[std::size_t(order[i])]] = 0;
}

/// Gives one sample back one of the frames it had, drawn uniformly, when it has lost all; with it the same frame of streams
/// of the same source and length. rows[m] of lengths[m] flags, before and after.
inline void restore_one(const std::vector<const std::uint8_t*>& before, const std::vector<std::uint8_t*>& after,
                        const std::vector<index_t>& lengths, const missing::Groups& groups, Random source) {
  index_t had = 0;
  for (std::size_t m = 0; m < after.size(); ++m)
    for (index_t t = 0; t < lengths[m]; ++t) {
      if (after[m][t]) return;
      had += before[m][t] != 0;
    }
  if (had == 0) return;
  index_t chosen = source.below(had);
  for (std::size_t m = 0; m < after.size(); ++m)
    for (index_t t = 0; t < lengths[m]; ++t)
      if (before[m][t] && chosen-- == 0)
        for (std::size_t s = 0; s < after.size(); ++s)
          if (groups.of(s) == groups.of(m) && lengths[s] == lengths[m] && before[s][t]) after[s][t] = 1;
}

}  // namespace lacuna::detail

namespace lacuna::missing {

/// The convention of TFR-Net and LNLN: seed the generator, draw uniform(0, 1) for the whole padded array in row order,
/// keep u > rate. valid (N, T); rates: one for all rows, or one per row; keep_ends: the first and last valid frame of
/// every row stay. They seed anew for every stream.  (Yuan et al., MM 2021; Zhang et al., NeurIPS 2024)
inline Mask<2> numpy_keep(std::uint32_t seed, std::span<const double> rates, const Mask<2>& valid, bool keep_ends) {
  const index_t rows = valid.extent(0), frames = valid.extent(1);
  if (rates.size() != 1 && index_t(rates.size()) != rows)
    throw ShapeError(detail::cat("numpy_keep: ", rates.size(), " rates for ", rows, " rows"));
  Mt19937 generator(seed);
  Mask<2> keep(valid.extents());
  for (index_t n = 0; n < rows; ++n) {
    const double rate = rates[rates.size() == 1 ? 0 : std::size_t(n)];
    index_t first = -1, last = -1;
    for (index_t t = 0; t < frames; ++t) {
      keep(n, t) = (generator.uniform() > rate) && valid(n, t);
      if (valid(n, t)) last = t, first = first < 0 ? t : first;
    }
    if (keep_ends && last >= 0) keep(n, first) = keep(n, last) = 1;
  }
  return keep;
}

/// Token ids with the erased ones replaced: [UNK] is 100 in BERT's vocabulary. Padding stays as it is.
inline Tensor<index_t, 2> replace_erased(const Tensor<index_t, 2>& ids, const Mask<2>& valid, const Mask<2>& keep,
                                         index_t token = 100) {
  detail::expect_shape("replace_erased", "valid", valid.shape(), ids.shape());
  detail::expect_shape("replace_erased", "keep", keep.shape(), ids.shape());
  Tensor<index_t, 2> result = ids.clone();
  for (index_t i = 0; i < ids.size(); ++i)
    if (valid.data()[i] && !keep.data()[i]) result.data()[i] = token;
  return result;
}

/// Draws the masks of samples of which `present` (N, T_m per modality) says what there is. Throws OptionError and
/// ShapeError when the parts do not fit.
inline MaskSet sample_masks(const MissingSpec& spec, const std::vector<std::string>& ids,
                            const std::vector<std::string>& modalities, const std::vector<Mask<2>>& present) {
  spec.check(modalities.size());
  if (present.size() != modalities.size())
    throw ShapeError(detail::cat("sample_masks: ", present.size(), " masks for ", modalities.size(), " modalities"));
  MaskSet set{spec.name, modalities, ids, {}, spec.fill, spec.substitute};
  for (std::size_t m = 0; m < modalities.size(); ++m) {
    detail::expect_axis("sample_masks", modalities[m].c_str(), present[m].shape(), 0, index_t(ids.size()));
    set.keep.push_back(present[m].clone());
    if (!spec.absent.empty() && spec.absent[m]) set.keep[m] = Mask<2>::zeros(present[m].extents());
  }
  if (spec.rate == 0 && spec.sampling != Sampling::numpy) return set;
  if (spec.unit == Unit::frame && spec.sampling == Sampling::numpy) {
    const double rates[] = {spec.rate};
    for (std::size_t m = 0; m < modalities.size(); ++m)
      set.keep[m] =
          numpy_keep(std::uint32_t(spec.seed), rates, set.keep[m], !spec.keep_ends.empty() && spec.keep_ends[m]);
  }
  const Random seeded(spec.seed);
  const Groups groups(modalities);
  for (std::size_t n = 0; n < ids.size(); ++n) {
    const Random source = seeded.split(spec.unit == Unit::batch ? 0 : detail::fnv1a(ids[n]));
    std::vector<std::uint8_t*> rows;
    std::vector<index_t> lengths;
    Pattern has;
    for (auto& mask : set.keep) {
      lengths.push_back(mask.extent(1));
      rows.push_back(mask.data() + index_t(n) * lengths.back());
      has.push_back(std::any_of(rows.back(), rows.back() + lengths.back(), [](std::uint8_t one) { return one != 0; }));
    }
    if (spec.unit != Unit::frame) {
      if (spec.unit == Unit::batch) has.assign(has.size(), 1);
      if (spec.unit == Unit::batch && !spec.absent.empty())
        for (std::size_t m = 0; m < has.size(); ++m) has[m] = !spec.absent[m];
      const Pattern kept =
          groups.spread(detail::keep_streams(groups.gather(has), spec.rate, spec.keep_one, source.split(0).stream()));
      for (std::size_t m = 0; m < rows.size(); ++m)
        if (!kept[m]) std::fill(rows[m], rows[m] + lengths[m], std::uint8_t(0));
      continue;
    }
    std::vector<std::vector<std::uint8_t>> held;
    std::vector<const std::uint8_t*> before;
    for (std::size_t m = 0; m < rows.size(); ++m) {
      const bool gone = !spec.absent.empty() && spec.absent[m];
      const std::uint8_t* from = present[m].data() + index_t(n) * lengths[m];
      held.emplace_back(std::size_t(lengths[m]), std::uint8_t(0));
      if (!gone) held.back().assign(from, from + lengths[m]);
      if (spec.sampling != Sampling::numpy)
        detail::erase_frames(rows[m], lengths[m], spec.rate, spec.sampling,
                             source.split(1 + detail::fnv1a(groups.names()[groups.of(m)])));
    }
    for (const auto& row : held) before.push_back(row.data());
    if (spec.keep_one) detail::restore_one(before, rows, lengths, groups, source.split(0));
  }
  return set;
}
/// The masks of all samples of a split.
template <data::Role role>
MaskSet sample_masks(const MissingSpec& spec, const data::Split<role>& split) {
  std::vector<Mask<2>> present;
  for (const auto& modality : split.modalities) present.push_back(modality.present);
  return sample_masks(spec, split.ids, split.modality_names(), present);
}

}  // namespace lacuna::missing
