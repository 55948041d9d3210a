#include "lacuna/interop/eigen_metrics.hpp"

#include <doctest/doctest.h>

namespace eigen_metrics_test {
namespace {

using namespace lacuna;
namespace metrics = lacuna::train;

}  // namespace

TEST_CASE("eigen metrics: those of lists, for every kind of vector") {
  const std::vector<double> y = {-2.6, -1, 0, 0.5, 1.75, 3}, p = {-2, 0.25, -0.5, 0.75, 1.5, 2.5};
  const Eigen::Map<const Eigen::VectorXd> labels(y.data(), 6), predictions(p.data(), 6);
  const Eigen::RowVectorXd row = predictions.transpose();
  Eigen::MatrixXd table(6, 3);
  table.col(1) = predictions;
  const auto check = [&](auto plain, auto eigens) {
    const double expected = plain(std::span<const double>(y), std::span<const double>(p));
    CHECK(eigens(labels, predictions) == expected);
    CHECK(eigens(labels, row) == expected);
    CHECK(eigens(labels.array(), table.col(1)) == expected);
    CHECK(eigens(labels, predictions * 2.0 - predictions) == expected);
  };
#define LACUNA_TEST_METRIC(name)                            \
  check([](auto a, auto b) { return metrics::name(a, b); }, \
        [](const auto& a, const auto& b) { return metrics::name(a, b); })
  LACUNA_TEST_METRIC(mae);
  LACUNA_TEST_METRIC(mse);
  LACUNA_TEST_METRIC(rmse);
  LACUNA_TEST_METRIC(pearson);
  LACUNA_TEST_METRIC(ccc);
  LACUNA_TEST_METRIC(acc2_has0);
  LACUNA_TEST_METRIC(f1_has0);
  LACUNA_TEST_METRIC(acc2_non0);
  LACUNA_TEST_METRIC(f1_non0);
  LACUNA_TEST_METRIC(acc3);
  LACUNA_TEST_METRIC(acc5);
  LACUNA_TEST_METRIC(acc7);
  LACUNA_TEST_METRIC(sims_acc2);
  LACUNA_TEST_METRIC(sims_acc3);
  LACUNA_TEST_METRIC(sims_acc5);
  LACUNA_TEST_METRIC(sims_f1);
#undef LACUNA_TEST_METRIC
  CHECK(metrics::regression_metrics(labels, predictions)[0] ==
        std::pair<std::string, double>("mae", metrics::mae(y, p)));
  CHECK(metrics::mae(labels.cast<float>(), labels.cast<float>() * 1.0f) == 0);
  CHECK(metrics::mae(Eigen::VectorXi::Constant(3, 2), Eigen::VectorXd::Constant(3, 1.5)) == 0.5);
}

TEST_CASE("eigen metrics: classes, and errors") {
  Eigen::VectorXi labels(5), predicted(5);
  labels << 0, 1, 2, 2, 1;
  predicted << 0, 2, 2, 2, 1;
  CHECK(metrics::uar(metrics::confusion(labels, predicted, 3)) == doctest::Approx((1 + 0.5 + 1) / 3));
  CHECK(metrics::score_of(metrics::classification_metrics(labels, predicted, 3), "accuracy") == doctest::Approx(0.8));
  CHECK_THROWS_WITH_AS(metrics::mae(Eigen::MatrixXd(2, 3), Eigen::MatrixXd(2, 3)),
                       "metric: labels has shape (2, 3), expected a vector", ShapeError);
  CHECK_THROWS_WITH_AS(metrics::mae(Eigen::VectorXd(2), Eigen::VectorXd(3)), "mae: 2 labels, 3 predictions",
                       ShapeError);
  CHECK_THROWS_WITH_AS(metrics::mae(Eigen::VectorXd(0), Eigen::VectorXd(0)), "mae: no samples", ShapeError);
  CHECK_THROWS_AS(metrics::confusion(labels, predicted, 2), Error);
}

}  // namespace eigen_metrics_test
