/// Optimizers, averages and clipping built from a model: what is deduced, and who shares which parameters.
#include <doctest/doctest.h>

#include <cmath>
#include <optional>
#include <vector>

#include "lacuna/io/parameters.hpp"
#include "lacuna/losses/regression.hpp"
#include "lacuna/nn/linear.hpp"
#include "lacuna/nn/norm.hpp"
#include "lacuna/optim/adam.hpp"
#include "lacuna/optim/average.hpp"
#include "lacuna/optim/hooks.hpp"
#include "lacuna/optim/sgd.hpp"

namespace {

using namespace lacuna;

/// A struct of a user's own, in double.
struct TwoParts {
  using scalar = double;
  Linear<double> body, head;
  std::optional<Linear<double>> extra;

  explicit TwoParts(std::uint64_t seed) {
    Random random(seed);
    body = Linear<double>({3, 4}, random);
    head = Linear<double>({4, 2}, random);
  }
  Variable<double, 0> loss() const {
    const Variable<double, 2> x(Tensor<double, 2>::from({2, 3}, {1, 2, -1, 0.5, 0, 3}));
    return mse_loss(head(body(x, Activation::tanh)), Variable<double, 2>(Tensor<double, 2>::zeros({2, 2})));
  }
  static void reflect(auto& self, auto&& visit) {
    visit("body", self.body);
    visit("head", self.head);
    visit("extra", self.extra);
  }
};
struct PlainNet {
  Linear<float> layer;
  static void reflect(auto& self, auto&& visit) { visit("layer", self.layer); }
};

struct PairOfLeaves {
  using scalar = double;
  Parameter<double, 1> a{Tensor<double, 1>::from({2}, {1, 2})}, b{Tensor<double, 1>::from({2}, {3, 4})};
  static void reflect(auto& self, auto&& visit) { visit("a", self.a), visit("b", self.b); }
};

std::vector<double> all_numbers(const TwoParts& model) {
  std::vector<double> all;
  for_each_parameter(model, [&](const std::string&, const auto& p) {
    for (const double x : p.value().to_vector()) all.push_back(x);
  });
  return all;
}
/// One step of gradient descent by hand: p − rate · g.
std::vector<double> descended(const TwoParts& model, double rate) {
  const TwoParts copy = model;
  copy.loss().backward();
  std::vector<double> all;
  for_each_parameter(copy, [&](const std::string&, const auto& p) {
    const auto x = p.value().to_vector(), g = p.grad().to_vector();
    for (std::size_t i = 0; i < x.size(); ++i) all.push_back(x[i] - rate * g[i]);
  });
  return all;
}
void check_close(const std::vector<double>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == doctest::Approx(expected[i]).epsilon(1e-14));
}

}  // namespace

TEST_CASE("optimizer of a model: numbers and device are deduced") {
  Random random(1);
  Linear<double> layer({2, 2}, random);
  std::vector<Linear<float>> list;
  list.emplace_back(Linear<float>::Options{2, 2}, random);
  PlainNet plain{Linear<float>({2, 2}, random)};
  TwoParts own(1);
  const auto packed = pack<double>(layer);
  static_assert(std::is_same_v<decltype(optim::AdamW(layer)), optim::AdamW<double>>);
  static_assert(std::is_same_v<decltype(optim::Adam(list)), optim::Adam<float>>);
  static_assert(std::is_same_v<decltype(optim::Sgd(plain, {.momentum = 0.9})), optim::Sgd<float>>);
  static_assert(std::is_same_v<decltype(optim::Sgd(own)), optim::Sgd<double>>);
  static_assert(std::is_same_v<decltype(optim::Adam(packed)), optim::Adam<double>>);
  static_assert(std::is_same_v<decltype(optim::Ema(own)), optim::Ema<double>>);
  optim::AdamW optimizer(own, {.learning_rate = 1e-3, .weight_decay = 1e-2}, {{"*.bias", 1, 0}});
  CHECK(optimizer.packed().segments.size() == 4);
  CHECK(optimizer.learning_rate() == 1e-3);
}

TEST_CASE("optimizer of a model: the loop of the documentation; the same bits as over a packed model") {
  TwoParts model(3), other(3);
  optim::AdamW optimizer(model, {.learning_rate = 1e-2, .weight_decay = 1e-2});
  const auto packed = pack<double>(other);
  optim::AdamW<double> reference(packed, {.weight_decay = 1e-2});
  const double start = model.loss().item();
  for (int step = 0; step < 50; ++step) {
    optimizer.zero_grad();
    model.loss().backward();
    const double norm = clip_gradient_norm(model, 0.5);
    CHECK(norm >= 0);
    optimizer.set_learning_rate(1e-2 / (1 + step));
    optimizer.step();
    packed.zero_grad();
    other.loss().backward();
    CHECK(clip_gradient_norm(packed, 0.5) == norm);
    reference.set_learning_rate(1e-2 / (1 + step));
    reference.step();
  }
  CHECK(all_numbers(model) == all_numbers(other));
  CHECK(model.loss().item() < 0.9 * start);
}

TEST_CASE("optimizer of a model: two of them, and one of a part, share the parameters") {
  TwoParts model(4);
  optim::Sgd whole(model, {.learning_rate = 0.1});
  optim::Sgd part(model.head, {.learning_rate = 0.2});
  optim::Ema average(model, {.decay = 0});
  CHECK(part.packed().values.beside(whole.packed().values));  // in the buffer of the whole
  CHECK(average.values().size() == whole.packed().size());
  const auto expected = descended(model, 0.1);
  model.loss().backward();
  whole.step();
  check_close(all_numbers(model), expected);
  const auto before = all_numbers(model);
  const std::vector<double> g = model.head.bias.grad().to_vector();
  part.step();
  const auto after = all_numbers(model);
  CHECK(std::vector(after.begin(), after.begin() + 16) == std::vector(before.begin(), before.begin() + 16));
  for (std::size_t i = 0; i < 2; ++i) CHECK(after[24 + i] == doctest::Approx(before[24 + i] - 0.2 * g[i]));
  average.update();
  CHECK(average.values().to_vector() == whole.packed().values.to_vector());
}

TEST_CASE("optimizer of a model: one of a part goes on when the whole is packed later; an average says so") {
  TwoParts model(5), same(5);
  optim::Adam part(model.head, {.learning_rate = 0.1}), expected(same.head, {.learning_rate = 0.1});
  optim::Ema average(model.head);
  const auto step = [](TwoParts& m, auto& optimizer) {
    zero_grad(m);
    m.loss().backward();
    optimizer.step();
  };
  step(model, part);
  step(same, expected);
  const optim::Sgd whole(model);
  CHECK(whole.packed().seated());
  CHECK_FALSE(part.packed().seated());
  for (int i = 0; i < 3; ++i) {
    step(model, part);
    step(same, expected);
  }
  CHECK(all_numbers(model) == all_numbers(same));
  CHECK_THROWS_AS(average.update(), Error);
  CHECK_THROWS_AS(average.swap(), Error);
}

TEST_CASE("optimizer of a model: a copy of the model is another model") {
  TwoParts model(6);
  optim::Sgd optimizer(model, {.learning_rate = 0.1});
  TwoParts copy = model;
  const auto before = all_numbers(copy), expected = descended(model, 0.1);
  model.loss().backward();
  optimizer.step();
  check_close(all_numbers(model), expected);
  CHECK(all_numbers(copy) == before);
  optim::Sgd of_copy(copy, {.learning_rate = 0.1});
  CHECK_FALSE(of_copy.packed().values.beside(optimizer.packed().values));
  copy.loss().backward();
  of_copy.step();
  check_close(all_numbers(copy), expected);
  const TwoParts moved = std::move(model);  // the parameters go along
  optimizer.zero_grad();
  const auto next = descended(moved, 0.1);
  moved.loss().backward();
  optimizer.step();
  check_close(all_numbers(moved), next);
}

TEST_CASE("clipping of a model: packed or not, the same norms and gradients") {
  TwoParts loose(7), packed(7);
  pack<double>(packed);
  loose.loss().backward();
  packed.loss().backward();
  double squares = 0, largest = 0;
  for_each_parameter(loose, [&](const std::string&, const auto& p) {
    for (const double g : p.grad().to_vector()) squares += g * g, largest = std::max(largest, std::abs(g));
  });
  CHECK(gradient_norm(loose) == doctest::Approx(std::sqrt(squares)).epsilon(1e-14));
  CHECK(gradient_norm(packed) == doctest::Approx(std::sqrt(squares)).epsilon(1e-14));
  CHECK(gradient_norm(packed, std::numeric_limits<double>::infinity()) == largest);
  const double limit = 0.5 * std::sqrt(squares);
  CHECK(clip_gradient_norm(loose, limit) == doctest::Approx(std::sqrt(squares)).epsilon(1e-14));
  CHECK(clip_gradient_norm(packed, limit) == doctest::Approx(std::sqrt(squares)).epsilon(1e-14));
  CHECK(gradient_norm(loose) == doctest::Approx(limit).epsilon(1e-5));
  check_close(loose.head.weight.grad().to_vector(), packed.head.weight.grad().to_vector());
  clip_gradient_value(loose, 1e-3);
  CHECK(gradient_norm(loose, std::numeric_limits<double>::infinity()) == doctest::Approx(1e-3));
}

TEST_CASE("clipping of a model: a gradient that is shared with another parameter is clipped once") {
  PairOfLeaves pair;
  (pair.a + pair.b).backward(Tensor<double, 1>::from({2}, {3, 4}));
  CHECK(clip_gradient_norm(pair, std::sqrt(0.5)) == doctest::Approx(std::sqrt(50.0)));
  CHECK_THROWS_AS(clip_gradient_norm(pair, -1), OptionError);  // it would turn the gradients round
  CHECK_THROWS_AS(clip_gradient_norm(pair, NAN), OptionError);
  CHECK_THROWS_AS(clip_factor(1.0, -1e-9), OptionError);
  CHECK(clip_factor(1.0, HUGE_VAL) == 1);
  for (const auto& g : {pair.a.grad(), pair.b.grad()}) {
    CHECK(g(0) == doctest::Approx(0.3).epsilon(1e-5));
    CHECK(g(1) == doctest::Approx(0.4).epsilon(1e-5));
  }
}

TEST_CASE("optimizers leave buffers alone: decay, averages of others and freezing do not touch running statistics") {
  BatchNorm<double> norm({.num_features = 3});
  CHECK(count_parameters(norm) == 6);
  optim::Sgd optimizer(norm, {.learning_rate = 0.1, .weight_decay = 1});
  CHECK(optimizer.packed().segments.size() == 2);
  CHECK_THROWS_AS(optim::Sgd(norm, {}, {{.pattern = "running_*"}}), OptionError);
  freeze(norm, false);
  CHECK_FALSE(norm.running_mean.requires_grad());
  Random random(1);
  const Variable<double, 2> x(Tensor<double, 2>::from({2, 3}, {1, 2, 3, 5, 6, 9}));
  const auto before = norm.running_variance.value().to_vector();
  sum(square(norm(x, Context::train(random)))).backward();
  const auto mean = norm.running_mean.value().to_vector();
  CHECK(mean == std::vector<double>{0.1 * 3, 0.1 * 4, 0.1 * 6});
  CHECK(norm.running_variance.value().to_vector() != before);
  optimizer.step();
  CHECK(norm.running_mean.value().to_vector() == mean);
  CHECK(norm.weight.value()(0) != 1);
  // stored and loaded with the model, and copied with it
  const State state = io::parameters_of(norm);
  BatchNorm<double> again({.num_features = 3}), copy = norm;
  io::load_parameters(again, state);
  CHECK(again.running_mean.value().to_vector() == mean);
  CHECK(copy.running_mean.value().to_vector() == mean);
  copy.running_mean.mutable_data()[0] = 9;
  CHECK(norm.running_mean.value().to_vector() == mean);
}

TEST_CASE("modules: an optional member is named when it is there") {
  TwoParts model(8);
  const auto names = [](const auto& m) {
    std::vector<std::string> all;
    for_each_parameter(m, [&](const std::string& path, const auto&) { all.push_back(path); });
    return all;
  };
  CHECK(names(model) == std::vector<std::string>{"body.weight", "body.bias", "head.weight", "head.bias"});
  Random random(1);
  model.extra.emplace(Linear<double>::Options{2, 1}, random);
  CHECK(names(model).size() == 6);
  CHECK(names(model)[4] == "extra.weight");
  const TwoParts& constant = model;
  CHECK(count_parameters(constant) == 12 + 4 + 8 + 2 + 3);
  const State state = io::parameters_of(model);
  TwoParts lacking(9);
  CHECK_THROWS_AS(io::load_parameters(lacking, state), IoError);
  CHECK_THROWS_AS(io::load_parameters(model, io::parameters_of(lacking)), IoError);
}
