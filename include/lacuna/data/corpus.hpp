/// What is known about a synthetic corpus: how it was made, and the best attainable predictions and errors.
///
/// Everything is linear and Gaussian (see synthetic.hpp for the model), so the posterior of all factors given any set
/// of frames is N(mu, V) with
///     V^-1 = I + sum_m T_m H_m' H_m / frame_noise^2,   V^-1 mu = sum_m H_m' sum_t x_t / frame_noise^2,
/// H_m = [A_m, distortion_m A_m, B_m], over the T_m present frames of the modalities in use; private factors are
/// thereby marginalised exactly. `bayes` returns the posterior mean of y, which no predictor beats in MSE or MAE; with
/// sigma its standard deviation the expected errors are sigma^2 and sqrt(2/pi) sigma. Labels and errors are in label
/// units.
///
/// An absent modality, and every absent frame, adds nothing, so splits with erased frames may be passed as well; with
/// nothing present the prediction is 0 and its deviation that of the labels.
///
/// Throws OptionError for an unknown modality name, ShapeError for a split of other sizes.
#pragma once

#include <Eigen/Cholesky>
#include <cmath>
#include <string>
#include <vector>

#include "lacuna/core/threads.hpp"
#include "lacuna/data/dataset.hpp"

namespace lacuna {
namespace data {

struct SyntheticOptions {
  index_t samples = 2000;  ///< of the training split
  std::uint64_t seed = 7;  ///< of the loadings A, B and of all samples
  index_t validation = 0;  ///< samples; 0 = a quarter of `samples`, at least 1
  index_t test = 0;        ///< samples; 0 = half of `samples`, at least 1
  index_t min_frames = 3;
  index_t max_frames = 12;
  index_t audio_features = 20;
  index_t text_features = 32;
  index_t video_features = 16;
  index_t shared_factors = 6;
  index_t private_factors = 3;  ///< per modality; may be 0
  double label_deviation = 1.2;
  double audio_distortion = 0.53;
  double text_distortion = 0.42;
  double video_distortion = 0.53;
  double private_deviation = 0.4;  ///< standard deviation of B p in one feature
  double frame_noise = 0.5;        ///< standard deviation of one entry of e_t
};

/// Expected errors of a predictor, averaged over the samples of a split.
struct ExpectedError {
  double mae = 0, mse = 0;
};

/// How one modality sees the factors.
struct SyntheticChannel {
  std::string name;
  double distortion = 0;
  Tensor<double, 2>
      shared_loading;  ///< A (D, K); a column is 0 where the factor is not seen, else orthogonal to the others
  Tensor<double, 2> private_loading;  ///< B (D, P)

  index_t features() const { return shared_loading.extent(0); }
  /// Entry of H = [A, distortion A, B].
  double loading(index_t feature, index_t factor) const {
    const index_t shared = shared_loading.extent(1);
    if (factor < shared) return shared_loading(feature, factor);
    if (factor < 2 * shared) return distortion * shared_loading(feature, factor - shared);
    return private_loading(feature, factor - 2 * shared);
  }
};

/// The three splits, and what is known about them. A subset is a list of modality names, e.g. {"audio", "video"}.
struct Corpus : Dataset {
  SyntheticOptions options;
  std::vector<SyntheticChannel> channels;                             ///< audio, text, video
  Tensor<double, 2> train_factors, validation_factors, test_factors;  ///< s (N, K)

  /// Best prediction of every label from the present frames of the subset.
  template <Role role>
  std::vector<double> bayes(const Split<role>& split, const std::vector<std::string>& subset) const {
    return posterior(split, subset, true);
  }
  /// Standard deviation of every label given the same; it depends on how many frames are present, not on their numbers.
  template <Role role>
  std::vector<double> posterior_deviation(const Split<role>& split, const std::vector<std::string>& subset) const {
    return posterior(split, subset, false);
  }
  /// Expected errors of `bayes` over the split: what no predictor can undercut on average.
  template <Role role>
  ExpectedError best(const Split<role>& split, const std::vector<std::string>& subset) const {
    const std::vector<double> deviations = posterior_deviation(split, subset);
    ExpectedError error;
    for (const double deviation : deviations) {
      error.mae += mae_per_deviation * deviation / double(deviations.size());
      error.mse += deviation * deviation / double(deviations.size());
    }
    return error;
  }
  /// Expected errors of the best constant, 0.
  ExpectedError constant() const {
    return {mae_per_deviation * options.label_deviation, options.label_deviation * options.label_deviation};
  }
  /// The share of the way from the constant 0 to `bayes` that a predictor with this MAE on the split has come: 0 is no
  /// better than the constant, 1 is the best. All three errors are measured on the same samples, so the luck of the
  /// draw cancels.
  template <Role role>
  double coverage(double mae, const Split<role>& split, const std::vector<std::string>& subset) const {
    const std::vector<double> predictions = bayes(split, subset);
    if (split.labels.size() != predictions.size())
      throw ShapeError(detail::cat("synthetic: ", split.labels.size(), " labels for ", predictions.size(), " samples"));
    double zero = 0, best_here = 0;
    for (std::size_t n = 0; n < predictions.size(); ++n) {
      const double label = double(split.labels[n]);
      zero += std::abs(label) / double(predictions.size());
      best_here += std::abs(label - predictions[n]) / double(predictions.size());
    }
    return (zero - mae) / (zero - best_here);
  }

 private:
  static constexpr double mae_per_deviation = 0.79788456080286535588;  // sqrt(2 / pi)

  std::vector<bool> in_use(const std::vector<std::string>& subset) const {
    std::vector<bool> use(channels.size(), false);
    for (const std::string& wanted : subset) {
      std::size_t m = 0;
      while (m < channels.size() && channels[m].name != wanted) ++m;
      if (m == channels.size())
        throw OptionError(detail::cat("synthetic: no modality is called '", wanted, "'; there are audio, text, video"));
      use[m] = true;
    }
    return use;
  }

  template <Role role>
  void check(const Split<role>& split) const {
    if (split.modalities.size() != channels.size())
      throw ShapeError(
          detail::cat("synthetic: the split has ", split.modalities.size(), " modalities, expected ", channels.size()));
    for (std::size_t m = 0; m < channels.size(); ++m) {
      const Shape& mask = split.modalities[m].present.shape();
      const Shape expected{split.size(), mask[1]};
      detail::expect_shape("synthetic", "present", mask, expected);
      detail::expect_shape("synthetic", "frames", split.modalities[m].frames.shape(),
                           {expected[0], expected[1], channels[m].features()});
    }
  }

  /// Means or standard deviations. Unknowns: s, then (d, p) of each modality.
  template <Role role>
  std::vector<double> posterior(const Split<role>& split, const std::vector<std::string>& subset, bool means) const {
    const std::vector<bool> use = in_use(subset);
    check(split);
    const index_t shared = options.shared_factors, own = shared + options.private_factors;
    const index_t unknowns = shared + own * index_t(channels.size());
    const double precision = 1 / (options.frame_noise * options.frame_noise);
    const double weight = options.label_deviation / std::sqrt(double(shared));
    std::vector<Eigen::MatrixXd> seen, grams;  // H over all unknowns, H' H / frame_noise^2
    for (std::size_t m = 0; m < channels.size(); ++m) {
      Eigen::MatrixXd h = Eigen::MatrixXd::Zero(channels[m].features(), unknowns);
      for (index_t f = 0; f < h.rows(); ++f)
        for (index_t i = 0; i < shared + own; ++i)
          h(f, i < shared ? i : i + own * index_t(m)) = channels[m].loading(f, i);
      grams.emplace_back(precision * h.transpose() * h);
      seen.push_back(std::move(h));
    }

    std::vector<double> result(std::size_t(split.size()));
    parallel_for(split.size(), 16, [&](index_t begin, index_t end) {
      for (index_t n = begin; n < end; ++n) {
        Eigen::MatrixXd matrix = Eigen::MatrixXd::Identity(unknowns, unknowns);
        Eigen::VectorXd right = Eigen::VectorXd::Zero(unknowns);
        for (std::size_t m = 0; m < channels.size(); ++m) {
          if (!use[m]) continue;
          const Modality& modality = split.modalities[m];
          const index_t features = channels[m].features(), frames = modality.present.extent(1);
          Eigen::VectorXd sum = Eigen::VectorXd::Zero(features);
          index_t count = 0;
          for (index_t t = 0; t < frames; ++t) {
            if (!modality.present(n, t)) continue;
            ++count;
            const float* const frame = modality.frames.data() + (n * frames + t) * features;
            sum += Eigen::Map<const Eigen::VectorXf>(frame, features).cast<double>();
          }
          if (count == 0) continue;
          matrix += double(count) * grams[m];
          if (means) right += precision * seen[m].transpose() * sum;
        }
        if (!means) right.head(shared).setConstant(weight);  // variance = w' V w
        const double sum = weight * matrix.llt().solve(right).head(shared).sum();
        result[std::size_t(n)] = means ? sum : std::sqrt(sum);
      }
    });
    return result;
  }
};

}  // namespace data
}  // namespace lacuna
