// Products of floats in TF32 and bfloat16: what is rounded, what is not, and until when.
#include <doctest/doctest.h>

#include "cuda/emulated.hpp"
#include "lacuna/autograd/variable.hpp"
#include "lacuna/nn/init.hpp"
#include "lacuna/ops/linear.hpp"
#include "lacuna/ops/matmul.hpp"
#include "lacuna/ops/reduction.hpp"

namespace emulated_precision {

using namespace lacuna;
using test::Emulated;

/// Largest difference of a product, a layer and the gradients behind them from the host's in double.
template <class T>
double error(Precision precision) {
  Random random(3);
  const auto numbers = [&](index_t rows, index_t columns) {
    Tensor<double, 2> x = init::normal<double, 2>({rows, columns}, 1.0, random);
    for (index_t i = 0; i < x.size(); ++i) x.data()[i] = double(float(x.data()[i]));
    return x;
  };
  const auto a = numbers(16, 40), b = numbers(40, 24), weight = numbers(8, 24);
  const auto found = [&]<class S, class D>(std::type_identity<S>, D) {
    const auto leaf = [&](const Tensor<double, 2>& x) {
      const auto list = x.to_vector();
      return Variable<S, 2, D>(Tensor<S, 2, D>::from(x.extents(), std::vector<S>(list.begin(), list.end())), true);
    };
    const auto x = leaf(a), y = leaf(b), w = leaf(weight);
    const Variable<S, 1, D> bias(Tensor<S, 1, D>::full({8}, S(0.5)));
    const auto out = linear(matmul(x, y), w, bias);
    sum(out * out).backward();
    std::vector<double> all;
    for (const auto& list : {out.value().to_vector(), x.grad().to_vector(), w.grad().to_vector()})
      all.insert(all.end(), list.begin(), list.end());
    return all;
  };
  const auto exact = found(std::type_identity<double>(), Cpu());
  const PrecisionScope scope(precision);
  const auto here = found(std::type_identity<T>(), Emulated());
  double worst = 0, largest = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    worst = std::max(worst, std::abs(here[i] - exact[i]));
    largest = std::max(largest, std::abs(exact[i]));
  }
  return worst / largest;
}

TEST_CASE("precision: products of floats are as exact as asked, those of doubles always in full") {
  CHECK(error<float>(Precision::full) < 1e-6);
  CHECK(error<float>(Precision::tf32) > 1e-5);
  CHECK(error<float>(Precision::tf32) < 1e-3);
  CHECK(error<float>(Precision::bf16) > 1e-3);
  CHECK(error<float>(Precision::bf16) < 1e-2);
  CHECK(error<float>(Precision::full) < 1e-6);
  CHECK(error<double>(Precision::bf16) < 1e-13);
}

}  // namespace emulated_precision
