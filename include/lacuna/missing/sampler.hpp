/// Modality random missing: what a training step takes away from the samples it was given.  (MRM of CorrKD, Li
/// et al., CVPR 2024; the paper gives no distribution, hence the options and the presets of what others have published)
///
/// Per sample: with `stream_probability` a pattern of available modalities is drawn, whole streams go; with
/// `frame_probability` frames of what is left go, each modality at its own rate. A mask depends on the source of
/// randomness and on the sample, not on its place in the batch nor on its batch mates. Streams that come from one source
/// (groups.hpp) are one modality: they stay or go together, and lose the same frames where they have as many.
#pragma once

#include <algorithm>
#include <span>

#include "lacuna/core/context.hpp"
#include "lacuna/core/fields.hpp"
#include "lacuna/missing/groups.hpp"
#include "lacuna/missing/sampling.hpp"

namespace lacuna::missing {

/// Of the frame rate of a sample. uniform: U(0, 1) for every modality; shared: one for all; tenths: 0, 0.1, ..., 0.9
/// for every modality; fixed: `frame_rate`.
enum class RateLaw { uniform, shared, tenths, fixed };

struct MrmOptions {
  double frame_probability = 1;
  RateLaw rate_law = RateLaw::uniform;
  double frame_rate = 0.5;              ///< of RateLaw::fixed
  Sampling sampling = Sampling::exact;  ///< exact or bernoulli
  double untouched = 0;                 ///< probability that a stream of a sample keeps all its frames
  double stream_probability = 0.5;
  std::vector<double> pattern_weights =
      {};                    ///< of all_subsets(M), the complete one last; empty: equal, incomplete ones only
  double stream_rate = -1;   ///< 0..1: streams go at this rate, at least one stays, in the place of patterns
  Unit unit = Unit::sample;  ///< batch: one pattern of streams for the whole batch
  bool keep_one = true;      ///< a sample that had something keeps at least one frame

  /// True when it takes anything away.
  bool active() const { return frame_probability > 0 || stream_probability > 0; }

  static void reflect(auto& self, auto&& visit) {
    visit("mrm_frame_probability", self.frame_probability, Facts{.range = Range::between(0, 1)});
    visit("mrm_rate_law", self.rate_law);
    visit("mrm_frame_rate", self.frame_rate, Facts{.range = Range::between(0, 1)});
    visit("mrm_sampling", self.sampling);
    visit("mrm_untouched", self.untouched, Facts{.range = Range::between(0, 1)});
    visit("mrm_stream_probability", self.stream_probability, Facts{.range = Range::between(0, 1)});
    visit("mrm_pattern_weights", self.pattern_weights);
    visit("mrm_stream_rate", self.stream_rate);
    visit("mrm_unit", self.unit);
    visit("mrm_keep_one", self.keep_one);
  }

  /// Throws OptionError.
  void check(index_t modalities) const {
    check_fields("MRM", *this);
    if (stream_rate != -1 && !(stream_rate >= 0 && stream_rate <= 1))
      throw OptionError(detail::cat("MRM: mrm_stream_rate is ", stream_rate, ", expected 0..1, or -1: not used"));
    if (sampling == Sampling::numpy)
      throw OptionError("MRM: frames are drawn exact or bernoulli; NumPy's order is for evaluation");
    if (unit == Unit::frame) throw OptionError("MRM: the unit of streams is sample or batch");
    if (pattern_weights.empty()) return;
    const std::size_t expected = all_subsets(modalities).size();
    double sum = 0;
    for (const double weight : pattern_weights) sum += weight >= 0 ? weight : -1e300;
    if (pattern_weights.size() != expected || !(sum > 0))
      throw OptionError(detail::cat("MRM: pattern_weights must be ", expected,
                                    " numbers not below 0 and not all 0 for ", modalities, " modalities, found ",
                                    pattern_weights.size()));
  }
};

}  // namespace lacuna::missing

namespace lacuna::detail {

/// What the weights of all patterns of streams are for these patterns of groups: every one counts for the groups whose
/// first stream it has. Empty for none. Throws OptionError when nothing is left.
inline std::vector<double> weights_of(const std::vector<double>& of_streams,
                                      const std::vector<missing::Pattern>& patterns, const missing::Groups& groups) {
  if (of_streams.empty() || groups.size() == groups.streams()) return of_streams;
  std::vector<double> weights(patterns.size(), 0.0);
  double sum = 0;
  const auto streams = missing::all_subsets(index_t(groups.streams()));
  for (std::size_t s = 0; s < streams.size(); ++s) {
    missing::Pattern of_groups;
    for (std::size_t g = 0; g < groups.size(); ++g) of_groups.push_back(streams[s][groups.first(g)]);
    const auto at = std::find(patterns.begin(), patterns.end(), of_groups);
    if (at != patterns.end()) weights[std::size_t(at - patterns.begin())] += of_streams[s], sum += of_streams[s];
  }
  if (!(sum > 0)) throw OptionError("MRM: pattern_weights have only patterns of streams that come from others");
  return weights;
}

}  // namespace lacuna::detail

namespace lacuna::missing {

/// Weights for `pattern_weights` in which all patterns of r present modalities together have the weight share(r), r = 1 ... M,
/// each of them as much as another:
///     options.pattern_weights = weights_by_size(6, [](index_t r) { return r < 6 ? 1.0 : 0.0; });  // all sizes alike
/// Equal weights of patterns, in contrast, seldom leave one modality alone where there are many: of six in 6 cases of 62.
template <class Share>
std::vector<double> weights_by_size(index_t modalities, Share&& share) {
  const std::vector<Pattern> all = all_subsets(modalities);
  const auto size = [](const Pattern& p) { return std::size_t(std::count(p.begin(), p.end(), 1)); };
  std::vector<double> count(std::size_t(modalities) + 1, 0.0), weights;
  for (const Pattern& pattern : all) ++count[size(pattern)];
  for (const Pattern& pattern : all) weights.push_back(share(index_t(size(pattern))) / count[size(pattern)]);
  return weights;
}

/// none: nothing is taken away. uniform: the defaults. lnln: frames at a rate U(0, 1) per modality, untouched half of
/// the time (LNLN takes exactly half of the samples). mplmm: with probability 0.7 one of the incomplete patterns. cmad:
/// patterns with weights 2 3 3 1 1 3 1, harder ones more often; three modalities only. gcnet: streams at a fixed rate,
/// one guaranteed; set `stream_rate`. Throws OptionError for another name.
inline MrmOptions mrm_preset(const std::string& name, index_t modalities = 3) {
  MrmOptions o;
  if (name == "uniform") return o;
  if (name == "lnln") {
    o.sampling = Sampling::bernoulli;
    o.untouched = 0.5;
    o.stream_probability = 0;
    o.keep_one = false;
    return o;
  }
  o.frame_probability = 0;
  if (name == "none") {
    o.stream_probability = 0;
  } else if (name == "mplmm") {
    o.stream_probability = 0.7;
  } else if (name == "cmad") {
    if (modalities != 3)
      throw OptionError(
          detail::cat("MRM: preset cmad is for three modalities, found ", modalities, "; set pattern_weights"));
    o.stream_probability = 1;
    o.pattern_weights = {2, 3, 3, 1, 1, 3, 1};
  } else if (name == "gcnet") {
    o.stream_probability = 1;
    o.stream_rate = 0.5;
  } else {
    throw OptionError("MRM: preset '" + name + "' is not one of none, uniform, lnln, mplmm, cmad, gcnet");
  }
  return o;
}

/// What stays of a batch: present (B, T_m) per modality → the same shapes. keys (B): what makes a sample itself, its
/// position in the split for example. The same source gives the same masks; a new step needs a new one. Weights of patterns
/// of streams are those of their first streams where some come from one source; a pattern without any of these is left out.
inline std::vector<Mask<2>> sample_masks(const MrmOptions& options, const std::vector<Mask<2>>& present,
                                         std::span<const index_t> keys, const Random& source, const Groups& groups) {
  const std::size_t modalities = present.size();
  options.check(index_t(modalities));
  if (groups.streams() != modalities)
    throw ShapeError(detail::cat("MRM: groups of ", groups.streams(), " streams for ", modalities, " modalities"));
  for (const auto& mask : present) detail::expect_axis("MRM", "present", mask.shape(), 0, index_t(keys.size()));
  std::vector<Mask<2>> result;
  for (const auto& mask : present) result.push_back(mask.clone());
  std::vector<Pattern> patterns;  // of groups
  std::vector<double> weights;
  if (options.stream_probability > 0 && options.stream_rate < 0) {
    patterns = all_subsets(index_t(groups.size()));
    weights = detail::weights_of(options.pattern_weights, patterns, groups);
    if (weights.empty()) patterns.pop_back();
  }
  for (std::size_t b = 0; b < keys.size(); ++b) {
    const Random own = source.split(std::uint64_t(keys[b]) + 1);
    Random streams = (options.unit == Unit::batch ? source.split(0) : own).split(0);
    std::vector<std::uint8_t*> rows;
    std::vector<index_t> lengths;
    std::vector<std::vector<std::uint8_t>> held;
    Pattern has, kept;
    for (auto& mask : result) {
      lengths.push_back(mask.extent(1));
      rows.push_back(mask.data() + index_t(b) * lengths.back());
      held.emplace_back(rows.back(), rows.back() + lengths.back());
      has.push_back(std::any_of(held.back().begin(), held.back().end(), [](std::uint8_t one) { return one != 0; }));
    }
    kept = Pattern(modalities, 1);
    if (streams.uniform() < options.stream_probability) {
      if (options.stream_rate >= 0) {
        const Pattern all(modalities, 1);
        kept = groups.spread(detail::keep_streams(groups.gather(options.unit == Unit::batch ? all : has),
                                                  options.stream_rate, true, streams.stream()));
      } else if (!patterns.empty()) {
        double sum = 0, drawn = streams.uniform();
        for (std::size_t p = 0; p < patterns.size(); ++p) sum += weights.empty() ? 1 : weights[p];
        std::size_t p = 0;
        for (drawn *= sum; p + 1 < patterns.size(); ++p) {
          drawn -= weights.empty() ? 1 : weights[p];
          if (drawn < 0) break;
        }
        kept = groups.spread(patterns[p]);
      }
    }
    bool any = false, had = false;
    for (std::size_t m = 0; m < modalities; ++m) any = any || (kept[m] && has[m]), had = had || has[m];
    if (had && !any && options.keep_one) {  // the pattern names only what this sample lacks
      kept = groups.spread(detail::keep_streams(groups.gather(has), 1, true, own.split(1).stream()));
    }
    for (std::size_t m = 0; m < modalities; ++m)
      if (!kept[m]) {
        std::fill(rows[m], rows[m] + lengths[m], std::uint8_t(0));
        std::fill(held[m].begin(), held[m].end(), std::uint8_t(0));
      }
    const RandomStream rates = own.split(2).stream();
    if (rates.uniform(0) >= options.frame_probability) continue;
    for (std::size_t m = 0; m < modalities; ++m) {
      const std::uint64_t first = groups.first(groups.of(m));
      if (rates.uniform(2 + 2 * first) < options.untouched) continue;
      const double u = rates.uniform(options.rate_law == RateLaw::shared ? 1 : 3 + 2 * first);
      const double rate = options.rate_law == RateLaw::fixed    ? options.frame_rate
                          : options.rate_law == RateLaw::tenths ? std::floor(10 * u) / 10
                                                                : u;
      detail::erase_frames(rows[m], lengths[m], rate, options.sampling, own.split(3 + first));
    }
    if (!options.keep_one) continue;
    std::vector<const std::uint8_t*> before;
    for (const auto& row : held) before.push_back(row.data());
    detail::restore_one(before, rows, lengths, groups, own.split(3 + modalities));
  }
  return result;
}

/// Of streams that all stand alone.
inline std::vector<Mask<2>> sample_masks(const MrmOptions& options, const std::vector<Mask<2>>& present,
                                         std::span<const index_t> keys, const Random& source) {
  return sample_masks(options, present, keys, source, Groups(present.size()));
}

/// The masks of a step of training: drawn anew from the context's source, of which they take one stream. `model` is
/// named by the message. Throws OptionError when there is no source.
inline std::vector<Mask<2>> sample_masks(const MrmOptions& options, const std::vector<Mask<2>>& present,
                                         std::span<const index_t> keys, const Context& context, const char* model,
                                         const Groups& groups) {
  if (context.random == nullptr)
    throw OptionError(detail::cat(
        model, ": taking modalities away needs a random source; build the context with Context::train(random)"));
  const RandomStream step = context.random->stream();
  return sample_masks(options, present, keys, Random(step.key, 0).split(step.id), groups);
}
inline std::vector<Mask<2>> sample_masks(const MrmOptions& options, const std::vector<Mask<2>>& present,
                                         std::span<const index_t> keys, const Context& context, const char* model) {
  return sample_masks(options, present, keys, context, model, Groups(present.size()));
}

}  // namespace lacuna::missing
