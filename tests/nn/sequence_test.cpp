/// Convolution, embedding and positions against the oracle, and what the oracle does not have: dropout of frames and
/// modalities.
#include <doctest/doctest.h>

#include "lacuna/core/mask.hpp"
#include "lacuna/nn/conv1d.hpp"
#include "lacuna/nn/dropout.hpp"
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
    Embedding<T> layer({.count = table[0],
                        .width = table[1],
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
    const auto y = SinusoidalPositions<T>({.width = width})(x, offset);
    c.out("y", y);
    // a table that is too short gives the same numbers
    const auto again = SinusoidalPositions<T>({.width = width, .frames = 1})(x, offset);
    CHECK(again.value().to_vector() == y.value().to_vector());
  });
}

TEST_CASE("embedding: an id outside the table is named") {
  Random random(1);
  const Embedding<float> layer({.count = 3, .width = 2, .padding_index = 1}, random);
  CHECK(layer.weight.value()(1, 0) == 0.0f);
  CHECK_THROWS_WITH_AS(layer(Tensor<index_t, 1>::from({2}, {0, 3})), "embedding: id 3 at position 1 is outside 0..2",
                       ShapeError);
  CHECK(layer(Tensor<index_t, 2>({0, 4})).shape() == Shape{0, 4, 2});
  CHECK_THROWS_AS(Embedding<float>({.count = 3, .width = 2, .padding_index = 3}, random), OptionError);
}

TEST_CASE("learned positions: a longer sequence is refused") {
  Random random(1);
  const LearnedPositions<double> layer({.width = 4, .frames = 6}, random);
  const Variable<double, 3> x(Tensor<double, 3>::zeros({2, 5, 4}));
  CHECK(layer(x, 1).value()(1, 0, 2) == layer.table.value()(1, 2));
  CHECK_THROWS_AS(layer(x, 2), ShapeError);
}

TEST_CASE("frame dropout: what is dropped is absent, in features and mask, and repeats with the seed") {
  const Variable<double, 3> x(Tensor<double, 3>::full({4, 50, 3}, 2.0));
  Mask<2> present = mask_from_lengths(std::vector<index_t>{50, 0, 20, 1}, 50);
  Random random(3), same(3);
  const auto result = frame_dropout(x, present, 0.4, Context::train(random));
  const auto again = frame_dropout(x, present, 0.4, Context::train(same));
  int kept = 0;
  for (index_t b = 0; b < 4; ++b)
    for (index_t t = 0; t < 50; ++t) {
      CHECK(result.present(b, t) <= present(b, t));
      CHECK(result.frames.value()(b, t, 1) == (result.present(b, t) ? 2.0 : 0.0));
      CHECK(result.present(b, t) == again.present(b, t));
      kept += result.present(b, t);
    }
  CHECK(kept > 25);
  CHECK(kept < 60);
  const auto inference = frame_dropout(x, present, 0.4, {});
  CHECK(inference.present.to_vector() == present.to_vector());
  CHECK_THROWS_AS(frame_dropout(x, present, 1.0, {}), OptionError);
  CHECK_THROWS_AS(frame_dropout(x, present, 0.5, Context{Mode::training}), OptionError);
}

TEST_CASE("modality dropout: nobody loses everything, nobody gains") {
  Mask<2> present({200, 3});
  for (index_t b = 0; b < 200; ++b)
    for (index_t m = 0; m < 3; ++m) present(b, m) = b % 8 & (1 << m) ? 1 : 0;
  Random random(5);
  const Mask<2> kept = modality_dropout(present, 0.8, Context::train(random));
  for (index_t b = 0; b < 200; ++b) {
    int left = 0;
    for (index_t m = 0; m < 3; ++m) {
      CHECK(kept(b, m) <= present(b, m));
      left += kept(b, m);
    }
    CHECK((left > 0) == (b % 8 != 0));
  }
  CHECK(modality_dropout(present, 0.8, {}).to_vector() == present.to_vector());
  CHECK(modality_column(kept, 2).extent(0) == 200);
}
