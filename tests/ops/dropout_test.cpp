#include "lacuna/ops/dropout.hpp"

#include <doctest/doctest.h>

#include "lacuna/ops/elementwise.hpp"

using namespace lacuna;

namespace {

template <class T>
Variable<T, 1> ones(index_t n) {
  return Variable<T, 1>(Tensor<T, 1>::full({n}, T(1)), true);
}
template <class T>
std::vector<int> kept(double p, std::uint64_t seed, index_t n = 1000) {
  Random random(seed);
  std::vector<int> list;
  for (const T y : dropout(ones<T>(n), p, Context::train(random)).value().to_vector()) list.push_back(y != T(0));
  return list;
}

}  // namespace

TEST_CASE("dropout: keeps the right share, scales it, and the gradient goes the same way") {
  const index_t n = 200000;
  for (const double p : {0.1, 0.5, 0.9}) {
    Random random(3);
    const auto x = ones<double>(n);
    const auto y = dropout(x, p, Context::train(random));
    const auto values = y.value().to_vector();
    double count = 0;
    for (const double value : values) {
      CHECK((value == 0 || value == doctest::Approx(1 / (1 - p))));
      count += value != 0;
    }
    CHECK(std::abs(count / double(n) - (1 - p)) < 5 * std::sqrt(p * (1 - p) / double(n)));
    sum(y).backward();
    CHECK(x.grad().to_vector() == values);
  }
}

TEST_CASE("dropout: neighbours, calls and seeds are independent; float and double drop the same") {
  const auto first = kept<double>(0.5, 1, 100000);
  double pairs = 0;
  for (std::size_t i = 1; i < first.size(); ++i) pairs += (first[i] - 0.5) * (first[i - 1] - 0.5);
  CHECK(std::abs(4 * pairs / double(first.size())) < 5 / std::sqrt(double(first.size())));
  CHECK(kept<double>(0.5, 1) == kept<double>(0.5, 1));
  CHECK(kept<double>(0.5, 1) == kept<float>(0.5, 1));
  CHECK(kept<double>(0.5, 1) != kept<double>(0.5, 2));
  Random random(1);
  const auto x = ones<float>(1000);
  const Context context = Context::train(random);
  CHECK(dropout(x, 0.5, context).value().to_vector() != dropout(x, 0.5, context).value().to_vector());
}

TEST_CASE("dropout: nothing happens in inference and for p = 0") {
  const auto x = ones<float>(5);
  CHECK(dropout(x, 0.5, {}).node().get() == x.node().get());
  Random random(1);
  CHECK(dropout(x, 0, Context::train(random)).node().get() == x.node().get());
  CHECK(random.next() == 0);  // and no stream is used up
}

TEST_CASE("dropout: refuses probabilities out of range, and training without a source") {
  const auto x = ones<float>(5);
  Random random(1);
  for (const double p : {-0.1, 1.0, double(NAN)}) {
    CHECK_THROWS_AS(dropout(x, p, Context::train(random)), OptionError);
    CHECK_THROWS_AS(dropout(x, p, {}), OptionError);
  }
  CHECK_THROWS_WITH_AS(dropout(x, 0.5, Context{Mode::training}),
                       "dropout: training needs a random source; build the context with Context::train(random)",
                       OptionError);
}

TEST_CASE("dropout tape: factors in call order, checked for shape and end") {
  Array<double> factors(Shape{3});
  factors.assign(std::vector<double>{2, 0, 2});
  DropoutTape tape({{"first", factors}, {"second", factors}});
  const Context context{Mode::training, nullptr, &tape};
  const auto x = Variable<float, 1>(Tensor<float, 1>::from({3}, {1, 2, 3}), true);
  const auto y = dropout(x, 0.5, context);
  CHECK(y.value().to_vector() == std::vector<float>{2, 0, 6});
  sum(y).backward();
  CHECK(x.grad().to_vector() == std::vector<float>{2, 0, 2});
  CHECK_FALSE(tape.finished());
  CHECK_THROWS_WITH_AS(dropout(ones<float>(4), 0.5, context), "dropout tape: second has shape (3), expected (4)",
                       ShapeError);
  CHECK(tape.finished());
  CHECK_THROWS_AS(dropout(x, 0.5, context), Error);
}
