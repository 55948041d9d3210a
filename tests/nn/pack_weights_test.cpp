#include "lacuna/nn/pack_weights.hpp"

#include <doctest/doctest.h>

#include "lacuna/optim/sgd.hpp"

namespace lacuna {
namespace pack_weights_test {

struct Two {
  std::vector<Linear<float>> layers;
  std::optional<Linear<float>> last;
  static void reflect(auto& self, auto&& visit) { visit("layers", self.layers), visit("last", self.last); }
};

template <class T>
void same_bits(index_t rows, index_t in, index_t out, bool bias) {
  CAPTURE(rows);
  CAPTURE(in);
  CAPTURE(out);
  Random random(3);
  const Linear<T> layer({in, out, bias}, random);
  const Variable<T, 2> x(init::normal<T, 2>({rows, in}, 1, random));
  const NoGrad off;
  const std::vector<T> plain = layer(x, Activation::tanh).value().to_vector();
  pack_weights(layer);
#ifndef LACUNA_USE_BLAS
  CHECK(layer.weight.packed() != nullptr);
#endif
  for (const int threads : {1, 2, 3}) {
    set_threads(threads);
    CHECK(layer(x, Activation::tanh).value().to_vector() == plain);
  }
  set_threads(0);
}

TEST_CASE("pack_weights: the bits of the plain product, whatever the sizes, with 1, 2 and 3 threads") {
  for (const index_t rows : {0, 1, 8, 9, 40, 300})
    for (const index_t in : {1, 7, 256, 300})
      for (const index_t out : {1, 3, 8, 17, 33}) same_bits<float>(rows, in, out, out % 2 == 0);
  same_bits<double>(50, 261, 21, true);
  same_bits<float>(200, 520, 256, true);  // tiles of columns
  same_bits<float>(600, 300, 96, true);   // tiles of rows
}

TEST_CASE("pack_weights: whoever writes a weight, or thaws it, drops the layout; copies have none") {
  Random random(5);
  Two two{{Linear<float>({4, 12}, random)}, Linear<float>({12, 12}, random)};
  pack_weights(two);
  CHECK_FALSE(two.layers[0].weight.requires_grad());
  const Two copy = two;
  CHECK(copy.layers[0].weight.packed() == nullptr);
#ifndef LACUNA_USE_BLAS
  REQUIRE(two.last->weight.packed() != nullptr);
#endif
  two.layers[0].weight.mutable_data()[0] = 100;
  CHECK(two.layers[0].weight.packed() == nullptr);
  const NoGrad off;
  const Variable<float, 2> x(Tensor<float, 2>::full({20, 4}, 1));
  CHECK(two.layers[0](x).value()(0, 0) > 50);
  freeze(two, false);
  CHECK(two.last->weight.packed() == nullptr);
}

}  // namespace pack_weights_test
}  // namespace lacuna
