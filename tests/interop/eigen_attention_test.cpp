#include "lacuna/interop/eigen_attention.hpp"

#include <doctest/doctest.h>

namespace eigen_attention_test {
namespace {

using namespace lacuna;

template <class T>
using Columns = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

template <class T>
Columns<T> wave(Eigen::Index rows, Eigen::Index columns, double shift) {
  Columns<T> m(rows, columns);
  for (Eigen::Index i = 0; i < rows; ++i)
    for (Eigen::Index j = 0; j < columns; ++j) m(i, j) = T(std::sin(shift + double(3 * i + 7 * j + i * j)));
  return m;
}
using Presence = Eigen::Array<bool, Eigen::Dynamic, 1>;

}  // namespace

TEST_CASE_TEMPLATE("eigen attention: softmax(Q Kᵀ / √d) V over what is present", T, float, double) {
  const Columns<T> q = wave<T>(3, 4, 1), k = wave<T>(5, 4, 2);
  Columns<T> v = wave<T>(5, 6, 3);
  Presence present(5);
  present << true, false, true, true, true;
  v.row(1).setConstant(T(NAN));  // absent: not read
  RowMajorMatrix<T> expected_weights = (q * k.transpose() / T(2)).array().exp();
  expected_weights.col(1).setZero();
  for (Eigen::Index i = 0; i < 3; ++i) expected_weights.row(i) /= expected_weights.row(i).sum();
  Columns<T> seen = v;
  seen.row(1).setZero();
  const Columns<T> expected = expected_weights * seen;

  Columns<T> weights;
  const Columns<T> y = dot_product_attention(q, k, v, present, &weights);
  const T near = sizeof(T) == 4 ? T(1e-5) : T(1e-12);
  CHECK(y.isApprox(expected, near));
  CHECK(weights.isApprox(Columns<T>(expected_weights), near));
  CHECK(weights.col(1).isZero(0));
  CHECK(dot_product_attention(q, k, v, present) == y);
  const RowMajorMatrix<T> rows = v;
  CHECK(dot_product_attention(q.middleRows(0, 3), RowMajorMatrix<T>(k), rows, present) == y);

  const auto attended = attention(Variable<T, 3>(Tensor<T, 2>(q).reshape(std::array<index_t, 3>{1, 3, 4})),
                                  Variable<T, 3>(Tensor<T, 2>(k).reshape(std::array<index_t, 3>{1, 5, 4})),
                                  Variable<T, 3>(Tensor<T, 2>(v).reshape(std::array<index_t, 3>{1, 5, 6})),
                                  Tensor<std::uint8_t, 1>(present).reshape(std::array<index_t, 2>{1, 5}));
  const auto output = attended.output.value();
  CHECK(Columns<T>(output.matrix()) == y);

  const Presence nothing = Presence::Constant(5, false);
  CHECK(dot_product_attention(q, k, v, nothing, &weights).isZero(0));
  CHECK(weights.isZero(0));
  const Columns<T> one = dot_product_attention(wave<T>(1, 4, 1), wave<T>(1, 4, 2), wave<T>(1, 6, 3));
  CHECK(one.isApprox(wave<T>(1, 6, 3), near));  // one key: its value
  CHECK_THROWS_AS(dot_product_attention(q, wave<T>(5, 3, 1), v), ShapeError);
  CHECK_THROWS_AS(dot_product_attention(q, k, wave<T>(4, 6, 1)), ShapeError);
}

TEST_CASE("eigen attention: heads, causal order") {
  const Columns<double> x = wave<double>(4, 6, 1);
  Columns<double> weights, first, second;
  const Columns<double> y = dot_product_attention(x, x, x, {}, &weights, {.num_heads = 2, .causal = true});
  CHECK(weights.rows() == 8);
  const Columns<double> left =
      dot_product_attention(x.leftCols(3), x.leftCols(3), x.leftCols(3), {}, &first, {.causal = true});
  const Columns<double> right =
      dot_product_attention(x.rightCols(3), x.rightCols(3), x.rightCols(3), {}, &second, {.causal = true});
  CHECK(y.leftCols(3).isApprox(left, 1e-12));
  CHECK(y.rightCols(3).isApprox(right, 1e-12));
  CHECK(weights.topRows(4).isApprox(first, 1e-12));
  CHECK(weights.bottomRows(4).isApprox(second, 1e-12));
  CHECK(first(0, 1) == 0);
}

TEST_CASE("eigen attention: gradients against differences") {
  Columns<double> q = wave<double>(3, 4, 1), k = wave<double>(5, 4, 2), v = wave<double>(5, 2, 3);
  const Columns<double> slope = wave<double>(3, 2, 4);
  Presence present(5);
  present << true, true, false, true, true;
  Columns<double> dq, dk, dv;
  dot_product_attention_gradient(q, k, v, slope, &dq, &dk, &dv, present);
  CHECK(dk.row(2).isZero(0));
  CHECK(dv.row(2).isZero(0));
  const auto value = [&] { return slope.cwiseProduct(dot_product_attention(q, k, v, present)).sum(); };
  const auto check = [&](Columns<double>& x, const Columns<double>& gradient) {
    for (Eigen::Index i = 0; i < x.size(); ++i) {
      const double before = x(i);
      x(i) = before + 1e-6;
      const double above = value();
      x(i) = before - 1e-6;
      const double below = value();
      x(i) = before;
      CHECK(std::abs(gradient(i) - (above - below) / 2e-6) < 1e-8);
    }
  };
  check(q, dq), check(k, dk), check(v, dv);
}

}  // namespace eigen_attention_test
