#include "lacuna/interop/eigen.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "lacuna/autograd/parameter.hpp"

namespace eigen_test {

using namespace lacuna;

TEST_CASE_TEMPLATE("eigen: maps share the memory of the tensor", T, float, double) {
  auto x = Tensor<T, 3>::from({2, 3, 2}, {0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121});
  auto map = x.eigen();
  CHECK(map.dimension(0) == 2);
  CHECK(map.dimension(1) == 3);
  CHECK(map.dimension(2) == 2);
  for (index_t i = 0; i < 2; ++i)
    for (index_t j = 0; j < 3; ++j)
      for (index_t k = 0; k < 2; ++k) CHECK(map(i, j, k) == T(100 * i + 10 * j + k));
  CHECK(map.data() == x.data());
  map(1, 2, 0) = 7;
  CHECK(x(1, 2, 0) == 7);
  x.eigen() = x.eigen() * T(2);
  CHECK(x(0, 1, 1) == 22);

  const Eigen::Tensor<T, 0, Eigen::RowMajor, index_t> sum = x.eigen().sum();
  CHECK(sum() == T(2 * (0 + 1 + 10 + 11 + 20 + 21 + 100 + 101 + 110 + 111 + 7 + 121)));
}

TEST_CASE_TEMPLATE("eigen: a matrix has the last axis as its columns", T, float, double) {
  auto x = Tensor<T, 3>::from({2, 2, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  auto matrix = x.matrix();
  CHECK(matrix.rows() == 4);
  CHECK(matrix.cols() == 3);
  CHECK(matrix(2, 1) == 8);
  matrix.row(0).setZero();
  CHECK(x(0, 0, 2) == 0);
  const RowMajorMatrix<T> product = x.matrix() * x.matrix().transpose();
  CHECK(product(1, 2) == 4 * 7 + 5 * 8 + 6 * 9);
  auto vector = Tensor<T, 1>::from({3}, {1, 2, 3});
  CHECK(vector.matrix().rows() == 1);
  CHECK(vector.matrix().cols() == 3);
}

TEST_CASE("eigen: a tensor without numbers has no view") {
  auto a = Tensor<float, 2>::full({2, 3}, 1);
  const auto b = std::move(a);
  const Tensor<float, 2> two;
  const Tensor<float, 1> one;
  const Tensor<float, 3> three;
  CHECK_THROWS_AS(a.matrix(), ShapeError);
  CHECK_THROWS_AS(two.matrix(), ShapeError);
  CHECK_THROWS_AS(one.eigen(), ShapeError);
  CHECK_THROWS_AS(three.eigen(), ShapeError);
  CHECK(b.matrix().sum() == 6);
  const auto none = Tensor<float, 2>::zeros({0, 3});
  CHECK(none.matrix().cols() == 3);  // no rows are numbers enough
}

TEST_CASE("eigen: a const tensor gives maps that cannot write") {
  const auto x = Tensor<float, 2>::from({1, 2}, {3, 4});
  CHECK(x.eigen()(0, 1) == 4);
  CHECK(x.matrix()(0, 1) == 4);
  static_assert(std::is_const_v<std::remove_pointer_t<decltype(x.matrix().data())>>);
  static_assert(std::is_const_v<std::remove_pointer_t<decltype(x.eigen().data())>>);
}

TEST_CASE("eigen: a single number, an empty tensor, a mask, a window that begins anywhere") {
  auto number = Tensor<double, 0>::from({}, {2.5});
  CHECK(number.eigen()() == 2.5);
  CHECK(number.matrix()(0, 0) == 2.5);
  Tensor<float, 2> empty(std::array<index_t, 2>{0, 4});
  CHECK(empty.eigen().size() == 0);
  CHECK(empty.matrix().rows() == 0);
  CHECK(empty.matrix().cols() == 4);
  auto mask = Mask<2>::full({2, 2}, 1);
  CHECK(mask.matrix().cast<int>().sum() == 4);
  auto x = Tensor<float, 1>::from({5}, {0, 1, 2, 3, 4});
  Tensor<float, 2> window(x.window(1, {2, 2}));
  CHECK(window.matrix().sum() == 10);
  window.matrix()(0, 0) = 9;
  CHECK(x(1) == 9);
}

namespace {

/// Element (i, j) = 10 i + j.
template <class Matrix>
Matrix numbered(Eigen::Index rows, Eigen::Index columns) {
  Matrix m(rows, columns);
  for (Eigen::Index i = 0; i < rows; ++i)
    for (Eigen::Index j = 0; j < columns; ++j) m(i, j) = typename Matrix::Scalar(10 * i + j);
  return m;
}
template <class T>
using ColumnMajorMatrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

template <class T>
void check_numbered(const Tensor<T, 2>& x, index_t rows, index_t columns, T factor) {
  REQUIRE(x.shape() == Shape{rows, columns});
  for (index_t i = 0; i < rows; ++i)
    for (index_t j = 0; j < columns; ++j) CHECK(x(i, j) == factor * T(10 * i + j));
}

/// Tells when it goes.
struct Witness {
  bool& gone;
  ~Witness() { gone = true; }
};

}  // namespace

TEST_CASE_TEMPLATE("eigen: tensors are made of any matrix expression, row-major", T, float, double) {
  const auto columns = numbered<ColumnMajorMatrix<T>>(3, 4);
  const auto rows = numbered<RowMajorMatrix<T>>(3, 4);
  check_numbered<T>(columns, 3, 4, 1);
  check_numbered<T>(rows, 3, 4, 1);
  check_numbered<T>(columns * T(2), 3, 4, 2);
  check_numbered<T>(columns.array() + rows.array(), 3, 4, 2);
  check_numbered<T>(columns.transpose().transpose(), 3, 4, 1);
  check_numbered<T>(columns * ColumnMajorMatrix<T>::Identity(4, 4), 3, 4, 1);
  check_numbered<T>(columns.template cast<double>().template cast<T>(), 3, 4, 1);
  const auto large = numbered<ColumnMajorMatrix<T>>(8, 9);
  check_numbered<T>(large.topLeftCorner(3, 4), 3, 4, 1);
  check_numbered<T>(
      Eigen::Map<const ColumnMajorMatrix<T>, 0, Eigen::OuterStride<>>(large.data(), 3, 4, Eigen::OuterStride<>(8)), 3,
      4, 1);
  const Eigen::Ref<const ColumnMajorMatrix<T>> part = large.topLeftCorner(3, 4);
  check_numbered<T>(part, 3, 4, 1);
  const Eigen::Matrix<T, 2, 2> fixed = numbered<ColumnMajorMatrix<T>>(2, 2);
  check_numbered<T>(fixed, 2, 2, 1);

  const Tensor<T, 2> none = ColumnMajorMatrix<T>(0, 4);
  CHECK(none.shape() == Shape{0, 4});
  Tensor<T, 2> x = columns;
  x = rows.bottomRows(1);  // assigned as well
  CHECK(x.to_vector() == std::vector<T>{20, 21, 22, 23});
}

TEST_CASE("eigen: vectors are tensors of one axis, or of two") {
  Eigen::VectorXd column(3);
  column << 1, 2, 3;
  const Eigen::RowVectorXd row = column.transpose();
  CHECK(Tensor<double, 1>(column).to_vector() == std::vector<double>{1, 2, 3});
  CHECK(Tensor<double, 1>(row * 2).to_vector() == std::vector<double>{2, 4, 6});
  CHECK(Tensor<double, 2>(column).shape() == Shape{3, 1});
  CHECK(Tensor<double, 2>(row).shape() == Shape{1, 3});
  const Tensor<double, 1> strided = numbered<RowMajorMatrix<double>>(3, 4).col(2);
  CHECK(strided.to_vector() == std::vector<double>{2, 12, 22});
  const Mask<1> mask = column.array() > 1.5;
  CHECK(mask.to_vector() == std::vector<std::uint8_t>{0, 1, 1});
  static_assert(std::is_convertible_v<Eigen::MatrixXf, Tensor<float, 2>>);
  static_assert(!std::is_convertible_v<Eigen::MatrixXf, Tensor<double, 2>>, "no conversion that nobody asked for");
  static_assert(!std::is_convertible_v<Eigen::MatrixXf, Tensor<float, 1>>);
  static_assert(!std::is_convertible_v<Eigen::MatrixXf, Tensor<float, 3>>);
  static_assert(!std::is_convertible_v<Eigen::ArrayXXd, Mask<2>>);
}

TEST_CASE_TEMPLATE("eigen: tensors are made of Eigen's tensors of either order", T, float, double) {
  Eigen::Tensor<T, 3> columns(2, 3, 4);
  Eigen::Tensor<T, 3, Eigen::RowMajor> rows(2, 3, 4);
  for (index_t i = 0; i < 2; ++i)
    for (index_t j = 0; j < 3; ++j)
      for (index_t k = 0; k < 4; ++k) columns(i, j, k) = rows(i, j, k) = T(100 * i + 10 * j + k);
  const auto same = [](const Tensor<T, 3>& x, T factor) {
    REQUIRE(x.shape() == Shape{2, 3, 4});
    for (index_t i = 0; i < 2; ++i)
      for (index_t j = 0; j < 3; ++j)
        for (index_t k = 0; k < 4; ++k) CHECK(x(i, j, k) == factor * T(100 * i + 10 * j + k));
  };
  same(columns, 1);
  same(rows, 1);
  same(columns * T(2), 2);
  same(rows + rows, 2);
  CHECK(Tensor<T, 0>(columns.sum())() == doctest::Approx(double(Tensor<T, 0>(rows.sum())())));
  const Tensor<T, 2> middle = columns.chip(1, 1);
  CHECK(middle.shape() == Shape{2, 4});
  CHECK(middle(1, 3) == 113);
  const Tensor<T, 1> edge = Eigen::Tensor<T, 1>(columns.chip(1, 0).chip(2, 0));
  CHECK(edge.to_vector() == std::vector<T>{120, 121, 122, 123});
  const Tensor<T, 3> empty = Eigen::Tensor<T, 3>(2, 0, 4);
  CHECK(empty.shape() == Shape{2, 0, 4});
  auto view = borrow(rows);
  CHECK(view.data() == rows.data());
  same(view, 1);
  const auto moved = borrow(std::move(rows));
  same(moved, 1);
}

TEST_CASE("eigen: variables and parameters take expressions, and their gradients come back as matrices") {
  const auto m = numbered<ColumnMajorMatrix<double>>(2, 3);
  const Variable<double, 2> x(m, true);
  CHECK(x.requires_grad());
  check_numbered<double>(x.value(), 2, 3, 1);
  const Parameter<double, 2> p(m * 2.0);
  check_numbered<double>(p.value(), 2, 3, 2);
  const Tensor<double, 2> seed = m.array() + 1;
  x.backward(seed);
  auto gradient = eigen(x.grad());
  static_assert(std::is_same_v<decltype(gradient), RowMajorMatrix<double>>, "of a temporary: it owns");
  CHECK(gradient == (m.array() + 1).matrix());
  const Eigen::MatrixXd copied = eigen(x.grad());
  CHECK(copied == gradient);
  auto view = eigen(x);
  CHECK(view.data() == x.data());
  static_assert(std::is_const_v<std::remove_pointer_t<decltype(view.data())>>,
                "the value of a variable is not written");
  static_assert(std::is_same_v<decltype(eigen(Variable<double, 1>())), Eigen::Matrix<double, Eigen::Dynamic, 1>>);
  const auto third = eigen(Tensor<float, 3>::full({1, 2, 2}, 3.0f));
  CHECK(third(0, 1, 1) == 3);
}

TEST_CASE("eigen: views by rank, and of one sample") {
  auto vector = Tensor<float, 1>::from({3}, {1, 2, 3});
  CHECK(eigen(vector).dot(vector.eigen()) == 14);
  auto matrix = Tensor<float, 2>::from({2, 2}, {1, 2, 3, 4});
  CHECK(eigen(matrix)(1, 0) == 3);
  CHECK(matrix.tensor_map()(1, 0) == 3);
  auto batch = Tensor<float, 3>::from({2, 1, 2}, {1, 2, 3, 4});
  CHECK(batch.matrix(1)(0, 1) == 4);
  batch.matrix(0).setConstant(9);
  CHECK(batch.to_vector() == std::vector<float>{9, 9, 3, 4});
  CHECK_THROWS_WITH_AS(batch.matrix(2), "matrix: sample 2, expected 0..1", ShapeError);
}

TEST_CASE("borrow: a tensor in the memory of somebody else") {
  std::vector<float> numbers = {0, 1, 2, 3, 4, 5};
  {
    auto x = Tensor<float, 2>::borrow({2, 3}, numbers);
    CHECK(x.data() == numbers.data());
    CHECK(x.defined());
    auto shared = x;
    shared(1, 2) = 50;
    CHECK(numbers[5] == 50);
    CHECK(x.shares(shared));
    CHECK_FALSE(x.clone().shares(x));
    const auto part = x.window(3, {3});
    CHECK(part.data() == numbers.data() + 3);
    const Variable<float, 2> v(x, true);
    v.backward(x);  // a gradient may share the seed's memory, but nobody adds to it there
    v.backward(x);
    CHECK(v.grad()(1, 2) == 100);
    CHECK(numbers[5] == 50);
  }
  CHECK(numbers == std::vector<float>{0, 1, 2, 3, 4, 50});  // still ours
  const std::vector<float>& read_only = numbers;
  const auto seen = Tensor<float, 1>::borrow({6}, std::span<const float>(read_only));
  CHECK(seen(5) == 50);
  static_assert(std::is_same_v<decltype(Tensor<float, 1>::borrow({6}, read_only.data())), const Tensor<float, 1>>);
  CHECK(Tensor<float, 2>::borrow({0, 3}, static_cast<float*>(nullptr)).defined());
  CHECK_THROWS_WITH_AS((Tensor<float, 2>::borrow({2, 2}, numbers)), "borrow: 6 numbers, expected 4 of shape (2, 2)",
                       ShapeError);
  CHECK_THROWS_WITH_AS((Tensor<float, 2>::borrow({2, 2}, static_cast<float*>(nullptr))),
                       "borrow: shape (2, 2) and no memory: a null pointer", ShapeError);
}

TEST_CASE("borrow: an owner lives as long as the last that sees its memory") {
  bool gone = false;
  double numbers[2] = {3, 4};
  Array<double> last;
  {
    const std::shared_ptr<Witness> owner(new Witness{gone});
    const auto x = Tensor<double, 1>::borrow({2}, numbers, owner);
    const Variable<double, 1> v(x);
    last = v.value().window(1, {1});
  }
  CHECK_FALSE(gone);
  CHECK(last.first() == 4);
  last = {};
  CHECK(gone);
}

TEST_CASE("borrow: matrices, maps and blocks, row-major and without gaps") {
  auto matrix = numbered<RowMajorMatrix<float>>(3, 4);
  auto x = borrow(matrix);
  CHECK(x.data() == matrix.data());
  check_numbered<float>(x, 3, 4, 1);
  x(0, 0) = 7;
  CHECK(matrix(0, 0) == 7);
  const auto& read_only = matrix;
  static_assert(std::is_same_v<decltype(borrow(read_only)), const Tensor<float, 2>>);
  CHECK(borrow(read_only).data() == matrix.data());
  CHECK(borrow(Eigen::Map<RowMajorMatrix<float>>(matrix.data(), 4, 3)).shape() == Shape{4, 3});
  auto rows = matrix.middleRows(1, 2);
  CHECK(borrow(rows)(1, 3) == 23);
  auto corner = matrix.leftCols(2);
  CHECK_THROWS_WITH_AS(borrow(corner), "borrow: the strides are 4 and 1, expected 2 and 1: copy it, Tensor x = matrix",
                       ShapeError);
  Eigen::VectorXf vector = Eigen::VectorXf::Constant(5, 2);
  CHECK(borrow(vector).shape() == Shape{5});
  auto column = matrix.col(1);
  CHECK_THROWS_AS(borrow(column), ShapeError);

  const float* const at = vector.data();
  Tensor<float, 1> kept;
  {
    Eigen::VectorXf ends = std::move(vector);
    kept = borrow(std::move(ends));
  }
  CHECK(kept.data() == at);  // moved in, not copied
  CHECK(kept(4) == 2);
}

}  // namespace eigen_test
