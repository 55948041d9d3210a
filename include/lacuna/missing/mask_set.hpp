/// Which was missing: the masks of one condition for every sample of a split, keyed by sample id, and a batch under them.
///
///     const auto masks = missing::sample_masks(missing::without({"text"}, names), corpus.test);    (sampling.hpp)
///     const auto batch = missing::apply(masks, data::gather<float>(corpus.test, samples));
#pragma once

#include <algorithm>
#include <cstdio>
#include <map>
#include <numeric>

#include "lacuna/data/dataset.hpp"
#include "lacuna/missing/spec.hpp"

namespace lacuna::detail {

/// FNV-1a, 64 bits.
inline std::uint64_t fnv1a(const void* bytes, std::size_t count, std::uint64_t hash = 0xCBF29CE484222325ull) {
  const auto* at = static_cast<const unsigned char*>(bytes);
  for (std::size_t i = 0; i < count; ++i) hash = (hash ^ at[i]) * 0x100000001B3ull;
  return hash;
}
inline std::uint64_t fnv1a(std::string_view text, std::uint64_t hash = 0xCBF29CE484222325ull) {
  return fnv1a("", 1, fnv1a(text.data(), text.size(), hash));  // a zero ends every text
}

}  // namespace lacuna::detail

namespace lacuna::missing {

struct MaskSet {
  std::string name;
  std::vector<std::string> modalities;
  std::vector<std::string> ids;  ///< (N)
  std::vector<Mask<2>> keep;     ///< per modality (N, T_m): 1 = present, after masks were drawn
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

/// The batch with new presence masks (B, T) per modality. Where a frame is no longer present it becomes zero, or that
/// of the substitute stream, which then counts as present. A stream that keeps all is shared; nothing of the given batch
/// changes.
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
    if (std::equal(keep[m].data(), keep[m].data() + keep[m].size(), stream.present.data())) continue;
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
  if (set.keep.size() != batch.streams.size())
    throw ShapeError(detail::cat("masks '", set.name, "': of ", set.keep.size(), " modalities for ",
                                 batch.streams.size(), " streams"));
  std::vector<Mask<2>> keep;
  for (std::size_t m = 0; m < set.keep.size(); ++m) {
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

/// The batch without the modalities that `spec` names: presence 0, frames untouched and shared. Throws OptionError where the
/// spec has a rate, which masks have to be drawn for (sampling.hpp).
template <class T, class D>
data::Batch<T, D> apply(const MissingSpec& spec, data::Batch<T, D> batch) {
  spec.check(batch.streams.size());
  if (spec.rate != 0) throw OptionError(detail::cat("missing '", spec.name, "' has a rate: use sample_masks"));
  for (std::size_t m = 0; m < spec.absent.size() && m < batch.streams.size(); ++m) {
    if (!spec.absent[m]) continue;
    auto& present = batch.streams[m].present;
    present = Mask<2, D>::zeros(present.extents());
  }
  return batch;
}

}  // namespace lacuna::missing
