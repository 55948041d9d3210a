#include "lacuna/autograd/gradcheck.hpp"

#include <doctest/doctest.h>

#include "lacuna/autograd/record.hpp"
#include "lacuna/ops/elementwise.hpp"

using namespace lacuna;

namespace {

using Vector = Variable<double, 1>;

Vector leaf(std::initializer_list<double> values) {
  return Vector(Tensor<double, 1>::from({index_t(values.size())}, values), true);
}

/// x³ with the gradient 3x² times a factor per element.
Vector cube(const Vector& x, std::vector<double> factors = {}) {
  Tensor<double, 1> y(x.value().extents());
  for (index_t i = 0; i < x.size(); ++i) y(i) = std::pow(x.value()(i), 3);
  return record(
      "cube", y,
      [x, factors](const Tensor<double, 1>& dy) {
        const auto slot = x.gradient_slot();
        for (index_t i = 0; i < dy.size() && slot; ++i)
          slot.put(i, 3 * x.value()(i) * x.value()(i) * dy(i) * (factors.empty() ? 1.0 : factors[std::size_t(i)]));
      },
      x);
}

GradientCheck judge(const std::vector<double>& factors) {
  const Vector x = leaf({0.5, -1, 2, 100});
  return check_gradients([&] { return sum(cube(x, factors)); }, 1e-5, 0.01, x);
}

}  // namespace

TEST_CASE("gradient check: passes what is right") {
  const GradientCheck check = judge({});
  CHECK(check.worst < 1e-8);
  CHECK(check.compared == 4);
}

TEST_CASE("gradient check: finds what is wrong, and where") {
  const GradientCheck twice = judge({1, 1, 1, 2});
  CHECK(twice.worst == doctest::Approx(1));
  CHECK(twice.element == 3);
  CHECK(twice.analytic == doctest::Approx(60000));
  CHECK(twice.numeric == doctest::Approx(30000));
  CHECK(judge({1, 1, 0.99, 1}).element == 2);
  CHECK(judge({1, 1, 1, -1}).worst == doctest::Approx(2));
}

TEST_CASE("gradient check: NaN is as wrong as can be, wherever it stands") {
  for (std::size_t position = 0; position < 4; ++position) {
    std::vector<double> factors(4, 1.0);
    factors[position] = NAN;
    const GradientCheck check = judge(factors);
    CHECK(std::isinf(check.worst));
    CHECK(check.element == index_t(position));
    CHECK(check.compared == 4);
  }
}

TEST_CASE("gradient check: several inputs of several ranks, which it leaves as they were") {
  const Vector x = leaf({1, 2});
  const Variable<double, 2> m(Tensor<double, 2>::from({2, 1}, {3, 4}), true);
  const Vector constant(Tensor<double, 1>::from({2}, {5, 6}), true);
  const auto f = [&] { return sum(cube(x)) + sum(m * m); };
  const GradientCheck check = check_gradients(f, 1e-5, 0.01, x, m, constant);
  CHECK(check.worst < 1e-8);
  CHECK(check.compared == 6);
  CHECK(x.value().to_vector() == std::vector<double>{1, 2});
  CHECK(m.value().to_vector() == std::vector<double>{3, 4});
  CHECK_FALSE(constant.has_grad());  // it takes no part: zeros on both sides
}
