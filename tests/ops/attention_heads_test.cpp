// Every way through the kernels of attention against plain loops: heads of few and of many features, few and many
// queries and keys, masks with holes, causal order, bias and dropout, weights kept or computed again.
#include <doctest/doctest.h>

#include <cmath>

#include "lacuna/nn/init.hpp"
#include "lacuna/ops/attention.hpp"

using namespace lacuna;

namespace {

struct Setting {
  index_t batch, queries, keys, heads, key_size, value_size;
  int mask = 0;  // 0 all present, 1 lengths with an absent sample, 2 holes
  bool causal = false, bias = false, dropped = false;
};

std::string name(const Setting& s) {
  return detail::cat("batch ", s.batch, ", queries ", s.queries, ", keys ", s.keys, ", heads ", s.heads, " of ",
                     s.key_size, " and ", s.value_size, ", mask ", s.mask, s.causal ? ", causal" : "",
                     s.bias ? ", bias" : "", s.dropped ? ", dropout" : "");
}

template <class T, std::size_t R>
Variable<T, int(R)> numbers(const std::array<index_t, R>& extents, std::uint64_t seed) {
  Random source(seed);
  const auto x = init::uniform<double, int(R), Cpu>(extents, 1.0, source).to_vector();
  return Variable<T, int(R)>(Tensor<T, int(R)>::from(extents, std::vector<T>(x.begin(), x.end())), true);
}

Mask<2> mask_of(const Setting& s) {
  if (s.mask == 0) return {};
  Mask<2> mask({s.batch, s.keys});
  for (index_t b = 0; b < s.batch; ++b)
    for (index_t j = 0; j < s.keys; ++j)
      mask(b, j) = s.mask == 1 ? b != 1 && j < s.keys - 3 * b : (j * 7 + b * 3) % 5 != 0 && b != 1;
  return mask;
}
std::vector<DropoutTape::Entry> tape_of(const Setting& s) {
  Array<double> factors(Shape{s.batch, s.heads, s.queries, s.keys});
  for (index_t i = 0; i < factors.size(); ++i) factors.data()[i] = (i * 2654435761u >> 7) % 5 == 0 ? 0.0 : 1.25;
  return {{"attention", factors}};
}

/// Output, weights, and the gradients of query, key, value and bias for the gradient dy of the output.
struct Answer {
  std::vector<double> output, weights, dq, dk, dv, dbias;
};

template <class T>
Answer by_library(const Setting& s, bool keep) {
  const auto q = numbers<T>(std::array{s.batch, s.queries, s.heads * s.key_size}, 1);
  const auto k = numbers<T>(std::array{s.batch, s.keys, s.heads * s.key_size}, 2);
  const auto v = numbers<T>(std::array{s.batch, s.keys, s.heads * s.value_size}, 3);
  const auto bias = s.bias ? numbers<T>(std::array{s.batch, index_t(1), s.queries, s.keys}, 4) : Variable<T, 4>();
  DropoutTape tape(tape_of(s));
  Context context;
  if (s.dropped) context = {Mode::training, nullptr, &tape};
  const auto attended = attention(
      q, k, v, mask_of(s),
      {.num_heads = s.heads, .scale = 0.7, .causal = s.causal, .dropout = s.dropped ? 0.2 : 0.0, .need_weights = keep},
      bias, context);
  attended.output.backward(numbers<T>(attended.output.value().extents(), 5).value());
  const auto list = [](const auto& x) {
    const auto host = x.to_vector();
    return std::vector<double>(host.begin(), host.end());
  };
  CHECK(attended.weights.defined() == (keep && s.batch * s.queries * s.keys > 0));
  return {list(attended.output.value()),
          keep ? list(attended.weights) : std::vector<double>(),
          list(q.grad()),
          list(k.grad()),
          list(v.grad()),
          s.bias ? list(bias.grad()) : std::vector<double>()};
}

Answer by_loops(const Setting& s) {
  const index_t dk = s.heads * s.key_size, dv = s.heads * s.value_size, Q = s.queries, K = s.keys;
  const auto q = numbers<double>(std::array{s.batch, Q, dk}, 1).value(),
             k = numbers<double>(std::array{s.batch, K, dk}, 2).value();
  const auto v = numbers<double>(std::array{s.batch, K, dv}, 3).value(),
             dy = numbers<double>(std::array{s.batch, Q, dv}, 5).value();
  const auto bias = numbers<double>(std::array{s.batch, index_t(1), Q, K}, 4).value();
  const auto mask = mask_of(s);
  const auto tape = tape_of(s);
  const auto zeros = [](index_t n) { return std::vector<double>(std::size_t(n), 0.0); };
  Answer a{zeros(s.batch * Q * dv), zeros(s.batch * s.heads * Q * K), zeros(s.batch * Q * dk),
           zeros(s.batch * K * dk), zeros(s.batch * K * dv),          s.bias ? zeros(s.batch * Q * K) : zeros(0)};
  for (index_t b = 0; b < s.batch; ++b)
    for (index_t h = 0; h < s.heads; ++h)
      for (index_t i = 0; i < Q; ++i) {
        std::vector<double> w = zeros(K), g = zeros(K);
        double total = 0, inner = 0;
        const index_t row = ((b * s.heads + h) * Q + i) * K;
        const auto factor = [&](index_t j) { return s.dropped ? tape[0].factors.data()[row + j] : 1.0; };
        const auto seen = [&](index_t j) { return (!s.causal || j <= i) && (!mask.defined() || mask(b, j)); };
        for (index_t j = 0; j < K; ++j) {
          if (!seen(j)) continue;
          double score = s.bias ? bias(b, 0, i, j) : 0.0;
          for (index_t c = 0; c < s.key_size; ++c)
            score += 0.7 * q(b, i, h * s.key_size + c) * k(b, j, h * s.key_size + c);
          total += w[std::size_t(j)] = std::exp(score);
        }
        for (index_t j = 0; j < K; ++j) {
          if (!seen(j)) continue;
          const double weight = w[std::size_t(j)] /= total;
          a.weights[std::size_t(row + j)] = weight;
          for (index_t c = 0; c < s.value_size; ++c) {
            const index_t column = h * s.value_size + c;
            a.output[std::size_t((b * Q + i) * dv + column)] += weight * factor(j) * v(b, j, column);
            a.dv[std::size_t((b * K + j) * dv + column)] += weight * factor(j) * dy(b, i, column);
            g[std::size_t(j)] += factor(j) * dy(b, i, column) * v(b, j, column);
          }
          inner += weight * g[std::size_t(j)];
        }
        for (index_t j = 0; j < K; ++j) {
          const double slope = w[std::size_t(j)] * (g[std::size_t(j)] - inner);
          if (s.bias) a.dbias[std::size_t((b * Q + i) * K + j)] += slope;
          for (index_t c = 0; c < s.key_size; ++c) {
            const index_t column = h * s.key_size + c;
            a.dq[std::size_t((b * Q + i) * dk + column)] += 0.7 * slope * k(b, j, column);
            a.dk[std::size_t((b * K + j) * dk + column)] += 0.7 * slope * q(b, i, column);
          }
        }
      }
  return a;
}

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    worst = std::max(worst, std::isfinite(a[i]) ? std::abs(a[i] - b[i]) : 1e300);
  return worst;
}
double distance(const Answer& a, const Answer& b) {
  return std::max({distance(a.output, b.output), distance(a.dq, b.dq), distance(a.dk, b.dk), distance(a.dv, b.dv),
                   distance(a.dbias, b.dbias)});
}

std::vector<Setting> settings() {
  std::vector<Setting> list;
  const index_t sizes[][2] = {{4, 4}, {5, 5},   {8, 8}, {10, 10}, {1, 1}, {3, 5},
                              {4, 2}, {16, 16}, {7, 4}, {17, 17}, {24, 4}};
  const index_t lengths[][2] = {{1, 1}, {4, 1}, {5, 18}, {16, 16}, {17, 33}, {50, 50}, {3, 20}, {1, 40}};
  for (const auto& size : sizes)
    for (const auto& length : lengths)
      for (int mask = 0; mask < 3; ++mask)
        for (int kind = 0; kind < 6; ++kind) {
          Setting s{3, length[0], length[1], 2, size[0], size[1], mask};
          s.causal = kind == 1 || kind == 5;
          s.bias = kind == 2 || kind == 4 || kind == 5;
          s.dropped = kind == 3 || kind == 4 || kind == 5;
          if (s.causal) s.keys = s.queries;
          list.push_back(s);
        }
  return list;
}

}  // namespace

TEST_CASE("attention: values, weights and gradients of heads of every kind, by plain loops") {
  for (const Setting& s : settings()) {
    const Answer truth = by_loops(s), kept = by_library<double>(s, true), single = by_library<float>(s, true);
    CAPTURE(name(s));
    CHECK(distance(kept.weights, truth.weights) < 1e-13);
    CHECK(distance(kept, truth) < 1e-12);
    CHECK(distance(single.weights, truth.weights) < 1e-6);
    CHECK(distance(single, truth) < 5e-5);
  }
}

TEST_CASE("attention: weights computed again give the bits of weights that were kept") {
  for (const Setting& s : settings()) {
    const Answer kept = by_library<float>(s, true), again = by_library<float>(s, false);
    CAPTURE(name(s));
    CHECK(distance(again, kept) == 0);
  }
}

TEST_CASE("attention: a bias of minus infinity hides a key, and all of them give zeros") {
  for (const index_t size : {4, 3, 20}) {
    const auto q = numbers<double>(std::array<index_t, 3>{1, 6, size}, 1),
               k = numbers<double>(std::array<index_t, 3>{1, 5, size}, 2);
    Tensor<double, 4> hidden = Tensor<double, 4>::zeros({1, 1, 6, 5});
    for (index_t j = 0; j < 5; ++j) hidden(0, 0, 2, j) = -INFINITY;
    hidden(0, 0, 1, 3) = -INFINITY;
    for (const bool keep : {true, false}) {
      q.zero_grad(), k.zero_grad();
      const auto attended = attention(q, k, k, {}, {.need_weights = keep}, Variable<double, 4>(hidden));
      for (index_t c = 0; c < size; ++c) CHECK(attended.output.value()(0, 2, c) == 0);
      if (keep) CHECK(attended.weights(0, 0, 1, 3) == 0);
      attended.output.backward(Tensor<double, 3>::full({1, 6, size}, 1));
      for (index_t c = 0; c < size; ++c) CHECK(q.grad()(0, 2, c) == 0);
      for (const double g : k.grad().to_vector()) CHECK(std::isfinite(g));
    }
  }
}
