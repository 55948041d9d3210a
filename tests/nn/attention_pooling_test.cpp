#include "lacuna/nn/attention_pooling.hpp"

#include <doctest/doctest.h>

#include "support/oracle.hpp"

namespace {

using namespace lacuna;

const test::OracleBlocks pool_cases("nn_blocks.npz", {"attention_pool"});

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
  AttentionPooling<T> layer({.embed_dim = c.shape("in/x")[2], .dropout = 0.5}, random);
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
  ViewCrossAttention<T> layer({.embed_dim = c.shape("in/x")[2], .dropout = 0.5}, random);
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
  test::compare_cases(pool_cases, [](auto& c) { c.has("in/query") ? given(c) : learned(c); });
}

TEST_CASE("attention pooling: scores are 0.3 times the inner products, values are the raw frames") {
  Random random(3);
  AttentionPooling<double> layer({.embed_dim = 2, .dropout = 0}, random);
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
  const AttentionPooling<double> layer({.embed_dim = 3, .dropout = 0.5}, random);
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

TEST_CASE("attention pooling: one frame gives what two frames give of which one is absent, gradients included") {
  Random random(7);
  AttentionPooling<double> pooling({.embed_dim = 3, .dropout = 0}, random);
  ViewCrossAttention<double> cross({.embed_dim = 3, .dropout = 0}, random);
  const Variable<double, 3> queries(init::uniform<double, 3>({3, 2, 3}, 1.0, random), true);
  const std::vector<double> frames{1, -2, 0.5, 3, 0.25, -1, NAN, NAN, NAN};  // the last sample has none
  std::vector<double> padded;
  for (std::size_t b = 0; b < 3; ++b) {
    padded.insert(padded.end(), frames.begin() + std::ptrdiff_t(3 * b), frames.begin() + std::ptrdiff_t(3 * b + 3));
    padded.insert(padded.end(), 3, b == 2 ? 0 : 9.0);
  }
  for (std::size_t i = 12; i < 15; ++i) padded[i] = 0;  // projections of the general form want finite numbers
  const Variable<double, 3> one(Tensor<double, 3>::from({3, 1, 3}, frames), true);
  const Variable<double, 3> two(Tensor<double, 3>::from({3, 2, 3}, padded), true);
  const auto alone = Mask<2>::from({3, 1}, {1, 1, 0}), first = Mask<2>::from({3, 2}, {1, 0, 1, 0, 0, 0});
  const auto short_pool = pooling(one, alone, {}), long_pool = pooling(two, first, {});
  const auto short_cross = cross(queries, one, alone, {}), long_cross = cross(queries, two, first, {});
  CHECK(short_pool.pooled.value().to_vector() == long_pool.pooled.value().to_vector());
  CHECK(short_cross.output.value().to_vector() == long_cross.output.value().to_vector());
  CHECK(short_pool.weights.to_vector() == std::vector<double>{1, 1, 0});
  CHECK(short_cross.weights.shape() == Shape{3, 1, 2, 1});
  CHECK(short_cross.weights.to_vector() == std::vector<double>{1, 1, 1, 1, 0, 0});
  const auto objective = [](const auto& pool, const auto& attended) {
    return sum(multiply(pool.pooled, pool.pooled)) + sum(multiply(attended.output, attended.output));
  };
  objective(short_pool, short_cross).backward();
  objective(long_pool, long_cross).backward();
  const auto found = one.grad().to_vector(), expected = two.grad().to_vector();
  for (std::size_t b = 0; b < 3; ++b)
    for (std::size_t f = 0; f < 3; ++f) CHECK(found[3 * b + f] == doctest::Approx(expected[6 * b + f]).epsilon(1e-14));
  for (std::size_t f = 0; f < 3; ++f) CHECK(found[6 + f] == 0);
  for (const double g : queries.grad().to_vector()) CHECK(g == 0);
  CHECK(pooling(one, Mask<2>(), {}).weights.to_vector() == std::vector<double>{1, 1, 1});  // no mask: all are present
  CHECK_THROWS_AS(pooling(one, first, {}), ShapeError);
  const Variable<double, 3> none(Tensor<double, 3>({0, 1, 3}));
  CHECK(pooling(none, Mask<2>({0, 1}), {}).pooled.shape() == Shape{0, 3});
}
