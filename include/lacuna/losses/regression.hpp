/// Losses between predictions and real targets: functions of the difference alone.
///
/// prediction and target (B, ...) of equal shape; `present` covers the leading axes, (B) for samples, (B, T) for
/// frames, and is undefined for all. Reduction: the mean over the numbers of all present samples (frames), or their
/// sum; what is present is counted on the device, so that no mask costs a wait. Gradient flows to both arguments: stop
/// either with `detach()`. What is absent takes no part, whatever it holds, and gets gradient 0; all absent: 0. Shapes
/// that differ throw ShapeError, options out of range OptionError.
///
/// ```cpp
/// const auto error = l1_loss(prediction, target);                    // (B, 3) and (B, 3) -> ()
/// const auto some = mse_loss(prediction, target, kept);              // samples that are there; the others get gradient 0
/// const auto total = huber_loss(prediction, target, {.delta = 0.5, .reduction = Reduction::sum});
/// ```
#pragma once

#include "lacuna/kernels/cpu/difference_losses.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/losses/batch.hpp"
#include "lacuna/ops/elementwise.hpp"

namespace lacuna {
namespace detail {

/// The rows that `present` speaks of, and their width.
struct DifferenceProblem {
  index_t rows, width;
};
template <class T, int R, class D, int M>
DifferenceProblem difference_problem(const char* operation, const Variable<T, R, D>& a, const Variable<T, R, D>& b,
                                     const Mask<M, D>& present) {
  static_assert(M <= R, "the mask covers leading axes");
  expect_shape(operation, "target", b.shape(), a.shape());
  if (!present.defined()) return {a.extent(0), a.extent(0) > 0 ? a.size() / a.extent(0) : 0};
  expect_shape(operation, "present", present.shape(), Shape(a.shape().begin(), M));
  const index_t rows = present.size();
  return {rows, rows > 0 ? a.size() / rows : 0};
}

template <class Formula, class T, int R, class D, int M>
Variable<T, 0, D> difference_loss(const char* operation, Formula formula, const Variable<T, R, D>& a,
                                  const Variable<T, R, D>& b, Reduction reduction, const Mask<M, D>& present) {
  const auto problem = difference_problem(operation, a, b, present);
  const bool mean = reduction == Reduction::mean;
  const auto count = Kernels<D>::DifferenceLosses::count_present(problem.rows, problem.width, present.data());
  const auto value = Kernels<D>::DifferenceLosses::difference_loss(formula, problem.rows, problem.width, present.data(),
                                                                   mean, count, a.data(), b.data());
  return record(
      operation, loss_value<T, D>(value),
      [=](const Tensor<T, 0, D>& dy) {
        Kernels<D>::DifferenceLosses::difference_loss_gradient(formula, problem.rows, problem.width, present.data(),
                                                               mean, count, dy.data(), a.data(), b.data(),
                                                               a.gradient_slot(), b.gradient_slot());
      },
      a, b);
}

}  // namespace detail

struct RegressionOptions {
  Reduction reduction = Reduction::mean;
};

/// Squared error, mean (prediction − target)².
template <class T, int R, class D, int M = 1>
Variable<T, 0, D> mse_loss(const Variable<T, R, D>& prediction, const Variable<T, R, D>& target,
                           RegressionOptions options, const Mask<M, D>& present = {}) {
  return detail::difference_loss("mse_loss", functors::SquaredDifference{}, prediction, target, options.reduction,
                                 present);
}
template <class T, int R, class D, int M = 1>
Variable<T, 0, D> mse_loss(const Variable<T, R, D>& prediction, const Variable<T, R, D>& target,
                           const Mask<M, D>& present = {}) {
  return mse_loss(prediction, target, RegressionOptions{}, present);
}

/// Absolute error, mean |prediction − target|; slope 0 where equal.
template <class T, int R, class D, int M = 1>
Variable<T, 0, D> l1_loss(const Variable<T, R, D>& prediction, const Variable<T, R, D>& target,
                          RegressionOptions options = {}, const Mask<M, D>& present = {}) {
  return detail::difference_loss("l1_loss", functors::AbsoluteDifference{}, prediction, target, options.reduction,
                                 present);
}

struct SmoothL1Options {
  double beta = 1;
  Reduction reduction = Reduction::mean;
};

/// d²/(2β) for |d| < β, |d| − β/2 beyond: squared near 0, absolute far away.  (Girshick, ICCV 2015)
template <class T, int R, class D, int M = 1>
Variable<T, 0, D> smooth_l1_loss(const Variable<T, R, D>& prediction, const Variable<T, R, D>& target,
                                 SmoothL1Options options = {}, const Mask<M, D>& present = {}) {
  detail::expect_positive("smooth_l1_loss", "beta", options.beta);
  return detail::difference_loss("smooth_l1_loss", functors::SmoothDifference{options.beta, options.beta}, prediction,
                                 target, options.reduction, present);
}

struct HuberOptions {
  double delta = 1;
  Reduction reduction = Reduction::mean;
};

/// d²/2 for |d| < δ, δ(|d| − δ/2) beyond.  (Huber, Ann. Math. Stat. 1964)
template <class T, int R, class D, int M = 1>
Variable<T, 0, D> huber_loss(const Variable<T, R, D>& prediction, const Variable<T, R, D>& target,
                             HuberOptions options = {}, const Mask<M, D>& present = {}) {
  detail::expect_positive("huber_loss", "delta", options.delta);
  return detail::difference_loss("huber_loss", functors::SmoothDifference{options.delta, options.delta * options.delta},
                                 prediction, target, options.reduction, present);
}

/// Root of the mean squared error, √(mean (prediction − target)²): one root over the whole tensor. Gradient
/// (prediction − target)/(n · value); at value 0 it is 0, not NaN. Also a distance between two representations.
/// (SDUMC, Weng et al., arXiv 2410.15029)
template <class T, int R, class D, int M = 1>
Variable<T, 0, D> rmse_loss(const Variable<T, R, D>& prediction, const Variable<T, R, D>& target,
                            const Mask<M, D>& present = {}) {
  const auto problem = detail::difference_problem("rmse_loss", prediction, target, present);
  const auto count = Kernels<D>::DifferenceLosses::count_present(problem.rows, problem.width, present.data());
  const auto root = Kernels<D>::DifferenceLosses::root_mean_square(problem.rows, problem.width, present.data(), count,
                                                                   prediction.data(), target.data());
  return record(
      "rmse_loss", detail::loss_value<T, D>(root),
      [=](const Tensor<T, 0, D>& dy) {
        Kernels<D>::DifferenceLosses::root_mean_square_gradient(problem.rows, problem.width, present.data(), count,
                                                                root, dy.data(), prediction.data(), target.data(),
                                                                prediction.gradient_slot(), target.gradient_slot());
      },
      prediction, target);
}

}  // namespace lacuna
