#include <doctest/doctest.h>

#include "rows/published.hpp"

TEST_CASE("published rows") {
  lacuna::test::PublishedRows::for_each([]<class Row>() { CHECK(lacuna::test::check_row<Row>() == ""); });
}

TEST_CASE("gradient_reversal: y = x, dx = -factor dy") {
  using namespace lacuna;
  const Variable<double, 2> x(Tensor<double, 2>::from({1, 2}, {3, -4}), true);
  const auto y = gradient_reversal(x, 0.5);
  CHECK(y.value().to_vector() == std::vector<double>{3, -4});
  sum(square(y)).backward();
  CHECK(x.grad().to_vector() == std::vector<double>{-3, 4});
}

TEST_CASE("log_det: of a diagonal, and what it refuses") {
  using namespace lacuna;
  const Variable<double, 2> a(Tensor<double, 2>::from({2, 2}, {4, 0, 0, 16}), true);
  const auto y = log_det(a);
  CHECK(y.item() == doctest::Approx(std::log(64.0)));
  y.backward();
  CHECK(a.grad().to_vector() == std::vector<double>{0.25, 0, 0, 0.0625});
  CHECK_THROWS_WITH_AS(log_det(Variable<double, 2>(Tensor<double, 2>::from({2, 2}, {1, 2, 2, 1}))),
                       "log_det: the matrix is not positive definite at row 1", Error);
}

TEST_CASE("NormalizingFlow: starts near the identity, and runs backwards") {
  using namespace lacuna;
  Random random(3);
  NormalizingFlow<double> flow({.width = 5, .hidden = 4, .steps = 3}, random);
  for_each_parameter(flow, [&](const std::string&, auto& p) {
    for (index_t i = 0; i < p.size(); ++i) p.mutable_data()[i] += 0.1 * std::sin(double(i));
  });
  const auto x = init::normal<double, 3>({2, 3, 5}, 1.0, random);
  const auto back = flow.inverse(flow(Variable<double, 3>(x)).z).value().to_vector();
  const auto given = x.to_vector();
  for (std::size_t i = 0; i < given.size(); ++i) CHECK(back[i] == doctest::Approx(given[i]));
  CHECK_THROWS_WITH_AS(NormalizingFlow<double>({.width = 1}, random),
                       doctest::Contains("it needs a step, and two features"), OptionError);
}

TEST_CASE("mixer: the identity changes no size") {
  using namespace lacuna;
  Random random(1);
  CHECK_THROWS_WITH_AS(AxisMixer<float>({.in = 3, .hidden = 2, .out = 4, .projected = false}, random),
                       "mixer: an axis of 3 becomes 4: its block must be projected", OptionError);
}
