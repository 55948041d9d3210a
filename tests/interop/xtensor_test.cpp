#include <doctest/doctest.h>

// xtensor is optional: without it there is nothing to test.
#if !__has_include(<xtensor/xadapt.hpp>) && !__has_include(<xtensor/containers/xadapt.hpp>)
TEST_CASE("xtensor: views and expressions" * doctest::description("xtensor is not installed") * doctest::skip()) {}
#else

#include "lacuna/interop/xtensor.hpp"

using namespace lacuna;

TEST_CASE_TEMPLATE("xtensor: a view shares the memory of the tensor", T, float, double) {
  auto x = Tensor<T, 3>::from({2, 3, 2}, {0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121});
  auto view = as_xtensor(x);
  REQUIRE(view.dimension() == 3);
  CHECK(view.shape()[1] == 3);
  CHECK(view(1, 2, 0) == 120);
  CHECK(&view(0, 0, 0) == x.data());
  view(1, 2, 0) = 7;
  CHECK(x(1, 2, 0) == 7);
  xt::view(view, 0, xt::all(), 1) *= T(2);
  CHECK(x(0, 2, 1) == 42);
  CHECK(x(0, 2, 0) == 20);
  CHECK(double(xt::amax(view)()) == 121);
}

TEST_CASE("xtensor: expressions become tensors, in C order") {
  const auto x = Tensor<float, 2>::from({2, 3}, {1, 2, 3, 4, 5, 6});
  const auto view = as_xtensor(x);
  CHECK(from_xtensor<float, 2>(view).to_vector() == x.to_vector());
  CHECK(!from_xtensor<float, 2>(view).shares(x));
  const auto turned = from_xtensor<float, 2>(xt::transpose(view));
  CHECK(turned.shape() == Shape{3, 2});
  CHECK(turned.to_vector() == std::vector<float>{1, 4, 2, 5, 3, 6});
  CHECK(from_xtensor<double, 1>(xt::mean(view, {1})).to_vector() == std::vector<double>{2, 5});
  CHECK(from_xtensor<std::uint8_t, 2>(view > 3.f).to_vector() == std::vector<std::uint8_t>{0, 0, 0, 1, 1, 1});
  const xt::xarray<float, xt::layout_type::column_major> columns = view;
  CHECK(from_xtensor<float, 2>(columns).to_vector() == x.to_vector());
  CHECK(from_xtensor<float, 0>(xt::sum(view))() == 21);
  CHECK_THROWS_AS((from_xtensor<float, 1>(columns)), ShapeError);
}

TEST_CASE("xtensor: an empty tensor and a batch of one") {
  Tensor<float, 2> empty(std::array<index_t, 2>{0, 4});
  CHECK(as_xtensor(empty).size() == 0);
  CHECK(from_xtensor<float, 2>(as_xtensor(empty)).shape() == Shape{0, 4});
  auto one = Tensor<float, 3>::full({1, 1, 1}, 5);
  CHECK(as_xtensor(one)(0, 0, 0) == 5);
}

#endif
