#include "lacuna/data/salient.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "lacuna/models/baselines/ridge.hpp"

namespace salient_tests {

using lacuna::index_t;
using lacuna::data::NormalMixture;
using lacuna::data::salient;
using lacuna::data::SalientCorpus;
using lacuna::data::SalientOptions;
using lacuna::data::SalientPosterior;
using Names = std::vector<std::string>;

Names subset(unsigned bits) {
  Names names;
  for (unsigned m = 0; m < 3; ++m)
    if (bits >> m & 1u) names.push_back(Names{"audio", "text", "video"}[m]);
  return names;
}

TEST_CASE("salient: the errors of a normal distribution, and of two of them") {
  NormalMixture one;
  one.add(1, 0.7, 2);
  CHECK(one.mean() == 0.7);
  CHECK(one.variance() == doctest::Approx(4));
  CHECK(one.median() == doctest::Approx(0.7));
  CHECK(one.absolute_error(0.7) == doctest::Approx(2 * std::sqrt(2 / 3.14159265358979323846)));
  CHECK(one.quantile(0.975) == doctest::Approx(0.7 + 2 * 1.959963984540054));
  NormalMixture two;  // nearly two points: the error at 0 is that of the points
  two.add(0.25, -3, 1e-3);
  two.add(0.75, 1, 1e-3);
  CHECK(two.mean() == doctest::Approx(0));
  CHECK(two.variance() == doctest::Approx(3));
  CHECK(two.median() == doctest::Approx(1).epsilon(2e-3));
  CHECK(two.absolute_error(0) == doctest::Approx(1.5));
  CHECK(two.cumulative(two.quantile(0.1)) == doctest::Approx(0.1));
  CHECK_THROWS_AS(two.quantile(1), lacuna::OptionError);
}

TEST_CASE("salient: the rule of 73 nodes knows moments, and labels as a rule of 4001 nodes does") {
  double moments[5] = {0, 0, 0, 0, 0};
  lacuna::data::for_normal(0.5, 2, [&](double weight, double v) {
    for (int k = 0; k < 5; ++k) moments[k] += weight * std::pow((v - 0.5) / 2, k);
  });
  for (int k = 0; k < 5; ++k) CHECK(std::abs(moments[k] - std::vector<double>{1, 0, 1, 0, 3}[std::size_t(k)]) < 1e-12);

  const SalientCorpus corpus = salient({.samples = 2});
  for (const SalientPosterior& z : {SalientPosterior{}, SalientPosterior{{1.2, -0.4, 0.3}, {0.1, 0.5, 1.0}},
                                    SalientPosterior{{-2, 1.5, 0}, {0.05, 1.0, 0.05}}}) {
    const NormalMixture coarse = corpus.label(z);
    NormalMixture fine;
    double sum = 0;
    for (int i = -2000; i <= 2000; ++i) sum += std::exp(-0.5 * std::pow(0.005 * i, 2));
    for (int i = -2000; i <= 2000; ++i) {
      const double v = z.mean[1] + std::sqrt(z.variance[1]) * 0.005 * i, turned = 1 + std::tanh(v);
      fine.add(std::exp(-0.5 * std::pow(0.005 * i, 2)) / sum, turned * z.mean[0] + v + 0.5 * z.mean[2],
               std::sqrt(turned * turned * z.variance[0] + 0.25 * z.variance[2] + 0.04));
    }
    CHECK(coarse.median() == doctest::Approx(fine.median()).epsilon(1e-6));
    CHECK(coarse.variance() == doctest::Approx(fine.variance()).epsilon(1e-9));
    CHECK(coarse.absolute_error(coarse.median()) == doctest::Approx(fine.absolute_error(fine.median())).epsilon(1e-6));
  }
}

TEST_CASE("salient: factors given frames are the conditional of their joint normal distribution") {
  SalientCorpus corpus = salient({.samples = 2, .seed = 3, .test = 12, .salient_frames = 3, .absent = 0.3});
  const SalientOptions& o = corpus.options;
  auto& split = corpus.test;
  for (index_t t = 0; t < 4; ++t) split.modalities[0].present(5, t) = 0;  // whatever stood there
  for (unsigned bits = 0; bits < 8; ++bits) {
    const auto found = corpus.posterior(split, subset(bits));
    for (index_t n = 0; n < 12; ++n)
      for (index_t k = 0; k < 3; ++k) {
        std::vector<double> evidence, errors;  // of every frame, and the modality that it comes from
        std::vector<std::size_t> from;
        for (std::size_t m = 0; m < 3; ++m) {
          const auto& view = corpus.views[m];
          const double distortion = view.distortion[std::size_t(k)];
          for (index_t t = 0; (bits >> m & 1u) && distortion > 0 && t < split.modalities[m].present.extent(1); ++t) {
            double mark = 0, shown = 0;
            for (index_t f = 0; f < view.features(); ++f) {
              mark += view.turn(f, 0) * double(split.modalities[m].frames(n, t, f));
              shown += view.turn(f, k + 1) * double(split.modalities[m].frames(n, t, f));
            }
            if (!split.modalities[m].present(n, t) || mark < o.mark / 2) continue;
            evidence.push_back(shown);
            errors.push_back(distortion * distortion);
            from.push_back(m);
          }
        }
        const auto count = Eigen::Index(evidence.size());
        Eigen::MatrixXd joint = Eigen::MatrixXd::Ones(count, count);  // every frame shows z_k, of variance 1
        Eigen::VectorXd numbers(count);
        for (Eigen::Index i = 0; i < count; ++i) {
          numbers(i) = evidence[std::size_t(i)];
          for (Eigen::Index j = 0; j < count; ++j)
            if (from[std::size_t(i)] == from[std::size_t(j)]) joint(i, j) += errors[std::size_t(i)];
          joint(i, i) += o.frame_noise * o.frame_noise;
        }
        const Eigen::VectorXd gain = joint.llt().solve(Eigen::VectorXd::Ones(count));
        const SalientPosterior& z = found[std::size_t(n)];
        CHECK(z.mean[std::size_t(k)] == doctest::Approx(count ? gain.dot(numbers) : 0).epsilon(1e-9));
        CHECK(z.variance[std::size_t(k)] == doctest::Approx(1 - gain.sum()).epsilon(1e-9));
      }
  }
}

TEST_CASE("salient: errors measured on many samples agree with the quadrature") {
  const index_t samples = 6000;
  const SalientCorpus corpus = salient({.samples = 2, .seed = 8, .test = samples});
  double before[8] = {0, 0, 0, 0, 0, 0, 0, 0};
  for (unsigned bits = 0; bits < 8; ++bits) {
    const auto best = corpus.best(corpus.test, subset(bits));
    const auto medians = corpus.bayes(corpus.test, subset(bits));
    const auto known = corpus.posterior(corpus.test, subset(bits));
    double mae = 0, mse = 0, mae_squares = 0, mse_squares = 0;
    for (std::size_t n = 0; n < medians.size(); ++n) {
      const double label = double(corpus.test.labels[n]), error = std::abs(label - medians[n]),
                   square = std::pow(label - corpus.label(known[n]).mean(), 2);
      mae += error / double(samples);
      mae_squares += error * error;
      mse += square / double(samples);
      mse_squares += square * square;
    }
    const double n = double(samples);
    INFO("subset " << bits << ": MAE " << mae << " best " << best.mae << ", MSE " << mse << " best " << best.mse);
    CHECK(std::abs(mae - best.mae) < 4 * std::sqrt((mae_squares / n - mae * mae) / n));
    CHECK(std::abs(mse - best.mse) < 4 * std::sqrt((mse_squares / n - mse * mse) / n));
    CHECK(corpus.measured(corpus.test, medians) == doctest::Approx(mae));
    before[bits] = best.mae;
    for (unsigned m = 0; m < 3; ++m)
      if (bits >> m & 1u) CHECK(best.mae < before[bits & ~(1u << m)]);  // a further modality never hurts
  }
  CHECK(corpus.constant().mae == doctest::Approx(before[0]));
  CHECK(corpus.coverage(corpus.measured(corpus.test, corpus.bayes(corpus.test, {})), corpus.test, {"text"}) == 0);
  const Names all = subset(7);
  CHECK(corpus.coverage(corpus.measured(corpus.test, corpus.bayes(corpus.test, all)), corpus.test, all) == 1);
}

TEST_CASE("salient: averages over frames know less than half of what there is") {
  const SalientCorpus corpus = salient();
  const lacuna::models::Ridge ridge(corpus.train, corpus.validation);
  const double share = corpus.coverage(corpus.measured(corpus.test, ridge(corpus.test)), corpus.test, subset(7));
  CHECK(share > 0.2);
  CHECK(share < 0.6);
}

TEST_CASE("salient: classes have their shares, and the best accuracy is reached") {
  const std::vector<double> shares{0.6, 0.3, 0.1};
  const SalientCorpus corpus = salient({.samples = 2, .test = 6000, .class_shares = shares});
  CHECK(corpus.class_count == 3);
  CHECK(corpus.test.labels.empty());
  std::vector<double> found(3, 0.0);
  for (const index_t k : corpus.test.classes) found[std::size_t(k)] += 1.0 / 6000;
  for (std::size_t k = 0; k < 3; ++k) CHECK(std::abs(found[k] - shares[k]) < 4 * std::sqrt(0.25 / 6000));
  for (unsigned bits = 0; bits < 8; ++bits) {
    const double best = corpus.best_accuracy(corpus.test, subset(bits));
    CHECK(std::abs(corpus.measured(corpus.test, corpus.bayes(corpus.test, subset(bits))) - best) <
          4 * std::sqrt(0.25 / 6000));
    CHECK(best >= 0.6 - 1e-12);
  }
}

TEST_CASE("salient: distractors tell nothing, salient frames do, and absent ones are not read") {
  SalientCorpus corpus = salient({.samples = 2, .test = 40, .absent = 0.5});
  const auto expected = corpus.bayes(corpus.test, subset(7));
  const double all = corpus.best(corpus.test, subset(7)).mae;
  index_t lacking = 0;
  for (std::size_t m = 0; m < 3; ++m) {
    auto& modality = corpus.test.modalities[m];
    for (index_t n = 0; n < 40; ++n) {
      index_t length = 0;
      for (index_t t = 0; t < 8; ++t) length += modality.present(n, t);
      lacking += length == 0;
      for (index_t t = 0; t < 8; ++t) {
        CHECK(bool(modality.present(n, t)) == (t < length));
        double mark = 0;
        for (index_t f = 0; f < modality.features(); ++f) {
          if (t >= length) CHECK(modality.frames(n, t, f) == 0);
          mark += corpus.views[m].turn(f, 0) * double(modality.frames(n, t, f));
        }
        if (mark >= 2) continue;
        modality.present(n, t) = 0;
        modality.frames(n, t, 0) = std::nanf("");
      }
    }
  }
  CHECK(lacking > 8);
  CHECK(lacking < 32);
  CHECK(corpus.bayes(corpus.test, subset(7)) == expected);
  for (index_t t = 0; t < 8; ++t) corpus.test.modalities[1].present(0, t) = 0;
  CHECK(corpus.best(corpus.test, subset(7)).mae >= all);
}

TEST_CASE("salient: a pure function of the seed") {
  const SalientCorpus one = salient({.samples = 20}), longer = salient({.samples = 30}),
                      other = salient({.samples = 20, .seed = 8});
  lacuna::set_threads(3);
  const SalientCorpus threaded = salient({.samples = 20});
  lacuna::set_threads(0);
  CHECK(one.train.labels == threaded.train.labels);
  CHECK(one.train.labels != other.train.labels);
  CHECK(std::vector<float>(longer.train.labels.begin(), longer.train.labels.begin() + 20) == one.train.labels);
  for (std::size_t m = 0; m < 3; ++m) {
    const auto frames = one.train.modalities[m].frames.to_vector();
    CHECK(frames == threaded.train.modalities[m].frames.to_vector());
    const auto more = longer.train.modalities[m].frames.to_vector();
    CHECK(std::vector<float>(more.begin(), more.begin() + std::ptrdiff_t(frames.size())) == frames);
  }
  CHECK(one.bayes(one.test, {"audio"}) == threaded.bayes(threaded.test, {"audio"}));
}

TEST_CASE("salient: bad options and bad questions are refused") {
  using lacuna::OptionError;
  CHECK_THROWS_AS(salient({.samples = 0}), OptionError);
  CHECK_THROWS_AS(salient({.samples = 5, .min_frames = 1}), OptionError);
  CHECK_THROWS_AS(salient({.samples = 5, .max_frames = 3}), OptionError);
  CHECK_THROWS_AS(salient({.samples = 5, .audio_features = 3}), OptionError);
  CHECK_THROWS_AS(salient({.samples = 5, .label_noise = 0}), OptionError);
  CHECK_THROWS_AS(salient({.samples = 5, .absent = 1.5}), OptionError);
  CHECK_THROWS_AS(salient({.samples = 5, .class_shares = {0.5, 0.4}}), OptionError);
  SalientCorpus corpus = salient({.samples = 5});
  CHECK_THROWS_AS(corpus.bayes(corpus.test, {"smell"}), OptionError);
  corpus.test.modalities.pop_back();
  CHECK_THROWS_AS(corpus.bayes(corpus.test, {"audio"}), lacuna::ShapeError);
}

}  // namespace salient_tests
