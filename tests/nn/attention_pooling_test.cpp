#include "lacuna/nn/attention_pooling.hpp"

#include <doctest/doctest.h>

#include "support/oracle.hpp"

namespace {

using namespace lacuna;

const test::OracleBlocks blocks("nn_blocks.npz", {"attention_pool"});

/// The file's masks are (B, T); without one, all frames are present.
template <class Case>
Mask<2> present_of(Case& c) {
  return c.has("in/keep") ? c.template mask<2>("in/keep") : Mask<2>();
}

/// "learned": pooling by one query, y (B, 1, D).
template <class Case>
void learned(Case& c) {
  using T = typename Case::scalar;
  Random random(0);
  AttentionPooling<T> layer({.width = c.shape("in/x")[2], .dropout = 0.5}, random);
  const auto query = c.template leaf<3>("par/query");  // (1, 1, D) in the file
  static_cast<Variable<T, 2>&>(layer.query) = reshape(query, std::array<index_t, 2>{1, query.extent(2)});
  c.seat("par/key_weight", layer.key.weight);
  c.seat("par/key_bias", layer.key.bias);
  const auto result = layer(c.template leaf<3>("in/x"), present_of(c), {});
  c.out("y", reshape(result.pooled, std::array<index_t, 3>{result.pooled.extent(0), 1, result.pooled.extent(1)}));
  const auto w = result.weights.extents();
  c.out("weights", result.weights.reshape(std::array<index_t, 3>{w[0], w[2], w[3]}));
}

/// "given": cross-attention of given queries, y (B, V, D).
template <class Case>
void given(Case& c) {
  using T = typename Case::scalar;
  Random random(0);
  ViewCrossAttention<T> layer({.width = c.shape("in/x")[2], .dropout = 0.5}, random);
  c.seat("par/query_weight", layer.query.weight);
  c.seat("par/query_bias", layer.query.bias);
  c.seat("par/key_weight", layer.key.weight);
  c.seat("par/key_bias", layer.key.bias);
  const auto result = layer(c.template leaf<3>("in/query"), c.template leaf<3>("in/x"), present_of(c), {});
  c.out("y", result.output);
  const auto w = result.weights.extents();
  c.out("weights", result.weights.reshape(std::array<index_t, 3>{w[0], w[2], w[3]}));
}

}  // namespace

TEST_CASE("attention pooling: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(blocks, [](auto& c) { c.has("in/query") ? given(c) : learned(c); });
}

TEST_CASE("attention pooling: scores are 0.3 times the inner products, values are the raw frames") {
  Random random(3);
  AttentionPooling<double> layer({.width = 2, .dropout = 0}, random);
  const Variable<double, 3> x(Tensor<double, 3>::from({1, 2, 2}, {1, -2, 0.5, 3}));
  const auto result = layer(x, {}, {});
  double score[2];
  for (index_t t = 0; t < 2; ++t) {
    score[t] = 0;
    for (index_t i = 0; i < 2; ++i) {
      double key = layer.key.bias.value()(i);
      for (index_t j = 0; j < 2; ++j) key += layer.key.weight.value()(i, j) * x.value()(index_t(0), t, j);
      score[t] += 0.3 * layer.query.value()(index_t(0), i) * std::tanh(key);
    }
  }
  const double first = 1 / (1 + std::exp(score[1] - score[0]));
  CHECK(result.weights(0, 0, 0, 0) == doctest::Approx(first).epsilon(1e-14));
  CHECK(result.pooled.value()(0, 0) == doctest::Approx(first * 1 + (1 - first) * 0.5).epsilon(1e-14));
  CHECK(result.pooled.value()(0, 1) == doctest::Approx(first * -2 + (1 - first) * 3).epsilon(1e-14));
}

TEST_CASE("attention pooling: dropout hits the frames before and the result after, in training only") {
  Random random(3);
  const AttentionPooling<double> layer({.width = 3, .dropout = 0.5}, random);
  const Variable<double, 3> x(init::uniform<double, 3>({2, 4, 3}, 1.0, random));
  const auto masks = [](double first, double second) {
    Array<double> frames(Shape{2, 4, 3}), result(Shape{2, 3});
    frames.assign(std::vector<double>(24, first));
    result.assign(std::vector<double>(6, second));
    return DropoutTape({{"frames", frames}, {"result", result}});
  };
  const auto run = [&](DropoutTape tape) {
    const Context context{Mode::training, nullptr, &tape};
    const auto pooled = layer(x, {}, context).pooled.value().to_vector();
    CHECK(tape.finished());
    return pooled;
  };
  const auto inference = layer(x, {}, {}).pooled.value().to_vector();
  CHECK(run(masks(1, 1)) == inference);
  CHECK(run(masks(1, 0)) == std::vector<double>(6, 0.0));
  const auto doubled = run(masks(1, 2));
  for (std::size_t i = 0; i < 6; ++i) CHECK(doubled[i] == doctest::Approx(2 * inference[i]));
  CHECK(run(masks(2, 1)) != inference);
  CHECK(run(masks(2, 1)) != doubled);  // frames change the weights too
}
