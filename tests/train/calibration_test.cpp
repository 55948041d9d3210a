#include "lacuna/train/calibration.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "lacuna/core/random.hpp"

namespace calibration_tests {

using namespace lacuna;

/// Scores whose softmax is the truth, with labels drawn from it: N samples of 3 classes.
struct Truth {
  Tensor<double, 2> scores;
  std::vector<index_t> labels;

  Truth(index_t samples, std::vector<double> shares, std::uint64_t seed) : scores({samples, 3}) {
    const RandomStream stream = Random(seed).stream();
    for (index_t n = 0; n < samples; ++n) {
      const double u = stream.uniform(std::uint64_t(8 * n));
      const index_t k = u < shares[0] ? 0 : u < shares[0] + shares[1] ? 1 : 2;
      labels.push_back(k);
      // x | k ~ N(1.5 e_k, I): log p(k | x) = 1.5 x_k + log share_k under equal shares of training
      for (index_t j = 0; j < 3; ++j)
        scores(n, j) = 1.5 * (1.5 * (j == k) + stream.normal(std::uint64_t(8 * n + 1 + j)));
    }
  }
};

TEST_CASE("calibration: scores that are three times too large have temperature 3, and decisions stay") {
  Truth truth(4000, {1.0 / 3, 1.0 / 3, 1.0 / 3}, 1);
  const double one = train::temperature(truth.scores, truth.labels);
  CHECK(std::abs(one - 1) < 0.08);
  Tensor<double, 2> loud({4000, 3});
  for (index_t i = 0; i < loud.size(); ++i) loud.data()[i] = 3 * truth.scores.data()[i];
  const double three = train::temperature(loud, truth.labels);
  CHECK(three == doctest::Approx(3 * one).epsilon(1e-5));
  const auto p = train::probabilities_at(loud, three);
  CHECK(train::log_loss(p, truth.labels) < train::log_loss(train::probabilities_at(loud, 1), truth.labels));
  for (index_t n = 0; n < 4000; ++n) CHECK(p(n, 0) + p(n, 1) + p(n, 2) == doctest::Approx(1));
}

TEST_CASE("calibration: the shares of a test part are found without its labels, and correcting for them helps") {
  const std::vector<double> equal(3, 1.0 / 3), shifted{0.7, 0.2, 0.1};
  Truth truth(4000, shifted, 2);
  const auto p = train::probabilities_at(truth.scores, 1);
  const auto found = train::estimated_prior(p, equal);
  for (std::size_t k = 0; k < 3; ++k) CHECK(std::abs(found[k] - shifted[k]) < 0.04);
  const auto corrected = train::with_prior(p, equal, found);
  CHECK(train::log_loss(corrected, truth.labels) < 0.8 * train::log_loss(p, truth.labels));
  CHECK(train::with_prior(p, equal, equal)(0, 1) == doctest::Approx(p(0, 1)));
}

TEST_CASE("calibration: intervals hold the labels they promise") {
  CHECK(train::conformal_width({3, 1, 2}, 0.75) == 3);
  CHECK(train::conformal_width({3, 1, 2}, 0.5) == 2);
  CHECK(std::isinf(train::conformal_width({3, 1, 2}, 0.9)));
  const RandomStream stream = Random(3).stream();
  std::vector<double> errors, later;
  for (std::uint64_t i = 0; i < 1999; ++i) errors.push_back(std::abs(stream.normal(i)));
  const double width = train::conformal_width(errors, 0.9);
  double inside = 0;
  for (std::uint64_t i = 2000; i < 12000; ++i) inside += std::abs(stream.normal(i)) <= width;
  CHECK(std::abs(inside / 10000 - 0.9) < 0.025);
}

TEST_CASE("calibration: bad input is refused") {
  const Tensor<double, 2> scores = Tensor<double, 2>::zeros({2, 3});
  CHECK_THROWS_AS(train::probabilities_at(scores, 0), OptionError);
  CHECK_THROWS_AS(train::temperature(scores, {0}), ShapeError);
  CHECK_THROWS_AS(train::temperature(scores, {0, 3}), OptionError);
  CHECK_THROWS_AS(train::with_prior(scores, {0.5, 0.5}, {0.5, 0.5}), ShapeError);
  CHECK_THROWS_AS(train::with_prior(scores, {0.5, 0.5, 0}, {0.3, 0.3, 0.4}), OptionError);
  CHECK_THROWS_AS(train::conformal_width({1}, 1), OptionError);
  CHECK_THROWS_AS(train::conformal_width({NAN}, 0.5), Error);
  Tensor<double, 2> broken = Tensor<double, 2>::zeros({1, 2});
  broken(0, 1) = NAN;
  CHECK_THROWS_AS(train::probabilities_at(broken, 1), Error);
}

}  // namespace calibration_tests
