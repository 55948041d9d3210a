/// What losses refuse, and the corners that are no row of the table.
#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "lacuna/autograd/gradcheck.hpp"
#include "lacuna/losses/alignment.hpp"
#include "lacuna/losses/contrastive.hpp"
#include "lacuna/losses/distillation.hpp"
#include "lacuna/losses/mutual_information.hpp"
#include "lacuna/losses/prototype.hpp"
#include "lacuna/losses/relational.hpp"
#include "support/pair_critic.hpp"

namespace {

using namespace lacuna;
using V = Variable<double, 2>;
using ClassList = std::vector<index_t>;

V leaf(index_t rows, index_t columns, std::vector<double> numbers) {
  return V(Tensor<double, 2>::from({rows, columns}, numbers), true);
}
template <class F>
std::string message(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}
bool says(const std::string& text, const char* words) { return text.find(words) != std::string::npos; }

const std::vector<double> six{0.3, -0.2, 0.5, 0.9, -0.4, 0.1};

/// Rows 0 and 1 coincide.
V twins() { return leaf(4, 2, {0.5, -0.25, 0.5, -0.25, 1, 0.5, -0.75, 0.25}); }
V others() { return leaf(4, 2, {0.1, 0.7, -0.6, 0.2, 0.8, -0.3, 0.4, 0.9}); }

void check(const char* name, const GradientCheck& result) {
  CAPTURE(name);
  CAPTURE(result.input);
  CAPTURE(result.element);
  CAPTURE(result.analytic);
  CAPTURE(result.numeric);
  CHECK(result.worst <= 1e-6);
}

}  // namespace

TEST_CASE("losses name the label that is out of range, and do not look at those of absent samples") {
  const V z = leaf(3, 2, six);
  const ClassList bad{0, 7, 1};
  const auto text = message([&] { cross_entropy(z, bad); });
  CHECK(says(text, "cross_entropy: label 7 of sample 1 is outside 0..1"));
  CHECK(says(message([&] { dkd_loss(z, z, bad); }), "label 7 of sample 1"));
  CHECK(says(message([&] { cpd_loss(z, z, bad, 2); }), "label 7 of sample 1"));
  CHECK(says(message([&] { cross_entropy(z, ClassList{0, 1}); }), "2 labels for 3 samples"));
  const auto present = Mask<1>::from({3}, {1, 0, 1});
  CHECK(std::isfinite(cross_entropy(z, bad, {}, present).item()));
  CHECK(says(message([&] {
               cross_entropy(z, bad, {}, Mask<1>::from({2}, {1, 0}));
             }),
             "present has shape (2), expected (3)"));
}

TEST_CASE("two classes: what would hold no information is refused with the reason") {
  const V z = leaf(3, 2, six);
  const ClassList labels{0, 1, 1};
  CHECK(says(message([&] { dkd_loss(z, z, labels, {.alpha = 0, .beta = 1}); }), "two classes"));
  CHECK(std::isfinite(dkd_loss(z, z, labels, {.alpha = 1, .beta = 8}).item()));
  Random random(3);
  const test::PairCritic<double> critic({1, 1, 4}, random);
  CHECK(says(message([&] { rcd_loss(z, z, labels, critic, critic, {.renormalize = true}); }), "holds no information"));
  CHECK(std::isfinite(rcd_loss(z, z, labels, critic, critic).loss.item()));
  const V one = leaf(3, 1, {1, 2, 3});
  CHECK(says(message([&] { dkd_loss(one, one, ClassList{0, 0, 0}); }), "at least two classes"));
  CHECK(says(message([&] { rcd_loss(one, one, ClassList{0, 0, 0}, critic, critic); }), "at least two classes"));
}

TEST_CASE("losses refuse options out of range") {
  const V z = leaf(3, 2, six);
  CHECK_THROWS_AS(kl_divergence(z, z, {0}), OptionError);
  CHECK_THROWS_AS(kl_divergence(z, z, {NAN}), OptionError);
  CHECK_THROWS_AS(info_nce_loss(z, z, {-1}), OptionError);
  CHECK_THROWS_AS(supcon_loss(z, ClassList{0, 1, 0}, {0}), OptionError);
  CHECK_THROWS_AS(scd_loss(z, z, {-1}), OptionError);
  CHECK_THROWS_AS(cpd_loss(z, z, ClassList{0, 1, 0}, 2, {.power = 3}), OptionError);
  CHECK_THROWS_AS(cmd_loss(z, z, {.moments = 0}), OptionError);
  CHECK_THROWS_AS(mmd_loss(z, z, {.bandwidths = {}}), OptionError);
  CHECK_THROWS_AS(huber_loss(z, z, {.delta = 0}), OptionError);
  CHECK_THROWS_AS(cross_entropy(z, ClassList{0, 1, 0}, {.smoothing = 2}), OptionError);
  CHECK_THROWS_AS(cross_entropy(z, ClassList{0, 1, 0}, {.weights = {1, 2, 3}}), ShapeError);
  CHECK_THROWS_AS(binary_cross_entropy(z, Tensor<double, 2>::full({3, 2}, 2.0)), Error);
  CHECK_THROWS_AS(cosine_embedding_loss(z, z, ClassList{1, 0, 1}), Error);
  CHECK_THROWS_AS(scd_loss(z, leaf(2, 3, six)), ShapeError);
  CHECK_THROWS_AS(rkd_distance_loss(z, leaf(2, 3, six)), ShapeError);
}

TEST_CASE("identical samples: gradients agree with differences where the loss is smooth") {
  const V x = twins(), y = others();
  const ClassList labels{0, 0, 1, 0};
  const auto compare = [&](const char* name, auto&& loss) { check(name, check_gradients(loss, 1e-5, 0.01, x, y)); };
  compare("info_nce", [&] { return info_nce_loss(x, y, {0.3}); });
  compare("supcon", [&] { return supcon_loss(x, labels) + supcon_loss(y, labels); });
  compare("nt_xent", [&] { return nt_xent_loss(x, y); });
  compare("cpd", [&] { return cpd_loss(x, y, labels, 3); });
  compare("scd", [&] { return scd_loss(x, y, {1.2}); });
  compare("similarity", [&] { return similarity_preserving_loss(x, y); });
  compare("iic", [&] { return iic_loss(x, y); });
  compare("mmd", [&] { return mmd_loss(x, y, {{0.5, 1}}); });
  compare("coral", [&] { return coral_loss(x, y); });
  compare("cross_entropy", [&] {
    return cross_entropy(x, ClassList{0, 1, 0, 1}) + cross_entropy(y, ClassList{0, 1, 0, 1});
  });
}

TEST_CASE("identical samples: finite where the distance has a kink") {
  const V x = twins(), y = others();
  const auto finite = [&](const Variable<double, 0>& loss) {
    x.zero_grad();
    loss.backward();
    CHECK(std::isfinite(loss.item()));
    for (const double g : x.grad().to_vector()) CHECK(std::isfinite(g));
  };
  finite(rkd_distance_loss(x, y));
  finite(rkd_angle_loss(x, y));
  finite(scd_loss(x, x.detach(), {1.2}));
  finite(rmse_loss(x, x.detach()));
  finite(triplet_loss(x, x.detach(), y, {.epsilon = 0}));
  finite(cmd_loss(x, x.detach()));
  const V same = leaf(3, 2, {1, 2, 1, 2, 1, 2});
  CHECK(rkd_distance_loss(same, same).item() == 0);
}

TEST_CASE("nt_xent_loss is the mean over 2N anchors of the softmax that finds the other view") {
  const V x = twins(), y = others();
  const index_t n = 4;
  std::vector<std::vector<double>> rows;
  for (const V& view : {x, y})
    for (index_t i = 0; i < n; ++i) {
      const double a = view.data()[2 * i], b = view.data()[2 * i + 1], norm = std::hypot(a, b);
      rows.push_back({a / norm, b / norm});
    }
  double expected = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    double sum = 0, positive = 0;
    for (std::size_t j = 0; j < 8; ++j) {
      if (j == i) continue;
      const double s = (rows[i][0] * rows[j][0] + rows[i][1] * rows[j][1]) / 0.5;
      sum += std::exp(s);
      if (j % 4 == i % 4) positive = s;
    }
    expected += (std::log(sum) - positive) / 8;
  }
  CHECK(nt_xent_loss(x, y, {0.5}).item() == doctest::Approx(expected).epsilon(1e-12));
}

TEST_CASE("rcd_loss with critics that say nothing is 4 log 2") {
  const V z = leaf(3, 2, six);
  Random random(3);
  test::PairCritic<double> critic({1, 1, 4}, random);
  zero_grad(critic);
  for_each_parameter(critic.out, [](const std::string&, auto& p) { std::fill_n(p.mutable_data(), p.size(), 0.0); });
  CHECK(rcd_loss(z, z, ClassList{0, 1, 1}, critic, critic).loss.item() ==
        doctest::Approx(4 * std::log(2.0)).epsilon(1e-14));
}

TEST_CASE("close rows far from the origin keep their digits in float") {
  const index_t n = 6, width = 16;
  Tensor<float, 2> near({n, width}), other({n, width});
  Tensor<double, 2> near_exact({n, width}), other_exact({n, width});
  const RandomStream stream{5, 1};
  for (index_t i = 0; i < n * width; ++i) {
    near.data()[i] = float(1000 + 0.25 * stream.normal(std::uint64_t(i)));
    other.data()[i] = float(0.25 * stream.normal(std::uint64_t(i)));
    near_exact.data()[i] = double(near.data()[i]);
    other_exact.data()[i] = double(other.data()[i]);
  }
  const Variable<float, 2> x(near, true), y(other);
  const Variable<double, 2> x_exact(near_exact, true), y_exact(other_exact);
  const auto loss = rkd_distance_loss(x, y);
  const auto exact = rkd_distance_loss(x_exact, y_exact);
  CHECK(double(loss.item()) == doctest::Approx(exact.item()).epsilon(1e-5));
  loss.backward();
  exact.backward();
  const auto found = x.grad().to_vector();
  const auto expected = x_exact.grad().to_vector();
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(std::abs(double(found[i]) - expected[i]) <= 1e-5);
}
