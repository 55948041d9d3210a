/// What the rows of the table do not ask of the small operations: kinks, ties, NaN and infinities, ranks, errors.
#include <doctest/doctest.h>

#include <cmath>

#include "lacuna/core/threads.hpp"
#include "lacuna/ops/einsum.hpp"
#include "lacuna/ops/indexing.hpp"

namespace vocabulary_test {
namespace {

using namespace lacuna;
using Row = Variable<double, 1>;
constexpr double inf = std::numeric_limits<double>::infinity(), none = std::numeric_limits<double>::quiet_NaN();

Row row(std::initializer_list<double> numbers) {
  return Row(Tensor<double, 1>::from({index_t(numbers.size())}, numbers), true);
}
Variable<double, 2> grid(index_t rows, index_t columns, std::initializer_list<double> numbers) {
  return Variable<double, 2>(Tensor<double, 2>::from({rows, columns}, numbers), true);
}
template <class V>
std::vector<double> slopes(const V& x, auto f) {
  x.zero_grad();
  sum(f(x)).backward();
  return x.grad().to_vector();
}
template <class V>
auto numbers(const V& x) {
  return x.value().to_vector();
}
using Numbers = std::vector<double>;

}  // namespace

TEST_CASE("vocabulary: slopes at kinks, as PyTorch has them") {
  CHECK(slopes(row({-2, 0, 3}), [](const Row& x) { return abs(x); }) == Numbers{-1, 0, 1});
  CHECK(slopes(row({-2, 0, 3}), [](const Row& x) { return sign(x); }) == Numbers{0, 0, 0});
  CHECK(slopes(row({-2, -1, 0, 1, 2}), [](const Row& x) { return clamp(x, -1, 1); }) == Numbers{0, 1, 1, 1, 0});
  CHECK(slopes(row({1, 2, 3}), [](const Row& x) { return minimum(x, 2.0); }) == Numbers{1, 0.5, 0});
  CHECK(slopes(row({1, 2, 3}), [](const Row& x) { return maximum(x, row({2, 2, 2})); }) == Numbers{0, 0.5, 1});
  CHECK(slopes(row({3, 1, 3, 3}), [](const Row& x) { return 3.0 * max(x); }) == Numbers{1, 0, 1, 1});
  CHECK(slopes(row({1, 3, 1}), [](const Row& x) { return min(x, 0); }) == Numbers{0.5, 0, 0.5});
  CHECK(slopes(row({-3, 1, 3}), [](const Row& x) { return norm(x, inf); }) == Numbers{-0.5, 0, 0.5});
  CHECK(slopes(row({0, 0}), [](const Row& x) { return norm(x) + norm(x, 1) + norm(x, inf); }) == Numbers{0, 0});
  CHECK(slopes(row({2, 2}), [](const Row& x) { return stddev(x); }) == Numbers{0, 0});
  CHECK(slopes(row({0, 4}), [](const Row& x) { return sqrt(x); }) == Numbers{inf, 0.25});
  CHECK(slopes(row({0, 3}), [](const Row& x) { return pow(x, 0.0); }) == Numbers{0, 0});
  CHECK(slopes(row({2, 0}), [](const Row& x) { return pow(0.0, x); }) == Numbers{0, 0});
  CHECK(slopes(row({-inf, -inf}), [](const Row& x) { return logsumexp(x); }) == Numbers{0, 0});
}

TEST_CASE("vocabulary: infinities and NaN go through") {
  const auto same = [](const Numbers& found, const Numbers& expected) {
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i)
      CHECK_MESSAGE((std::isnan(expected[i]) ? std::isnan(found[i]) : found[i] == expected[i]),
                    found[i] << " at " << i << ", not " << expected[i]);
  };
  const Row x = row({-inf, -1, 0, inf, none});
  same(numbers(exp(x)), {0, numbers(exp(row({-1})))[0], 1, inf, none});
  CHECK(std::abs(numbers(exp(x))[1] - std::exp(-1.0)) < 2e-16);
  CHECK(std::abs(numbers(exp(row({709.5})))[0] / std::exp(709.5) - 1) < 1e-12);
  same(numbers(log(x)), {none, none, -inf, inf, none});
  same(numbers(abs(x)), {inf, 1, 0, inf, none});
  same(numbers(sign(x)), {-1, -1, 0, 1, none});
  same(numbers(clamp(x, -5, 5)), {-5, -1, 0, 5, none});
  same(numbers(maximum(x, 0.5)), {0.5, 0.5, 0.5, inf, none});
  same(numbers(maximum(row({0.5, none}), row({none, 1}))), {none, none});
  same(numbers(1 / x), {-0.0, -1, inf, 0, none});
  same(numbers(x - x), {none, 0, 0, none, none});
  same({max(x).item(), min(x).item(), sum(x).item(), logsumexp(x).item(), norm(x, inf).item(), prod(x).item()},
       {none, none, none, none, none, none});
  same({logsumexp(row({-inf, inf, 0})).item(), logsumexp(row({1000, 1000})).item(), max(row({-inf})).item()},
       {inf, 1000 + std::log(2.0), -inf});
  CHECK(argmax(x).first() == 4);
  CHECK(argsort(x).to_vector() == std::vector<index_t>{0, 1, 2, 3, 4});
  CHECK(argsort(x, 0, true).to_vector() == std::vector<index_t>{4, 3, 2, 1, 0});
  CHECK(equal(x, x).to_vector() == std::vector<std::uint8_t>{1, 1, 1, 1, 0});
  CHECK(not_equal(x, 0.0).to_vector() == std::vector<std::uint8_t>{1, 1, 0, 1, 1});
  same(numbers(where(equal(x, x), x, 0.0)), {-inf, -1, 0, inf, 0});
  const auto present = Mask<1>::from({2}, {0, 1});
  CHECK(slopes(row({none, 3}), [&](const Row& v) { return square(where(present, v - 1, 0.0)); }) == Numbers{0, 4});
}

TEST_CASE("vocabulary: ranks are part of the type") {
  const Variable<float, 3> x(Tensor<float, 3>::zeros({2, 3, 4}));
  const Variable<float, 1> v(Tensor<float, 1>::zeros({4}));
  static_assert(decltype(sum(x))::rank == 0 && decltype(sum(x, 1))::rank == 2 &&
                decltype(sum(x, 1, keepdim))::rank == 3);
  static_assert(decltype(var(x, {0, 2}))::rank == 1 && decltype(max(x, {0, 2}, keepdim))::rank == 3);
  static_assert(decltype(argmax(x, -1))::rank == 2 && decltype(norm(x, 2, {0, 1, 2}))::rank == 0);
  static_assert(decltype(x + v)::rank == 3 && decltype(v / x)::rank == 3 && decltype(less(v, x))::rank == 3);
  static_assert(decltype(matmul(x, v))::rank == 2 && decltype(matmul(v, v))::rank == 0 &&
                decltype(reshape(x, 6, -1))::rank == 2);
  CHECK(sum(x, {0, 2}, keepdim).shape() == Shape{1, 3, 1});
  CHECK(matmul(x, v).shape() == Shape{2, 3});
  CHECK(einsum<2>("btf,f->tb", x, v).shape() == Shape{3, 2});
  CHECK(einsum<2>(" btf, f -> tb ", x, v).shape() == Shape{3, 2});
  CHECK(stack({v, v}, 0).shape() == Shape{2, 4});
  CHECK(stack(std::vector{x, x}, -1).shape() == Shape{2, 3, 4, 2});
}

TEST_CASE("vocabulary: places, ties, orders, sums in float") {
  const auto x = grid(2, 3, {5, 7, 7, -1, -1, 0});
  CHECK(argmax(x, 1).to_vector() == std::vector<index_t>{1, 2});
  CHECK(argmin(x, 1).to_vector() == std::vector<index_t>{0, 0});
  CHECK(argmax(x, 0, keepdim).shape() == Shape{1, 3});
  CHECK(argmax(x).first() == 1);
  CHECK(argsort(x, 1).to_vector() == std::vector<index_t>{0, 1, 2, 0, 1, 2});
  CHECK(argsort(x, 1, true).to_vector() == std::vector<index_t>{1, 2, 0, 2, 0, 1});
  CHECK(numbers(topk(x, 2).values) == Numbers{7, 7, 0, -1});
  CHECK(topk(x, 1, 0).indices.to_vector() == std::vector<index_t>{0, 0, 0});
  CHECK(numbers(masked_select(x, less(x, 6))) == Numbers{5, -1, -1, 0});
  CHECK(var(row({1, 2, 3, 4})).item() == doctest::Approx(5.0 / 3));
  CHECK(var(row({1, 2, 3, 4}), Correction{0}).item() == 1.25);
  auto many = Tensor<float, 2>::full({3, 1000001}, 1.0f);
  many(1, 0) = 16777216.0f;  // a running float sum does not grow by ones from here on
  CHECK(sum(Variable<float, 2>(many), 1).value()(1) == 17777216.0f);
  CHECK(sum(Variable<float, 2>(many.reshape(std::array<index_t, 2>{1000001, 3})), 0).value()(2) == 17777216.0f);
}

TEST_CASE("vocabulary: what does not fit is named") {
  const auto x = grid(2, 3, {1, 2, 3, 4, 5, 6});
  CHECK_THROWS_WITH_AS(
      x + grid(2, 2, {1, 2, 3, 4}),
      "add: shapes (2, 3) and (2, 2) do not broadcast: axis -1 is 3 here and 2 there, and neither is 1", ShapeError);
  CHECK_THROWS_WITH_AS(sum(x, 2), "sum: axis 2 of an array of shape (2, 3)", ShapeError);
  CHECK_THROWS_WITH_AS(mean(x, {0, -2}), "mean: axis -2 of (2, 3) is named twice", ShapeError);
  CHECK_THROWS_WITH_AS(var(x, Correction{2}, 0), "var: needs more than 2.000000 numbers, found 2 in (2, 3)",
                       ShapeError);
  CHECK_THROWS_WITH_AS(max(slice(x, 1, 0, 0), 1), "max: of no numbers, in an array of shape (2, 0)", ShapeError);
  CHECK_THROWS_AS(argmin(slice(x, 0, 0, 0)), ShapeError);
  CHECK_THROWS_AS(clamp(x, 1, 0), OptionError);
  CHECK_THROWS_AS(norm(x, 0.0), OptionError);
  CHECK_THROWS_WITH_AS(matmul(x, x), "matmul: the inner sizes of (2, 3) and (2, 3) differ", ShapeError);
  CHECK_THROWS_WITH_AS(einsum<2>("ij,jk->ik", x, x), "einsum: axis 'j' of 'ij,jk->ik' is 3 and 2", ShapeError);
  CHECK_THROWS_AS(einsum<2>("ij,ik->jj", x, x), OptionError);
  CHECK_THROWS_AS(einsum<1>("ij,ik->jk", x, x), OptionError);
  CHECK_THROWS_AS(einsum<2>("ij,ik->jl", x, x), OptionError);
  CHECK_THROWS_AS(einsum<2>("ij ik", x, x), OptionError);
  CHECK_THROWS_WITH_AS(reshape(x, 4, -1), "reshape: 6 elements of (2, 3) do not divide by 4", ShapeError);
  CHECK_THROWS_AS(reshape(x, -1, -1), ShapeError);
  CHECK_THROWS_AS(squeeze(x, 0), ShapeError);
  CHECK_THROWS_AS(unsqueeze(x, 3), ShapeError);
  CHECK_THROWS_AS(permute(x, {0, 0}), ShapeError);
  CHECK_THROWS_WITH_AS(
      expand(x, {2, 2, 2}),
      "expand: shapes (2, 3) and (2, 2, 2) do not broadcast: axis -1 is 2 here and 3 there, and neither is 1",
      ShapeError);
  CHECK_THROWS_AS(expand(x, {1, 3}), ShapeError);
  CHECK_THROWS_AS(concat({x, grid(3, 1, {1, 2, 3})}, 1), ShapeError);
  CHECK_THROWS_AS(concat(std::vector<Variable<double, 2>>{}, 0), ShapeError);
  CHECK_THROWS_AS(split(x, {1, 1}, 1), ShapeError);
  CHECK_THROWS_AS(pad(x, 0, -1, 0), ShapeError);
  CHECK_THROWS_AS(select(x, 0, 2), ShapeError);
  CHECK_THROWS_AS(topk(x, 4, 1), ShapeError);
  CHECK_THROWS_WITH_AS(index_select(x, 1, {0, 3}), "index_select: index 3 at position 1 is outside 0..2", ShapeError);
  CHECK_THROWS_WITH_AS(gather(x, 0, Tensor<index_t, 2>::from({1, 3}, {0, -1, 1})),
                       "gather: index -1 at position 1 is outside 0..1", ShapeError);
  CHECK_THROWS_AS(gather(x, 0, Tensor<index_t, 2>::from({1, 2}, {0, 1})), ShapeError);
  CHECK_THROWS_AS(masked_select(x, Mask<2>::full({3, 2}, 1)), ShapeError);
}

}  // namespace vocabulary_test
