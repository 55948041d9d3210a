/// The losses over matrices are the losses over Variables, to the bit, for every kind of matrix; their gradients are
/// held against differences.
#include "lacuna/interop/eigen_losses.hpp"

#include <doctest/doctest.h>

#include <array>
#include <thread>

namespace eigen_losses_test {
namespace {

using namespace lacuna;

template <class T>
using Columns = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

/// Numbers in (-1, 1) without a pattern.
template <class T>
Columns<T> numbers(Eigen::Index rows, Eigen::Index columns, double shift) {
  Columns<T> m(rows, columns);
  for (Eigen::Index i = 0; i < rows; ++i)
    for (Eigen::Index j = 0; j < columns; ++j)
      m(i, j) = T(std::sin(shift + 12.9898 * double(i) + 78.233 * double(j * j + j)));
  return m;
}

const std::vector<index_t> class_labels = {0, 2, 1, 2, 0, 1};
const Labels<Cpu> labels(class_labels);
template <class T>
const Labels<Cpu, T>& real_labels() {
  static const Labels<Cpu, T> list(std::vector<T>{T(-1), T(0.5), T(2), T(1.25), T(0), T(-0.5)});
  return list;
}
const Labels<Cpu> signs(std::vector<index_t>{1, -1, 1, 1, -1, -1});

/// Calls f(name, loss) for every loss of two matrices, loss(a, b, places and masks...).
template <class T, class F>
void each_pair(F&& f) {
  f(
      "mse", [](auto&&... x) { return mse_loss(x...); }, RegressionOptions{});
  f(
      "l1", [](auto&&... x) { return l1_loss(x...); }, RegressionOptions{Reduction::sum});
  f(
      "smooth_l1", [](auto&&... x) { return smooth_l1_loss(x...); }, SmoothL1Options{.beta = 0.5});
  f(
      "huber", [](auto&&... x) { return huber_loss(x...); }, HuberOptions{.delta = 0.5});
  f("rmse", [](auto&&... x) { return rmse_loss(x...); });
  f(
      "kl_divergence", [](auto&&... x) { return kl_divergence(x...); }, KlOptions{.temperature = 1.5});
  f(
      "hinton_kd", [](auto&&... x) { return hinton_kd_loss(x...); }, HintonKdOptions{.temperature = 2});
  f(
      "hinton_kd with labels", [](auto&&... x) { return hinton_kd_loss(x...); }, labels, HintonKdOptions{.alpha = 0.3});
  f(
      "dkd", [](auto&&... x) { return dkd_loss(x...); }, labels, DkdOptions{.beta = 2});
  f(
      "iic", [](auto&&... x) { return iic_loss(x...); }, IicOptions{});
  f("rkd_distance", [](auto&&... x) { return rkd_distance_loss(x...); });
  f("rkd_angle", [](auto&&... x) { return rkd_angle_loss(x...); });
  f("similarity_preserving", [](auto&&... x) { return similarity_preserving_loss(x...); });
  f(
      "scd", [](auto&&... x) { return scd_loss(x...); }, ScdOptions{.margin = 2, .normalize = true});
  f(
      "cpd", [](auto&&... x) { return cpd_loss(x...); }, labels, index_t(3), CpdOptions{});
  f(
      "info_nce", [](auto&&... x) { return info_nce_loss(x...); }, InfoNceOptions{});
  f(
      "supcon of two views", [](auto&&... x) { return supcon_loss(x...); }, labels, SupConOptions{.temperature = 0.5});
  f(
      "nt_xent", [](auto&&... x) { return nt_xent_loss(x...); }, SupConOptions{.temperature = 0.5});
  f(
      "cosine_embedding", [](auto&&... x) { return cosine_embedding_loss(x...); }, signs, CosineEmbeddingOptions{});
  f(
      "rank_n_contrast of two views", [](auto&&... x) { return rank_n_contrast(x...); }, real_labels<T>(),
      RankNContrastOptions{});
  f(
      "cmd", [](auto&&... x) { return cmd_loss(x...); }, CmdOptions{.moments = 3});
  f("coral", [](auto&&... x) { return coral_loss(x...); });
  f(
      "mmd", [](auto&&... x) { return mmd_loss(x...); }, MmdOptions{.bandwidths = {0.5, 1}});
  f(
      "orthogonality", [](auto&&... x) { return orthogonality_loss(x...); }, OrthogonalityOptions{.normalize = true});
  f(
      "vae_kl", [](auto&&... x) { return vae_kl_loss(x...); }, VaeKlOptions{});
}
/// The same of one matrix.
template <class T, class F>
void each_single(F&& f) {
  f(
      "cross_entropy", [](auto&&... x) { return cross_entropy(x...); }, labels, CrossEntropyOptions{.smoothing = 0.1});
  f(
      "nll", [](auto&&... x) { return nll_loss(x...); }, labels, NllOptions{});
  f(
      "supcon", [](auto&&... x) { return supcon_loss(x...); }, labels, SupConOptions{.temperature = 0.5});
  f(
      "rank_n_contrast", [](auto&&... x) { return rank_n_contrast(x...); }, real_labels<T>(), RankNContrastOptions{});
}

template <class T>
bool same(const Columns<T>& found, const Tensor<T, 2>& expected) {
  return found.rows() == expected.extent(0) && found.cols() == expected.extent(1) &&
         found == Columns<T>(expected.matrix());
}

}  // namespace

TEST_CASE_TEMPLATE("eigen losses: value and gradients of Variables, to the bit, for any kind of matrix", T, float,
                   double) {
  const Columns<T> a = numbers<T>(6, 3, 1), b = numbers<T>(6, 3, 5), around = numbers<T>(9, 7, 2);
  const RowMajorMatrix<T> a_rows = a, b_rows = b;
  each_pair<T>([&](const char* name, auto loss, const auto&... more) {
    CAPTURE(name);
    const Variable<T, 2> x(a, true), y(b, true);
    const Variable<T, 0> expected = loss(x, y, more...);
    expected.backward();
    const double value = double(expected.item());
    CHECK(std::isfinite(value));
    const Tensor<T, 2> dx = x.grad(), dy = y.grad();

    Columns<T> to_a, to_b;
    CHECK(loss(a, b, more...) == value);
    CHECK(loss(a, b, more..., &to_a, &to_b) == value);
    CHECK(same(to_a, dx));
    CHECK(same(to_b, dy));
    RowMajorMatrix<T> rows;
    CHECK(loss(a_rows, b, more..., &rows) == value);
    CHECK(rows == Columns<T>(dx.matrix()));
    CHECK(loss(a_rows.block(0, 0, 6, 3), b_rows.transpose().transpose(), more..., nullptr, &to_b) == value);
    CHECK(same(to_b, dy));
    // a block of a larger matrix in, and out
    Columns<T> large = around, wide = around;
    large.block(1, 2, 6, 3) = a;
    auto place = wide.block(2, 1, 6, 3);
    CHECK(loss(large.block(1, 2, 6, 3), b, more..., &place) == value);
    CHECK(same<T>(place, dx));
    CHECK(wide.row(0) == around.row(0));
    CHECK(wide.col(4) == around.col(4));
    {
      const NoGrad off;
      CHECK(loss(a, b, more..., &to_a) == value);
      CHECK(same(to_a, dx));
    }
  });
  each_single<T>([&](const char* name, auto loss, const auto&... more) {
    CAPTURE(name);
    const Variable<T, 2> x(a, true);
    const Variable<T, 0> expected = loss(x, more...);
    expected.backward();
    Columns<T> to_a;
    CHECK(loss(a_rows, more...) == double(expected.item()));
    CHECK(loss(a, more..., &to_a) == double(expected.item()));
    CHECK(same(to_a, x.grad()));
  });
}

TEST_CASE("eigen losses: gradients against differences, in double") {
  const auto check = [](const char* name, Columns<double> x, const Columns<double>& gradient, auto&& value) {
    CAPTURE(name);
    REQUIRE(gradient.rows() == x.rows());
    for (Eigen::Index i = 0; i < x.size(); ++i) {
      const double before = x(i), step = 1e-6;
      x(i) = before + step;
      const double above = value(x);
      x(i) = before - step;
      const double below = value(x);
      x(i) = before;
      const double slope = (above - below) / (2 * step);
      CHECK(std::abs(gradient(i) - slope) < 2e-6 * (1 + std::abs(slope)));
    }
  };
  const Columns<double> a = numbers<double>(6, 3, 1), b = numbers<double>(6, 3, 5);
  each_pair<double>([&](const char* name, auto loss, const auto&... more) {
    Columns<double> to_a, to_b;
    loss(a, b, more..., &to_a, &to_b);
    check(name, a, to_a, [&](const auto& x) { return loss(x, b, more...); });
    check(name, b, to_b, [&](const auto& y) { return loss(a, y, more...); });
  });
  each_single<double>([&](const char* name, auto loss, const auto&... more) {
    Columns<double> to_a;
    loss(a, more..., &to_a);
    check(name, a, to_a, [&](const auto& x) { return loss(x, more...); });
  });
  Columns<double> to_x, to_p, to_n;
  const Columns<double> far = numbers<double>(6, 3, 8), shares = (far.array() + 1) / 2;
  triplet_loss(a, b, far, {.margin = 2}, &to_x, &to_p, &to_n);
  check("triplet", a, to_x, [&](const auto& x) { return triplet_loss(x, b, far, {.margin = 2}); });
  check("triplet", b, to_p, [&](const auto& x) { return triplet_loss(a, x, far, {.margin = 2}); });
  check("triplet", far, to_n, [&](const auto& x) { return triplet_loss(a, b, x, {.margin = 2}); });
  binary_cross_entropy(a, shares, {}, &to_x);
  check("binary_cross_entropy", a, to_x, [&](const auto& x) { return binary_cross_entropy(x, shares); });
}

TEST_CASE_TEMPLATE("eigen losses: what is absent is not read", T, float, double) {
  Columns<T> a = numbers<T>(6, 3, 1), b = numbers<T>(6, 3, 5);
  Columns<T> a_kept(4, 3), b_kept(4, 3);
  a_kept << a.topRows(2), a.middleRows(3, 2);
  b_kept << b.topRows(2), b.middleRows(3, 2);
  a.row(2).setConstant(T(NAN)), b.row(5).setConstant(T(NAN));
  Eigen::Array<bool, Eigen::Dynamic, 1> present(6);
  present << true, true, false, true, true, false;
  Columns<T> to_a;
  CHECK(mse_loss(a, b, {}, &to_a, {}, present) == mse_loss(a_kept, b_kept));
  CHECK(to_a.row(2).isZero(0));
  CHECK(to_a.row(5).isZero(0));
  CHECK(hinton_kd_loss(a, b, {.temperature = 2}, &to_a, {}, present) ==
        hinton_kd_loss(a_kept, b_kept, {.temperature = 2}));
  CHECK(to_a.row(2).isZero(0));
  CHECK(coral_loss(a, b, {}, {}, present, present) == coral_loss(a_kept, b_kept));
  const Mask<1> none = Mask<1>::zeros({6});
  CHECK(rkd_distance_loss(a, b, &to_a, {}, none) == 0);
  CHECK(to_a.isZero(0));
  CHECK(mse_loss(Columns<T>(0, 3), Columns<T>(0, 3)) == 0);
  CHECK(nt_xent_loss(numbers<T>(1, 3, 1), numbers<T>(1, 3, 2)) == 0);  // one sample: nothing to contrast with
}

TEST_CASE("eigen losses: vectors, labels of Eigen, losses of one's own") {
  Eigen::VectorXf prediction(3), target(3), gradient;
  prediction << 1, 2, 3;
  target << 1, 1, 1;
  CHECK(mse_loss(prediction, target, {}, &gradient) == doctest::Approx(5.0 / 3));
  CHECK(gradient.isApprox(Eigen::Vector3f(0, 2.0f / 3, 4.0f / 3)));
  Eigen::VectorXi classes(6);
  classes << 0, 2, 1, 2, 0, 1;
  const Columns<double> logits = numbers<double>(6, 3, 1);
  CHECK(cross_entropy(logits, classes) == cross_entropy(logits, class_labels));
  CHECK(cross_entropy(logits, {0, 2, 1, 2, 0, 1}) == cross_entropy(logits, class_labels));
  Eigen::VectorXd real = Eigen::VectorXd::LinSpaced(6, -1, 1);
  CHECK(rank_n_contrast(logits, real) == rank_n_contrast(logits, std::vector<double>(real.data(), real.data() + 6)));

  Columns<double> own;
  const auto square = [](const auto& x) {
    return 2.0 * mse_loss(x, x.detach()) + mse_loss(x, Variable<double, 2>(Tensor<double, 2>::zeros(x.extents())));
  };
  CHECK(value_and_gradient(square, logits, &own) == doctest::Approx(logits.squaredNorm() / 18));
  CHECK(own.isApprox(logits / 9));
  Columns<double> other;
  CHECK(value_and_gradient([](const auto& x, const auto& y) { return mse_loss(x, y); }, logits, own, nullptr, &other) ==
        mse_loss(logits, own));
  CHECK(other.isApprox((own - logits) / 9));
}

TEST_CASE("eigen losses: errors say what was found and expected") {
  const Columns<float> a = numbers<float>(6, 3, 1), b = numbers<float>(6, 4, 1);
  CHECK_THROWS_WITH_AS(mse_loss(a, b), "mse_loss: target has shape (6, 4), expected (6, 3)", ShapeError);
  CHECK_THROWS_WITH_AS(hinton_kd_loss(a, b), "hinton_kd_loss: teacher has shape (6, 4), expected (6, 3)", ShapeError);
  CHECK_THROWS_AS(hinton_kd_loss(a, a, {.temperature = 0}), OptionError);
  CHECK_THROWS_AS(mse_loss(a, a, {}, {}, {}, Mask<1>::zeros({5})), ShapeError);
  Columns<float> large(9, 9);
  auto place = large.block(0, 0, 2, 3);
  CHECK_THROWS_WITH_AS(mse_loss(a, a, {}, &place), "a matrix to be filled has shape (2, 3), expected (6, 3)",
                       ShapeError);
  Eigen::Matrix<float, 2, 3> fixed;
  CHECK_THROWS_AS(mse_loss(a, a, {}, &fixed), ShapeError);
}

TEST_CASE("eigen losses: equal bits from several threads at a time") {
  const RowMajorMatrix<float> a = numbers<float>(64, 16, 1), b = numbers<float>(64, 16, 5);
  RowMajorMatrix<float> expected;
  const double value = hinton_kd_loss(a, b, {}, &expected);
  std::array<RowMajorMatrix<float>, 3> found;
  std::array<double, 3> values{};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 3; ++i)
    threads.emplace_back([&, i] {
      for (int again = 0; again < 20; ++again) values[i] = hinton_kd_loss(a, b, {}, &found[i]);
    });
  for (auto& thread : threads) thread.join();
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(values[i] == value);
    CHECK(found[i] == expected);
  }
}

}  // namespace eigen_losses_test
