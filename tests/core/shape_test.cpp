#include "lacuna/core/shape.hpp"

#include <doctest/doctest.h>

#include <limits>

using lacuna::index_t;
using lacuna::Shape;
using lacuna::ShapeError;

TEST_CASE("shape: sizes, axes from either end, rows and columns") {
  const Shape shape{2, 3, 4};
  CHECK(shape.rank() == 3);
  CHECK(shape.size() == 24);
  CHECK(shape[0] == 2);
  CHECK(shape[-1] == 4);
  CHECK(shape[-3] == 2);
  CHECK(shape.rows() == 6);
  CHECK(shape.columns() == 4);
  CHECK(to_string(shape) == "(2, 3, 4)");
  const Shape scalar;
  CHECK(scalar.rank() == 0);
  CHECK(scalar.size() == 1);
  CHECK(scalar.rows() == 1);
  CHECK(scalar.columns() == 1);
  CHECK(to_string(scalar) == "()");
  const Shape empty{3, 0, 2};
  CHECK(empty.size() == 0);
  CHECK(empty.rows() == 0);
}

TEST_CASE("shape: equality is of rank and of every axis") {
  CHECK(Shape{2, 3} == Shape{2, 3});
  CHECK_FALSE(Shape{2, 3} == Shape{3, 2});
  CHECK_FALSE(Shape{2, 3} == Shape{2, 3, 1});
  CHECK_FALSE(Shape{} == Shape{1});
}

TEST_CASE("shape: refuses what is no shape") {
  CHECK_THROWS_WITH_AS((Shape{2, -1}), "shape: axis 1 has negative length -1", ShapeError);
  CHECK_THROWS_AS((Shape{1, 1, 1, 1, 1, 1, 1, 1, 1}), ShapeError);
  const index_t big = index_t(1) << 31;
  CHECK(Shape{big, big}.size() == (index_t(1) << 62));
  CHECK_THROWS_WITH_AS((Shape{big, big, 2}), "shape: the number of elements overflows 64 bits", ShapeError);
  CHECK_THROWS_AS((Shape{std::numeric_limits<index_t>::max(), 2}), ShapeError);
  CHECK(Shape{std::numeric_limits<index_t>::max(), 1}.size() == std::numeric_limits<index_t>::max());
}

TEST_CASE("shape: checks name the operation, the argument and both shapes") {
  CHECK_NOTHROW(lacuna::detail::expect_shape("add", "b", Shape{2}, Shape{2}));
  CHECK_THROWS_WITH_AS(lacuna::detail::expect_shape("add", "b", Shape{2}, Shape{2, 1}),
                       "add: b has shape (2), expected (2, 1)", ShapeError);
  CHECK_THROWS_WITH_AS(lacuna::detail::expect_axis("linear", "x", Shape{2, 5}, -1, 4),
                       "linear: axis 1 of x (2, 5) must be 4", ShapeError);
}
