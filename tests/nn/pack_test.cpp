#include "lacuna/nn/pack.hpp"

#include <doctest/doctest.h>

#include "lacuna/nn/linear.hpp"
#include "lacuna/ops/elementwise.hpp"
#include "lacuna/optim/clip.hpp"

using namespace lacuna;

namespace {

struct Tied {
  Linear<float> layer;
  static void reflect(auto& self, auto&& visit) {
    visit("first", self.layer);
    visit("second", self.layer);
  }
};

Mlp<double> model() {
  Random random(3);
  return Mlp<double>({.sizes = {3, 4, 2}, .dropout = 0}, random);
}
Variable<double, 0> loss(const Mlp<double>& m) {
  Random random(5);
  return sum(m(Variable<double, 2>(init::uniform<double, 2>({6, 3}, 2.0, random)), {}));
}

}  // namespace

TEST_CASE("pack: one buffer, seats of 64 numbers in the order of reflection; the module computes what it did") {
  auto m = model();
  const double before = loss(m).item();
  const auto packed = pack<double>(m);
  const std::vector<std::string> expected{"layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"};
  const std::vector<index_t> sizes{3 * 4, 4, 4 * 2, 2};
  CHECK(packed.size() == 4 * 64);
  REQUIRE(packed.segments.size() == 4);
  CHECK(loss(m).item() == before);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(packed.segments[i].path == expected[i]);
    CHECK(packed.segments[i].offset == index_t(i) * 64);
    CHECK(packed.segments[i].size == sizes[i]);
    CHECK(std::uintptr_t(packed.segments[i].node->value.data()) % 64 == 0);
  }
  CHECK(m.layers[0].weight.shape() == Shape{4, 3});
  // both ways: the buffer is the parameter
  Array<double> values = packed.values;
  values.data()[0] = 42;
  CHECK(m.layers[0].weight.value()(0, 0) == 42);
  m.layers[1].bias.mutable_data()[1] = -7;
  CHECK(packed.values.to_vector()[3 * 64 + 1] == -7);
}

TEST_CASE("pack: gradients arrive in their buffer, are added up and forgotten; between them stand zeros") {
  auto m = model();
  loss(m).backward();
  std::vector<double> apart;
  for_each_parameter(m, [&](const std::string&, const auto& p) {
    const auto numbers = p.grad().to_vector();
    apart.insert(apart.end(), numbers.begin(), numbers.end());
    apart.resize((apart.size() + 63) / 64 * 64, 0.0);
  });
  const auto packed = pack<double>(m);
  CHECK_FALSE(m.layers[0].weight.has_grad());  // gradients of before are forgotten
  loss(m).backward();
  CHECK(packed.gradients.to_vector() == apart);
  loss(m).backward();
  const auto twice = packed.gradients.to_vector();
  for (std::size_t i = 0; i < twice.size(); ++i) CHECK(twice[i] == doctest::Approx(2 * apart[i]));
  packed.zero_grad();
  CHECK_FALSE(m.layers[0].weight.has_grad());
  loss(m).backward();
  CHECK(packed.gradients.to_vector() == apart);
}

TEST_CASE("pack: a copy of a packed module is separate; packing again shares the buffers") {
  auto m = model();
  const auto first = pack<double>(m);
  auto copy = m;
  m.layers[0].bias.mutable_data()[0] = 9;
  CHECK(copy.layers[0].bias.value()(0) != 9);
  CHECK_FALSE(pack<double>(copy).values.beside(first.values));
  loss(m).backward();
  const auto second = pack<double>(m);
  CHECK(second.values.shares(first.values));
  CHECK(second.gradients.shares(first.gradients));
  CHECK(second.size() == first.size());
  CHECK(m.layers[0].weight.has_grad());  // nothing was moved
  const auto part = pack<double>(m.layers[1]);
  CHECK(part.size() == 2 * 64);
  CHECK(part.values.beside(first.values));
  part.expect_seated("part");
}

TEST_CASE("pack: a larger module takes its parts along, and what was packed before knows it") {
  std::vector<Mlp<double>> all{model(), model()};
  const auto part = pack<double>(all[1]);
  CHECK(part.seated());
  const auto whole = pack<double>(all);
  CHECK(whole.seated());
  CHECK(whole.size() == 8 * 64);
  CHECK_FALSE(part.seated());
  CHECK_THROWS_AS(part.expect_seated("an average"), Error);
  CHECK(pack<double>(all[1]).values.beside(whole.values));
}

TEST_CASE("pack: one parameter under two names is refused") {
  Random random(1);
  Tied tied{Linear<float>({.in_features = 2, .out_features = 2}, random)};
  CHECK_THROWS_WITH_AS(pack<float>(tied), "pack: second.weight and first.weight are one parameter", Error);
}

TEST_CASE("gradient norm: over parameters that have a gradient") {
  auto m = model();
  const auto packed = pack<double>(m);
  CHECK(gradient_norm(packed) == 0);
  loss(m).backward();
  double squares = 0;
  for (const double g : packed.gradients.to_vector()) squares += g * g;
  CHECK(gradient_norm(packed) == doctest::Approx(std::sqrt(squares)).epsilon(1e-14));
  packed.zero_grad();
  CHECK(gradient_norm(packed) == 0);
  CHECK(clip_factor(4.0, 1.0) == doctest::Approx(1 / 4.000001));
  CHECK(clip_factor(0.5, 1.0) == 1);
  CHECK(clip_factor(0.0, 1.0) == 1);
}
