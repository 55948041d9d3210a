#include "lacuna/interop/eigen.hpp"

#include <doctest/doctest.h>

#include <cstdint>

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
