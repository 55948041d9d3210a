/// Recomputation, anomaly mode and graph printing.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "lacuna/autograd/anomaly.hpp"
#include "lacuna/autograd/dot.hpp"
#include "lacuna/autograd/recompute.hpp"
#include "lacuna/nn/linear.hpp"
#include "lacuna/ops/elementwise.hpp"

namespace {

using namespace lacuna;

struct TwoLayers {
  Linear<double> first, second;
  explicit TwoLayers(Random& random)
      : first({.in_features = 3, .out_features = 4}, random), second({.in_features = 4, .out_features = 2}, random) {}
  Variable<double, 2> operator()(const Variable<double, 2>& x) const { return second(tanh(first(x))); }
  static void reflect(auto& self, auto&& visit) {
    visit("first", self.first);
    visit("second", self.second);
  }
};

Variable<double, 2> input(bool requires_grad = true) {
  Random random(3);
  return Variable<double, 2>(init::normal<double, 2>({5, 3}, 1.0, random), requires_grad);
}

std::vector<std::vector<double>> gradients(const TwoLayers& model) {
  std::vector<std::vector<double>> all;
  for_each_parameter(model, [&](const std::string&, const auto& p) { all.push_back(p.grad().to_vector()); });
  return all;
}

template <class F>
std::string anomaly_message(F&& f) {
  try {
    f();
  } catch (const AnomalyError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("recompute: the same values and gradients, bit by bit") {
  Random random(1);
  const TwoLayers model(random);
  const auto plain = input(), recomputed = input(), frozen = input(false);
  const auto y = model(plain);
  sum(y * y).backward();
  const auto expected = gradients(model);
  zero_grad(model);
  const auto z = recompute([&](const auto& x) { return model(x); }, recomputed);
  CHECK(z.value().to_vector() == y.value().to_vector());
  sum(z * z).backward();
  CHECK(gradients(model) == expected);
  CHECK(recomputed.grad().to_vector() == plain.grad().to_vector());

  zero_grad(model);  // an input that wants nothing does not cut the parameters off
  const auto w = recompute([&](const auto& x) { return model(x); }, frozen);
  sum(w * w).backward();
  CHECK(gradients(model) == expected);

  freeze(model);  // and nothing is recorded where nothing wants a gradient
  CHECK_FALSE(recompute([&](const auto& x) { return model(x); }, frozen).requires_grad());
  const NoGrad off;
  CHECK_FALSE(recompute([&](const auto& x) { return model(x); }, recomputed).requires_grad());
}

TEST_CASE("recompute: several inputs, one inside the other, gradients that add up") {
  const auto a = input(), b = input();
  const auto product = [](const auto& x, const auto& y) { return sum(x * y); };
  const auto nested = [&](const auto& x, const auto& y) {
    return recompute(product, x, y) + recompute([](const auto& v) { return sum(v * v); }, x);
  };
  const auto total = recompute(nested, a, b) + sum(a);
  total.backward();
  const std::vector<double> x = a.value().to_vector(), da = a.grad().to_vector(), db = b.grad().to_vector();
  for (std::size_t i = 0; i < x.size(); ++i) {
    CHECK(da[i] == doctest::Approx(3 * x[i] + 1).epsilon(1e-14));  // b holds the numbers of a
    CHECK(db[i] == doctest::Approx(x[i]).epsilon(1e-14));
  }
}

TEST_CASE("recompute: dropout is drawn the same way again, and the source moves on once") {
  const auto plain = input(), recomputed = input();
  const auto f = [](const auto& x, const Context& context) { return dropout(dropout(x, 0.5, context), 0.3, context); };
  Random first(9), second(9);
  sum(f(plain, Context::train(first))).backward();
  const auto y = recompute(f, Context::train(second), recomputed);
  CHECK(first.next() == second.next());
  sum(y).backward();
  CHECK(first.next() == second.next());
  CHECK(plain.grad().to_vector() == recomputed.grad().to_vector());
  DropoutTape tape({});
  CHECK_THROWS_AS(recompute(f, Context{Mode::training, nullptr, &tape}, recomputed), OptionError);
}

TEST_CASE("anomaly: a forward value is traced to its operation and the parameters behind it") {
  Random random(1);
  const TwoLayers model(random);
  const Anomaly<double> anomaly(model);
  const auto x = input();
  anomaly.backward(sum(model(x)));  // nothing wrong: the usual gradients
  CHECK(model.first.weight.has_grad());

  model.second.bias.mutable_data()[1] = std::numeric_limits<double>::infinity();
  CHECK(anomaly_message([&] { anomaly.backward(sum(tanh(model(x)))); }) ==
        "anomaly: parameter second.bias (2) holds inf at element 1");
  model.second.bias.mutable_data()[1] = 0;
  model.second.weight.mutable_data()[0] = 1e300;
  model.second.weight.mutable_data()[1] = 1e300;
  const std::string text = anomaly_message([&] { anomaly.backward(sum(1e20 * model(x))); });
  CHECK_MESSAGE(text.starts_with("anomaly: 'scale' (5, 2) gave "), text);
  CHECK_MESSAGE(text.ends_with("from 'linear' (5, 2); behind it: second.weight, second.bias, first.weight, first.bias"),
                text);
}

TEST_CASE("anomaly: a gradient is traced to the backward that made it") {
  Random random(1);
  const TwoLayers model(random);
  const Anomaly<double> anomaly(model);
  const auto y = model(input());
  // finite values, but a slope that is not: the square root at zero
  const auto root = [](const Variable<double, 2>& v) {
    Tensor<double, 2> value = Tensor<double, 2>::zeros(v.value().extents());
    return record(
        "root", value,
        [v](const Tensor<double, 2>& dy) {
          for (index_t i = 0; i < dy.size(); ++i) v.gradient_slot().put(i, dy.data()[i] / 0.0);
        },
        v);
  };
  const std::string text = anomaly_message([&] { anomaly.backward(sum(root(y))); });
  CHECK_MESSAGE(text.find("the backward of 'root' (5, 2) gave ") != std::string::npos, text);
  CHECK_MESSAGE(text.find("of the gradient of 'linear' (5, 2)") != std::string::npos, text);
  CHECK_MESSAGE(text.find("behind it: second.weight, second.bias") != std::string::npos, text);
}

TEST_CASE("dot: operations, shapes and parameter paths, each once") {
  Random random(1);
  const TwoLayers model(random);
  const auto x = input(false);
  const auto y = model(x);
  const std::string text = to_dot(sum(y + y), parameter_names<double>(model));
  const auto count = [&](const std::string& piece) {
    int found = 0;
    for (std::size_t at = text.find(piece); at != std::string::npos; at = text.find(piece, at + 1)) ++found;
    return found;
  };
  CHECK(text.starts_with("digraph lacuna {"));
  CHECK(count("label=\"first.weight\\n(4, 3)\", shape=box") == 1);
  CHECK(count("label=\"linear\\n(5, 2)\"") == 1);
  CHECK(count("label=\"constant\\n(5, 3)\", style=dashed") == 1);
  CHECK(count(" -> ") == 3 + 1 + 3 + 2 + 1);  // two layers, tanh, the sum of y with itself, the sum over it
}
