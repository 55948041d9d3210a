/// Labels for single modalities, made from the label of the sample while a model learns.  (Self-MM: Yu, Xu, Yuan & Wu,
/// AAAI 2021, section 3.4)
///
/// Of every training sample a label per modality s is kept, at first that of the sample, and its representation F_s, F_M.
/// c_s⁺ (c_s⁻) is the mean F_s of the samples whose label_s is positive (negative). After a batch of epoch n = 1, 2, ...
///   n ≥ 2   δ_s = (‖F_s − c_s⁻‖ − ‖F_s − c_s⁺‖)/(‖F_s − c_s⁺‖ + 1e-8), δ_M likewise,  α = δ_s/(δ_M + 1e-8)
///           new = ½ α y + ½ (y + δ_s − δ_M), within ±limit,  label_s ← (n−1)/(n+1) · label_s + 2/(n+1) · new
///   then    the F of the batch are stored, and the centres are computed again.
/// y is the label of the sample. A modality that a sample lacks in that batch keeps its label and its stored F.
///
/// Where no sample has one of the signs there is no centre and a label stays as it is. `published`: such a centre is NaN,
/// and samples that have not been seen yet stand as zeros in the means.
#pragma once

#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "lacuna/core/state.hpp"

namespace lacuna::models {

class UnimodalLabels {
 public:
  static constexpr std::size_t heads = 4;  ///< 0: the joint one, then the modalities

  /// What a batch was found to be: F of every head, (B, width) row-major.
  using Found = std::array<std::vector<double>, heads>;

  UnimodalLabels() = default;
  /// All labels start as those of the samples.
  UnimodalLabels(const std::vector<double>& start, double limit, bool published)
      : limit_(limit), published_(published) {
    for (auto& one : labels_) one = start;
    visits_.assign(start.size(), 0);
  }

  index_t size() const { return index_t(visits_.size()); }
  double label(std::size_t head, index_t sample) const { return labels_[head].at(std::size_t(sample)); }
  const std::vector<double>& labels(std::size_t head) const { return labels_[head]; }
  /// Empty where there is none.
  const std::vector<double>& centre(std::size_t head, bool positive) const { return centres_[head][positive]; }

  /// Which samples of the batch have a modality; empty: all.
  using There = std::array<std::vector<std::uint8_t>, heads>;

  void learn(std::span<const index_t> samples, const Found& found, const There& there = {}) {
    const std::size_t batch = samples.size();
    if (batch == 0) return;
    for (std::size_t b = 0; b < batch; ++b) {
      const auto sample = std::size_t(samples[b]);
      const double n = double(++visits_.at(sample));
      if (n >= 2) revise(b, sample, n, found, there, batch);
    }
    for (std::size_t h = 0; h < heads; ++h) {
      const std::size_t width = found[h].size() / batch;
      if (features_[h].size() != visits_.size() * width) features_[h].assign(visits_.size() * width, 0.0);
      seen_[h].resize(visits_.size(), 0);
      for (std::size_t b = 0; b < batch; ++b) {
        if (!there[h].empty() && !there[h][b]) continue;
        seen_[h][std::size_t(samples[b])] = 1;
        std::copy_n(found[h].begin() + std::ptrdiff_t(b * width), width,
                    features_[h].begin() + std::ptrdiff_t(std::size_t(samples[b]) * width));
      }
      for (const bool positive : {false, true}) centres_[h][positive] = mean_of(h, positive, width);
    }
  }

  /// Everything: what a checkpoint holds.
  static void reflect(auto& self, auto&& visit) {
    visit("limit", self.limit_);
    visit("published", self.published_);
    visit("visits", self.visits_);
    for (std::size_t h = 0; h < heads; ++h) {
      const auto of_head = [&](const char* name, auto& member) { visit((name + std::to_string(h)).c_str(), member); };
      of_head("labels", self.labels_[h]);
      of_head("seen", self.seen_[h]);
      of_head("features", self.features_[h]);
      of_head("negative", self.centres_[h][0]);
      of_head("positive", self.centres_[h][1]);
    }
  }

 private:
  double distance(std::size_t head, bool positive, const double* f) const {
    const auto& centre = centres_[head][positive];
    double sum = 0;
    for (std::size_t i = 0; i < centre.size(); ++i) sum += (f[i] - centre[i]) * (f[i] - centre[i]);
    return std::sqrt(sum);
  }
  bool has_centres(std::size_t head) const { return !centres_[head][0].empty() && !centres_[head][1].empty(); }
  void revise(std::size_t b, std::size_t sample, double n, const Found& found, const There& there, std::size_t batch) {
    const auto delta = [&](std::size_t h) {
      const double* const f = found[h].data() + b * (found[h].size() / batch);
      const double towards = distance(h, true, f);
      return (distance(h, false, f) - towards) / (towards + 1e-8);
    };
    if (!has_centres(0)) return;
    const double whole = delta(0), y = labels_[0][sample];
    for (std::size_t h = 1; h < heads; ++h) {
      if (!has_centres(h) || (!there[h].empty() && !there[h][b])) continue;
      const double own = delta(h), ratio = own / (whole + 1e-8);
      double fresh = 0.5 * ratio * y + 0.5 * (y + own - whole);
      if (fresh > limit_) fresh = limit_;
      if (fresh < -limit_) fresh = -limit_;
      labels_[h][sample] = (n - 1) / (n + 1) * labels_[h][sample] + 2 / (n + 1) * fresh;
    }
  }
  std::vector<double> mean_of(std::size_t head, bool positive, std::size_t width) const {
    std::vector<double> sum(width, 0.0);
    double count = 0;
    for (std::size_t i = 0; i < visits_.size(); ++i) {
      const double y = labels_[head][i];
      if ((positive ? !(y > 0) : !(y < 0)) || (!published_ && !seen_[head][i])) continue;
      ++count;
      for (std::size_t j = 0; j < width; ++j) sum[j] += features_[head][i * width + j];
    }
    if (count == 0)
      return published_ ? std::vector<double>(width, std::numeric_limits<double>::quiet_NaN()) : std::vector<double>();
    for (double& one : sum) one /= count;
    return sum;
  }

  double limit_ = 3;
  bool published_ = false;
  std::vector<index_t> visits_;
  std::array<std::vector<index_t>, heads> seen_;  ///< 1: its F has been stored
  std::array<std::vector<double>, heads> labels_, features_;
  std::array<std::array<std::vector<double>, 2>, heads> centres_;
};

}  // namespace lacuna::models
