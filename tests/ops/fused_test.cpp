/// The fused forms of dropout give the numbers of the operations that they replace, and the same bits on any thread.
#include <doctest/doctest.h>

#include <cmath>

#include "lacuna/nn/linear.hpp"

namespace {

using namespace lacuna;

template <class T>
Variable<T, 2> waves(index_t rows, index_t columns, double step) {
  Tensor<T, 2> x({rows, columns});
  for (index_t i = 0; i < x.size(); ++i) x.data()[i] = T(std::sin(step * double(i + 1)));
  return Variable<T, 2>(x, true);
}

/// Value and gradients of one call, with a random source of its own.
template <class T, class F>
std::vector<std::vector<T>> run(const std::vector<Variable<T, 2>>& inputs, F&& f) {
  Random random(11);
  for (const auto& x : inputs) x.zero_grad();
  const auto y = f(Context::train(random));
  sum(y * y).backward();
  std::vector<std::vector<T>> all{y.value().to_vector()};
  for (const auto& x : inputs) all.push_back(x.grad().to_vector());
  return all;
}

}  // namespace

TEST_CASE_TEMPLATE("linear_relu_dropout: linear, relu and dropout in one", T, float, double) {
  for (const auto [rows, in, out] :
       {std::array<index_t, 3>{1, 1, 1}, {0, 3, 2}, {5, 7, 90}, {300, 20, 65}, {40, 8, 3000}}) {
    const auto x = waves<T>(rows, in, 0.7), weight = waves<T>(out, in, 1.3);
    const Variable<T, 1> bias(Tensor<T, 1>::full({out}, T(0.1)));
    const auto fused =
        run<T>({x, weight}, [&](const Context& c) { return linear_relu_dropout(x, weight, bias, 0.3, c); });
    const auto apart = run<T>(
        {x, weight}, [&](const Context& c) { return dropout(linear(x, weight, bias, Activation::relu), 0.3, c); });
    CHECK(fused == apart);
    for (const int threads : {2, 3}) {
      set_threads(threads);
      CHECK(run<T>({x, weight}, [&](const Context& c) { return linear_relu_dropout(x, weight, bias, 0.3, c); }) ==
            fused);
    }
    set_threads(1);
    const auto still = linear_relu_dropout(x, weight, bias, 0.3, Context{});
    CHECK(still.value().to_vector() == linear(x, weight, bias, Activation::relu).value().to_vector());
  }
  set_threads(0);
  const auto x = waves<T>(2, 3, 0.7), weight = waves<T>(4, 5, 1.3);
  Random random(1);
  CHECK_THROWS_AS(linear_relu_dropout(x, weight, Variable<T, 1>(), 0.3, Context::train(random)), ShapeError);
  CHECK_THROWS_AS(linear_relu_dropout(x, waves<T>(4, 3, 1), Variable<T, 1>(), 1.0, Context::train(random)),
                  OptionError);
}

TEST_CASE_TEMPLATE("add_dropout: the sum with a dropped branch", T, float, double) {
  for (const auto [rows, columns] : {std::array<index_t, 2>{1, 1}, {0, 4}, {3, 50}, {400, 50}}) {
    const auto x = waves<T>(rows, columns, 0.7), f = waves<T>(rows, columns, 1.3);
    const auto fused = run<T>({x, f}, [&](const Context& c) { return add_dropout(x, f, 0.4, c); });
    CHECK(fused == run<T>({x, f}, [&](const Context& c) { return x + dropout(f, 0.4, c); }));
    for (const int threads : {1, 2, 3}) {
      set_threads(threads);
      CHECK(run<T>({x, f}, [&](const Context& c) { return add_dropout(x, f, 0.4, c); }) == fused);
    }
    set_threads(0);
  }
  Random random(1);
  CHECK_THROWS_AS(add_dropout(waves<T>(2, 3, 1), waves<T>(3, 2, 1), 0.3, Context::train(random)), ShapeError);
}

TEST_CASE("sixteen blocks at once are the sixteen blocks, across a carry too") {
  for (const std::uint64_t first : {std::uint64_t(0), std::uint64_t(0xfffffffa), std::uint64_t(1) << 40}) {
    PhiloxLanes lanes;
    lanes.fill(first, 0x123456789abcdef0, 0xfedcba9876543210);
    for (std::size_t l = 0; l < 16; ++l) {
      const PhiloxBlock block = philox(first + l, 0x123456789abcdef0, 0xfedcba9876543210);
      for (std::size_t w = 0; w < 4; ++w) CHECK(lanes.word[16 * w + l] == block.word[w]);
    }
  }
}
