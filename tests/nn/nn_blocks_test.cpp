/// Activations, softmax and normalisation against the oracle; and that the tests of this room leave no case of it out.
#include <doctest/doctest.h>

#include "lacuna/nn/norm.hpp"
#include "lacuna/ops/activation.hpp"
#include "lacuna/ops/softmax.hpp"
#include "support/oracle.hpp"

namespace {

using namespace lacuna;
using test::OracleBlocks;

/// Calls f with x (B, C) or (B, T, C).
template <class Case, class F>
void with_x(Case& c, F&& f) {
  c.rank("in/x") == 2 ? f(c.template leaf<2>("in/x")) : f(c.template leaf<3>("in/x"));
}

template <class Case>
void seat_affine(Case& c, auto& weight, auto& bias) {
  if (c.has("par/weight")) c.seat("par/weight", weight);
  if (c.has("par/bias")) c.seat("par/bias", bias);
}

const OracleBlocks activations("nn_blocks.npz", {"relu", "leaky_relu_001", "leaky_relu_02", "elu", "tanh", "sigmoid",
                                                 "silu", "softplus", "mish", "gelu_erf", "gelu_tanh"});
const OracleBlocks softmaxes("nn_blocks.npz",
                             {"softmax_last", "softmax_axis1", "log_softmax_last", "log_softmax_axis1", "glu_last"});
const OracleBlocks norms("nn_blocks.npz", {"layer_norm", "rms_norm", "batch_norm1d"});

}  // namespace

TEST_CASE("activations: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(activations, [](auto& c) {
    const std::string block = c.block();
    const auto apply = [&](const auto& x) {
      if (c.has("arg/slope")) return leaky_relu(x, c.number("arg/slope"));
      if (c.has("arg/alpha")) return elu(x, c.number("arg/alpha"));
      if (block == "relu") return relu(x);
      if (block == "tanh") return tanh(x);
      if (block == "sigmoid") return sigmoid(x);
      if (block == "silu") return silu(x);
      if (block == "softplus") return softplus(x);
      if (block == "mish") return mish(x);
      if (block == "gelu_erf") return gelu(x);
      if (block == "gelu_tanh") return gelu_tanh(x);
      throw Error("no such activation: " + block);
    };
    with_x(c, [&](const auto& x) { c.out("y", apply(x)); });
  });
}

TEST_CASE("softmax, log-softmax, glu: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(softmaxes, [](auto& c) {
    const int axis = c.has("arg/axis") ? int(c.integer("arg/axis")) : -1;
    with_x(c, [&](const auto& x) {
      if (c.block() == "glu_last")
        c.out("y", glu(x));
      else
        c.out("y", c.block().starts_with("log") ? log_softmax(x, axis) : softmax(x, axis));
    });
  });
}

TEST_CASE("layer, rms and batch norm: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(norms, [](auto& c) {
    using T = typename std::decay_t<decltype(c)>::scalar;
    const index_t width = c.shape("in/x")[-1];
    const double epsilon = c.number("arg/eps");
    with_x(c, [&](const auto& x) {
      if (c.block() == "layer_norm") {
        LayerNorm<T> norm({.num_features = width, .epsilon = epsilon, .affine = c.has("par/weight")});
        seat_affine(c, norm.weight, norm.bias);
        c.out("y", norm(x));
      } else if (c.block() == "rms_norm") {
        RmsNorm<T> norm({.num_features = width, .epsilon = epsilon});
        c.seat("par/weight", norm.weight);
        c.out("y", norm(x));
      } else {
        BatchNorm<T> norm({.num_features = width,
                           .momentum = c.number("arg/momentum"),
                           .epsilon = epsilon,
                           .affine = c.has("par/weight")});
        seat_affine(c, norm.weight, norm.bias);
        c.seat("in/running_mean", norm.running_mean);
        c.seat("in/running_var", norm.running_variance);
        c.out("y", norm(x, Context{c.flag("arg/train") ? Mode::training : Mode::inference}));
        c.out("running_mean", norm.running_mean.value());
        c.out("running_var", norm.running_variance.value());
      }
    });
  });
}

TEST_CASE("nn_blocks.npz: no case is left out" * doctest::skip(!test::have_oracle())) {
  const std::vector<std::string> left = test::uncovered_cases("nn_blocks.npz");
  for (const std::string& name : left) FAIL_CHECK(name << " is not compared");
  const std::size_t total = io::Npz(test::oracle_dir() + "/nn_blocks.npz").get("index").strings().size();
  std::printf("nn_blocks.npz: %zu of %zu cases are compared by the tests of this binary\n", total - left.size(), total);
}
