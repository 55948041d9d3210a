/// Ranks over data sets against sums by hand, closed forms and the tables of Demšar 2006.
#include "lacuna/lab/ranks.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace lacuna;

namespace ranks_test {

TEST_CASE("ranks: equal values share the mean of their ranks") {
  CHECK(lab::ranks_of({3, 1, 2}, true) == std::vector<double>{3, 1, 2});
  CHECK(lab::ranks_of({3, 1, 2}, false) == std::vector<double>{1, 3, 2});
  CHECK(lab::ranks_of({1, 1, 1}, true) == std::vector<double>{2, 2, 2});
  CHECK(lab::ranks_of({5, 2, 5, 7}, true) == std::vector<double>{2.5, 1, 2.5, 4});
  CHECK_THROWS_AS(lab::ranks_of({1, std::nan("")}, true), OptionError);
}

/// Four models on 14 data sets, two of them with ties: the ranks of the models sum up to 44, 28, 41 and 27 by hand. For as
/// many the paper gives the critical difference 1.25 and says when F(3, 39) is significant at 5 %, above 2.85.
TEST_CASE("ranks: statistics from sums of ranks") {
  const std::vector<std::vector<double>> auc{
      {.763, .768, .771, .798}, {.599, .591, .590, .569}, {.954, .971, .968, .967}, {.628, .661, .654, .657},
      {.882, .888, .886, .898}, {.936, .931, .916, .931}, {.661, .668, .609, .685}, {.583, .583, .563, .625},
      {.775, .838, .866, .875}, {1.0, 1.0, 1.0, 1.0},     {.940, .962, .965, .962}, {.619, .666, .614, .669},
      {.972, .981, .975, .975}, {.957, .978, .946, .970}};
  const lab::Friedman found = lab::friedman(auc, false);
  const double sums[] = {44, 28, 41, 27};
  double squares = 0;
  for (std::size_t j = 0; j < 4; ++j) {
    CHECK(found.average[j] == doctest::Approx(sums[j] / 14).epsilon(1e-12));
    squares += sums[j] * sums[j] / (14.0 * 14.0);
  }
  const double chi_square = 12.0 * 14 / 20 * (squares - 25);
  CHECK(found.chi_square == doctest::Approx(chi_square).epsilon(1e-12));
  CHECK(found.f == doctest::Approx(13 * chi_square / (42 - chi_square)).epsilon(1e-12));
  CHECK(found.f > 2.85);
  CHECK(found.p < 0.05);
  CHECK(lab::critical_difference(4, 14) == doctest::Approx(1.25).epsilon(5e-3));
}

TEST_CASE("ranks: quantiles of the paper's tables, and F in closed form") {
  const double q05[] = {1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164};
  const double q10[] = {1.645, 2.052, 2.291, 2.459, 2.589, 2.693, 2.780, 2.855, 2.920};
  for (index_t k = 2; k <= 10; ++k) {
    CHECK(lab::nemenyi_quantile(k) == doctest::Approx(q05[k - 2]).epsilon(5e-4));
    CHECK(lab::nemenyi_quantile(k, 0.1) == doctest::Approx(q10[k - 2]).epsilon(5e-4));
  }
  // two degrees of freedom above: P(F > x) = (1 + 2 x / n)^(−n/2)
  for (const double x : {0.1, 1.0, 3.7, 40.0})
    for (const double n : {1.0, 5.0, 38.0})
      CHECK(lab::f_survival(x, 2, n) == doctest::Approx(std::pow(1 + 2 * x / n, -n / 2)).epsilon(1e-12));
  CHECK(lab::f_survival(2.845068, 3, 39) == doctest::Approx(0.05).epsilon(1e-4));
  CHECK(lab::f_survival(0, 3, 9) == 1);
  CHECK(lab::f_survival(std::numeric_limits<double>::infinity(), 3, 9) == 0);
}

TEST_CASE("ranks: all data sets rank alike, or all models are equal") {
  const lab::Friedman alike = lab::friedman({{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}, true);
  CHECK(alike.average == std::vector<double>{1, 2, 3});
  CHECK(alike.chi_square == doctest::Approx(6));  // N (k − 1), the largest there is
  CHECK(alike.p == 0);
  const lab::Friedman equal = lab::friedman({{1, 1}, {2, 2}}, true);
  CHECK(equal.chi_square == 0);
  CHECK(equal.p == 1);
  const lab::Friedman mixed = lab::friedman({{1, 2}, {2, 1}}, {true, false});  // an error and a share
  CHECK(mixed.average == std::vector<double>{1, 2});
  CHECK_THROWS_AS(lab::friedman({{1, 2}}, true), OptionError);
  CHECK_THROWS_AS(lab::friedman({{1, 2}, {1}}, true), OptionError);
  CHECK_THROWS_AS(lab::nemenyi_quantile(1), OptionError);
}

}  // namespace ranks_test
