#include "lacuna/nn/pack_weights.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "lacuna/optim/sgd.hpp"

namespace lacuna {
namespace pack_weights_test {

struct Two {
  std::vector<Linear<float>> layers;
  std::optional<Linear<float>> last;
  static void reflect(auto& self, auto&& visit) { visit("layers", self.layers), visit("last", self.last); }
};

/// Whether the laid-out product gives the bits of the plain one, and with `exact` off only its numbers.
template <class T>
void same_answers(index_t rows, index_t in, index_t out, bool bias, bool exact = true) {
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
  std::vector<T> first;
  for (const int threads : {1, 2, 3}) {
    set_threads(threads);
    const std::vector<T> packed = layer(x, Activation::tanh).value().to_vector();
    if (exact) CHECK(packed == plain);
    if (first.empty()) first = packed;
    CHECK(packed == first);
    for (std::size_t i = 0; i < plain.size(); ++i)
      CHECK(std::abs(double(packed[i]) - double(plain[i])) <= 16 * double(std::numeric_limits<T>::epsilon()));
  }
  set_threads(0);
}

TEST_CASE("pack_weights: the bits of the plain product, whatever the sizes, with 1, 2 and 3 threads") {
  for (const index_t rows : {0, 1, 3, 17, 40, 300})
    for (const index_t in : {1, 7, 256, 300})
      for (const index_t out : {1, 3, 8, 17, 33}) same_answers<float>(rows, in, out, out % 2 == 0);
  same_answers<double>(50, 261, 21, true);
  same_answers<float>(200, 520, 256, true);  // tiles of columns
  same_answers<float>(600, 300, 96, true);   // tiles of rows
}

TEST_CASE("pack_weights: between few and many rows the numbers of the plain product, the same bits with any threads") {
  for (const index_t rows : {4, 5, 8, 14, 16}) {
    same_answers<float>(rows, 7, 33, true, false);
    same_answers<float>(rows, 256, 256, false, false);
    same_answers<double>(rows, 300, 17, true, false);
  }
}

TEST_CASE_TEMPLATE("pack_weights: a convolution gives the bits of the plain one; one of several groups has no layout",
                   T, float, double) {
  Random random(9);
  const NoGrad off;
  using Options = typename Conv1d<T>::Options;
  for (const Options& o : {Options{.in_channels = 300, .out_channels = 40, .kernel = 3},
                           Options{.in_channels = 5, .out_channels = 9, .kernel = 4, .stride = 2, .dilation = 2}}) {
    const Conv1d<T> layer(o, random);
    const Variable<T, 3> x(init::normal<T, 3>({2, 50, o.in_channels}, 1, random));
    const auto plain = layer(x).value().to_vector();
    pack_weights(layer);
#ifndef LACUNA_USE_BLAS
    CHECK(layer.weight.packed() != nullptr);
#endif
    for (const int threads : {1, 2, 3}) {
      set_threads(threads);
      CHECK(layer(x).value().to_vector() == plain);
    }
    set_threads(0);
  }
  const Conv1d<T> grouped({.in_channels = 4, .out_channels = 6, .kernel = 3, .groups = 2}, random);
  pack_weights(grouped);
  CHECK(grouped.weight.packed() == nullptr);
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
