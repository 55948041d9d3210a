/// Normalisation: layer, root mean square, batch.
#pragma once

#include "lacuna/autograd/record.hpp"
#include "lacuna/kernels/cpu/norm.hpp"
#include "lacuna/kernels/kernels.hpp"

namespace lacuna {
namespace detail {

template <class T, int R, class D>
Variable<T, R, D> norm_rows(const char* name, bool center, const Variable<T, R, D>& x, const Variable<T, 1, D>& weight,
                            const Variable<T, 1, D>& bias, double epsilon) {
  const index_t rows = x.shape().rows(), n = x.shape().columns();
  if (weight.defined()) expect_shape(name, "weight", weight.shape(), Shape{n});
  if (bias.defined()) expect_shape(name, "bias", bias.shape(), Shape{n});
  Tensor<T, R, D> y(x.value().extents());
  Tensor<T, 2, D> statistics({rows, 2});
  Kernels<D>::Norm::norm_rows(rows, n, center, epsilon, x.data(), weight.data_or_null(), bias.data_or_null(),
                              statistics.data(), y.data());
  if (!recording()) return Variable<T, R, D>(y);
  const auto backward = [=](const Tensor<T, R, D>& dy) {
    Kernels<D>::Norm::norm_rows_gradient(rows, n, center, x.data(), weight.data_or_null(), statistics.data(), dy.data(),
                                         x.gradient_slot(), weight.gradient_slot(), bias.gradient_slot());
  };
  return record(name, y, backward, x, weight, bias);
}

}  // namespace detail

/// y = (x − μ) / √(σ² + eps) · weight + bias over the last axis; σ² biased, in two passes.  (Ba, Kiros & Hinton 2016)
/// x (..., C); weight and bias (C), or undefined for none. Throws ShapeError when they do not fit. Rows are
/// independent: absent frames do not reach present ones.
template <class T, int R, class D>
requires(R >= 1) Variable<T, R, D> layer_norm(const Variable<T, R, D>& x, const Variable<T, 1, D>& weight = {},
                                              const Variable<T, 1, D>& bias = {}, double epsilon = 1e-5) {
  return detail::norm_rows("layer_norm", true, x, weight, bias, epsilon);
}

/// y = x / √(mean(x²) + eps) · weight over the last axis.  (Zhang & Sennrich 2019)
template <class T, int R, class D>
requires(R >= 1) Variable<T, R, D> rms_norm(const Variable<T, R, D>& x, const Variable<T, 1, D>& weight = {},
                                            double epsilon = 1e-6) {
  return detail::norm_rows("rms_norm", false, x, weight, {}, epsilon);
}

struct BatchNormOptions {
  double momentum = 0.1, epsilon = 1e-5;
};

/// y = (x − μ) / √(σ² + eps) · weight + bias per feature, over all leading axes.  (Ioffe & Szegedy 2015)
/// x (..., C); weight and bias (C), or undefined; present of the leading axes of x, 1 = present, or undefined for all.
/// Training: mean and biased variance of the present rows normalise; running ← (1−m) running + m new, with the unbiased
/// variance (of one row: the running variance stays). Otherwise the running statistics, which then stay.
/// Absent rows take no part, become 0 and get gradient 0; with nothing present the running statistics stay.
template <class T, int R, class D>
requires(R >= 2) Variable<T, R, D> batch_norm(const Variable<T, R, D>& x, const Variable<T, 1, D>& weight,
                                              const Variable<T, 1, D>& bias, Array<T, D>& running_mean,
                                              Array<T, D>& running_variance, bool training,
                                              BatchNormOptions options = {}, const Mask<R - 1, D>& present = {}) {
  const index_t rows = x.shape().rows(), n = x.shape().columns();
  if (weight.defined()) detail::expect_shape("batch_norm", "weight", weight.shape(), Shape{n});
  if (bias.defined()) detail::expect_shape("batch_norm", "bias", bias.shape(), Shape{n});
  detail::expect_shape("batch_norm", "running_mean", running_mean.shape(), Shape{n});
  detail::expect_shape("batch_norm", "running_variance", running_variance.shape(), Shape{n});
  if (present.defined())
    detail::expect_shape("batch_norm", "present", present.shape(), Shape(x.shape().begin(), R - 1));

  Array<double, D> mean(Shape{n}), scale(Shape{n});  // the variance until it is inverted
  index_t count = 0;
  const std::uint8_t* mask = present.data();
  if (training) count = Kernels<D>::Norm::column_statistics(rows, n, x.data(), mask, mean.data(), scale.data());
  Kernels<D>::Norm::running_statistics(n, count, options.momentum, options.epsilon, running_mean.data(),
                                       running_variance.data(), mean.data(), scale.data());
  Tensor<T, R, D> y(x.value().extents());
  Kernels<D>::Norm::norm_columns(rows, n, x.data(), mask, mean.data(), scale.data(), weight.data_or_null(),
                                 bias.data_or_null(), y.data());
  const auto backward = [=](const Tensor<T, R, D>& dy) {
    Kernels<D>::Norm::norm_columns_gradient(rows, n, count, x.data(), present.data(), mean.data(), scale.data(),
                                            weight.data_or_null(), dy.data(), x.gradient_slot(), weight.gradient_slot(),
                                            bias.gradient_slot());
  };
  return record("batch_norm", y, backward, x, weight, bias);
}

}  // namespace lacuna
