#include "lacuna/losses/regression.hpp"

#include <doctest/doctest.h>

#include "lacuna/ops/shape.hpp"
#include "support/oracle.hpp"

using namespace lacuna;

namespace {

std::string misc() { return test::oracle_dir() + "/sdumc/misc.npz"; }
bool have_misc() { return test::have_oracle() && test::is_directory(test::oracle_dir() + "/sdumc"); }

template <int R>
Variable<double, R> leaf(const io::Npz& file, const std::string& name) {
  return Variable<double, R>(file.tensor<double, R>(name), true);
}
double error(const Variable<double, 0>& x, const io::Npz& file, const std::string& name) {
  return test::relative_error(x.value().to_vector(), file.get(name).as<double>(), 0.01);
}
template <int R>
double gradient_error(const Variable<double, R>& x, const io::Npz& file, const std::string& name) {
  return test::relative_error(x.grad().to_vector(), file.get(name).as<double>(), 0.01);
}

}  // namespace

TEST_CASE("mse_loss: (B, 1) meets (B) by an explicit reshape only, and gives the authors' number" *
          doctest::skip(!have_misc())) {
  const io::Npz file(misc());
  const auto a = leaf<2>(file, "mse_b1_vs_b/a");
  const auto b = leaf<1>(file, "mse_b1_vs_b/b");
  const auto loss = mse_loss(a, reshape(b, std::array<index_t, 2>{b.size(), 1}));
  CHECK(error(loss, file, "mse_b1_vs_b/loss") < 1e-12);
  loss.backward();
  CHECK(gradient_error(a, file, "mse_b1_vs_b/grad_a") < 1e-12);
  CHECK(gradient_error(b, file, "mse_b1_vs_b/grad_b") < 1e-12);
}

TEST_CASE("rmse_loss: the authors' numbers" * doctest::skip(!have_misc())) {
  const io::Npz file(misc());
  const auto check = [&](const std::string& name, const auto& a, const auto& b) {
    const auto loss = rmse_loss(a, b);
    CHECK(error(loss, file, name + "/loss") < 1e-12);
    loss.backward();
    CHECK(gradient_error(a, file, name + "/grad_a") < 1e-12);
    CHECK(gradient_error(b, file, name + "/grad_b") < 1e-12);
  };
  check("rmse_2d", leaf<2>(file, "rmse_2d/a"), leaf<2>(file, "rmse_2d/b"));
  check("rmse_3d", leaf<3>(file, "rmse_3d/a"), leaf<3>(file, "rmse_3d/b"));
  // where the authors' gradient is NaN, ours is zero
  CHECK(std::isnan(file.get("rmse_identical/grad_a").as<double>()[0]));
  const auto a = leaf<2>(file, "rmse_identical/a"), b = leaf<2>(file, "rmse_identical/b");
  const auto loss = rmse_loss(a, b);
  CHECK(loss.item() == 0);
  loss.backward();
  CHECK(a.grad().to_vector() == std::vector<double>(std::size_t(a.size()), 0.0));
  CHECK(b.grad().to_vector() == std::vector<double>(std::size_t(b.size()), 0.0));
}

TEST_CASE("mse_loss: the mean is over present samples") {
  const Variable<double, 2> a(Tensor<double, 2>::from({3, 2}, {1, 2, NAN, INFINITY, 5, 6}), true);
  const Variable<double, 2> b(Tensor<double, 2>::from({3, 2}, {0, 0, 0, 0, 1, 1}));
  const auto loss = mse_loss(a, b, Mask<1>::from({3}, {1, 0, 1}));
  CHECK(loss.item() == (1 + 4 + 16 + 25) / 4.0);
  loss.backward();
  CHECK(a.grad().to_vector() == std::vector<double>{0.5, 1, 0, 0, 2, 2.5});
  CHECK_THROWS_AS(mse_loss(a, Variable<double, 2>(Tensor<double, 2>::zeros({2, 3}))), ShapeError);
  CHECK_THROWS_AS(mse_loss(a, b, Mask<1>::from({2}, {1, 0})), ShapeError);
}

TEST_CASE("mse_loss in float: small squares beside a large one keep their digits") {
  // a running float sum of 2^24 does not grow by ones
  auto a = Tensor<float, 1>::full({1001}, 1.0f);
  a(0) = 4096;
  const double expected = (16777216.0 + 1000) / 1001;
  CHECK(mse_loss(Variable<float, 1>(a), Variable<float, 1>(Tensor<float, 1>::zeros({1001}))).item() == float(expected));
  CHECK(float(expected) != float(16777216.0 / 1001));
}
