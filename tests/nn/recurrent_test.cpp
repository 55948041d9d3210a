/// GRU and LSTM against the oracle.
#include "lacuna/nn/recurrent.hpp"

#include <doctest/doctest.h>

#include "lacuna/core/mask.hpp"
#include "support/oracle.hpp"

namespace {

using namespace lacuna;
using test::OracleBlocks;

const OracleBlocks recurrences("nn_blocks.npz", {"gru", "lstm"});

}  // namespace

TEST_CASE("gru, lstm: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(recurrences, [](auto& c) {
    using T = typename std::decay_t<decltype(c)>::scalar;
    Random random(1);
    RecurrentNetwork<T> layer(c.block() == "gru" ? Recurrence::gru : Recurrence::lstm,
                              {.in = c.shape("par/w_ih")[1],
                               .hidden = c.shape("par/w_hh")[1],
                               .bidirectional = c.flag("arg/bidirectional"),
                               .bias = c.has("par/b_ih")},
                              random);
    for (std::size_t d = 0; d < layer.cells.size(); ++d) {
      const std::string end = d == 1 ? "_reverse" : "";
      auto& cell = layer.cells[d];
      c.seat("par/w_ih" + end, cell.weight_x);
      c.seat("par/w_hh" + end, cell.weight_h);
      if (!c.has("par/b_ih")) continue;
      c.seat("par/b_ih" + end, cell.bias_x);
      c.seat("par/b_hh" + end, cell.bias_h);
    }
    const auto state = [&](const char* name) { return c.has(name) ? c.template leaf<3>(name) : Variable<T, 3>(); };
    const index_t frames = c.shape("in/x")[1];
    const Mask<2> present = c.has("in/lengths") ? mask_from_lengths(c.integers("in/lengths"), frames) : Mask<2>();
    const auto result = layer(c.template leaf<3>("in/x"), present, {}, state("in/h0"), state("in/c0"));
    c.out("y", result.y);
    c.out("h_n", result.h);
    if (c.has("out/c_n")) c.out("c_n", result.c);
  });
}

TEST_CASE("recurrent: layers, dropout between them, and sizes that do not fit") {
  Random random(1);
  const Lstm<double> layer({.in = 3, .hidden = 4, .layers = 2, .bidirectional = true, .dropout = 0.5}, random);
  const Variable<double, 3> x(init::normal<double, 3>({2, 5, 3}, 1.0, random));
  const auto result = layer(x, {}, Context::train(random));
  CHECK(result.y.shape() == Shape{2, 5, 8});
  CHECK(result.h.shape() == Shape{4, 2, 4});
  CHECK(result.c.shape() == Shape{4, 2, 4});
  CHECK(layer(Variable<double, 3>(Tensor<double, 3>({0, 5, 3}))).y.shape() == Shape{0, 5, 8});
  CHECK(layer(Variable<double, 3>(Tensor<double, 3>({2, 0, 3}))).h.shape() == Shape{4, 2, 4});
  CHECK_THROWS_AS(layer(x, Mask<2>({2, 4})), ShapeError);
  CHECK_THROWS_AS(layer(x, {}, {}, Variable<double, 3>(Tensor<double, 3>::zeros({2, 2, 4}))), ShapeError);
  CHECK_THROWS_AS(Gru<float>({.in = 3, .hidden = 0}, random), OptionError);
}
