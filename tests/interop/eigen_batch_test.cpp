#include "lacuna/interop/eigen_batch.hpp"

#include <doctest/doctest.h>

namespace eigen_batch_test {
namespace {

using namespace lacuna;

template <class Matrix>
void there_and_back() {
  using T = typename Matrix::Scalar;
  std::vector<Matrix> list;
  for (const Eigen::Index frames : {2, 0, 3, 1}) {
    Matrix m(frames, 2);
    for (Eigen::Index t = 0; t < frames; ++t) m.row(t).setConstant(T(10 * frames + t)), m(t, 1) = T(-1);
    list.push_back(m);
  }
  list[1].resize(0, 0);
  const data::Stream<T> batch = padded_batch(list);
  CHECK(batch.frames.shape() == Shape{4, 3, 2});
  CHECK(batch.present.to_vector() == std::vector<std::uint8_t>{1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0});
  CHECK(batch.frames(0, 1, 0) == 21);
  CHECK(batch.frames(2, 2, 0) == 32);
  CHECK(batch.frames(2, 2, 1) == -1);
  CHECK(batch.frames(0, 2, 0) == 0);
  CHECK(batch.frames(1, 0, 1) == 0);
  const auto again = matrices_of(batch);
  REQUIRE(again.size() == 4);
  for (std::size_t b : {0u, 2u, 3u}) CHECK(again[b] == list[b].matrix());
  CHECK(again[1].rows() == 0);
  CHECK(again[1].cols() == 2);
}

}  // namespace

TEST_CASE("eigen batch: matrices of different lengths, and an absent one, there and back") {
  there_and_back<Eigen::MatrixXf>();
  there_and_back<RowMajorMatrix<double>>();
  there_and_back<Eigen::Array<float, Eigen::Dynamic, Eigen::Dynamic>>();
}

TEST_CASE("eigen batch: one sample, one frame, all absent, none") {
  const auto one = padded_batch(std::vector<Eigen::MatrixXf>{Eigen::MatrixXf::Constant(1, 3, 2)});
  CHECK(one.frames.shape() == Shape{1, 1, 3});
  CHECK(one.present(0, 0) == 1);
  const auto absent = padded_batch(std::vector<Eigen::MatrixXf>(2), 3);
  CHECK(absent.frames.shape() == Shape{2, 1, 3});
  CHECK(absent.present.to_vector() == std::vector<std::uint8_t>{0, 0});
  CHECK(padded_batch(std::vector<Eigen::MatrixXf>(2, Eigen::MatrixXf(0, 4))).frames.shape() == Shape{2, 1, 4});
  CHECK(padded_batch(std::vector<Eigen::MatrixXf>(), 3).frames.shape() == Shape{0, 1, 3});
  CHECK_THROWS_WITH_AS(
      padded_batch(std::vector<Eigen::MatrixXf>(2)),
      "padded_batch: none of 2 matrices has a column; say how many features there are, padded_batch(list, 74)",
      ShapeError);
  const std::vector<Eigen::MatrixXf> odd = {Eigen::MatrixXf(2, 3), Eigen::MatrixXf(2, 4)};
  CHECK_THROWS_WITH_AS(padded_batch(odd), "padded_batch: matrix 1 of 2 has 4 columns, expected 3 as before it",
                       ShapeError);
  CHECK_THROWS_AS(padded_batch(std::vector<Eigen::MatrixXf>{Eigen::MatrixXf(2, 3)}, 5), ShapeError);
}

TEST_CASE("eigen batch: frames that are absent in between are left out") {
  auto batch = padded_batch(std::vector<Eigen::MatrixXf>{Eigen::Vector3f(1, 2, 3)});
  batch.present(0, 1) = 0;
  batch.frames(0, 1, 0) = NAN;
  const auto back = matrices_of(batch);
  CHECK(back[0] == Eigen::Vector2f(1, 3));
  CHECK_THROWS_AS(matrices_of(batch.frames, Mask<2>::zeros({1, 2})), ShapeError);
}

}  // namespace eigen_batch_test
