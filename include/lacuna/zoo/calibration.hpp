/// What is stored beside a model to say how far its answers can be trusted: the temperature and the shares of its class
/// probabilities, or the errors of its validation split, from which intervals follow.
///
///     const auto kept = zoo::validation_errors(predict, corpus.validation);     // predict(batch) → one number per sample
///     kept.half_width({1, 1, 0}, 0.9)        // of an interval that holds 90 % of labels without the third stream
///
/// Probabilities: p ∝ softmax(log p / temperature)_k prior_k / assumed_k (train/calibration.hpp). Intervals: answer ± half
/// width, split conformal prediction with a group of errors for every subset of streams (Vovk, Lindsay, Nouretdinov &
/// Gammerman 2003 call it Mondrian; Lei, G'Sell, Rinaldo, Tibshirani & Wasserman, JASA 113, 2018). A sample of the split counts
/// in a group when it has all of the group's streams; the rest is taken away from it. The half width is then right for samples
/// of the same kind whose other streams are missing for reasons that have nothing to do with the label. Up to six streams
/// every subset has a group; beyond it the whole, what lacks one stream, single streams and nothing. Where frames are absent the
/// stream counts as present. The epoch was chosen on the same split, which makes intervals a little too narrow.
#pragma once

#include <algorithm>
#include <limits>
#include <span>

#include "lacuna/core/state.hpp"
#include "lacuna/train/calibration.hpp"

namespace lacuna::zoo {

struct Calibration {
  double temperature = 1;
  std::vector<double> assumed = {}, prior = {};  ///< (K); prior empty: answers as it was trained
  std::vector<std::uint8_t> subsets = {};        ///< (G, M): which streams are present in a group
  std::vector<index_t> counts = {};              ///< (G): errors of every group
  std::vector<double> errors = {};               ///< group after group, ascending

  static void reflect(auto& self, auto&& visit) {
    visit("temperature", self.temperature);
    visit("assumed", self.assumed);
    visit("prior", self.prior);
    visit("subsets", self.subsets);
    visit("counts", self.counts);
    visit("errors", self.errors);
  }

  bool has_errors() const { return !counts.empty(); }
  bool changes_probabilities() const { return temperature != 1 || !prior.empty(); }
  /// Rows of p (B, K) become what they are after calibration.
  void apply(Tensor<double, 2>& p) const {
    if (!changes_probabilities()) return;
    if (temperature != 1) p = train::probabilities_at(logarithms(p), temperature);
    if (!prior.empty()) p = train::with_prior(p, assumed, prior);
  }
  /// log p, as scores: of one-vs-rest heads too, whose probabilities do not sum to 1.
  static Tensor<double, 2> logarithms(const Tensor<double, 2>& p) {
    Tensor<double, 2> scores(p.extents());
    for (index_t i = 0; i < p.size(); ++i) scores.data()[i] = std::log(std::max(p.data()[i], 1e-300));
    return scores;
  }

  /// The errors of the group with just these streams; empty: there is none.
  std::span<const double> group(std::span<const std::uint8_t> present) const {
    std::size_t begin = 0;
    for (std::size_t g = 0; g < counts.size(); ++g) {
      const auto* row = subsets.data() + g * present.size();
      if (std::equal(present.begin(), present.end(), row)) return {errors.data() + begin, std::size_t(counts[g])};
      begin += std::size_t(counts[g]);
    }
    return {};
  }
  /// Infinite where there are too few errors for this coverage, or none of this subset. Throws OptionError for a coverage
  /// outside 0..1.
  double half_width(std::span<const std::uint8_t> present, double coverage) const {
    return train::conformal_width_sorted(group(present), coverage);
  }

  /// Throws IoError for numbers that contradict each other.
  static Calibration from(const State& state, std::size_t streams, index_t classes) {
    Calibration kept;
    state.get_fields(kept);
    std::size_t sum = 0;
    for (const index_t count : kept.counts) {
      if (count < 0) state.fail("counts", detail::cat("holds ", count));
      sum += std::size_t(count);
    }
    if (sum != kept.errors.size() || kept.subsets.size() != kept.counts.size() * streams)
      state.fail("errors", detail::cat("has ", kept.errors.size(), " numbers for groups of ", sum));
    if (!(kept.temperature > 0) || !std::isfinite(kept.temperature)) state.fail("temperature", "is not above 0");
    for (const auto* shares : {&kept.assumed, &kept.prior})
      if (!shares->empty() && index_t(shares->size()) != classes)
        state.fail("prior", detail::cat("has ", shares->size(), " shares for ", classes, " classes"));
    return kept;
  }
};

}  // namespace lacuna::zoo
