/// Absence as a value: which modalities are missing, how much of the rest, in what units, by which seed.
///
/// Drawn into masks by mask_set.hpp, listed into evaluation protocols by protocol.hpp. Training has its own sampler
/// (sampler.hpp), which draws such absences anew in every step.
#pragma once

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "lacuna/core/random.hpp"
#include "lacuna/core/tensor.hpp"
#include "lacuna/missing/pattern.hpp"

namespace lacuna::missing {

/// What is taken away in one piece: a modality of all samples alike, a modality of one sample, one frame.
enum class Unit { batch, sample, frame };

/// How frames are chosen. exact: round(rate · present frames) of every stream, without replacement. bernoulli: each
/// with probability `rate`. numpy: each with probability `rate` by NumPy's generator, see numpy_keep.
enum class Sampling { exact, bernoulli, numpy };

/// What stands where something is missing. zeros: in feature space. substitute: another stream of the data. The other
/// two are done by the model, which then reads the masks: zeros after its encoder, or a learned vector.
enum class Fill { zeros, encoded_zeros, learned, substitute };

struct Absence {
  std::string name = "complete";
  Pattern absent = {};  ///< 1: this modality is missing altogether; empty: none
  double rate = 0;      ///< share of units taken from what is left, 0..1
  Unit unit = Unit::frame;
  Sampling sampling = Sampling::exact;  ///< of frames
  bool keep_one = true;     ///< something of every sample stays that has anything
  Pattern keep_ends = {};   ///< numpy: 1: the first and last frame of this modality stay; empty: none
  Fill fill = Fill::zeros;
  index_t substitute = -1;  ///< the stream that takes the place, by position
  std::uint64_t seed = 0;

  /// Throws OptionError.
  void check(std::size_t modalities) const {
    const auto refuse = [&](const auto&... what) { throw OptionError(detail::cat("absence '", name, "': ", what...)); };
    if (!(rate >= 0 && rate <= 1)) refuse("rate ", rate, " is outside 0..1");
    for (const Pattern* pattern : {&absent, &keep_ends})
      if (!pattern->empty() && pattern->size() != modalities)
        refuse("a pattern of ", pattern->size(), " entries for ", modalities, " modalities");
    if (fill == Fill::substitute && substitute < 0) refuse("fill is a substitute stream, but none is named");
    if (sampling == Sampling::numpy && seed > 0xFFFFFFFFull) refuse("NumPy takes seeds below 2^32, found ", seed);
  }
};

}  // namespace lacuna::missing

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

/// Gives one sample back one of the frames it had, drawn uniformly, when it has lost all. rows[m] of lengths[m] flags,
/// before and after.
inline void restore_one(const std::vector<const std::uint8_t*>& before, const std::vector<std::uint8_t*>& after,
                        const std::vector<index_t>& lengths, Random source) {
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
      if (before[m][t] && chosen-- == 0) after[m][t] = 1;
}

}  // namespace lacuna::detail
