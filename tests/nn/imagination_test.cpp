#include "lacuna/nn/imagination.hpp"

#include <doctest/doctest.h>

#include "support/oracle.hpp"

namespace {

using namespace lacuna;

const test::OracleBlocks imagined("nn_blocks.npz", {"residual_imagination"});

template <int R, class Case>
void imagination_case(Case& c) {
  using T = typename Case::scalar;
  const bool text = c.text("arg/residual") == "text";
  const index_t width = c.shape("par/l2_weight")[0], narrow = c.shape("par/le_weight")[0];
  Random random(0);
  ImaginationAutoencoder<T> layer(
      {3, width, narrow, text ? ImaginationResidual::input : ImaginationResidual::transition}, random);
  c.seat("par/l1_weight", layer.transition_in.weight);
  c.seat("par/l1_bias", layer.transition_in.bias);
  c.seat("par/l2_weight", layer.transition_out.weight);
  c.seat("par/l2_bias", layer.transition_out.bias);
  c.seat("par/le_weight", layer.encoder.weight);
  c.seat("par/le_bias", layer.encoder.bias);
  c.seat("par/ld_weight", layer.decoder.weight);
  c.seat("par/ld_bias", layer.decoder.bias);
  const std::vector inputs{c.template leaf<R>("in/a"), c.template leaf<R>("in/t"), c.template leaf<R>("in/v")};
  c.out("y", layer(inputs, 1));
  const NoGrad off;
  c.out("e", layer.transition_out(layer.transition_in(concat(inputs, -1), Activation::relu)).value());
}

}  // namespace

TEST_CASE("imagination autoencoder: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(imagined, [](auto& c) { c.rank("in/a") == 2 ? imagination_case<2>(c) : imagination_case<3>(c); });
}

TEST_CASE("imagination autoencoder: the residual of the input is the stand-in of the missing modality") {
  Random random(2);
  ImaginationAutoencoder<double> layer({2, 3, 2, ImaginationResidual::input}, random);
  const Variable<double, 2> a(init::uniform<double, 2>({4, 3}, 1.0, random)),
      b(init::uniform<double, 2>({4, 3}, 1.0, random));
  const auto first = layer(std::vector{a, b}, 0).value(), second = layer(std::vector{a, b}, 1).value();
  for (index_t i = 0; i < 4; ++i)
    for (index_t j = 0; j < 3; ++j)
      CHECK(first(i, j) - second(i, j) == doctest::Approx(a.value()(i, j) - b.value()(i, j)));
}
