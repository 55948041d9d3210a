#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <thread>

#include "lacuna/autograd/gradcheck.hpp"
#include "lacuna/nn/linear.hpp"
#include "lacuna/nn/pack.hpp"
#include "lacuna/ops/activation.hpp"
#include "lacuna/ops/elementwise.hpp"

using namespace lacuna;

namespace {

Variable<double, 0> number(double value, bool requires_grad = true) {
  return Variable<double, 0>(Tensor<double, 0>::full({}, value), requires_grad);
}
Variable<double, 1> numbers(std::initializer_list<double> values, bool requires_grad = true) {
  return Variable<double, 1>(Tensor<double, 1>::from({index_t(values.size())}, values), requires_grad);
}
double gradient(const Variable<double, 0>& x) { return x.grad().to_vector().at(0); }

}  // namespace

TEST_CASE("graph: a million chained additions go forward, backward and out of scope") {
  const auto start = number(1), step = number(0.5);
  {
    auto x = start;
    for (int i = 0; i < 1000000; ++i) x = x + step;
    CHECK(x.item() == 500001);
    x.backward();
    CHECK(gradient(start) == 1);
    CHECK(gradient(step) == 1e6);
  }
  {  // dropped without a backward
    auto x = start;
    for (int i = 0; i < 1000000; ++i) x = x + step;
    CHECK(x.item() == 500001);
  }
  CHECK(start.node()->references() == 1);  // nothing of either graph is left
  CHECK(step.node()->references() == 1);
  Cpu::trim();
}

TEST_CASE("graph: sixty doublings visit every node once") {
  const auto start = number(1);
  auto x = start;
  for (int i = 0; i < 60; ++i) x = x + x;
  CHECK(x.item() == std::ldexp(1.0, 60));
  x.backward();
  CHECK(gradient(start) == std::ldexp(1.0, 60));
}

TEST_CASE("graph: a node waits for all of its consumers") {
  // y is used by an old and by a new operation; the chain between them is long
  const auto x = number(3);
  const auto y = x * x;
  auto z = y + y;
  for (int i = 0; i < 5; ++i) z = z + y * z;
  const auto f = [&] {
    const auto u = x * x;
    auto v = u + u;
    for (int i = 0; i < 5; ++i) v = v + u * v;
    return v;
  };
  const auto check = check_gradients(f, 1e-5, 0.01, x);
  CHECK(check.worst < 1e-8);
  x.zero_grad();
  z.backward();
  // z = 2u(1 + u)^5, dz/dx = 2x (2(1 + u)^5 + 10u(1 + u)^4) with u = 9
  CHECK(gradient(x) == doctest::Approx(6 * (2 * std::pow(10, 5) + 90 * std::pow(10, 4))));
}

TEST_CASE("graph: NoGrad records nothing, and ends") {
  const auto x = number(2);
  {
    const NoGrad off;
    {
      const NoGrad inner;
      CHECK_FALSE((x * x).requires_grad());
    }
    const auto y = x * x;  // the inner one's end did not switch recording on
    CHECK(y.item() == 4);
    CHECK_FALSE(y.requires_grad());
    CHECK(y.node()->inputs.empty());
    CHECK_THROWS_WITH_AS(y.backward(), "backward: nothing that led here wants a gradient", Error);
  }
  CHECK((x * x).requires_grad());
  try {
    const NoGrad off;
    throw Error("left by an exception");
  } catch (const Error&) {
  }
  CHECK((x * x).requires_grad());
  // another thread records all the while
  const NoGrad off;
  bool elsewhere = false;
  std::thread([&] { elsewhere = (x * x).requires_grad(); }).join();
  CHECK(elsewhere);
}

TEST_CASE("graph: detach stops the gradient and shares the numbers") {
  const auto x = number(3);
  const auto y = x * x.detach();
  y.backward();
  CHECK(gradient(x) == 3);
  CHECK(x.detach().value().shares(x.value()));
  CHECK_FALSE(x.detach().requires_grad());
}

TEST_CASE("graph: constants get no gradient and cost no graph") {
  const auto a = number(2, false), b = number(5, false), x = number(3);
  const auto y = a * b;
  CHECK_FALSE(y.requires_grad());
  CHECK(y.node()->inputs.empty());
  (y * x).backward();
  CHECK(gradient(x) == 10);
  CHECK_FALSE(a.has_grad());
  CHECK(gradient(a) == 0);
}

TEST_CASE("graph: a second backward says what to do") {
  const auto x = number(3);
  const auto y = x * x;
  const auto first = y + y, second = 2.0 * y;
  first.backward();
  CHECK_THROWS_WITH_AS(first.backward(),
                       "backward: this graph was already used and released; run the forward pass again", Error);
  CHECK_THROWS_WITH_AS(second.backward(), "backward: part of this graph was already used and released", Error);
  CHECK(gradient(x) == 12);
}

TEST_CASE("graph: leaves add up the gradients of several graphs, until they are told to forget") {
  const auto x = number(3);
  (x * x).backward();
  (2.0 * x).backward();
  CHECK(gradient(x) == 8);
  x.backward();  // a leaf is its own graph
  CHECK(gradient(x) == 9);
  x.zero_grad();
  CHECK_FALSE(x.has_grad());
  CHECK(gradient(x) == 0);
  (x * x).backward();
  CHECK(gradient(x) == 6);
}

TEST_CASE("graph: backward of a tensor takes a seed of its shape") {
  const auto x = numbers({1, 2, 3});
  const auto y = x * x;
  CHECK_THROWS_AS(y.backward(Tensor<double, 1>::zeros({2})), ShapeError);
  y.backward(Tensor<double, 1>::from({3}, {1, 10, 100}));
  CHECK(x.grad().to_vector() == std::vector<double>{2, 40, 600});
  x.backward(Tensor<double, 1>::from({3}, {1, 1, 1}));
  CHECK(x.grad().to_vector() == std::vector<double>{3, 41, 601});
  CHECK_THROWS_WITH_AS(x.item(), "item: needs one element, the variable has shape (3)", ShapeError);
}

TEST_CASE("graph: empty tensors go through") {
  const auto x = numbers({});
  const auto y = sum(x * x);
  CHECK(y.item() == 0);
  y.backward();
  CHECK(x.grad().size() == 0);
}

TEST_CASE("parameter: a copy is another parameter") {
  Parameter<float, 1> a(Tensor<float, 1>::from({2}, {1, 2}));
  Parameter<float, 1> b = a, c;
  c = a;
  a.mutable_data()[0] = 10;
  CHECK(b.value().to_vector() == std::vector<float>{1, 2});
  CHECK(c.value().to_vector() == std::vector<float>{1, 2});
  sum(b).backward();
  CHECK(b.has_grad());
  CHECK_FALSE(a.has_grad());
  const float* data = a.data();
  const Parameter<float, 1> moved = std::move(a);
  CHECK(moved.data() == data);
  b.freeze();
  CHECK_FALSE(b.requires_grad());
  CHECK_FALSE(Parameter<float, 1>(b).requires_grad());
  b = *&b;  // of itself: nothing happens
  CHECK(b.value().to_vector() == std::vector<float>{1, 2});
  const Parameter<float, 1> undefined;
  CHECK_FALSE(Parameter<float, 1>(undefined).defined());
}

TEST_CASE("graph: several threads build and differentiate their own at once") {
  const auto work = [](std::uint64_t seed) {
    Random random(seed);
    Mlp<double> model({.sizes = {6, 20, 5}, .dropout = 0.3}, random);
    const auto packed = pack<double>(model);
    for (int step = 0; step < 20; ++step) {
      const Variable<double, 2> x(init::uniform<double, 2>({9, 6}, 1.0, random));
      sum(model(x, Context::train(random))).backward();
    }
    return packed.gradients.to_vector();
  };
  std::vector<std::vector<double>> alone, together(4);
  for (std::uint64_t seed = 0; seed < 4; ++seed) alone.push_back(work(seed));
  std::vector<std::thread> team;
  for (std::uint64_t seed = 0; seed < 4; ++seed) team.emplace_back([&, seed] { together[seed] = work(seed); });
  for (auto& member : team) member.join();
  for (std::size_t i = 0; i < 4; ++i) CHECK(together[i] == alone[i]);
  CHECK(alone[0] != alone[1]);
}

TEST_CASE("graph: one const model serves several threads") {
  Random random(3);
  const Mlp<float> model({.sizes = {6, 20, 5}, .dropout = 0.3}, random);
  const Variable<float, 2> x(init::uniform<float, 2>({9, 6}, 1.0, random));
  const std::vector<float> expected = model(x, {}).value().to_vector();
  std::atomic<int> wrong{0};
  std::vector<std::thread> team;
  for (int i = 0; i < 4; ++i)
    team.emplace_back([&] {
      const NoGrad off;
      for (int k = 0; k < 200; ++k)
        if (model(x, {}).value().to_vector() != expected) ++wrong;
    });
  for (auto& member : team) member.join();
  CHECK(wrong == 0);
  for_each_parameter(model,
                     [](const std::string&, const auto& parameter) { CHECK(parameter.node()->references() == 1); });
}

TEST_CASE("block pool: the steady state of training asks the system for nothing") {
  Random random(3);
  Mlp<float> model({.sizes = {20, 50, 30}, .dropout = 0.3}, random);
  const auto packed = pack<float>(model);
  const auto step = [&] {
    packed.zero_grad();
    const Variable<float, 2> x(init::uniform<float, 2>({17, 20}, 1.0, random));
    mean(tanh(model(x, Context::train(random)))).backward();
  };
  for (int i = 0; i < 3; ++i) step();
  const std::size_t before = detail::BlockPool::instance().system_calls();
  for (int i = 0; i < 50; ++i) step();
  CHECK(detail::BlockPool::instance().system_calls() == before);
}

TEST_CASE("graph: a gradient that is handed on as it is stays apart from what others add to theirs") {
  const Variable<double, 1> a(Tensor<double, 1>::from({3}, {1, 2, 3}), true), b(a.value().clone(), true);
  const auto y = a + b;  // both get the gradient of y
  const auto z = sum(2.0 * y) + sum(3.0 * a);
  z.backward();
  CHECK(a.grad().to_vector() == std::vector<double>{5, 5, 5});
  CHECK(b.grad().to_vector() == std::vector<double>{2, 2, 2});
  const auto kept = b.grad();
  sum(a + b).backward();  // leaves add up, in memory of their own
  CHECK(a.grad().to_vector() == std::vector<double>{6, 6, 6});
  CHECK(b.grad().to_vector() == std::vector<double>{3, 3, 3});
  CHECK(kept.to_vector() == std::vector<double>{2, 2, 2});
  a.zero_grad();
  sum(a + b).backward();
  CHECK(a.grad().to_vector() == std::vector<double>{1, 1, 1});
  CHECK(b.grad().to_vector() == std::vector<double>{4, 4, 4});
}

TEST_CASE("graph: the seed of a backward pass is not changed by it") {
  const Variable<double, 1> x(Tensor<double, 1>::from({2}, {1, 2}), true);
  const auto seed = Tensor<double, 1>::from({2}, {10, 20});
  (x + x).backward(seed);
  CHECK(x.grad().to_vector() == std::vector<double>{20, 40});
  CHECK(seed.to_vector() == std::vector<double>{10, 20});
  sum(x + x).backward();
  sum(x).backward();
  CHECK(x.grad().to_vector() == std::vector<double>{23, 43});
}
TEST_CASE("graph: a value that no way back reads goes with the last look at it, and its shape stays") {
  const auto x = numbers({1, 2, 3});
  auto doubled = 2.0 * x, other = exp(x);
  const auto sum_node = doubled.node(), product_node = other.node();
  const auto y = x + doubled, z = x * other;
  CHECK(sum_node->value.defined());
  doubled = {}, other = {};
  CHECK_FALSE(sum_node->value.defined());
  CHECK(sum_node->shape() == Shape{3});
  CHECK(product_node->value.defined());  // the way back through the product reads it
  sum(y + 0.0 * z).backward();
  CHECK(x.grad().to_vector() == std::vector<double>{3, 3, 3});
}
TEST_CASE("graph: a gradient is written over only where nobody else sees it") {
  const auto weight = Variable<double, 2>(Tensor<double, 2>::from({2, 2}, {1, 2, -3, 4}), true);
  const auto x = Variable<double, 2>(Tensor<double, 2>::from({2, 2}, {1, -1, 0.5, 2}), true);
  const auto seed = Tensor<double, 2>::from({2, 2}, {5, 6, 7, 8});
  const auto gradients = [&](bool shared) {
    x.zero_grad(), weight.zero_grad();
    const auto y = linear(x, weight, Variable<double, 1>(), Activation::tanh);
    if (shared)
      (y + x).backward(seed);  // both get the seed itself
    else
      y.backward(seed);
    return std::pair(x.grad().to_vector(), weight.grad().to_vector());
  };
  const auto alone = gradients(false), together = gradients(true);
  CHECK(seed.to_vector() == std::vector<double>{5, 6, 7, 8});
  CHECK(alone.second == together.second);
  for (std::size_t i = 0; i < 4; ++i) CHECK(together.first[i] == doctest::Approx(alone.first[i] + seed.data()[i]));
}

TEST_CASE("graph: of a tensor without numbers there is no variable") {
  auto a = Tensor<float, 2>::full({2, 3}, 1);
  const Variable<float, 2> there(std::move(a));
  const Tensor<float, 2> b = std::move(a);
  CHECK(there.defined());
  CHECK(Variable<float, 2>(Tensor<float, 2>::zeros({0, 3})).defined());
  for (const Tensor<float, 2>& none : {a, Tensor<float, 2>()}) {
    const Variable<float, 2> x(none, true);
    CHECK_FALSE(x.defined());
    CHECK_THROWS_AS(there + x, ShapeError);
    CHECK_THROWS_AS(exp(x), ShapeError);
    CHECK_THROWS_WITH_AS(
        (Parameter<float, 2>(none).extents()),
        "undefined variable: it holds no numbers; was a module, parameter or input never given its size, "
        "or moved from?",
        ShapeError);
  }
}
