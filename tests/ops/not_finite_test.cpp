// What is not a number stays none: the values that the column of tests/support/rows.hpp cannot know by itself.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "lacuna/losses/contrastive.hpp"
#include "lacuna/losses/relational.hpp"
#include "lacuna/ops/activation.hpp"
#include "lacuna/ops/attention.hpp"
#include "lacuna/ops/elementwise.hpp"
#include "lacuna/ops/indexing.hpp"
#include "lacuna/ops/linear.hpp"
#include "lacuna/ops/pooling.hpp"
#include "lacuna/ops/reduction.hpp"
#include "lacuna/ops/softmax.hpp"

using namespace lacuna;

namespace {

template <class T>
constexpr T not_a_number = std::numeric_limits<T>::quiet_NaN();
template <class T>
constexpr T infinite = std::numeric_limits<T>::infinity();

/// (n, d) with numbers i / 10 and `first` in front.
template <class T>
Variable<T, 2> rows_with(T first, index_t n, index_t d) {
  Tensor<T, 2> t({n, d});
  for (index_t i = 0; i < t.size(); ++i) t.data()[i] = T(i) / T(10);
  t.data()[0] = first;
  return Variable<T, 2>(t);
}
template <class T>
Variable<T, 1> line_of(const std::vector<T>& numbers) {
  return Variable<T, 1>(Tensor<T, 1>::from({index_t(numbers.size())}, numbers));
}

}  // namespace

TEST_CASE_TEMPLATE("a NaN comes out of activations, linear layers, pooling and losses", T, float, double) {
  const T nan = not_a_number<T>;
  for (index_t place = 0; place < 20; ++place) {  // in whole vectors and behind them
    std::vector<T> numbers(20, T(-1));
    numbers[std::size_t(place)] = nan;
    for (const auto kind : {Activation::none, Activation::relu, Activation::tanh, Activation::sigmoid,
                            Activation::leaky_relu, Activation::elu, Activation::gelu, Activation::gelu_tanh,
                            Activation::silu, Activation::softplus, Activation::mish}) {
      const auto y = activate(line_of(numbers), kind).value();
      for (index_t i = 0; i < 20; ++i) CHECK(std::isnan(y(i)) == (i == place));
    }
    const auto clamped = clamp(line_of(numbers), -0.5, 0.5).value(), large = maximum(line_of(numbers), 0.0).value(),
               small = minimum(line_of(numbers), 0.0).value();
    for (index_t i = 0; i < 20; ++i) {
      CHECK(std::isnan(clamped(i)) == (i == place));
      CHECK(std::isnan(large(i)) == (i == place));
      CHECK(std::isnan(small(i)) == (i == place));
    }
  }
  const auto ones = rows_with<T>(1, 3, 4);
  CHECK(std::isnan(linear(rows_with(nan, 1, 4), ones, Variable<T, 1>{}, Activation::relu).value()(0, 0)));
  for (const auto swap : {false, true})
    CHECK(std::isnan(
        triplet_loss(rows_with(nan, 4, 3), rows_with<T>(1, 4, 3), rows_with<T>(2, 4, 3), {.swap = swap}).item()));
  CHECK(std::isnan(rkd_angle_loss(rows_with(nan, 4, 3), rows_with<T>(1, 4, 3)).item()));
  CHECK(std::isnan(rkd_distance_loss(rows_with(nan, 4, 3), rows_with<T>(1, 4, 3)).item()));
}

TEST_CASE_TEMPLATE("max_pool: a NaN is the maximum, wherever it stands, unless its frame is absent", T, float, double) {
  for (index_t place = 0; place < 5; ++place) {
    Tensor<T, 3> x({1, 5, 1});
    for (index_t t = 0; t < 5; ++t) x(0, t, 0) = t == place ? not_a_number<T> : T(t);
    CHECK(std::isnan(max_pool(Variable<T, 3>(x)).value()(0, 0)));
    Mask<2> present({1, 5});
    for (index_t t = 0; t < 5; ++t) present(0, t) = t != place;
    CHECK(max_pool(Variable<T, 3>(x), present).value()(0, 0) == (place == 4 ? 3 : 4));
  }
}

TEST_CASE_TEMPLATE("order: NaN is larger than every number, in sorts, topk, max and argmax, and smaller in min", T,
                   float, double) {
  const auto x = line_of<T>({2, not_a_number<T>, infinite<T>, -1});
  const auto up = sort(x).values.value(), down = sort(x, -1, true).values.value();
  CHECK(up(0) == -1);
  CHECK(up(2) == infinite<T>);
  CHECK(std::isnan(up(3)));
  CHECK(std::isnan(down(0)));
  CHECK(down(3) == -1);
  CHECK(std::isnan(topk(x, 1).values.value()(0)));
  CHECK(topk(x, 1, -1, false).values.value()(0) == -1);
  CHECK(argmax(x, 0).to_vector() == std::vector<index_t>{1});
  CHECK(argmin(x, 0).to_vector() == std::vector<index_t>{1});
  CHECK(std::isnan(max(x).item()));
  CHECK(std::isnan(min(x).item()));
}

TEST_CASE_TEMPLATE("comparisons: NaN is neither less, equal nor greater", T, float, double) {
  const auto x = line_of<T>({not_a_number<T>, 1});
  CHECK(less(x, 2.0).to_vector() == std::vector<std::uint8_t>{0, 1});
  CHECK(greater(x, 0.0).to_vector() == std::vector<std::uint8_t>{0, 1});
  CHECK(equal(x, 1.0).to_vector() == std::vector<std::uint8_t>{0, 1});
  CHECK(not_equal(x, 1.0).to_vector() == std::vector<std::uint8_t>{1, 0});
}

TEST_CASE_TEMPLATE("softmax: a NaN among minus infinities is no empty row", T, float, double) {
  for (index_t n = 2; n < 40; ++n)
    for (const index_t place : {index_t(0), n / 2, n - 1}) {
      std::vector<T> row(std::size_t(n), -infinite<T>);
      const auto nothing = softmax(line_of(row), 0).value();
      for (index_t i = 0; i < n; ++i) CHECK(nothing(i) == 0);
      row[std::size_t(place)] = not_a_number<T>;
      const auto y = softmax(line_of(row), 0).value();
      for (index_t i = 0; i < n; ++i) CHECK(std::isnan(y(i)));
    }
}

TEST_CASE_TEMPLATE("attention: a query whose scores are all minus infinity is no query that sees nothing", T, float,
                   double) {
  for (const index_t queries : {3, 5})  // with matrix products, and without
    for (const bool causal : {false, true})
      for (const bool biased : {false, true}) {
        Tensor<T, 3> q = Tensor<T, 3>::full({1, queries, 4}, T(0)), k = Tensor<T, 3>::full({1, queries, 4}, T(1));
        q(0, 1, 2) = -infinite<T>;
        Tensor<T, 4> bias = Tensor<T, 4>::full({1, 1, queries, queries}, T(0));
        for (index_t j = 0; j < queries; ++j) bias(0, 0, 2, j) = -infinite<T>;  // forbids all keys
        const auto y = attention(Variable<T, 3>(q), Variable<T, 3>(k), Variable<T, 3>(k), Mask<2>(), {.causal = causal},
                                 biased ? Variable<T, 4>(bias) : Variable<T, 4>())
                           .output.value();
        CHECK(y(0, 0, 0) == 1);
        CHECK(std::isnan(y(0, 1, 0)));
        CHECK(y(0, 2, 0) == (biased ? 0 : 1));
      }
}
