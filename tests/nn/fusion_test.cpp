/// Pooling, fusion and autoencoders against the oracle.
#include "lacuna/nn/fusion.hpp"

#include <doctest/doctest.h>

#include "lacuna/nn/attention_pooling.hpp"
#include "lacuna/nn/autoencoder.hpp"
#include "lacuna/ops/pooling.hpp"
#include "support/oracle.hpp"

namespace {

using namespace lacuna;
using test::OracleBlocks;

const OracleBlocks poolings("nn_blocks.npz", {"masked_mean_pool", "masked_max_pool", "attention_pool"});
const OracleBlocks fusions("nn_blocks.npz", {"tensor_fusion", "low_rank_fusion"});
const OracleBlocks autoencoders("nn_blocks.npz", {"autoencoder", "variational_autoencoder", "reparameterize"});

template <class T, class Case>
void seat_linear(Case& c, const std::string& name, Linear<T>& layer) {
  c.seat("par/" + name + "_weight", layer.weight);
  c.seat("par/" + name + "_bias", layer.bias);
}

template <class T, class Case>
std::vector<Variable<T, 2>> modalities(Case& c) {
  std::vector<Variable<T, 2>> x;
  while (c.has("in/x" + std::to_string(x.size() + 1)))
    x.push_back(c.template leaf<2>("in/x" + std::to_string(x.size() + 1)));
  return x;
}

template <int R, class Case>
void autoencoder_case(Case& c) {
  using T = typename Case::scalar;
  Random random(1);
  const Shape first = c.shape("par/enc1_weight"), second = c.shape("par/enc2_weight");
  Autoencoder<T> layer({.sizes = {first[1], first[0], second[0]}, .slope = c.number("arg/slope")}, random);
  seat_linear(c, "enc1", layer.encoder[0]);
  seat_linear(c, "enc2", layer.encoder[1]);
  seat_linear(c, "dec1", layer.decoder[0]);
  seat_linear(c, "dec2", layer.decoder[1]);
  const auto result = layer(c.template leaf<R>("in/x"));
  c.out("y", result.y);
  c.out("z", result.z);
}

}  // namespace

TEST_CASE("pooling: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(poolings, [](auto& c) {
    using T = typename std::decay_t<decltype(c)>::scalar;
    const auto x = c.template leaf<3>("in/x");
    const Mask<2> keep = c.has("in/keep") ? c.template mask<2>("in/keep") : Mask<2>();
    if (c.block() == "masked_mean_pool") return c.out("y", mean_pool(x, keep));
    if (c.block() == "masked_max_pool") return c.out("y", max_pool(x, keep));
    Random random(1);
    const index_t batch = x.extent(0), frames = x.extent(1), width = x.extent(2);
    const UmcaOptions options{.embed_dim = width, .scale = c.number("arg/scale"), .dropout = 0};
    if (c.has("in/query")) {
      ViewCrossAttention<T> layer(options, random);
      seat_linear(c, "query", layer.query);
      seat_linear(c, "key", layer.key);
      const auto query = c.template leaf<3>("in/query");
      const auto attended = layer(query, x, keep, {});
      c.out("y", attended.output);
      c.out("weights", attended.weights.reshape(std::array<index_t, 3>{batch, query.extent(1), frames}));
    } else {
      AttentionPooling<T> layer(options, random);
      seat_linear(c, "key", layer.key);
      const auto query = c.template leaf<3>("par/query");
      static_cast<Variable<T, 2>&>(layer.query) = reshape(query, std::array<index_t, 2>{1, width});
      const auto result = layer(x, keep, {});
      c.out("y", reshape(result.pooled, std::array<index_t, 3>{batch, 1, width}));
      c.out("weights", result.weights.reshape(std::array<index_t, 3>{batch, 1, frames}));
    }
  });
}

TEST_CASE("tensor and low-rank fusion: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(fusions, [](auto& c) {
    using T = typename std::decay_t<decltype(c)>::scalar;
    Random random(1);
    const auto x = modalities<T>(c);
    std::vector<index_t> inputs;
    for (const auto& one : x) inputs.push_back(one.extent(1));
    if (c.block() == "tensor_fusion") {
      if (!c.has("par/weight")) return c.out("y", tensor_fusion(x));
      TensorFusion<T> layer({.inputs = inputs, .width = c.shape("par/weight")[0]}, random);
      c.seat("par/weight", layer.linear.weight);
      c.seat("par/bias", layer.linear.bias);
      return c.out("y", layer(x));
    }
    const Shape factor = c.shape("par/factor1");
    LowRankFusion<T> layer({.inputs = inputs, .width = factor[2], .rank = factor[0]}, random);
    for (std::size_t m = 0; m < x.size(); ++m) c.seat("par/factor" + std::to_string(m + 1), layer.factors[m]);
    c.seat("par/rank_weight", layer.rank_weight);
    c.seat("par/bias", layer.bias);
    c.out("y", layer(x));
  });
}

TEST_CASE("autoencoders: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(autoencoders, [](auto& c) {
    using T = typename std::decay_t<decltype(c)>::scalar;
    if (c.block() == "autoencoder") return c.rank("in/x") == 2 ? autoencoder_case<2>(c) : autoencoder_case<3>(c);
    if (c.block() == "reparameterize")
      return c.out("y", reparameterize(c.template leaf<2>("in/mu"), c.template leaf<2>("in/logvar"),
                                       c.template tensor<2>("in/noise")));
    Random random(1);
    const Shape encoder = c.shape("par/enc_weight");
    VariationalAutoencoder<T> layer(
        {.in = encoder[1], .hidden = encoder[0], .code = c.shape("par/mu_weight")[0], .slope = c.number("arg/slope")},
        random);
    seat_linear(c, "enc", layer.encoder);
    seat_linear(c, "mu", layer.mu);
    seat_linear(c, "logvar", layer.logvar);
    seat_linear(c, "dec1", layer.decoder_in);
    seat_linear(c, "dec2", layer.decoder_out);
    const auto result = layer(c.template leaf<2>("in/x"), c.template tensor<2>("in/noise"));
    c.out("y", result.y);
    c.out("mu", result.mu);
    c.out("logvar", result.logvar);
    c.out("z", result.z);
    c.out("kl", reshape(result.kl, std::array<index_t, 1>{1}));
  });
}
