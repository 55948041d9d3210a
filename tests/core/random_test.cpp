#include "lacuna/core/random.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

using namespace lacuna;

namespace {

std::vector<std::uint32_t> words(const PhiloxBlock& block) {
  return {block.word[0], block.word[1], block.word[2], block.word[3]};
}
std::uint64_t join(std::uint32_t low, std::uint32_t high) { return std::uint64_t(high) << 32 | low; }

/// mean and variance of n draws
std::pair<double, double> moments(const std::vector<double>& x) {
  double mean = 0, variance = 0;
  for (const double number : x) mean += number;
  mean /= double(x.size());
  for (const double number : x) variance += (number - mean) * (number - mean);
  return {mean, variance / double(x.size())};
}

}  // namespace

TEST_CASE("philox: known answers of Random123 (kat_vectors, philox4x32 with 10 rounds)") {
  using Words = std::vector<std::uint32_t>;
  CHECK(words(philox(0, 0, 0)) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const std::uint64_t ones = ~std::uint64_t(0);
  CHECK(words(philox(ones, ones, ones)) == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(words(philox(join(0x243f6a88, 0x85a308d3), join(0x13198a2e, 0x03707344), join(0xa4093822, 0x299f31d0))) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("random stream: a number is a function of key, stream and index") {
  const RandomStream stream{5, 9};
  for (std::uint64_t i = 0; i < 9; ++i) CHECK(stream.word(i) == philox(i / 4, 9, 5).word[i % 4]);
  // 53 bits from words 2i and 2i + 1
  for (std::uint64_t i = 0; i < 5; ++i) {
    const double expected =
        (double(stream.word(2 * i) >> 5) * 67108864.0 + double(stream.word(2 * i + 1) >> 6)) / 9007199254740992.0;
    CHECK(stream.uniform(i) == expected);
  }
  CHECK(RandomStream{5, 10}.word(0) != stream.word(0));
  CHECK(RandomStream{6, 9}.word(0) != stream.word(0));
}

TEST_CASE("random: uniform and normal have their moments") {
  const int n = 400000;
  const RandomStream stream{1, 2};
  std::vector<double> uniform, normal;
  for (int i = 0; i < n; ++i) {
    uniform.push_back(stream.uniform(std::uint64_t(i)));
    normal.push_back(stream.normal(std::uint64_t(i)));
  }
  CHECK(*std::min_element(uniform.begin(), uniform.end()) >= 0);
  CHECK(*std::max_element(uniform.begin(), uniform.end()) < 1);
  const double root = std::sqrt(double(n));  // bounds: five standard errors
  const auto [um, uv] = moments(uniform);
  CHECK(std::abs(um - 0.5) < 5 * std::sqrt(1.0 / 12) / root);
  CHECK(std::abs(uv - 1.0 / 12) < 5 * std::sqrt(1.0 / 180) / root);
  const auto [nm, nv] = moments(normal);
  CHECK(std::abs(nm) < 5 / root);
  CHECK(std::abs(nv - 1) < 5 * std::sqrt(2.0) / root);
  double third = 0, fourth = 0, beyond = 0, neighbours = 0;
  for (std::size_t i = 0; i < normal.size(); ++i) {
    third += std::pow(normal[i], 3);
    fourth += std::pow(normal[i], 4);
    beyond += std::abs(normal[i]) > 1.959963984540054;
    if (i > 0) neighbours += normal[i] * normal[i - 1];
  }
  CHECK(std::abs(third / n) < 5 * std::sqrt(15.0) / root);
  CHECK(std::abs(fourth / n - 3) < 5 * std::sqrt(96.0) / root);
  CHECK(std::abs(beyond / n - 0.05) < 5 * std::sqrt(0.05 * 0.95) / root);
  CHECK(std::abs(neighbours / n) < 5 / root);
}

TEST_CASE("random: streams differ, a state of two numbers continues where it was, splitting changes nothing") {
  Random a(7), b(7), c(8);
  CHECK(a.uniform() == b.uniform());
  CHECK(a.uniform() != c.uniform());
  std::set<std::uint64_t> keys;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) keys.insert(Random(seed).key());
  CHECK(keys.size() == 1000);
  const Random kept(a.key(), a.next());
  Random again = kept;
  const Random child = a.split(3);
  CHECK(a.uniform() == again.uniform());
  CHECK(child.key() != a.key());
  CHECK(child.key() == a.split(3).key());
  CHECK(child.key() != a.split(4).key());
  CHECK(child.key() != b.split(2).key());
}

TEST_CASE("random: whole numbers and permutations are uniform") {
  Random random(11);
  std::vector<int> counts(5);
  const int n = 20000;
  for (int i = 0; i < n; ++i) ++counts[std::size_t(random.below(5))];
  double chi = 0;
  for (const int count : counts) chi += std::pow(count - n / 5.0, 2) / (n / 5.0);
  CHECK(chi < 25);  // 4 degrees of freedom: above 25 once in 20 000
  CHECK(random.below(1) == 0);

  std::map<std::vector<index_t>, int> orders;
  for (int i = 0; i < 24000; ++i) ++orders[random.permutation(4)];
  CHECK(orders.size() == 24);
  chi = 0;
  for (const auto& [order, count] : orders) chi += std::pow(count - 1000.0, 2) / 1000.0;
  CHECK(chi < 60);  // 23 degrees of freedom: above 60 once in 30 000
  std::vector<index_t> order = random.permutation(1000);
  std::sort(order.begin(), order.end());
  for (index_t i = 0; i < 1000; ++i) CHECK(order[std::size_t(i)] == i);
  CHECK(random.permutation(0).empty());
  CHECK(random.permutation(1) == std::vector<index_t>{0});
  const double x = random.uniform(-2, 3);
  CHECK((x >= -2 && x < 3));
}
