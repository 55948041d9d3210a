/// Multi-head attention and the Transformer layers against the oracle.
#include "lacuna/nn/attention.hpp"

#include <doctest/doctest.h>

#include "lacuna/nn/cross_attention.hpp"
#include "lacuna/nn/transformer.hpp"
#include "lacuna/ops/shape.hpp"
#include "support/oracle.hpp"

namespace {

using namespace lacuna;
using test::OracleBlocks;

const OracleBlocks attentions("nn_blocks.npz", {"multi_head_attention"});
const OracleBlocks encoders("nn_blocks.npz", {"transformer_encoder_layer"});
const OracleBlocks decoders("nn_blocks.npz", {"transformer_decoder_layer"});

template <class T, class Case>
void seat_linear(Case& c, const std::string& weight, const std::string& bias, Linear<T>& layer) {
  c.seat(weight, layer.weight);
  if (c.has(bias)) c.seat(bias, layer.bias);
}

template <class T, class Case>
void seat_attention(Case& c, const std::string& prefix, MultiHeadAttention<T>& layer) {
  seat_linear(c, prefix + "wq", prefix + "bq", layer.query);
  seat_linear(c, prefix + "wk", prefix + "bk", layer.key);
  seat_linear(c, prefix + "wv", prefix + "bv", layer.value);
  seat_linear(c, prefix + "wo", prefix + "bo", layer.output);
}

/// Three leaves of the file make one packed parameter: its gradient then flows apart again.
template <class T, class Case>
void seat_attention(Case& c, const std::string& prefix, SelfAttention<T>& layer) {
  const auto pack = [&]<int R>(const char* kind, Parameter<T, R>& parameter) {
    std::vector<Variable<T, R>> parts;
    for (const char* part : {"q", "k", "v"}) parts.push_back(c.template leaf<R>(prefix + kind + part));
    // (3, width, ...) is (3 · width, ...) in memory
    std::vector<Variable<T, 2>> rows;
    for (const auto& part : parts) rows.push_back(reshape(part, std::array<index_t, 2>{1, part.size()}));
    static_cast<Variable<T, R>&>(parameter) = reshape(concat(rows, -1), parameter.value().extents());
  };
  pack("w", layer.qkv.weight);
  if (layer.qkv.bias.defined()) pack("b", layer.qkv.bias);
  seat_linear(c, prefix + "wo", prefix + "bo", layer.output);
}

template <class T, class Case>
void seat_norm(Case& c, const std::string& name, LayerNorm<T>& norm) {
  c.seat("par/" + name + "_weight", norm.weight);
  c.seat("par/" + name + "_bias", norm.bias);
}

template <class Case>
TransformerOptions transformer_options(Case& c) {
  const Shape hidden = c.shape("par/ff1_weight");
  return {.embed_dim = hidden[1],
          .num_heads = c.integer("arg/heads"),
          .hidden = hidden[0],
          .activation = c.text("arg/activation") == "relu" ? Activation::relu : Activation::gelu,
          .norm_first = c.flag("arg/norm_first")};
}

template <class Case>
Mask<2> mask_or_none(Case& c, const std::string& name) {
  return c.has(name) ? c.template mask<2>(name) : Mask<2>();
}

}  // namespace

TEST_CASE("multi-head attention: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(attentions, [](auto& c) {
    using T = typename std::decay_t<decltype(c)>::scalar;
    Random random(1);
    MultiHeadAttentionOptions options{.embed_dim = c.shape("par/wq")[0],
                                      .num_heads = c.integer("arg/heads"),
                                      .key_dim = c.shape("par/wk")[1],
                                      .value_dim = c.shape("par/wv")[1],
                                      .bias = c.has("par/bq"),
                                      .causal = c.flag("arg/causal")};
    MultiHeadAttention<T> layer(options, random);
    seat_attention(c, "par/", layer);
    const Mask<2> keep = mask_or_none(c, "in/keep");
    const auto bias = c.has("in/bias") ? c.template leaf<4>("in/bias") : Variable<T, 4>();
    const bool self = c.has("in/x");
    const auto query = c.template leaf<3>(self ? "in/x" : "in/query");
    const auto key = self ? query : c.template leaf<3>("in/key");
    const auto value = self ? query : c.template leaf<3>("in/value");
    const auto attended = layer(query, key, value, keep, {}, bias);
    c.out("y", attended.output);
    c.out("weights", attended.weights);
  });
}

TEST_CASE("packed self-attention: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(attentions, [](auto& c) {
    using T = typename std::decay_t<decltype(c)>::scalar;
    Random random(1);
    const bool self = c.has("in/x");
    const Mask<2> keep = mask_or_none(c, "in/keep");
    const auto bias = c.has("in/bias") ? c.template leaf<4>("in/bias") : Variable<T, 4>();
    MultiHeadAttentionOptions options{.embed_dim = c.shape("par/wq")[0],
                                      .num_heads = c.integer("arg/heads"),
                                      .key_dim = c.shape("par/wk")[1],
                                      .value_dim = c.shape("par/wv")[1],
                                      .bias = c.has("par/bq"),
                                      .causal = c.flag("arg/causal")};
    if (!self) {  // there is no packed form of cross-attention: the same case once more in the separate one
      MultiHeadAttention<T> layer(options, random);
      seat_attention(c, "par/", layer);
      const auto attended = layer(c.template leaf<3>("in/query"), c.template leaf<3>("in/key"),
                                  c.template leaf<3>("in/value"), keep, {}, bias);
      c.out("y", attended.output);
      c.out("weights", attended.weights);
      return;
    }
    SelfAttention<T> layer(options, random);
    seat_attention(c, "par/", layer);
    const auto attended = layer(c.template leaf<3>("in/x"), keep, {}, bias);
    c.out("y", attended.output);
    c.out("weights", attended.weights);
  });
}

TEST_CASE("transformer encoder layer: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(encoders, [](auto& c) {
    using T = typename std::decay_t<decltype(c)>::scalar;
    Random random(1);
    TransformerEncoderLayer<T> layer(transformer_options(c), random);
    seat_attention(c, "par/attn_", layer.attention);
    seat_norm(c, "norm1", layer.norm1);
    seat_norm(c, "norm2", layer.norm2);
    seat_linear(c, "par/ff1_weight", "par/ff1_bias", layer.feed_forward.in);
    seat_linear(c, "par/ff2_weight", "par/ff2_bias", layer.feed_forward.out);
    c.out("y", layer(c.template leaf<3>("in/x"), mask_or_none(c, "in/keep")));
  });
}

TEST_CASE("transformer decoder layer: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(decoders, [](auto& c) {
    using T = typename std::decay_t<decltype(c)>::scalar;
    Random random(1);
    TransformerOptions options = transformer_options(c);
    options.memory_dim = c.shape("in/memory")[2];
    TransformerDecoderLayer<T> layer(options, random);
    seat_attention(c, "par/self_", layer.self_attention);
    seat_attention(c, "par/cross_", layer.cross_attention);
    seat_norm(c, "norm1", layer.norm1);
    seat_norm(c, "norm2", layer.norm2);
    seat_norm(c, "norm3", layer.norm3);
    seat_linear(c, "par/ff1_weight", "par/ff1_bias", layer.feed_forward.in);
    seat_linear(c, "par/ff2_weight", "par/ff2_bias", layer.feed_forward.out);
    c.out("y", layer(c.template leaf<3>("in/x"), c.template leaf<3>("in/memory"), mask_or_none(c, "in/keep"),
                     mask_or_none(c, "in/memory_keep")));
  });
}

TEST_CASE("attention: dropout of the weights drops what dropout would") {
  const index_t batch = 2, heads = 1, queries = 3, keys = 37;
  const Variable<double, 3> query(Tensor<double, 3>::zeros({batch, queries, 2}));
  const Variable<double, 3> key(Tensor<double, 3>::zeros({batch, keys, 2}));  // all weights are 1/37
  Tensor<double, 3> unit = Tensor<double, 3>::zeros({batch, keys, keys});
  for (index_t b = 0; b < batch; ++b)
    for (index_t t = 0; t < keys; ++t) unit(b, t, t) = 37;
  Random first(5), second(5);
  const auto attended =
      attention(query, key, Variable<double, 3>(unit), {}, {.dropout = 0.4}, {}, Context::train(first));
  const Variable<double, 4> ones(Tensor<double, 4>::full({batch, heads, queries, keys}, 1.0));
  const std::vector<double> expected = dropout(ones, 0.4, Context::train(second)).value().to_vector();
  const std::vector<double> found = attended.output.value().to_vector();
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(found[i] == doctest::Approx(expected[i]).epsilon(1e-12));
  CHECK(attended.weights(1, 0, 2, 36) == doctest::Approx(1.0 / 37));
  CHECK(first.next() == second.next());
}

TEST_CASE("attention: what does not fit is refused") {
  const auto array = [](index_t b, index_t t, index_t f) {
    return Variable<float, 3>(Tensor<float, 3>::zeros({b, t, f}));
  };
  const auto x = array(2, 3, 4);
  CHECK_THROWS_AS(attention(x, x, x, {}, {.num_heads = 3}), ShapeError);
  CHECK_THROWS_AS(attention(x, array(2, 5, 4), array(2, 5, 4), {}, {.causal = true}), ShapeError);
  CHECK_THROWS_AS(attention(x, x, x, Mask<2>({2, 2})), ShapeError);
  CHECK_THROWS_AS(attention(x, x, array(2, 2, 4)), ShapeError);
  CHECK_THROWS_AS(attention(x, x, x, {}, {}, Variable<float, 4>(Tensor<float, 4>::zeros({1, 1, 2, 3}))), ShapeError);
  CHECK_THROWS_AS(attention(x, x, x, {}, {.dropout = 1}), OptionError);
  CHECK_THROWS_AS(attention(x, x, x, {}, {.dropout = 0.5}, {}, Context{Mode::training}), OptionError);
  CHECK_THROWS_AS(attention_packed(x), ShapeError);
  Random random(1);
  CHECK_THROWS_AS(SelfAttention<float>({.embed_dim = 6, .num_heads = 4}, random), OptionError);
}
