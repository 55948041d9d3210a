/// What may be missing, as a value: which modalities, how much of the rest, in what units, by which seed.
///
///     missing::without({"text"}, names)                    a condition: every sample lacks its text
///     missing::MissingSpec{.name = "half", .rate = 0.5}    half of the frames of every stream
///
/// Drawn into masks by sampling.hpp, listed into evaluation protocols by protocol.hpp. Training draws anew in every step
/// (sampler.hpp).
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "lacuna/core/tensor.hpp"
#include "lacuna/missing/groups.hpp"

namespace lacuna::missing {

/// What is taken away in one piece: a modality of all samples alike, a modality of one sample, one frame.
enum class Unit { batch, sample, frame };

/// How frames are chosen. exact: round(rate · present frames) of every stream, without replacement. bernoulli: each
/// with probability `rate`. numpy: each with probability `rate` by NumPy's generator, see numpy_keep.
enum class Sampling { exact, bernoulli, numpy };

/// What stands where something is missing. zeros: in feature space. substitute: another stream of the data. The other
/// two are done by the model, which then reads the masks: zeros after its encoder, or a learned vector.
enum class Fill { zeros, encoded_zeros, learned, substitute };

struct MissingSpec {
  std::string name = "complete";
  Pattern absent = {};  ///< 1: this modality is missing altogether; empty: none
  double rate = 0;      ///< share of units taken from what is left, 0..1
  Unit unit = Unit::frame;
  Sampling sampling = Sampling::exact;  ///< of frames
  bool keep_one = true;                 ///< something of every sample stays that has anything
  Pattern keep_ends = {};               ///< numpy: 1: the first and last frame of this modality stay; empty: none
  Fill fill = Fill::zeros;
  index_t substitute = -1;  ///< the stream that takes the place, by position
  std::uint64_t seed = 0;

  /// Throws OptionError.
  void check(std::size_t modalities) const {
    const auto refuse = [&](const auto&... what) { throw OptionError(detail::cat("missing '", name, "': ", what...)); };
    if (!(rate >= 0 && rate <= 1)) refuse("rate ", rate, " is outside 0..1");
    for (const Pattern* pattern : {&absent, &keep_ends})
      if (!pattern->empty() && pattern->size() != modalities)
        refuse("a pattern of ", pattern->size(), " entries for ", modalities, " modalities");
    if (fill == Fill::substitute && substitute < 0) refuse("fill is a substitute stream, but none is named");
    if (sampling == Sampling::numpy && seed > 0xFFFFFFFFull) refuse("NumPy takes seeds below 2^32, found ", seed);
  }
};

/// The condition in which the named modalities are missing, with all that comes from them (groups.hpp); called
/// "without-NAME-NAME". Throws OptionError for an unknown name.
inline MissingSpec without(const std::vector<std::string>& missing, const std::vector<std::string>& modalities) {
  MissingSpec condition{missing.empty() ? "complete" : "without", std::vector<std::uint8_t>(modalities.size(), 0)};
  const Groups groups(modalities);
  for (const auto& name : missing) {
    std::size_t m = 0;
    while (m < modalities.size() && modalities[m] != name) ++m;
    if (m == modalities.size()) {
      std::string known;
      for (const auto& modality : modalities) known += (known.empty() ? "" : ", ") + modality;
      throw OptionError(detail::cat("missing modality '", name, "' is not in the data; it has ", known));
    }
    for (std::size_t other = 0; other < modalities.size(); ++other)
      if (groups.of(other) == groups.of(m)) condition.absent[other] = 1;
    condition.name += "-" + name;
  }
  return condition;
}

/// Complete, and every subset of up to four modalities among the first `own` streams; of more, each one missing and each
/// one alone. Streams that come from one source are one modality. Throws OptionError for fewer names than `own`.
inline std::vector<MissingSpec> subset_specs(const std::vector<std::string>& modalities, std::size_t own) {
  if (modalities.size() < own)
    throw OptionError(detail::cat("conditions: ", modalities.size(), " names of streams, expected at least ", own));
  std::vector<MissingSpec> all{without({}, modalities)};
  const Groups groups(std::vector<std::string>(modalities.begin(), modalities.begin() + std::ptrdiff_t(own)));
  for (const Pattern& pattern : proper_subsets(index_t(groups.size()))) {
    const auto size = std::size_t(std::count(pattern.begin(), pattern.end(), 1));
    if (groups.size() > 4 && size != 1 && size + 1 != groups.size()) continue;
    std::vector<std::string> lost;
    for (std::size_t g = 0; g < groups.size(); ++g)
      if (!pattern[g]) lost.push_back(groups.names()[g]);
    all.push_back(without(lost, modalities));
  }
  return all;
}

}  // namespace lacuna::missing
