#include "lacuna/nn/present_encoder.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "lacuna/autograd/gradcheck.hpp"
#include "lacuna/core/mask.hpp"
#include "lacuna/nn/pack.hpp"
#include "lacuna/ops/pooling.hpp"

using namespace lacuna;

namespace {

/// Lengths 5, 0, 2 and one with a gap.
Mask<2> mixed() {
  Mask<2> present = mask_from_lengths(std::vector<index_t>{5, 0, 2, 4}, 5);
  present(3, 1) = 0;
  return present;
}

struct Result {
  std::vector<double> pooled, input, parameters;
};

/// Means over the present frames of an encoder, and the gradients of a sum that weighs them unevenly.
Result run(const Mask<2>& present, lacuna::Rows rows, double dropout, bool norm_first) {
  Random random(5);
  TransformerEncoder<double> encoder({.embed_dim = 12,
                                      .num_heads = 3,
                                      .hidden = 20,
                                      .layers = 2,
                                      .norm_first = norm_first,
                                      .dropout = dropout,
                                      .attention_dropout = dropout,
                                      .hidden_dropout = dropout},
                                     random);
  const auto packed = pack<double>(encoder);
  packed.zero_grad();
  const Variable<double, 3> x(init::normal<double, 3>({present.extent(0), present.extent(1), 12}, 1, random), true);
  const Variable<double, 2> weights(init::normal<double, 2>({present.extent(0), 12}, 1, random));
  const Context context = dropout > 0 ? Context::train(random) : Context{};
  const auto pooled = mean_pool(encode_present(encoder, x, present, context, rows), present);
  sum(pooled * weights).backward();
  Result result{pooled.value().to_vector(), x.grad().to_vector(), {}};
  for_each_parameter(encoder, [&](const std::string&, const auto& p) {
    for (const double g : p.grad().to_vector()) result.parameters.push_back(g);
  });
  return result;
}

void check_close(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double worst = 0, largest = 1e-300;
  for (std::size_t i = 0; i < a.size(); ++i) {
    worst = std::max(worst, std::abs(a[i] - b[i]));
    largest = std::max(largest, std::abs(b[i]));
  }
  CHECK(worst <= 1e-13 * largest);
}

}  // namespace

TEST_CASE("present rows: which frames, and whether leaving the others out pays") {
  const PresentRows rows(mixed());
  CHECK(rows.numbers.to_vector() == std::vector<index_t>{0, 1, 2, 3, 4, 10, 11, 15, 17, 18});
  CHECK(rows.pays());
  CHECK(rows.taken(lacuna::Rows::automatic));
  CHECK_FALSE(rows.taken(lacuna::Rows::all));
  const PresentRows most(mask_from_lengths(std::vector<index_t>{4, 3, 4}, 4));
  CHECK_FALSE(most.pays());
  CHECK(most.taken(lacuna::Rows::present));
  const PresentRows none(Mask<2>::zeros({2, 3}));
  CHECK(none.count() == 0);
  CHECK(none.pays());
}

TEST_CASE("present rows: gathering and scattering are each other's way back") {
  const PresentRows rows(mixed());
  Random random(2);
  const Variable<double, 3> x(init::normal<double, 3>({4, 5, 2}, 1, random), true);
  const auto packed = gather_present(x, rows);
  CHECK(packed.shape() == Shape{10, 2});
  const auto back = scatter_present(packed, rows);
  for (index_t i = 0; i < 20; ++i)
    for (index_t j = 0; j < 2; ++j) CHECK(back.data()[2 * i + j] == (mixed().data()[i] ? x.data()[2 * i + j] : 0.0));
  const auto f = [&] {
    const auto y = gather_present(x, rows);
    return sum(scatter_present(y * y, rows) * x) + sum(y * y * y);
  };
  CHECK(check_gradients(f, 1e-5, 0.01, x).worst < 1e-8);
  CHECK_THROWS_AS(scatter_present(Variable<double, 2>(Tensor<double, 2>::zeros({3, 2})), rows), ShapeError);
  CHECK_THROWS_AS(gather_present(Variable<double, 3>(Tensor<double, 3>::zeros({4, 4, 2})), rows), ShapeError);
}

TEST_CASE("present rows: dropout draws for a row what the padded batch draws for its frame") {
  const PresentRows rows(mixed());
  Random random(2), same(2);
  const Tensor<double, 3> ones = Tensor<double, 3>::full({4, 5, 30}, 1);
  const auto padded = gather_present(dropout(Variable<double, 3>(ones), 0.4, Context::train(random)), rows);
  const auto packed = dropout_present(gather_present(Variable<double, 3>(ones), rows), rows, 0.4, Context::train(same));
  CHECK(packed.value().to_vector() == padded.value().to_vector());
  CHECK_THROWS_AS(dropout_present(packed, rows, 1.0, Context::train(same)), OptionError);
  CHECK_THROWS_AS(dropout_present(packed, rows, 0.4, Context{.mode = Mode::training}), OptionError);
}

/// Lengths 9, 0, 4 and 8 of 9, one of them with a gap: more frames than what counts as few, of which all frames are too.
Mask<2> many() {
  Mask<2> present = mask_from_lengths(std::vector<index_t>{9, 0, 4, 8}, 9);
  present(3, 1) = 0;
  return present;
}

TEST_CASE("present rows: an encoder gives what it gives over the padded batch") {
  Mask<2> one_frame = Mask<2>::zeros({3, 1});
  one_frame(1, 0) = 1;
  for (const Mask<2>& present :
       {many(), mixed(), one_frame, mask_from_lengths(std::vector<index_t>{2}, 7), Mask<2>::zeros({2, 3}),
        mask_from_lengths(std::vector<index_t>{3, 3}, 3), mask_from_lengths(std::vector<index_t>{5, 2}, 8)})
    for (const double dropout : {0.0, 0.3})
      for (const bool norm_first : {true, false}) {
        CAPTURE(dropout);
        CAPTURE(norm_first);
        const Result all = run(present, lacuna::Rows::all, dropout, norm_first);
        // few rows of a product and many are summed in other orders
        const auto is_few = [](index_t rows) { return rows <= cpu::Gemm::few; };
        const bool same_order = is_few(PresentRows(present).count()) == is_few(present.size());
        for (const int count : {1, 2, 3}) {
          set_threads(count);
          const Result here = run(present, lacuna::Rows::present, dropout, norm_first);
          if (same_order)
            CHECK(here.pooled == all.pooled);
          else
            check_close(here.pooled, all.pooled);
          check_close(here.input, all.input);
          check_close(here.parameters, all.parameters);
          const Result chosen = run(present, lacuna::Rows::automatic, dropout, norm_first);
          CHECK((chosen.pooled == here.pooled || chosen.pooled == all.pooled));
        }
        set_threads(0);
      }
}

TEST_CASE("present rows: the same bits with any number of threads") {
  std::vector<index_t> lengths;
  for (index_t i = 0; i < 40; ++i) lengths.push_back(i % 9 * 5);
  const Mask<2> present = mask_from_lengths(lengths, 40);
  set_threads(1);
  const Result one = run(present, lacuna::Rows::present, 0.2, true);
  for (const int count : {2, 3}) {
    set_threads(count);
    const Result again = run(present, lacuna::Rows::present, 0.2, true);
    CHECK(again.pooled == one.pooled);
    CHECK(again.input == one.input);
    CHECK(again.parameters == one.parameters);
  }
  set_threads(0);
}

TEST_CASE("present rows: a linear layer that does not read absent frames") {
  Random random(3);
  const Linear<double> layer({.in_features = 3, .out_features = 4}, random);
  const PresentRows rows(mixed());
  auto frames = init::normal<double, 3>({4, 5, 3}, 1, random);
  const auto weights = Variable<double, 3>(init::normal<double, 3>({4, 5, 4}, 1, random));
  auto cleared = frames.clone();
  for (index_t i = 0; i < 20; ++i)
    for (index_t j = 0; j < 3; ++j)
      if (!mixed().data()[i]) {
        frames.data()[3 * i + j] = std::numeric_limits<double>::quiet_NaN();
        cleared.data()[3 * i + j] = 0;
      }
  const auto gradients = [&](const Variable<double, 3>& y) {
    zero_grad(layer);
    sum(y * weights).backward();
    auto both = layer.weight.grad().to_vector();
    for (const double g : layer.bias.grad().to_vector()) both.push_back(g);
    return both;
  };
  const auto padded = layer(Variable<double, 3>(cleared));
  const auto packed = linear_present<double>(frames, rows, layer.weight, layer.bias);
  CHECK(packed.value().to_vector() == padded.value().to_vector());
  check_close(gradients(packed), gradients(padded));
  const auto none = linear_present<double>(frames, PresentRows(Mask<2>::zeros({4, 5})), layer.weight, layer.bias);
  CHECK(none.data()[5] == layer.bias.data()[1]);
  const Variable<double, 1> no_bias;
  const auto plain = linear_present<double>(frames, rows, layer.weight, no_bias);
  CHECK(plain.data()[5 * 4] == 0);
  CHECK(check_gradients([&] { return sum(linear_present<double>(frames, rows, layer.weight, layer.bias) * weights); },
                        1e-5, 0.01, layer.weight, layer.bias)
            .worst < 1e-8);
}
