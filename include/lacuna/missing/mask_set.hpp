/// The masks of one condition for every sample of a split, keyed by sample id: drawn once, the same for every model,
/// every batch size and every order of the samples.
///
///     const auto masks = missing::sample_masks({.name = "half", .rate = 0.5, .seed = 7}, corpus.test);
///     const auto batch = missing::apply(masks, data::gather<float>(corpus.test, samples));
///
/// A mask is a function of (seed, sample id, name of the modality); draws at a larger rate erase what smaller rates do,
/// and more, so that curves over the rate compare like with like. The exception is Sampling::numpy, which follows the order
/// of the split as the published programs do.
#pragma once

#include <algorithm>
#include <cstdio>
#include <map>
#include <numeric>
#include <span>

#include "lacuna/data/dataset.hpp"
#include "lacuna/missing/absence.hpp"
#include "lacuna/missing/condition.hpp"
#include "lacuna/missing/mt19937.hpp"

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

struct MaskSet {
  std::string name;
  std::vector<std::string> modalities;
  std::vector<std::string> ids;  ///< (N)
  std::vector<Mask<2>> keep;     ///< per modality (N, T_m): 1 = present, after the absence was drawn
  Fill fill = Fill::zeros;
  index_t substitute = -1;

  /// Share of (sample, modality) pairs without any frame. 0 without samples.
  double stream_rate() const {
    index_t lost = 0, all = 0;
    for (const auto& mask : keep)
      for (index_t n = 0; n < mask.extent(0); ++n, ++all) {
        bool any = false;
        for (index_t t = 0; t < mask.extent(1); ++t) any = any || mask(n, t);
        lost += !any;
      }
    return all > 0 ? double(lost) / double(all) : 0;
  }

  /// A fingerprint of all masks, 16 hexadecimal digits. It depends on ids and masks, not on the order of the samples.
  std::string hash() const {
    std::vector<std::size_t> order(ids.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return ids[a] < ids[b]; });
    std::uint64_t hash = detail::fnv1a(name);
    for (std::size_t m = 0; m < keep.size(); ++m) {
      const index_t frames = keep[m].extent(1);
      hash = detail::fnv1a(modalities[m] + ":" + std::to_string(frames), hash);
      for (const std::size_t n : order) {
        hash = detail::fnv1a(ids[n], hash);
        hash = detail::fnv1a(keep[m].data() + index_t(n) * frames, std::size_t(frames), hash);
      }
    }
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
    return text;
  }

  /// The same masks in the order of other ids. Throws Error for an id that has no masks.
  MaskSet aligned(const std::vector<std::string>& wanted) const {
    std::map<std::string, index_t> row;
    for (std::size_t n = 0; n < ids.size(); ++n) row[ids[n]] = index_t(n);
    MaskSet result{name, modalities, wanted, {}, fill, substitute};
    for (const auto& mask : keep) {
      Mask<2> sorted({index_t(wanted.size()), mask.extent(1)});
      for (std::size_t n = 0; n < wanted.size(); ++n) {
        const auto found = row.find(wanted[n]);
        if (found == row.end()) throw Error(detail::cat("masks '", name, "': none for sample '", wanted[n], "'"));
        for (index_t t = 0; t < mask.extent(1); ++t) sorted(index_t(n), t) = mask(found->second, t);
      }
      result.keep.push_back(sorted);
    }
    return result;
  }
};

/// Draws the masks of samples of which `present` (N, T_m per modality) says what there is. Throws OptionError and
/// ShapeError when the parts do not fit.
inline MaskSet sample_masks(const Absence& absence, const std::vector<std::string>& ids,
                            const std::vector<std::string>& modalities, const std::vector<Mask<2>>& present) {
  absence.check(modalities.size());
  if (present.size() != modalities.size())
    throw ShapeError(detail::cat("sample_masks: ", present.size(), " masks for ", modalities.size(), " modalities"));
  MaskSet set{absence.name, modalities, ids, {}, absence.fill, absence.substitute};
  for (std::size_t m = 0; m < modalities.size(); ++m) {
    detail::expect_axis("sample_masks", modalities[m].c_str(), present[m].shape(), 0, index_t(ids.size()));
    set.keep.push_back(present[m].clone());
    if (!absence.absent.empty() && absence.absent[m]) set.keep[m] = Mask<2>::zeros(present[m].extents());
  }
  if (absence.rate == 0 && absence.sampling != Sampling::numpy) return set;
  if (absence.unit == Unit::frame && absence.sampling == Sampling::numpy) {
    const double rates[] = {absence.rate};
    for (std::size_t m = 0; m < modalities.size(); ++m)
      set.keep[m] = numpy_keep(std::uint32_t(absence.seed), rates, set.keep[m],
                               !absence.keep_ends.empty() && absence.keep_ends[m]);
  }
  const Random seeded(absence.seed);
  for (std::size_t n = 0; n < ids.size(); ++n) {
    const Random source = seeded.split(absence.unit == Unit::batch ? 0 : detail::fnv1a(ids[n]));
    std::vector<std::uint8_t*> rows;
    std::vector<index_t> lengths;
    Pattern has;
    for (auto& mask : set.keep) {
      lengths.push_back(mask.extent(1));
      rows.push_back(mask.data() + index_t(n) * lengths.back());
      has.push_back(std::any_of(rows.back(), rows.back() + lengths.back(), [](std::uint8_t one) { return one != 0; }));
    }
    if (absence.unit != Unit::frame) {
      if (absence.unit == Unit::batch) has.assign(has.size(), 1);
      if (absence.unit == Unit::batch && !absence.absent.empty())
        for (std::size_t m = 0; m < has.size(); ++m) has[m] = !absence.absent[m];
      const Pattern kept = detail::keep_streams(has, absence.rate, absence.keep_one, source.split(0).stream());
      for (std::size_t m = 0; m < rows.size(); ++m)
        if (!kept[m]) std::fill(rows[m], rows[m] + lengths[m], std::uint8_t(0));
      continue;
    }
    std::vector<std::vector<std::uint8_t>> held;
    std::vector<const std::uint8_t*> before;
    for (std::size_t m = 0; m < rows.size(); ++m) {
      const bool gone = !absence.absent.empty() && absence.absent[m];
      const std::uint8_t* from = present[m].data() + index_t(n) * lengths[m];
      held.emplace_back(std::size_t(lengths[m]), std::uint8_t(0));
      if (!gone) held.back().assign(from, from + lengths[m]);
      if (absence.sampling != Sampling::numpy)
        detail::erase_frames(rows[m], lengths[m], absence.rate, absence.sampling,
                             source.split(1 + detail::fnv1a(modalities[m])));
    }
    for (const auto& row : held) before.push_back(row.data());
    if (absence.keep_one) detail::restore_one(before, rows, lengths, source.split(0));
  }
  return set;
}
template <data::Role role>
MaskSet sample_masks(const Absence& absence, const data::Split<role>& split) {
  std::vector<std::string> names;
  std::vector<Mask<2>> present;
  for (const auto& modality : split.modalities) {
    names.push_back(modality.name);
    present.push_back(modality.present);
  }
  return sample_masks(absence, split.ids, names, present);
}

/// The batch with new presence masks (B, T) per modality. Where a frame is no longer present it becomes zero, or that
/// of the substitute stream, which then counts as present. Nothing of the given batch changes.
template <class T>
data::Batch<T> with_presence(data::Batch<T> batch, const std::vector<Mask<2>>& keep, Fill fill = Fill::zeros,
                             index_t substitute = -1) {
  if (keep.size() > batch.streams.size())
    throw ShapeError(detail::cat("masks: of ", keep.size(), " modalities for ", batch.streams.size(), " streams"));
  if (fill == Fill::substitute && (substitute < 0 || substitute >= index_t(batch.streams.size())))
    throw OptionError(detail::cat("masks: substitute stream number ", substitute, " of ", batch.streams.size()));
  const data::Stream<T> stand_in =
      fill == Fill::substitute ? batch.streams[std::size_t(substitute)] : data::Stream<T>{};
  for (std::size_t m = 0; m < keep.size(); ++m) {
    auto& stream = batch.streams[m];
    detail::expect_shape("masks", "keep", keep[m].shape(), stream.present.shape());
    stream.frames = stream.frames.clone();
    Mask<2> present = keep[m].clone();
    const index_t frames = present.extent(1), width = stream.frames.extent(2);
    if (fill == Fill::substitute) detail::expect_axis("masks", "substitute", stand_in.frames.shape(), 2, width);
    for (index_t b = 0; b < present.extent(0); ++b)
      for (index_t t = 0; t < frames; ++t) {
        if (present(b, t)) continue;
        const bool other = fill == Fill::substitute && stream.present(b, t) && t < stand_in.present.extent(1) &&
                           stand_in.present(b, t);
        for (index_t f = 0; f < width; ++f) stream.frames(b, t, f) = other ? stand_in.frames(b, t, f) : T(0);
        if (other) present(b, t) = 1;
      }
    stream.present = present;
  }
  return batch;
}

/// The batch under these masks; its samples are positions in the split whose ids the set holds, in the same order.
template <class T>
data::Batch<T> apply(const MaskSet& set, const data::Batch<T>& batch) {
  std::vector<Mask<2>> keep;
  for (std::size_t m = 0; m < set.keep.size() && m < batch.streams.size(); ++m) {
    Mask<2> mask = batch.streams[m].present.clone();
    for (index_t b = 0; b < mask.extent(0); ++b) {
      const index_t sample = batch.samples.at(std::size_t(b));
      if (sample < 0 || sample >= index_t(set.ids.size()))
        throw ShapeError(detail::cat("masks '", set.name, "': sample ", sample, " of ", set.ids.size()));
      for (index_t t = 0; t < mask.extent(1); ++t)
        mask(b, t) = mask(b, t) && t < set.keep[m].extent(1) && set.keep[m](sample, t);
    }
    keep.push_back(mask);
  }
  return with_presence(batch, keep, set.fill, set.substitute);
}

}  // namespace lacuna::missing
