#include "lacuna/ops/shape.hpp"

#include <doctest/doctest.h>

#include "lacuna/ops/elementwise.hpp"

using namespace lacuna;

namespace {

using M = Variable<float, 2>;
M matrix(index_t rows, index_t columns, std::initializer_list<float> numbers) {
  return M(Tensor<float, 2>::from({rows, columns}, numbers), true);
}

}  // namespace

TEST_CASE("arithmetic: closed forms") {
  const M a = matrix(1, 3, {1, -2, 3}), b = matrix(1, 3, {4, 5, -6});
  CHECK((a + b).value().to_vector() == std::vector<float>{5, 3, -3});
  CHECK((a - b).value().to_vector() == std::vector<float>{-3, -7, 9});
  CHECK((a * b).value().to_vector() == std::vector<float>{4, -10, -18});
  CHECK((0.5 * a).value().to_vector() == std::vector<float>{0.5, -1, 1.5});
  CHECK(sum(a).item() == 2);
  CHECK(mean(a).item() == 2.0f / 3);
  CHECK(mean(M(Tensor<float, 2>::zeros({0, 3}))).item() == 0);
  CHECK_THROWS_WITH_AS(add(a, matrix(3, 1, {1, 2, 3})), "add: b has shape (3, 1), expected (1, 3)", ShapeError);
  CHECK_THROWS_AS(multiply(a, matrix(1, 1, {1})), ShapeError);
}

TEST_CASE("sum in float: a million ones and a large number") {
  auto x = Tensor<float, 1>::full({1000001}, 1.0f);
  x(0) = 16777216.0f;  // a running float sum does not grow by ones from here on
  CHECK(sum(Variable<float, 1>(x)).item() == 17777216.0f);
}

TEST_CASE("concat and stack: where every number goes") {
  const M a = matrix(2, 1, {1, 2}), b = matrix(2, 2, {3, 4, 5, 6});
  CHECK(concat(std::vector{a, b}, -1).value().to_vector() == std::vector<float>{1, 3, 4, 2, 5, 6});
  const M c = matrix(2, 2, {7, 8, 9, 10});
  const auto stacked = stack(std::vector{b, c}, 1);
  CHECK(stacked.shape() == Shape{2, 2, 2});
  CHECK(stacked.value().to_vector() == std::vector<float>{3, 4, 7, 8, 5, 6, 9, 10});
  CHECK(stack({b, c}).value().to_vector() == std::vector<float>{3, 4, 5, 6, 7, 8, 9, 10});  // along axis 0
  CHECK(stack({b, c}, -1).value().to_vector() == std::vector<float>{3, 7, 4, 8, 5, 9, 6, 10});
  CHECK(concat({b, c}, 0).value().to_vector() == std::vector<float>{3, 4, 5, 6, 7, 8, 9, 10});
  CHECK(stack({sum(b), sum(c)}).value().to_vector() == std::vector<float>{18, 34});
  CHECK_THROWS_WITH_AS(stack({b, c}, 3), "stack: no axis 3 beside those of (2, 2)", ShapeError);
  CHECK_THROWS_AS(stack({b, c}, -4), ShapeError);
  CHECK_THROWS_AS(concat({b, c}, 2), ShapeError);
  CHECK_THROWS_AS(concat(std::vector{a, matrix(3, 1, {1, 2, 3})}, -1), ShapeError);
  CHECK_THROWS_AS(concat(std::vector<M>{}, -1), ShapeError);
  CHECK_THROWS_AS(stack(std::vector{a, b}, 1), ShapeError);
  CHECK_THROWS_AS(stack(std::vector<M>{}, 1), ShapeError);
}

TEST_CASE("weighted_sum: gates over rows, chosen ones only") {
  const M w = matrix(2, 2, {1, 2, 3, 4});
  const Variable<float, 3> x(Tensor<float, 3>::from({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}));
  CHECK(weighted_sum(w, x).value().to_vector() == std::vector<float>{7, 10, 43, 50});
  CHECK(weighted_sum(w, x, {0, 1}).value().to_vector() == std::vector<float>{6, 8, 28, 32});
  CHECK_THROWS_AS(weighted_sum(w, x, {1}), ShapeError);
  CHECK_THROWS_AS(weighted_sum(matrix(2, 1, {1, 2}), x), ShapeError);
}

TEST_CASE("reshape: the gradient comes back in the old shape") {
  const M a = matrix(2, 3, {1, 2, 3, 4, 5, 6});
  const auto b = reshape(a, std::array<index_t, 1>{6});
  CHECK(b.value().shares(a.value()));
  b.backward(Tensor<float, 1>::from({6}, {1, 2, 3, 4, 5, 6}));
  CHECK(a.grad().shape() == Shape{2, 3});
  CHECK(a.grad().to_vector() == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK_THROWS_AS(reshape(a, std::array<index_t, 2>{2, 2}), ShapeError);
}
