/// Products with weights as a file keeps them: every type, few rows and many, any border, the same bits with any threads.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "lacuna/core/random.hpp"
#include "lacuna/io/bfloat16.hpp"
#include "lacuna/io/half.hpp"
#include "lacuna/kernels/cpu/activation.hpp"
#include "lacuna/kernels/cpu/quantize.hpp"
#include "lacuna/kernels/cpu/stored_linear.hpp"

namespace stored_test {

using lacuna::index_t;
using lacuna::StoredArray;
using lacuna::StoredType;

/// Random numbers, stored from an odd address on.
StoredArray matrix(StoredType type, index_t out, index_t in) {
  lacuna::Random random(std::uint64_t(out * 1000 + in));
  const auto bytes = std::make_shared<std::vector<std::uint8_t>>(std::size_t(1 + out * lacuna::bytes_of(type, in)));
  for (index_t i = 0; i < out * in; ++i) {
    const double number = random.uniform() * 2 - 1;
    const auto narrow = float(number);
    const std::uint16_t half =
        type == StoredType::bf16 ? lacuna::io::float_to_bfloat16(narrow) : lacuna::io::float_to_half(narrow);
    std::uint8_t* const to = bytes->data() + 1 + lacuna::bytes_of(type, i);
    if (type == StoredType::f64) std::memcpy(to, &number, 8);
    if (type == StoredType::f32) std::memcpy(to, &narrow, 4);
    if (type == StoredType::f16 || type == StoredType::bf16) std::memcpy(to, &half, 2);
  }
  return {type, lacuna::Shape{out, in}, bytes->data() + 1, bytes, "test"};
}
StoredArray stored(StoredType type, index_t out, index_t in) {
  return type == StoredType::q8 ? lacuna::cpu::Quantize::q8(matrix(StoredType::f32, out, in)) : matrix(type, out, in);
}

template <class T>
void products(StoredType type, index_t out, index_t in) {
  const StoredArray weight = stored(type, out, in);
  std::vector<double> numbers(std::size_t(out * in));
  for (index_t j = 0; j < out; ++j) lacuna::cpu::Widen::widen(type, in, weight.row(j), numbers.data() + j * in);
  const index_t most = 21;
  std::vector<T> x(std::size_t(most * in)), bias(static_cast<std::size_t>(out)), first;
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = T(std::sin(double(i)));
  for (std::size_t i = 0; i < bias.size(); ++i) bias[i] = T(std::cos(double(i)));
  for (const index_t rows : {1, 2, 3, 8, 9, 21}) {
    CAPTURE(rows);
    std::vector<T> y[3];
    for (int threads = 1; threads <= 3; ++threads) {
      lacuna::set_threads(threads);
      y[threads - 1].resize(std::size_t(rows * out));
      lacuna::cpu::StoredLinear::stored_linear<T>(rows, weight, x.data(), bias.data(), y[threads - 1].data());
    }
    lacuna::set_threads(0);
    CHECK(y[0] == y[1]);
    CHECK(y[0] == y[2]);
    double worst = 0;
    for (index_t i = 0; i < rows; ++i)
      for (index_t j = 0; j < out; ++j) {
        double sum = double(bias[std::size_t(j)]);
        for (index_t p = 0; p < in; ++p) sum += double(x[std::size_t(i * in + p)]) * numbers[std::size_t(j * in + p)];
        worst = std::max(worst, std::abs(sum - double(y[0][std::size_t(i * out + j)])));
      }
    CHECK(worst < (sizeof(T) == 4 ? 1e-6 : 1e-14) * double(in));
    // among up to eight, a row does not depend on the others
    if (rows == 1) first = y[0];
    if (rows <= 8 && sizeof(T) == 4 && type != StoredType::f64)
      CHECK(std::equal(first.begin(), first.end(), y[0].begin()));
  }
}

TEST_CASE("stored weights: products of every type, few rows and many") {
  for (const StoredType type : {StoredType::f64, StoredType::f32, StoredType::f16, StoredType::bf16, StoredType::q8})
    for (const auto& [out, in] : {std::pair<index_t, index_t>{1, 1}, {5, 7}, {67, 40}, {130, 300}}) {
      CAPTURE(lacuna::name_of(type));
      CAPTURE(out);
      products<float>(type, out, in);
      products<double>(type, out, in);
    }
}

TEST_CASE("stored weights: eight bits are off by half a step at most, and keep zero, sign and NaN") {
  const index_t out = 3, in = 70;  // the last group of a row is not full
  const StoredArray exact = matrix(StoredType::f32, out, in), small = lacuna::cpu::Quantize::q8(exact);
  std::vector<float> a(static_cast<std::size_t>(in)), b(static_cast<std::size_t>(in));
  for (index_t j = 0; j < out; ++j) {
    lacuna::cpu::Widen::widen(exact.type, in, exact.row(j), a.data());
    lacuna::cpu::Widen::widen(small.type, in, small.row(j), b.data());
    for (index_t g = 0; g < in; g += 32) {
      float largest = 0;
      for (index_t i = g; i < std::min<index_t>(in, g + 32); ++i)
        largest = std::max(largest, std::abs(a[std::size_t(i)]));
      for (index_t i = g; i < std::min<index_t>(in, g + 32); ++i)
        CHECK(std::abs(a[std::size_t(i)] - b[std::size_t(i)]) <= largest / 127 * 0.5f * 1.01f);
    }
  }
  const float special[] = {0, 0, 0, NAN, 1, 2};
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(special);
  const StoredArray zeros = lacuna::cpu::Quantize::q8({StoredType::f32, lacuna::Shape{2, 3}, bytes, nullptr, "test"});
  lacuna::cpu::Widen::widen(zeros.type, 3, zeros.row(0), a.data());
  lacuna::cpu::Widen::widen(zeros.type, 3, zeros.row(1), b.data());
  CHECK((a[0] == 0 && a[1] == 0 && a[2] == 0));
  CHECK(std::isnan(b[0]));
}

TEST_CASE("gelu of float: the digits of both tails, whatever the place") {
  std::vector<float> x, y;
  for (double at = -13; at <= 13; at += 0.0037) x.push_back(float(at));
  y = x;
  lacuna::cpu::activate(lacuna::Activation::gelu, y.data(), index_t(y.size()));
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double exact = 0.5 * double(x[i]) * std::erfc(-double(x[i]) * std::sqrt(0.5));
    const double scale = 1 + std::max(0.0, -double(x[i])) * std::max(0.0, -double(x[i]));  // of e^{−x²/2} in float
    if (exact != 0) worst = std::max(worst, std::abs(double(y[i]) / exact - 1) / scale);
  }
  CHECK(worst < 1e-6);
  float one = x[1000];
  lacuna::cpu::activate(lacuna::Activation::gelu, &one, 1);
  CHECK(one == y[1000]);
  MESSAGE("gelu: worst relative error over 1 + x² of the left tail " << worst);
}

}  // namespace stored_test
