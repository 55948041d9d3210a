/// What is known about a corpus of salient frames (salient.hpp makes it): its factors given any evidence, and the best
/// attainable predictions and errors of every subset of modalities.
///
/// The three factors u, v, w are N(0, 1). A present salient frame of modality m, turned back, shows
///     o_tk = z_k + d_mk + frame_noise e_tk,   z = (u, v, w),  d_mk ~ N(0, distortion_mk²),  e_tk ~ N(0, 1),
/// and nothing else tells anything of z: marks name the salient frames without error. The mean of the S present ones
/// has the variance r_mk = distortion_mk² + frame_noise² / S about z_k, all errors are independent, and so are the
/// factors given any frames:
///     z_k ~ N(mu_k, V_k),   1 / V_k = 1 + sum_m 1 / r_mk,   mu_k = V_k sum_m mean_t o_tk / r_mk.
/// The label is y = label_scale (u (1 + turn tanh v) + v + own w + label_noise n). Given v it is Gaussian, so that y is
/// a mixture of normal distributions over v, of which median, mean and error are known (normal_mixture.hpp).
///
/// An absent modality and every absent frame add nothing, so that splits with erased frames may be passed as well; with
/// nothing present the prediction is that of the prior. Throws OptionError for an unknown modality name, ShapeError for
/// a split of other sizes.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "lacuna/core/threads.hpp"
#include "lacuna/data/corpus.hpp"
#include "lacuna/data/normal_mixture.hpp"

namespace lacuna::data {

/// Deviations of what a modality says about u, v and w; 0 and below: it says nothing about this factor.
using Distortions = std::array<double, 3>;

struct SalientOptions {
  index_t samples = 2000;  ///< of the training split
  std::uint64_t seed = 7;  ///< of the turns and of all samples
  index_t validation = 0;  ///< samples; 0 = a quarter of `samples`, at least 1
  index_t test = 0;        ///< samples; 0 = half of `samples`, at least 1
  index_t min_frames = 4;
  index_t max_frames = 8;
  index_t salient_frames = 2;  ///< of every modality of every sample
  index_t audio_features = 10;
  index_t text_features = 16;
  index_t video_features = 12;
  Distortions audio_distortion = {0.35, 0.9, 0};
  Distortions text_distortion = {0.6, 0.6, 0.3};
  Distortions video_distortion = {0.9, 0.35, 0};
  double turn = 1;   ///< how much v turns the weight of u
  double own = 0.5;  ///< weight of w, which text alone tells
  double label_noise = 0.2;
  double label_scale = 1;
  double mark = 4;                  ///< of salient frames; that of the others is 0; both spread by a sixth of it
  double distractor_deviation = 1;  ///< of the evidence that distractors pretend
  double frame_noise = 0.3;
  double absent = 0.1;                    ///< share of samples that lack one modality, in all splits
  std::vector<double> class_shares = {};  ///< K shares of class ids; empty: real labels
};

/// The factors u, v, w of one sample given some evidence: independent normal distributions.
struct SalientPosterior {
  std::array<double, 3> mean = {0, 0, 0}, variance = {1, 1, 1};
};

/// How one modality shows the factors. A frame is x = turn c: c_0 the mark, c_1..c_3 evidence of u, v, w, the rest noise.
struct SalientView {
  std::string name;
  Distortions distortion;
  Tensor<double, 2> turn;  ///< (D, D), orthonormal columns

  index_t features() const { return turn.extent(0); }
};

struct SalientCorpus : Dataset {
  SalientOptions options;
  std::vector<SalientView> views;                                     ///< audio, text, video
  Tensor<double, 2> train_factors, validation_factors, test_factors;  ///< u, v, w (N, 3)
  std::vector<double> thresholds;                                     ///< (K - 1) of the classes

  /// y given what is known of the factors.
  NormalMixture label(const SalientPosterior& z) const {
    const SalientOptions& o = options;
    NormalMixture y;
    for_normal(z.mean[1], std::sqrt(z.variance[1]), [&](double weight, double v) {
      const double turned = 1 + o.turn * std::tanh(v);
      const double variance = turned * turned * z.variance[0] + o.own * o.own * z.variance[2];
      y.add(weight, o.label_scale * (turned * z.mean[0] + v + o.own * z.mean[2]),
            o.label_scale * std::sqrt(variance + o.label_noise * o.label_noise));
    });
    return y;
  }
  /// What the present frames of a subset tell of every sample.
  template <Role role>
  std::vector<SalientPosterior> posterior(const Split<role>& split, const std::vector<std::string>& subset) const;

  /// Best prediction of every label by absolute error from the present frames of the subset, the median; of classes the
  /// most likely one.
  template <Role role>
  std::vector<double> bayes(const Split<role>& split, const std::vector<std::string>& subset) const {
    return of_samples(split, subset, [&](const NormalMixture& y) {
      return thresholds.empty() ? y.median() : double(likeliest(y).first);
    });
  }
  /// Expected errors of the median, of the mean: what no predictor can undercut on average. Real labels.
  template <Role role>
  ExpectedError best(const Split<role>& split, const std::vector<std::string>& subset) const {
    const auto mae = of_samples(split, subset, [](const NormalMixture& y) { return y.absolute_error(y.median()); });
    const auto mse = of_samples(split, subset, [](const NormalMixture& y) { return y.variance(); });
    return {average(mae), average(mse)};
  }
  /// Expected accuracy of the most likely class: what no predictor can exceed on average. Class ids.
  template <Role role>
  double best_accuracy(const Split<role>& split, const std::vector<std::string>& subset) const {
    return average(of_samples(split, subset, [this](const NormalMixture& y) { return likeliest(y).second; }));
  }
  /// Expected errors of the best constants.
  ExpectedError constant() const {
    const NormalMixture y = label({});
    return {y.absolute_error(y.median()), y.variance()};
  }
  /// The share of the way from the best constant to `bayes` that a predictor with this MAE (classes: accuracy) on the
  /// split has come: 0 is no better than the constant, 1 is the best. All three are measured on the same samples, so
  /// that the luck of the draw cancels.
  template <Role role>
  double coverage(double score, const Split<role>& split, const std::vector<std::string>& subset) const {
    const double constant = measured(split, bayes(split, {})), reached = measured(split, bayes(split, subset));
    return (constant - score) / (constant - reached);
  }
  /// MAE of these predictions, or accuracy of these class ids.
  template <Role role>
  double measured(const Split<role>& split, const std::vector<double>& predictions) const {
    if (split.ids.size() != predictions.size())
      throw ShapeError(detail::cat("salient: ", predictions.size(), " predictions for ", split.ids.size(), " samples"));
    double sum = 0;
    for (std::size_t n = 0; n < predictions.size(); ++n)
      sum += thresholds.empty() ? std::abs(double(split.labels[n]) - predictions[n])
                                : double(split.classes[n] == index_t(predictions[n]));
    return sum / double(predictions.size());
  }

 private:
  static double average(const std::vector<double>& numbers) {
    double sum = 0;
    for (const double one : numbers) sum += one;
    return sum / double(numbers.size());
  }
  /// The most likely class and its probability.
  std::pair<index_t, double> likeliest(const NormalMixture& y) const {
    std::pair<index_t, double> found{0, -1.0};
    double before = 0;
    for (std::size_t k = 0; k <= thresholds.size(); ++k) {
      const double until = k < thresholds.size() ? y.cumulative(thresholds[k]) : 1;
      if (until - before > found.second) found = {index_t(k), until - before};
      before = until;
    }
    return found;
  }
  template <Role role, class F>
  std::vector<double> of_samples(const Split<role>& split, const std::vector<std::string>& subset, F&& f) const {
    const auto known = posterior(split, subset);
    std::vector<double> result(known.size());
    parallel_for(index_t(known.size()), 16, [&](index_t begin, index_t end) {
      for (index_t n = begin; n < end; ++n) result[std::size_t(n)] = f(label(known[std::size_t(n)]));
    });
    return result;
  }
};

template <Role role>
std::vector<SalientPosterior> SalientCorpus::posterior(const Split<role>& split,
                                                       const std::vector<std::string>& subset) const {
  std::vector<bool> use(views.size(), false);
  for (const std::string& wanted : subset) {
    std::size_t m = 0;
    while (m < views.size() && views[m].name != wanted) ++m;
    if (m == views.size())
      throw OptionError(detail::cat("salient: no modality is called '", wanted, "'; there are audio, text, video"));
    use[m] = true;
  }
  if (split.modalities.size() != views.size())
    throw ShapeError(
        detail::cat("salient: the split has ", split.modalities.size(), " modalities, expected ", views.size()));
  std::vector<SalientPosterior> result(std::size_t(split.size()));
  for (std::size_t m = 0; m < views.size(); ++m) {
    const Modality& modality = split.modalities[m];
    const SalientView& view = views[m];
    const index_t frames = modality.present.extent(1), features = view.features();
    detail::expect_shape("salient", "frames", modality.frames.shape(), {split.size(), frames, features});
    if (!use[m]) continue;
    for (index_t n = 0; n < split.size(); ++n) {
      index_t salient = 0;
      std::array<double, 3> sum = {0, 0, 0};
      for (index_t t = 0; t < frames; ++t) {
        if (!modality.present(n, t)) continue;
        std::array<double, 4> c = {0, 0, 0, 0};
        for (index_t f = 0; f < features; ++f)
          for (index_t k = 0; k < 4; ++k) c[std::size_t(k)] += view.turn(f, k) * double(modality.frames(n, t, f));
        if (c[0] < 0.5 * options.mark) continue;
        ++salient;
        for (std::size_t k = 0; k < 3; ++k) sum[k] += c[k + 1];
      }
      SalientPosterior& z = result[std::size_t(n)];
      for (std::size_t k = 0; k < 3 && salient > 0; ++k) {
        if (!(view.distortion[k] > 0)) continue;
        const double error =
            view.distortion[k] * view.distortion[k] + options.frame_noise * options.frame_noise / double(salient);
        const double precision = 1 / z.variance[k] + 1 / error;
        z.mean[k] = (z.mean[k] / z.variance[k] + sum[k] / double(salient) / error) / precision;
        z.variance[k] = 1 / precision;
      }
    }
  }
  return result;
}

}  // namespace lacuna::data
