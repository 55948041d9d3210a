/// Groups, accumulation, parameters without gradients, hooks, averages, and states that continue to the same bits.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/losses/regression.hpp"
#include "lacuna/nn/linear.hpp"
#include "lacuna/optim/adagrad.hpp"
#include "lacuna/optim/adam.hpp"
#include "lacuna/optim/adam_variants.hpp"
#include "lacuna/optim/average.hpp"
#include "lacuna/optim/clip.hpp"
#include "lacuna/optim/hooks.hpp"
#include "lacuna/optim/lamb.hpp"
#include "lacuna/optim/lion.hpp"
#include "lacuna/optim/rmsprop.hpp"
#include "lacuna/optim/sgd.hpp"

namespace {

using namespace lacuna;

struct Net {
  Linear<double> text, head;
  explicit Net(Random random) : text({3, 4}, random), head({4, 2}, random) {}
  Variable<double, 2> operator()(const Variable<double, 2>& x) const { return head(text(x, Activation::tanh)); }
  static void reflect(auto& self, auto&& visit) {
    visit("text", self.text);
    visit("head", self.head);
  }
};

Variable<double, 2> numbers(index_t rows, index_t columns, std::uint64_t id) {
  Tensor<double, 2> x({rows, columns});
  for (index_t i = 0; i < x.size(); ++i) x.data()[i] = RandomStream{11, id}.normal(std::uint64_t(i));
  return Variable<double, 2>(x);
}

/// A net, its buffers, and one batch per step.
struct SmallProblem {
  Net net{Random(4)};
  Packed<double, Cpu> packed = pack<double>(net);

  void backward(std::uint64_t t) {
    packed.zero_grad();
    mse_loss(net(numbers(6, 3, 2 * t)), numbers(6, 2, 2 * t + 1)).backward();
  }
  std::vector<double> values() const { return packed.values.to_vector(); }
};

/// Stops after three of six steps, stores the state, loads it into a new optimizer over a new model, and goes on.
template <class Optimizer, class Options>
void resumes(Options options) {
  SmallProblem straight, first, second;
  Optimizer whole(straight.packed, options), before(first.packed, options), after(second.packed, options);
  for (std::uint64_t t = 0; t < 6; ++t) {
    straight.backward(t);
    whole.step(0.01);
  }
  for (std::uint64_t t = 0; t < 3; ++t) {
    first.backward(t);
    before.step(0.01);
  }
  State state;
  before.save_state(state);
  second.packed.values.assign(first.values());
  after.load_state(state);
  for (std::uint64_t t = 3; t < 6; ++t) {
    second.backward(t);
    after.step(0.01);
  }
  CHECK(second.values() == straight.values());
}

}  // namespace

TEST_CASE("optimizers: a stored state continues to the same bits") {
  resumes<Sgd<double>>(SgdOptions{.momentum = 0.9, .weight_decay = 0.01, .nesterov = true});
  resumes<Adam<double>>(AdamOptions{.weight_decay = 0.01, .amsgrad = true});
  resumes<RAdam<double>>(RAdamOptions{});
  resumes<NAdam<double>>(NAdamOptions{});
  resumes<RmsProp<double>>(RmsPropOptions{.momentum = 0.5, .centered = true});
  resumes<Adagrad<double>>(AdagradOptions{.rate_decay = 0.1});
  resumes<Adadelta<double>>(AdadeltaOptions{});
  resumes<Lion<double>>(LionOptions{});
  resumes<Lamb<double>>(LambOptions{.weight_decay = 0.01});
}

TEST_CASE("optimizers: a state of another optimizer or another model is refused") {
  SmallProblem a, b;
  Sgd<double> sgd(a.packed, {.momentum = 0.9});
  Lion<double> lion(b.packed);
  State state, other;
  sgd.save_state(state);
  CHECK_THROWS_AS(lion.load_state(state), IoError);
  Random random(1);
  Linear<double> small({.in_features = 2, .out_features = 2}, random);
  auto packed = pack<double>(small);
  Sgd<double>(packed, {.momentum = 0.9}).save_state(other);
  CHECK_THROWS_AS(sgd.load_state(other), IoError);
}

TEST_CASE("optimizers: groups have rates and decays of their own") {
  SmallProblem a, b;
  Sgd<double> grouped(a.packed, {.weight_decay = 0.1},
                      {{.pattern = "*.bias", .decay = 0}, {.pattern = "text.*", .rate = 0.5}});
  const auto start = b.values();
  a.backward(0);
  b.backward(0);
  grouped.step(0.2);
  const auto g = b.packed.gradients.to_vector(), found = a.values();
  for (const auto& segment : b.packed.segments) {
    const bool bias = segment.path.ends_with("bias"), text = segment.path.starts_with("text");
    const double rate = text && !bias ? 0.1 : 0.2, decay = bias ? 0 : 0.1;  // the first group that matches
    for (index_t i = segment.offset; i < segment.offset + segment.size; ++i) {
      const auto k = std::size_t(i);
      CHECK(found[k] == doctest::Approx(start[k] - rate * (g[k] + decay * start[k])).epsilon(1e-14));
    }
  }
  CHECK_THROWS_AS(Sgd<double>(a.packed, {}, {{.pattern = "audio.*"}}), OptionError);
}

TEST_CASE("optimizers: gradients of several backward passes add up to those of one") {
  SmallProblem parts, whole;
  const auto x = numbers(6, 3, 1), y = numbers(6, 2, 2);
  const auto half = [](const Variable<double, 2>& v, index_t from) {
    return Variable<double, 2>(Tensor<double, 2>(v.value().window(from * v.extent(1), Shape{3, v.extent(1)})));
  };
  Adam<double> first(parts.packed), second(whole.packed);
  for (const index_t from : {0, 3}) mse_loss(parts.net(half(x, from)), half(y, from)).backward();
  first.step(0.01, 0.5);
  mse_loss(whole.net(x), y).backward();
  second.step(0.01);
  const auto a = parts.values(), b = whole.values();
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i] == doctest::Approx(b[i]).epsilon(1e-10));
}

TEST_CASE("optimizers: what has no gradient is left alone, decay included") {
  SmallProblem p;
  Sgd<double> sgd(p.packed, {.momentum = 0.9, .weight_decay = 0.1});
  p.net.head.weight.freeze();
  const auto before = p.net.head.weight.value().to_vector();
  p.backward(0);
  sgd.step(0.1);
  CHECK(p.net.head.weight.value().to_vector() == before);
  CHECK(sgd.steps() == std::vector<std::uint64_t>{1, 1, 0, 1});
}

TEST_CASE("optimizers: options out of range are refused") {
  SmallProblem p;
  CHECK_THROWS_AS(Adam<double>(p.packed, {.beta1 = 1}), OptionError);
  CHECK_THROWS_AS(Adam<double>(p.packed, {.weight_decay = -1}), OptionError);
  CHECK_THROWS_AS(Sgd<double>(p.packed, {.nesterov = true}), OptionError);
  CHECK_THROWS_AS(Adadelta<double>(p.packed, {.epsilon = 0}), OptionError);
  CHECK_THROWS_AS(Ema<double>(p.packed, {.decay = 2}), OptionError);
  CHECK_THROWS_AS(gradient_norm(p.packed, 3), OptionError);
}

TEST_CASE("gradient norm: NaN is reported wherever it stands, in every norm") {
  SmallProblem p;
  p.backward(0);
  const double largest = gradient_norm(p.packed, std::numeric_limits<double>::infinity());
  CHECK(std::isfinite(largest));
  for_each_parameter(p.net, [&](const std::string& path, auto& parameter) {
    CAPTURE(path);
    double* gradient = const_cast<double*>(parameter.grad().data());
    const double before = std::exchange(gradient[0], double(NAN));
    for (const double norm : {1.0, 2.0, std::numeric_limits<double>::infinity()})
      CHECK(std::isnan(gradient_norm(p.packed, norm)));
    gradient[0] = before;
  });
  CHECK(gradient_norm(p.packed, std::numeric_limits<double>::infinity()) == largest);
}

TEST_CASE("gradient hooks see and change the gradients that match") {
  SmallProblem p;
  std::vector<std::string> seen;
  GradientHooks<double> hooks;
  hooks.add("*.weight", [&](const std::string& path, Array<double>) { seen.push_back(path); });
  hooks.add("head.*", [](const std::string&, Array<double> g) { std::fill_n(g.data(), g.size(), 0.0); });
  p.backward(0);
  hooks(p.packed);
  CHECK(seen == std::vector<std::string>{"text.weight", "head.weight"});
  CHECK(p.net.head.weight.grad().to_vector() == std::vector<double>(8, 0.0));
  CHECK(gradient_norm(p.packed) > 0);
}

TEST_CASE("averages: swap shows the average to the model and gives the weights back; a stored one goes on") {
  SmallProblem p;
  Ema<double> ema(p.packed, {.decay = 0.5});
  Swa<double> swa(p.packed);
  const auto start = p.values();
  std::vector<double> mean(start.size(), 0);
  Adam<double> adam(p.packed);
  for (std::uint64_t t = 0; t < 3; ++t) {
    p.backward(t);
    adam.step(0.1);
    ema.update();
    swa.update();
    const auto now = p.values();
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += now[i] / 3;
  }
  const auto last = p.values();
  for (std::size_t i = 0; i < mean.size(); ++i)
    CHECK(swa.values().data()[i] == doctest::Approx(mean[i]).epsilon(1e-13));
  const auto average = ema.values().to_vector();
  ema.swap();
  CHECK(p.values() == average);
  ema.swap();
  CHECK(p.values() == last);
  State state;
  ema.save_state(state);
  Ema<double> again(p.packed, {.decay = 0.5});
  again.load_state(state);
  CHECK(again.values().to_vector() == average);
  CHECK(again.updates() == 3);
  swa.copy_to_model();
  CHECK(p.values() == swa.values().to_vector());
}

TEST_CASE("path patterns") {
  CHECK(path_matches("*", "a.b"));
  CHECK(path_matches("*.bias", "text.0.bias"));
  CHECK(path_matches("text.*.bias", "text.0.bias"));
  CHECK(path_matches("a", "a"));
  CHECK_FALSE(path_matches("text.*", "head.text.weight"));
  CHECK_FALSE(path_matches("*.bias", "bias"));
  CHECK_FALSE(path_matches("", "a"));
}
