/// Convolution, embedding and positions against the oracle, and what the oracle does not have: dropout of frames and
/// modalities.
#include <doctest/doctest.h>

#include "lacuna/core/mask.hpp"
#include "lacuna/nn/conv1d.hpp"
#include "lacuna/nn/embedding.hpp"
#include "lacuna/nn/position.hpp"
#include "support/oracle.hpp"

namespace {

using namespace lacuna;
using test::OracleBlocks;

const OracleBlocks convolutions("nn_blocks.npz", {"conv1d"});
const OracleBlocks embeddings("nn_blocks.npz", {"embedding"});
const OracleBlocks positions("nn_blocks.npz", {"positional_encoding"});

}  // namespace

TEST_CASE("conv1d: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(convolutions, [](auto& c) {
    using T = typename std::decay_t<decltype(c)>::scalar;
    Random random(1);
    Conv1d<T> layer({.in_channels = c.shape("in/x")[2],
                     .out_channels = c.shape("par/weight")[0],
                     .kernel = c.integer("arg/kernel"),
                     .stride = c.integer("arg/stride"),
                     .dilation = c.integer("arg/dilation"),
                     .groups = c.integer("arg/groups"),
                     .pad_left = c.integer("arg/pad_left"),
                     .pad_right = c.integer("arg/pad_right"),
                     .bias = c.has("par/bias")},
                    random);
    c.seat("par/weight", layer.weight);
    if (c.has("par/bias")) c.seat("par/bias", layer.bias);
    c.out("y", layer(c.template leaf<3>("in/x")));
  });
}

TEST_CASE("embedding: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(embeddings, [](auto& c) {
    using T = typename std::decay_t<decltype(c)>::scalar;
    Random random(1);
    const Shape table = c.shape("par/weight");
    Embedding<T> layer({.num_embeddings = table[0],
                        .embedding_dim = table[1],
                        .padding_index = c.has("arg/padding_idx") ? c.integer("arg/padding_idx") : -1},
                       random);
    c.seat("par/weight", layer.weight);
    const Shape ids = c.shape("in/ids");
    c.out("y", layer(Tensor<index_t, 2>::from({ids[0], ids[1]}, c.integers("in/ids"))));
  });
}

TEST_CASE("positional encoding: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(positions, [](auto& c) {
    using T = typename std::decay_t<decltype(c)>::scalar;
    const index_t frames = c.shape("in/x")[1], width = c.shape("in/x")[2], offset = c.integer("arg/offset");
    c.out("table", sinusoidal_table<T>(frames, width, offset));
    const auto x = c.template leaf<3>("in/x");
    const auto y = SinusoidalPositions<T>({.embed_dim = width})(x, offset);
    c.out("y", y);
    // a table that is too short gives the same numbers
    const auto again = SinusoidalPositions<T>({.embed_dim = width, .frames = 1})(x, offset);
    CHECK(again.value().to_vector() == y.value().to_vector());
  });
}

TEST_CASE("embedding: an id outside the table is named") {
  Random random(1);
  const Embedding<float> layer({.num_embeddings = 3, .embedding_dim = 2, .padding_index = 1}, random);
  CHECK(layer.weight.value()(1, 0) == 0.0f);
  CHECK_THROWS_WITH_AS(layer(Tensor<index_t, 1>::from({2}, {0, 3})), "embedding: id 3 at position 1 is outside 0..2",
                       ShapeError);
  CHECK(layer(Tensor<index_t, 2>({0, 4})).shape() == Shape{0, 4, 2});
  CHECK_THROWS_AS(Embedding<float>({.num_embeddings = 3, .embedding_dim = 2, .padding_index = 3}, random), OptionError);
}

TEST_CASE("learned positions: a longer sequence is refused") {
  Random random(1);
  const LearnedPositions<double> layer({.embed_dim = 4, .frames = 6}, random);
  const Variable<double, 3> x(Tensor<double, 3>::zeros({2, 5, 4}));
  CHECK(layer(x, 1).value()(1, 0, 2) == layer.table.value()(1, 2));
  CHECK_THROWS_AS(layer(x, 2), ShapeError);
}
