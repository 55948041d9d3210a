#include "lacuna/nn/linear.hpp"

#include <doctest/doctest.h>

#include "support/oracle.hpp"

namespace {

using namespace lacuna;
using test::OracleBlocks;

const OracleBlocks linears("nn_blocks.npz", {"linear"});

template <int R, class Case>
void linear_case(Case& c) {
  using T = typename Case::scalar;
  const auto x = c.template leaf<R>("in/x");
  const auto weight = c.template leaf<2>("par/weight");
  const auto bias = c.has("par/bias") ? c.template leaf<1>("par/bias") : Variable<T, 1>();
  c.out("y", linear(x, weight, bias));
}

}  // namespace

TEST_CASE("linear: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(linears, [](auto& c) { c.rank("in/x") == 2 ? linear_case<2>(c) : linear_case<3>(c); });
}

TEST_CASE("linear: large products agree with three loops, in every tiling") {
  for (const auto [rows, in, out] :
       {std::array<index_t, 3>{301, 67, 95}, {37, 130, 301}, {1, 300, 500}, {500, 300, 1}}) {
    Random random(4);
    const Variable<double, 2> x(init::uniform<double, 2>({rows, in}, 1.0, random), true);
    const Variable<double, 2> w(init::uniform<double, 2>({out, in}, 1.0, random), true);
    const Variable<double, 1> b(init::uniform<double, 1>({out}, 1.0, random), true);
    const auto seed = init::uniform<double, 2>({rows, out}, 1.0, random);
    const auto y = linear(x, w, b);
    double worst = 0;
    Tensor<double, 2> dx = Tensor<double, 2>::zeros({rows, in}), dw = Tensor<double, 2>::zeros({out, in});
    std::vector<double> db(std::size_t(out), 0.0);
    for (index_t i = 0; i < rows; ++i)
      for (index_t o = 0; o < out; ++o) {
        double expected = b.value()(o);
        for (index_t k = 0; k < in; ++k) {
          expected += x.value()(i, k) * w.value()(o, k);
          dx(i, k) += seed(i, o) * w.value()(o, k);
          dw(o, k) += seed(i, o) * x.value()(i, k);
        }
        db[std::size_t(o)] += seed(i, o);
        worst = std::max(worst, std::abs(expected - y.value()(i, o)));
      }
    CHECK(worst < 1e-12);
    y.backward(seed);
    const auto difference = [](const std::vector<double>& p, const std::vector<double>& q) {
      return test::relative_error(p, q, 1.0);
    };
    CHECK(difference(x.grad().to_vector(), dx.to_vector()) < 1e-13);
    CHECK(difference(w.grad().to_vector(), dw.to_vector()) < 1e-13);
    CHECK(difference(b.grad().to_vector(), db) < 1e-13);
  }
}

TEST_CASE("linear: refuses what does not fit, names it, and starts within its bound") {
  Random random(1);
  const Linear<float> layer({.in_features = 16, .out_features = 9}, random);
  CHECK_THROWS_WITH_AS(layer(Variable<float, 2>(Tensor<float, 2>::zeros({3, 15}))),
                       "linear: axis 1 of x (3, 15) must be 16", ShapeError);
  CHECK_THROWS_AS(linear(Variable<float, 2>(Tensor<float, 2>::zeros({3, 16})), layer.weight,
                         Variable<float, 1>(Tensor<float, 1>::zeros({8}))),
                  ShapeError);
  CHECK_THROWS_AS(Linear<float>({.in_features = 0, .out_features = 3}, random), OptionError);
  CHECK_THROWS_AS(Mlp<float>({.sizes = {4}}, random), OptionError);
  float largest = 0;
  for (const float number : layer.weight.value().to_vector()) largest = std::max(largest, std::abs(number));
  CHECK(largest <= 0.25f);
  CHECK(largest > 0.2f);
  CHECK_FALSE((Linear<float>({.in_features = 2, .out_features = 2, .bias = false}, random).bias.defined()));
}
