#include "lacuna/ops/attention.hpp"

#include <doctest/doctest.h>

#include "lacuna/nn/init.hpp"

using namespace lacuna;

namespace {

using V = Variable<double, 3>;

V random(std::array<index_t, 3> extents, std::uint64_t seed) {
  Random source(seed);
  return V(init::uniform<double, 3>(extents, 1.0, source), true);
}

/// Columns [from, from + count) of x.
V columns(const V& x, index_t from, index_t count) {
  Tensor<double, 3> part({x.extent(0), x.extent(1), count});
  for (index_t b = 0; b < x.extent(0); ++b)
    for (index_t t = 0; t < x.extent(1); ++t)
      for (index_t i = 0; i < count; ++i) part(b, t, i) = x.value()(b, t, from + i);
  return V(part);
}

}  // namespace

TEST_CASE("attention: by the formula, head by head") {
  const V q = random({2, 3, 4}, 1), k = random({2, 5, 4}, 2), v = random({2, 5, 6}, 3);
  const auto mask = Mask<2>::from({2, 5}, {1, 0, 1, 1, 0, 1, 1, 1, 1, 1});
  const auto attended = attention(q, k, v, mask, {.num_heads = 2});
  for (index_t b = 0; b < 2; ++b)
    for (index_t h = 0; h < 2; ++h)
      for (index_t i = 0; i < 3; ++i) {
        double weight[5], total = 0;
        for (index_t t = 0; t < 5; ++t) {
          double score = 0;
          for (index_t c = 0; c < 2; ++c) score += q.value()(b, i, 2 * h + c) * k.value()(b, t, 2 * h + c);
          total += weight[t] = mask(b, t) ? std::exp(score / std::sqrt(2.0)) : 0.0;
        }
        for (index_t t = 0; t < 5; ++t)
          CHECK(attended.weights(b, h, i, t) == doctest::Approx(weight[t] / total).epsilon(1e-13));
        for (index_t c = 0; c < 3; ++c) {
          double expected = 0;
          for (index_t t = 0; t < 5; ++t) expected += weight[t] / total * v.value()(b, t, 3 * h + c);
          CHECK(attended.output.value()(b, i, 3 * h + c) == doctest::Approx(expected).epsilon(1e-13));
        }
      }
  CHECK(attended.weights(0, 1, 2, 1) == 0);
  CHECK(attended.weights(0, 1, 2, 4) == 0);
}

TEST_CASE("attention: heads are independent, a shared query is a repeated one") {
  const V q = random({2, 3, 4}, 1), k = random({2, 5, 4}, 2), v = random({2, 5, 6}, 3);
  const auto both = attention(q, k, v, {}, {.num_heads = 2}).output;
  const auto second = attention(columns(q, 2, 2), columns(k, 2, 2), columns(v, 3, 3), {}).output;
  for (index_t b = 0; b < 2; ++b)
    for (index_t i = 0; i < 3; ++i)
      for (index_t c = 0; c < 3; ++c) CHECK(both.value()(b, i, 3 + c) == doctest::Approx(second.value()(b, i, c)).epsilon(1e-14));
  const V one = random({1, 3, 4}, 4);
  Tensor<double, 3> repeated({2, 3, 4});
  for (index_t b = 0; b < 2; ++b)
    for (index_t i = 0; i < 3; ++i)
      for (index_t c = 0; c < 4; ++c) repeated(b, i, c) = one.value()(index_t(0), i, c);
  CHECK(attention(one, k, v, {}).output.value().to_vector() == attention(V(repeated), k, v, {}).output.value().to_vector());
}

TEST_CASE("attention: nothing present gives zeros and no gradient, at every position of the mask") {
  const V q = random({3, 2, 4}, 1), k = random({3, 4, 4}, 2), v = random({3, 4, 2}, 3);
  const auto mask = Mask<2>::from({3, 4}, {0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0});
  const auto attended = attention(q, k, v, mask);
  for (index_t i = 0; i < 2; ++i)
    for (index_t c = 0; c < 2; ++c) {
      CHECK(attended.output.value()(index_t(1), i, c) == 0);
      // one key present: its value, whatever the scores
      CHECK(attended.output.value()(index_t(0), i, c) == doctest::Approx(v.value()(index_t(0), index_t(3), c)));
      CHECK(attended.output.value()(index_t(2), i, c) == doctest::Approx(v.value()(index_t(2), index_t(0), c)));
    }
  attended.output.backward(Tensor<double, 3>::full({3, 2, 2}, 1));
  for (const double g : q.grad().to_vector()) CHECK(std::abs(g) < 1e-15);  // one key: its weight does not move
  const auto dk = k.grad(), dv = v.grad();
  for (index_t t = 0; t < 4; ++t)
    for (index_t c = 0; c < 2; ++c) {
      CHECK(dk(index_t(1), t, c) == 0);
      CHECK(dv(index_t(1), t, c) == 0);
      CHECK(dv(index_t(0), t, c) == (t == 3 ? 2 : 0));
    }
}

TEST_CASE("attention: scores of any size give weights that sum to one") {
  for (const double scale : {1e-8, 1.0, 1e3, 1e6}) {
    const auto attended = attention(random({2, 3, 4}, 1), random({2, 5, 4}, 2), random({2, 5, 6}, 3), {}, {.scale = scale});
    for (index_t b = 0; b < 2; ++b)
      for (index_t i = 0; i < 3; ++i) {
        double total = 0;
        for (index_t t = 0; t < 5; ++t) total += attended.weights(b, 0, i, t);
        CHECK(total == doctest::Approx(1).epsilon(1e-14));
      }
  }
}

TEST_CASE("attention: refuses sizes that do not fit, and names them") {
  const V q = random({2, 3, 4}, 1), k = random({2, 5, 4}, 2), v = random({2, 5, 6}, 3);
  CHECK_THROWS_WITH_AS(attention(random({3, 3, 4}, 1), k, v, {}), "attention: axis 0 of query (3, 3, 4) must be 2", ShapeError);
  CHECK_THROWS_AS(attention(random({2, 3, 5}, 1), k, v, {}), ShapeError);
  CHECK_THROWS_AS(attention(q, k, random({2, 4, 6}, 3), {}), ShapeError);
  CHECK_THROWS_AS(attention(q, k, v, {}, {.num_heads = 4}), ShapeError);
  CHECK_THROWS_AS(attention(q, k, v, {}, {.num_heads = 0}), ShapeError);
  CHECK_THROWS_AS(attention(q, k, v, Mask<2>::zeros({2, 4})), ShapeError);
}
