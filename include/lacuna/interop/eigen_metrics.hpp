/// The metrics of train/metrics.hpp and train/classification_metrics.hpp for Eigen's vectors: labels first, predictions
/// second.
///
///     train::mae(labels, predictions);                           // VectorXf, a column of a matrix, an expression, ...
///     train::uar(train::confusion(classes, predicted, 4));       // VectorXi
///
/// Numbers are converted to double, in which all metrics are computed. Vectors may be rows, columns, or matrices of one
/// row or column; others throw ShapeError. What the metrics are and what they throw is said there.
#pragma once

#include <vector>

#include "lacuna/interop/eigen_dense.hpp"
#include "lacuna/train/classification_metrics.hpp"
#include "lacuna/train/metrics.hpp"

namespace lacuna::detail {

template <class N, EigenDense E>
std::vector<N> listed(const char* argument, const E& vector) {
  if (vector.rows() != 1 && vector.cols() != 1 && vector.size() != 0)
    throw ShapeError(
        cat("metric: ", argument, " has shape ", Shape{vector.rows(), vector.cols()}, ", expected a vector"));
  std::vector<N> list(std::size_t(vector.size()));
  Eigen::Map<RowMajorMatrix<N>>(list.data(), vector.rows(), vector.cols()).array() =
      vector.derived().array().template cast<N>();
  return list;
}
template <class F, EigenDense Y, EigenDense P>
double scored(F&& metric, const Y& label, const P& prediction) {
  const std::vector<double> y = listed<double>("labels", label), p = listed<double>("predictions", prediction);
  return metric(std::span<const double>(y), std::span<const double>(p));
}
/// Whole numbers: classes.
template <class E>
concept EigenClasses = EigenDense<E> && std::integral<typename E::Scalar>;

}  // namespace lacuna::detail

namespace lacuna::train {

template <detail::EigenDense Y, detail::EigenDense P>
double mae(const Y& label, const P& prediction) {
  return detail::scored([](auto y, auto p) { return mae(y, p); }, label, prediction);
}
template <detail::EigenDense Y, detail::EigenDense P>
double mse(const Y& label, const P& prediction) {
  return detail::scored([](auto y, auto p) { return mse(y, p); }, label, prediction);
}
template <detail::EigenDense Y, detail::EigenDense P>
double rmse(const Y& label, const P& prediction) {
  return detail::scored([](auto y, auto p) { return rmse(y, p); }, label, prediction);
}
template <detail::EigenDense Y, detail::EigenDense P>
double pearson(const Y& label, const P& prediction) {
  return detail::scored([](auto y, auto p) { return pearson(y, p); }, label, prediction);
}
template <detail::EigenDense Y, detail::EigenDense P>
double ccc(const Y& label, const P& prediction) {
  return detail::scored([](auto y, auto p) { return ccc(y, p); }, label, prediction);
}
template <detail::EigenDense Y, detail::EigenDense P>
double acc2_has0(const Y& label, const P& prediction) {
  return detail::scored([](auto y, auto p) { return acc2_has0(y, p); }, label, prediction);
}
template <detail::EigenDense Y, detail::EigenDense P>
double f1_has0(const Y& label, const P& prediction) {
  return detail::scored([](auto y, auto p) { return f1_has0(y, p); }, label, prediction);
}
template <detail::EigenDense Y, detail::EigenDense P>
double acc2_non0(const Y& label, const P& prediction) {
  return detail::scored([](auto y, auto p) { return acc2_non0(y, p); }, label, prediction);
}
template <detail::EigenDense Y, detail::EigenDense P>
double f1_non0(const Y& label, const P& prediction) {
  return detail::scored([](auto y, auto p) { return f1_non0(y, p); }, label, prediction);
}
template <detail::EigenDense Y, detail::EigenDense P>
double acc3(const Y& label, const P& prediction) {
  return detail::scored([](auto y, auto p) { return acc3(y, p); }, label, prediction);
}
template <detail::EigenDense Y, detail::EigenDense P>
double acc5(const Y& label, const P& prediction) {
  return detail::scored([](auto y, auto p) { return acc5(y, p); }, label, prediction);
}
template <detail::EigenDense Y, detail::EigenDense P>
double acc7(const Y& label, const P& prediction) {
  return detail::scored([](auto y, auto p) { return acc7(y, p); }, label, prediction);
}
template <detail::EigenDense Y, detail::EigenDense P>
double sims_acc2(const Y& label, const P& prediction) {
  return detail::scored([](auto y, auto p) { return sims_acc2(y, p); }, label, prediction);
}
template <detail::EigenDense Y, detail::EigenDense P>
double sims_acc3(const Y& label, const P& prediction) {
  return detail::scored([](auto y, auto p) { return sims_acc3(y, p); }, label, prediction);
}
template <detail::EigenDense Y, detail::EigenDense P>
double sims_acc5(const Y& label, const P& prediction) {
  return detail::scored([](auto y, auto p) { return sims_acc5(y, p); }, label, prediction);
}
template <detail::EigenDense Y, detail::EigenDense P>
double sims_f1(const Y& label, const P& prediction) {
  return detail::scored([](auto y, auto p) { return sims_f1(y, p); }, label, prediction);
}
template <detail::EigenDense Y, detail::EigenDense P>
Scores regression_metrics(const Y& label, const P& prediction) {
  return regression_metrics(detail::listed<double>("labels", label), detail::listed<double>("predictions", prediction));
}
template <detail::EigenClasses Y, detail::EigenClasses P>
Confusion confusion(const Y& label, const P& prediction, index_t classes) {
  return confusion(detail::listed<index_t>("labels", label), detail::listed<index_t>("predictions", prediction),
                   classes);
}
template <detail::EigenClasses Y, detail::EigenClasses P>
Scores classification_metrics(const Y& label, const P& prediction, index_t classes) {
  return classification_metrics(confusion(label, prediction, classes));
}

}  // namespace lacuna::train
