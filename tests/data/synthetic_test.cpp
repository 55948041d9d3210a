#include "lacuna/data/synthetic.hpp"

#include <doctest/doctest.h>

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cmath>
#include <string>
#include <vector>

namespace {

using lacuna::index_t;
using lacuna::data::Corpus;
using lacuna::data::Role;
using lacuna::data::Split;
using lacuna::data::synthetic;
using Names = std::vector<std::string>;

Names subset(unsigned bits) {
  Names names;
  for (unsigned m = 0; m < 3; ++m)
    if (bits >> m & 1u) names.push_back(std::vector<std::string>{"audio", "text", "video"}[m]);
  return names;
}

/// Posterior mean and deviation of one label by conditioning the joint Gaussian of the label and every number of every
/// frame: no sufficient statistics, no latent posterior, only covariances.
template <Role role>
std::pair<double, double> by_conditioning(const Corpus& corpus, const Split<role>& split, index_t sample,
                                          unsigned bits) {
  struct Entry {
    std::size_t modality;
    index_t feature;
    double number;
  };
  std::vector<Entry> entries;
  std::vector<index_t> frame_of;
  for (std::size_t m = 0; m < 3; ++m)
    for (index_t t = 0; (bits >> m & 1u) && t < split.modalities[m].present.extent(1); ++t)
      for (index_t f = 0; split.modalities[m].present(sample, t) && f < corpus.channels[m].features(); ++f) {
        entries.push_back({m, f, double(split.modalities[m].frames(sample, t, f))});
        frame_of.push_back(t);
      }
  const auto& o = corpus.options;
  const index_t shared = o.shared_factors;
  const double weight = o.label_deviation / std::sqrt(double(shared));
  const Eigen::Index count = Eigen::Index(entries.size());
  Eigen::MatrixXd frames(count, count);
  Eigen::VectorXd with_label(count), numbers(count);
  for (Eigen::Index i = 0; i < count; ++i) {
    const Entry& a = entries[std::size_t(i)];
    const auto& left = corpus.channels[a.modality];
    numbers(i) = a.number;
    with_label(i) = 0;
    for (index_t k = 0; k < shared; ++k) with_label(i) += weight * left.shared_loading(a.feature, k);
    for (Eigen::Index j = 0; j < count; ++j) {
      const Entry& b = entries[std::size_t(j)];
      const auto& right = corpus.channels[b.modality];
      const bool same = a.modality == b.modality;
      double covariance = 0;
      for (index_t k = 0; k < shared; ++k)
        covariance += left.shared_loading(a.feature, k) * right.shared_loading(b.feature, k) *
                      (1 + (same ? left.distortion * left.distortion : 0));
      for (index_t k = 0; same && k < o.private_factors; ++k)
        covariance += left.private_loading(a.feature, k) * right.private_loading(b.feature, k);
      if (same && a.feature == b.feature && frame_of[std::size_t(i)] == frame_of[std::size_t(j)])
        covariance += o.frame_noise * o.frame_noise;
      frames(i, j) = covariance;
    }
  }
  if (count == 0) return {0.0, o.label_deviation};
  const Eigen::VectorXd gain = frames.ldlt().solve(with_label);
  return {gain.dot(numbers), std::sqrt(o.label_deviation * o.label_deviation - gain.dot(with_label))};
}

}  // namespace

TEST_CASE("synthetic: the closed form is the conditional of the joint Gaussian of all frames") {
  for (const index_t private_factors : {3, 0}) {
    Corpus corpus =
        synthetic({.samples = 6, .seed = 3, .test = 6, .max_frames = 5, .private_factors = private_factors});
    corpus.test.modalities[0].present(1, 1) = 0;                                  // a hole
    for (index_t t = 0; t < 5; ++t) corpus.test.modalities[1].present(2, t) = 0;  // a modality gone
    for (unsigned bits = 0; bits < 8; ++bits) {
      const auto mean = corpus.bayes(corpus.test, subset(bits));
      const auto deviation = corpus.posterior_deviation(corpus.test, subset(bits));
      for (index_t n = 0; n < 6; ++n) {
        const auto [expected_mean, expected_deviation] = by_conditioning(corpus, corpus.test, n, bits);
        CHECK(mean[std::size_t(n)] == doctest::Approx(expected_mean).epsilon(1e-9));
        CHECK(deviation[std::size_t(n)] == doctest::Approx(expected_deviation).epsilon(1e-9));
      }
    }
  }
}

TEST_CASE("synthetic: measured errors of the Bayes predictor agree with the closed form") {
  for (const std::uint64_t seed : {7u, 8u}) {
    const index_t samples = 8000;
    const Corpus corpus = synthetic({.samples = 10, .seed = seed, .test = samples});
    for (unsigned bits = 0; bits < 8; ++bits) {
      const auto prediction = corpus.bayes(corpus.test, subset(bits));
      const auto deviation = corpus.posterior_deviation(corpus.test, subset(bits));
      const auto best = corpus.best(corpus.test, subset(bits));
      double mae = 0, mse = 0, mae_variance = 0, mse_variance = 0;
      for (std::size_t n = 0; n < prediction.size(); ++n) {
        const double error = std::abs(prediction[n] - double(corpus.test.labels[n])),
                     variance = std::pow(deviation[n], 2);
        mae += error / double(samples);
        mse += error * error / double(samples);
        mae_variance += variance * (1 - 2 / 3.14159265358979323846);
        mse_variance += 2 * variance * variance;
      }
      INFO("seed " << seed << ", subset " << bits << ": MAE " << mae << " best " << best.mae << ", MSE " << mse
                   << " best " << best.mse);
      CHECK(std::abs(mae - best.mae) < 4 * std::sqrt(mae_variance) / double(samples));
      CHECK(std::abs(mse - best.mse) < 4 * std::sqrt(mse_variance) / double(samples));
    }
  }
}

TEST_CASE("synthetic: what is lost with text is largely, not wholly, in audio and video") {
  for (const std::uint64_t seed : {1u, 7u, 99u}) {
    const Corpus corpus = synthetic({.samples = 400, .seed = seed});
    std::vector<double> mae;
    for (unsigned bits = 0; bits < 8; ++bits) mae.push_back(corpus.best(corpus.test, subset(bits)).mae);
    for (unsigned bits = 0; bits < 8; ++bits)
      for (unsigned m = 0; m < 3; ++m)
        if (!(bits >> m & 1u)) CHECK(mae[bits | 1u << m] < mae[bits]);  // adding a modality never hurts
    CHECK(mae[0] == doctest::Approx(std::sqrt(2 / 3.14159265358979323846) * 1.2));
    CHECK(corpus.constant().mae == doctest::Approx(mae[0]));
    CHECK(corpus.constant().mse == doctest::Approx(1.44));
    CHECK(mae[7] > 0.25);
    CHECK(mae[7] < 0.35);
    CHECK(mae[5] > 0.4);
    CHECK(mae[5] < 0.5);
    const double without_text = (mae[0] - mae[5]) / (mae[0] - mae[7]);
    CHECK(without_text > 0.78);
    CHECK(without_text < 0.85);
    double zero = 0, bayes = 0;
    const auto prediction = corpus.bayes(corpus.test, {"video", "audio"});
    for (std::size_t n = 0; n < prediction.size(); ++n) {
      zero += std::abs(double(corpus.test.labels[n])) / double(prediction.size());
      bayes += std::abs(double(corpus.test.labels[n]) - prediction[n]) / double(prediction.size());
    }
    CHECK(corpus.coverage(zero, corpus.test, {"video", "audio"}) == doctest::Approx(0));
    CHECK(corpus.coverage(bayes, corpus.test, {"audio", "video"}) == doctest::Approx(1));
    CHECK(corpus.coverage((zero + bayes) / 2, corpus.test, {"audio", "video"}) == doctest::Approx(0.5));
  }
}

TEST_CASE("synthetic: every erased frame costs, and an erased modality is one that is not in the subset") {
  Corpus corpus = synthetic({.samples = 50, .seed = 5});
  const auto all = corpus.best(corpus.test, {"audio", "text", "video"}).mae;
  const auto expected = corpus.bayes(corpus.test, {"audio", "video"});
  auto& text = corpus.test.modalities[1];
  for (index_t n = 0; n < corpus.test.size(); ++n) text.present(n, 0) = 0;
  const auto fewer = corpus.best(corpus.test, {"audio", "text", "video"}).mae;
  CHECK(fewer > all);
  for (index_t n = 0; n < corpus.test.size(); ++n)
    for (index_t t = 0; t < text.present.extent(1); ++t) {
      text.present(n, t) = 0;
      text.frames(n, t, 0) = std::nanf("");  // never read
    }
  CHECK(corpus.bayes(corpus.test, {"audio", "text", "video"}) == expected);
}

TEST_CASE("synthetic: sizes, masks and padding are consistent") {
  const Corpus corpus = synthetic({.samples = 200, .seed = 2});
  CHECK(corpus.modality_names() == Names{"audio", "text", "video"});
  CHECK(corpus.dimensions() == std::vector<index_t>{20, 32, 16});
  CHECK(corpus.class_count == 0);
  CHECK(corpus.train.size() == 200);
  CHECK(corpus.validation.size() == 50);
  CHECK(corpus.test.size() == 100);
  CHECK(corpus.train.classes.empty());
  const double weight = 1.2 / std::sqrt(6.0);
  std::vector<bool> seen(13, false);
  for (std::size_t m = 0; m < 3; ++m) {
    const auto& modality = corpus.train.modalities[m];
    REQUIRE(modality.present.shape() == lacuna::Shape{200, 12});
    for (index_t n = 0; n < 200; ++n) {
      index_t length = 0;
      while (length < 12 && modality.present(n, length)) ++length;
      CHECK(length >= 3);
      seen[std::size_t(length)] = true;
      for (index_t t = 0; t < 12; ++t) {
        CHECK(bool(modality.present(n, t)) == (t < length));
        for (index_t f = 0; f < modality.features(); ++f) CHECK((modality.frames(n, t, f) != 0) == (t < length));
      }
    }
  }
  for (std::size_t length = 3; length <= 12; ++length) CHECK(seen[length]);
  for (index_t n = 0; n < 200; ++n) {
    double sum = 0;
    for (index_t k = 0; k < 6; ++k) sum += weight * corpus.train_factors(n, k);
    CHECK(double(corpus.train.labels[std::size_t(n)]) == doctest::Approx(sum));
  }
}

TEST_CASE("synthetic: a pure function of the seed") {
  const Corpus one = synthetic({.samples = 40, .seed = 7}), two = synthetic({.samples = 40, .seed = 7});
  const Corpus longer = synthetic({.samples = 60, .seed = 7}), other = synthetic({.samples = 40, .seed = 8});
  lacuna::set_threads(3);
  const Corpus threaded = synthetic({.samples = 40, .seed = 7});
  lacuna::set_threads(0);
  CHECK(one.train.labels == two.train.labels);
  CHECK(one.train.labels == threaded.train.labels);
  CHECK(one.train.labels != other.train.labels);
  CHECK(one.train.labels[0] != one.test.labels[0]);
  CHECK(std::vector<float>(longer.train.labels.begin(), longer.train.labels.begin() + 40) == one.train.labels);
  for (std::size_t m = 0; m < 3; ++m) {
    const auto frames = one.train.modalities[m].frames.to_vector();
    CHECK(frames == two.train.modalities[m].frames.to_vector());
    CHECK(frames == threaded.train.modalities[m].frames.to_vector());
    CHECK(frames != other.train.modalities[m].frames.to_vector());
    const auto more = longer.train.modalities[m].frames.to_vector();
    CHECK(std::vector<float>(more.begin(), more.begin() + std::ptrdiff_t(frames.size())) == frames);
  }
  CHECK(one.bayes(one.test, {"audio"}) == threaded.bayes(threaded.test, {"audio"}));
}

TEST_CASE("synthetic: the smallest corpora") {
  const Corpus corpus =
      synthetic({.samples = 1, .min_frames = 1, .max_frames = 1, .shared_factors = 1, .private_factors = 0});
  CHECK(corpus.train.size() == 1);
  CHECK(corpus.validation.size() == 1);
  CHECK(corpus.test.size() == 1);
  CHECK(corpus.test.modalities[0].frames.shape() == lacuna::Shape{1, 1, 20});
  CHECK(corpus.test.modalities[0].present(0, 0) == 1);
  // One factor, one frame: the precision of s from audio is 1 / (distortion^2 + noise^2 / |A|^2), |A|^2 = 0.5 * 20.
  const double precision = 1 / (0.53 * 0.53 + 0.25 / 10);
  CHECK(corpus.posterior_deviation(corpus.test, {"audio"})[0] == doctest::Approx(1.2 / std::sqrt(1 + precision)));
  CHECK(corpus.bayes(corpus.test, {})[0] == 0);
  const Corpus long_ones = synthetic({.samples = 3, .min_frames = 40, .max_frames = 40});
  CHECK(long_ones.train.modalities[2].present(2, 39) == 1);
}

TEST_CASE("synthetic: bad options and bad questions are refused") {
  using lacuna::OptionError;
  CHECK_THROWS_AS(synthetic({.samples = 0}), OptionError);
  CHECK_THROWS_AS(synthetic({.samples = -5}), OptionError);
  CHECK_THROWS_AS(synthetic({.samples = 5, .validation = -1}), OptionError);
  CHECK_THROWS_AS(synthetic({.samples = 5, .test = -1}), OptionError);
  CHECK_THROWS_AS(synthetic({.samples = 5, .min_frames = 0}), OptionError);
  CHECK_THROWS_AS(synthetic({.samples = 5, .min_frames = 4, .max_frames = 3}), OptionError);
  CHECK_THROWS_AS(synthetic({.samples = 5, .audio_features = 3}), OptionError);
  CHECK_THROWS_AS(synthetic({.samples = 5, .text_features = 5}), OptionError);
  CHECK_THROWS_AS(synthetic({.samples = 5, .shared_factors = 0}), OptionError);
  CHECK_THROWS_AS(synthetic({.samples = 5, .private_factors = -1}), OptionError);
  CHECK_THROWS_AS(synthetic({.samples = 5, .label_deviation = 0}), OptionError);
  CHECK_THROWS_AS(synthetic({.samples = 5, .frame_noise = 0}), OptionError);
  CHECK_THROWS_AS(synthetic({.samples = 5, .text_distortion = std::nan("")}), OptionError);
  Corpus corpus = synthetic({.samples = 5});
  CHECK_THROWS_AS(corpus.bayes(corpus.test, {"smell"}), OptionError);
  corpus.test.modalities.pop_back();
  CHECK_THROWS_AS(corpus.bayes(corpus.test, {"audio"}), lacuna::ShapeError);
}
