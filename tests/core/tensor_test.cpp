#include "lacuna/core/tensor.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <set>

#include "lacuna/core/mask.hpp"

using namespace lacuna;

TEST_CASE("tensor: copies share, clones do not") {
  auto a = Tensor<float, 2>::from({2, 3}, {1, 2, 3, 4, 5, 6});
  Tensor<float, 2> shared = a;
  const Tensor<float, 2> apart = a.clone();
  a(1, 2) = 60;
  CHECK(shared(1, 2) == 60);
  CHECK(apart(1, 2) == 6);
  CHECK(a.shares(shared));
  CHECK_FALSE(a.shares(apart));
  CHECK(a.to_vector() == std::vector<float>{1, 2, 3, 4, 5, 60});
  CHECK(reinterpret_cast<std::uintptr_t>(a.data()) % 64 == 0);
}

TEST_CASE("tensor: reshape shares the numbers and keeps their count") {
  auto a = Tensor<double, 2>::from({2, 3}, {1, 2, 3, 4, 5, 6});
  auto b = a.reshape(std::array<index_t, 3>{3, 1, 2});
  CHECK(b(2, 0, 1) == 6);
  b(0, 0, 0) = -1;
  CHECK(a(0, 0) == -1);
  CHECK_THROWS_WITH_AS(a.reshape(std::array<index_t, 2>{2, 2}), "reshape: (2, 3) has 6 elements, (2, 2) has 4",
                       ShapeError);
}

TEST_CASE("array: a window shares its part and stays inside") {
  Array<int> all(Shape{6});
  all.assign(std::vector<int>{0, 1, 2, 3, 4, 5});
  Array<int> part = all.window(2, Shape{1, 3});
  CHECK(part.to_vector() == std::vector<int>{2, 3, 4});
  part.data()[0] = 20;
  CHECK(all.data()[2] == 20);
  CHECK(all.window(6, Shape{0}).size() == 0);
  CHECK_THROWS_AS(all.window(4, Shape{3}), ShapeError);
  CHECK_THROWS_AS(all.window(-1, Shape{1}), ShapeError);
  CHECK_THROWS_AS(all.window(1, Shape{std::numeric_limits<index_t>::max()}), ShapeError);
  // the storage lives as long as its last window
  Array<int> rest;
  {
    Array<int> owner(Shape{4});
    owner.assign(std::vector<int>{7, 8, 9, 10});
    rest = owner.window(3, Shape{});
  }
  CHECK(rest.to_vector() == std::vector<int>{10});
}

TEST_CASE("tensor: scalars, empty ones, undefined ones") {
  const Tensor<float, 2> undefined;
  CHECK_FALSE(undefined.defined());
  CHECK(undefined.size() == 0);
  CHECK(undefined.to_vector().empty());
  const Tensor<float, 2> empty({0, 4});
  CHECK(empty.defined());
  CHECK(empty.empty());
  CHECK(empty.clone().shape() == Shape{0, 4});
  const auto scalar = Tensor<float, 0>::full({}, 3.5f);
  CHECK(scalar.size() == 1);
  CHECK(scalar() == 3.5f);
}

TEST_CASE("tensor: refuses numbers that do not fit") {
  CHECK_THROWS_AS((Tensor<float, 2>::from({2, 2}, {1, 2, 3})), ShapeError);
  CHECK_THROWS_AS((Tensor<float, 1>(Array<float>(Shape{2, 2}))), ShapeError);
  CHECK_THROWS_AS((Tensor<float, 1>({-1})), ShapeError);
  // more bytes than there are addresses: 2^61 doubles would be 2^64 bytes, which is 0 when counted in 64 bits
  CHECK_THROWS_AS((Tensor<double, 1>({index_t(1) << 61})), ShapeError);
  CHECK_THROWS_AS((Tensor<float, 1>({std::numeric_limits<index_t>::max()})), ShapeError);
}

TEST_CASE("block pool: rounds up by at most a quarter or to the next 64, one size per class") {
  std::set<std::pair<int, std::size_t>> classes;
  std::size_t last = 0;
  for (std::size_t bytes = 1; bytes < 5000000; bytes += bytes / 97 + 1) {
    int group = -1;
    const std::size_t rounded = detail::BlockPool::round(bytes, group);
    CHECK(rounded >= bytes);
    CHECK(rounded % detail::BlockPool::alignment == 0);
    CHECK(rounded <= std::max<std::size_t>(bytes + 63, bytes + bytes / 4));
    CHECK(rounded >= last);
    CHECK((group >= 0 && group < 260));
    classes.insert({group, rounded});
    last = rounded;
  }
  std::set<int> groups;
  for (const auto& [group, size] : classes) CHECK(groups.insert(group).second);
}

TEST_CASE("block pool: a freed block serves the next request of its class") {
  auto& pool = detail::BlockPool::instance();
  { const Tensor<float, 1> first({1000}); }
  const std::size_t before = pool.system_calls();
  for (int i = 0; i < 100; ++i) const Tensor<float, 1> again({990 + i % 10});
  CHECK(pool.system_calls() == before);
  Cpu::trim();
  const Tensor<float, 1> after({1000});
  CHECK(after.defined());
}

TEST_CASE("tensor: a clone of one without numbers has none") {
  const Mask<2> all;
  CHECK_FALSE(all.clone().defined());
  auto a = Tensor<float, 2>::full({2, 3}, 1);
  const auto b = std::move(a);
  CHECK_FALSE(a.clone().defined());
  CHECK(b.clone()(1, 2) == 1);
  CHECK(Tensor<float, 2>::zeros({0, 3}).clone().shape() == Shape{0, 3});
}

TEST_CASE("mask: from lengths") {
  const std::vector<index_t> lengths{2, 0, 3};
  const Mask<2> mask = mask_from_lengths(lengths, 3);
  CHECK(mask.to_vector() == std::vector<std::uint8_t>{1, 1, 0, 0, 0, 0, 1, 1, 1});
  CHECK(mask_from_lengths(lengths, 5).shape() == Shape{3, 5});
  CHECK(mask_from_lengths({}, 3).shape() == Shape{0, 3});
  CHECK_THROWS_WITH_AS(mask_from_lengths(lengths, 2), "mask_from_lengths: length 3 of sample 2 is outside 0..2",
                       ShapeError);
  CHECK_THROWS_AS(mask_from_lengths(std::vector<index_t>{-1}, 2), ShapeError);
}
