#include "lacuna/optim/adam.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "lacuna/core/threads.hpp"
#include "lacuna/nn/linear.hpp"
#include "lacuna/ops/elementwise.hpp"

using namespace lacuna;
using optim::Adam, optim::AdamOptions, optim::AdamW, optim::AdamWOptions;

namespace {

template <class T>
struct Two {
  Parameter<T, 1> a{Tensor<T, 1>::from({3}, {1, -2, 0.5})}, b{Tensor<T, 1>::from({2}, {3, 4})};
  static void reflect(auto& self, auto&& visit) {
    visit("a", self.a);
    visit("b", self.b);
  }
  /// Gives a the gradient g.
  void pull(double g) const { sum(scale(a, g)).backward(); }
};

/// One parameter by the textbook.
struct Textbook {
  double p, m = 0, v = 0;
  int t = 0;

  void step(double g, double rate, const AdamOptions& o) { step(g, rate, o, o.weight_decay, 0); }
  void step(double g, double rate, const AdamWOptions& o) { step(g, rate, o, 0, o.weight_decay); }
  void step(double g, double rate, const auto& o, double coupled, double decoupled) {
    ++t;
    const double start = p;
    g += coupled * p;
    m = o.beta1 * m + (1 - o.beta1) * g;
    v = o.beta2 * v + (1 - o.beta2) * g * g;
    p = start - rate * decoupled * start -
        rate * (m / (1 - std::pow(o.beta1, t))) / (std::sqrt(v / (1 - std::pow(o.beta2, t))) + o.epsilon);
  }
};

}  // namespace

TEST_CASE("adam: steps by the textbook, decay coupled and decoupled") {
  const auto check = []<class Optimizer>(const auto& options, std::type_identity<Optimizer>) {
    Two<double> model;
    Optimizer optimizer(model, options);
    std::vector<Textbook> expected{{1}, {-2}, {0.5}};
    for (int step = 0; step < 10; ++step) {
      const double g = std::sin(3.0 * step), rate = 0.01 * (step + 1);
      optimizer.zero_grad();
      model.pull(g);
      optimizer.set_learning_rate(rate);
      optimizer.step();
      for (std::size_t i = 0; i < 3; ++i) {
        expected[i].step(g, rate, options);
        CHECK(model.a.value()(index_t(i)) == doctest::Approx(expected[i].p).epsilon(1e-13));
      }
    }
  };
  for (const AdamOptions options :
       {AdamOptions{}, AdamOptions{.beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-3}, AdamOptions{.weight_decay = 0.1}})
    check(options, std::type_identity<Adam<double>>());
  for (const AdamWOptions options :
       {AdamWOptions{}, AdamWOptions{.weight_decay = 0}, AdamWOptions{.weight_decay = 0.1}})
    check(options, std::type_identity<AdamW<double>>());
}

TEST_CASE("adam: a parameter without a gradient is left alone, decay included, and its clock stands still") {
  Two<double> model;
  const auto packed = pack<double>(model);
  const AdamOptions options{.learning_rate = 0.1, .weight_decay = 0.1};
  Adam<double> adam(packed, options);
  model.pull(1);
  for (int i = 0; i < 3; ++i) adam.step();
  CHECK(model.b.value().to_vector() == std::vector<double>{3, 4});
  // its first step is a first step, though the other one is at its fourth
  sum(model.b).backward();
  adam.step();
  Textbook expected{3};
  expected.step(1, 0.1, options);
  CHECK(model.b.value()(0) == doctest::Approx(expected.p).epsilon(1e-13));
}

TEST_CASE("adam: a frozen parameter gets no gradient and does not move; a clipping factor scales the gradient") {
  Two<double> model;
  const auto packed = pack<double>(model);
  Adam<double> adam(packed, {.learning_rate = 0.1});
  model.b.freeze();
  (sum(scale(model.a, 4)) + sum(model.b)).backward();
  adam.step_scaled(0.25);
  CHECK(model.b.value().to_vector() == std::vector<double>{3, 4});
  Textbook expected{1};
  expected.step(1, 0.1, AdamOptions{});
  CHECK(model.a.value()(0) == doctest::Approx(expected.p).epsilon(1e-14));
  CHECK(adam.first_moment().data()[0] == doctest::Approx(0.1));
  CHECK(adam.second_moment().data()[0] == doctest::Approx(0.001));
}

TEST_CASE("adam: the same bits with any number of threads") {
  const auto train = [] {
    Random random(3);
    Linear<float> model({.in_features = 301, .out_features = 257}, random);
    const auto packed = pack<float>(model);
    Adam<float> adam(packed, {.learning_rate = 1e-2, .weight_decay = 1e-3});
    for (int step = 0; step < 3; ++step) {
      packed.zero_grad();
      sum(multiply(model.weight, model.weight)).backward();
      adam.step();
    }
    return packed.values.to_vector();
  };
  set_threads(1);
  const auto one = train();
  for (const int count : {2, 3, 8}) {
    set_threads(count);
    CHECK(train() == one);
  }
  set_threads(0);
}

TEST_CASE("adam: refuses constants out of range") {
  Two<float> model;
  const auto packed = pack<float>(model);
  const auto build = [&](AdamOptions options) { Adam<float>(packed, options); };
  CHECK_NOTHROW(build({}));
  CHECK_THROWS_AS(build({.beta1 = 1}), OptionError);
  CHECK_THROWS_AS(build({.beta1 = -0.1}), OptionError);
  CHECK_THROWS_AS(build({.beta2 = NAN}), OptionError);
  CHECK_THROWS_AS(build({.epsilon = -1}), OptionError);
  CHECK_THROWS_AS(build({.weight_decay = -1}), OptionError);
  CHECK_THROWS_AS(build({.learning_rate = NAN}), OptionError);
  CHECK_THROWS_AS(build({.learning_rate = -1}), OptionError);
  CHECK_THROWS_AS(AdamW<float>(packed, {.weight_decay = NAN}), OptionError);
  Adam<float> adam(packed);
  CHECK_THROWS_AS(adam.set_learning_rate(-1), OptionError);
  CHECK(adam.learning_rate() == 1e-3);
}
