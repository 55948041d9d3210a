/// Reductions: over the whole array, over one axis, or over several. The rank of the result is part of its type:
///
///     sum(x)                     // ()          the whole array
///     sum(x, 1)                  // (B, F)      of x (B, T, F), one axis
///     mean(x, {0, 1})            // (F)         several
///     max(x, -1, keepdim)        // (B, T, 1)   the axis stays, with length 1: broadcasts back against x
///
/// Negative axes count from the end. Sums, products and exponentials are accumulated in double, in an order that
/// depends on the sizes alone. NaN goes through. Throws ShapeError for axes that are not there or are named twice.
#pragma once

#include <cstddef>

#include "lacuna/kernels/cpu/axes.hpp"
#include "lacuna/kernels/cpu/strided.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/kernels/reducers.hpp"
#include "lacuna/ops/elementwise.hpp"

namespace lacuna {

/// `keepdim` as the last argument of a reduction: its axes stay, with length 1.
struct KeepDim {
  static constexpr bool keeps = true;
};
struct DropDim {
  static constexpr bool keeps = false;
};
inline constexpr KeepDim keepdim{};
template <class Keep>
concept AxesStay = std::is_same_v<Keep, KeepDim> || std::is_same_v<Keep, DropDim>;

namespace detail {

/// The rank of a reduction over N axes.
template <int R, std::size_t N, class Keep>
inline constexpr int left = Keep::keeps ? R : R - int(N);

/// Over which axes; null: all.
struct AxisList {
  const int* axes;
  int count;
  bool keep;
};

/// A reduction without gradient.
template <int S, class R, class T, class D>
Tensor<typename R::Result, S, D> reduced(const char* name, const Array<T, D>& x, const Reduced& cut, const R& reducer,
                                         bool keep) {
  Array<typename R::Result, D> y(keep ? cut.with_ones : cut.shape);
  Kernels<D>::Axes::reduce_axes(name, cut, reducer, x.data(), y.data());
  return Tensor<typename R::Result, S, D>(y);
}
/// The slot of x gets f(i, o).
template <class D, class F, class T>
void spread(const char* name, const Reduced& cut, const F& f, GradientSlot<T> slot) {
  Kernels<D>::Strided::walk(name, cut.all, functors::Spread<F, T>{f, slot});
}

/// What each reduction is: its value on an array and the way back.
template <int S, class T, int R, class D>
Variable<T, S, D> sum_over(const char* name, const Variable<T, R, D>& x, const AxisList& list, double factor) {
  const Reduced cut(name, x.shape(), list.axes, list.count);
  const auto y = reduced<S>(name, x.node()->value, cut, reducers::Sum<T>{factor}, list.keep);
  return record(
      name, y,
      [x = x.node(), cut, name, factor](const Tensor<T, S, D>& dy) {
        if (const auto slot = x->slot()) spread<D>(name, cut, reducers::BackOfSum<T>{dy.data(), T(factor)}, slot);
      },
      x);
}
/// The mean of nothing is 0.
template <int S, class T, int R, class D>
Variable<T, S, D> mean_over(const Variable<T, R, D>& x, const AxisList& list) {
  const index_t n = Reduced("mean", x.shape(), list.axes, list.count).gone.size;
  return sum_over<S>("mean", x, list, n > 0 ? 1.0 / double(n) : 0.0);
}
template <int S, class T, int R, class D>
Variable<T, S, D> product_over(const Variable<T, R, D>& x, const AxisList& list) {
  const Reduced cut("prod", x.shape(), list.axes, list.count);
  const auto y = reduced<S>("prod", x.node()->value, cut, reducers::Product<T>{}, list.keep);
  return record(
      "prod", y,
      [x, cut](const Tensor<T, S, D>& dy) {
        const auto slot = x.gradient_slot();
        if (!slot) return;
        Array<T, D> rest(cut.shape), zeros(cut.shape);
        Kernels<D>::Axes::reduce_axes("prod", cut, reducers::ProductWithoutZeros<T>{}, x.data(), rest.data());
        Kernels<D>::Axes::reduce_axes("prod", cut, reducers::CountOfZeros<T>{}, x.data(), zeros.data());
        spread<D>("prod", cut, reducers::BackOfProduct<T>{x.data(), rest.data(), zeros.data(), dy.data()}, slot);
      },
      x);
}
template <int Sign, bool Absolute, int S, class T, int R, class D>
Variable<T, S, D> extreme_over(const char* name, const Variable<T, R, D>& x, const AxisList& list) {
  const Reduced cut(name, x.shape(), list.axes, list.count);
  if (cut.gone.size == 0 && cut.kept.size > 0)
    throw ShapeError(cat(name, ": of no numbers, in an array of shape ", x.shape()));
  const auto y = reduced<S>(name, x.node()->value, cut, reducers::Extreme<T, Sign, Absolute>{}, list.keep);
  return record(
      name, y,
      [x, y, cut, name](const Tensor<T, S, D>& dy) {
        const auto slot = x.gradient_slot();
        if (!slot) return;
        Array<T, D> ties(cut.shape);
        Kernels<D>::Axes::reduce_axes(name, cut, reducers::ExtremeTies<T, Sign, Absolute>{}, x.data(), ties.data());
        spread<D>(name, cut,
                  reducers::BackOfExtreme<T, Absolute>{x.data(), y.data(), std::as_const(ties).data(), dy.data()},
                  slot);
      },
      x);
}
template <int S, class T, int R, class D>
Variable<T, S, D> log_sum_exp_over(const Variable<T, R, D>& x, const AxisList& list) {
  const Reduced cut("logsumexp", x.shape(), list.axes, list.count);
  const auto y = reduced<S>("logsumexp", x.node()->value, cut, reducers::LogSumExp<T>{}, list.keep);
  return record(
      "logsumexp", y,
      [x, y, cut](const Tensor<T, S, D>& dy) {
        if (const auto slot = x.gradient_slot())
          spread<D>("logsumexp", cut, reducers::BackOfLogSumExp<T>{x.data(), y.data(), dy.data()}, slot);
      },
      x);
}
template <int S, class T, int R, class D>
Variable<T, S, D> norm_over(const Variable<T, R, D>& x, double p, const AxisList& list) {
  if (p == std::numeric_limits<double>::infinity()) return extreme_over<1, true, S>("norm", x, list);
  if (!(p > 0)) throw OptionError(cat("norm: p = ", p, " is not positive"));
  if (p != 1 && p != 2) return pow(sum_over<S>("norm", pow(abs(x), p), list, 1), 1 / p);
  const Reduced cut("norm", x.shape(), list.axes, list.count);
  const auto y = p == 1 ? reduced<S>("norm", x.node()->value, cut, reducers::SumOfAbs<T>{}, list.keep)
                        : reduced<S>("norm", x.node()->value, cut, reducers::RootOfSquares<T>{}, list.keep);
  return record(
      "norm", y,
      [x, y, cut, p](const Tensor<T, S, D>& dy) {
        const auto slot = x.gradient_slot();
        if (slot && p == 1) spread<D>("norm", cut, reducers::BackOfAbs<T>{x.data(), dy.data()}, slot);
        if (slot && p == 2) spread<D>("norm", cut, reducers::BackOfRoot<T>{x.data(), y.data(), dy.data()}, slot);
      },
      x);
}
/// Two passes, so that a large mean costs no digits.
template <int S, class T, int R, class D>
Variable<T, S, D> variance_over(const char* name, const Variable<T, R, D>& x, const AxisList& list, double correction) {
  const Reduced cut(name, x.shape(), list.axes, list.count);
  const double n = double(cut.gone.size) - correction;
  if (!(n > 0) && cut.kept.size > 0)
    throw ShapeError(cat(name, ": needs more than ", correction, " numbers, found ", cut.gone.size, " in ", x.shape()));
  const auto center = mean_over<R>(x, {list.axes, list.count, true});
  return sum_over<S>(name, square(x - center), list, 1 / n);
}
template <int S, class T, int R, class D>
Tensor<index_t, S, D> place_over(const char* name, int sign, const Variable<T, R, D>& x, const AxisList& list) {
  const Reduced cut(name, x.shape(), list.axes, list.count);
  if (cut.gone.size == 0 && cut.kept.size > 0)
    throw ShapeError(cat(name, ": of no numbers, in an array of shape ", x.shape()));
  return sign > 0 ? reduced<S>(name, x.node()->value, cut, reducers::ExtremeAt<T, 1>{}, list.keep)
                  : reduced<S>(name, x.node()->value, cut, reducers::ExtremeAt<T, -1>{}, list.keep);
}

}  // namespace detail

// Every reduction over one axis, over a list of axes {0, 2}, and over the whole array.

/// Σ x; 0 for nothing. The whole array: ops/arithmetic.hpp.
template <class T, int R, class D, AxesStay Keep = DropDim>
requires(R >= 1) Variable<T, detail::left<R, 1, Keep>, D> sum(const Variable<T, R, D>& x, int axis, Keep = {}) {
  return detail::sum_over<detail::left<R, 1, Keep>>("sum", x, {&axis, 1, Keep::keeps}, 1);
}
template <class T, int R, class D, std::size_t N, AxesStay Keep = DropDim>
requires(std::size_t(R) >= N) Variable<T, detail::left<R, N, Keep>, D> sum(const Variable<T, R, D>& x,
                                                                           const int (&axes)[N], Keep = {}) {
  return detail::sum_over<detail::left<R, N, Keep>>("sum", x, {axes, int(N), Keep::keeps}, 1);
}

/// The mean; 0 for nothing. The whole array: ops/arithmetic.hpp.
template <class T, int R, class D, AxesStay Keep = DropDim>
requires(R >= 1) Variable<T, detail::left<R, 1, Keep>, D> mean(const Variable<T, R, D>& x, int axis, Keep = {}) {
  return detail::mean_over<detail::left<R, 1, Keep>>(x, {&axis, 1, Keep::keeps});
}
template <class T, int R, class D, std::size_t N, AxesStay Keep = DropDim>
requires(std::size_t(R) >= N) Variable<T, detail::left<R, N, Keep>, D> mean(const Variable<T, R, D>& x,
                                                                            const int (&axes)[N], Keep = {}) {
  return detail::mean_over<detail::left<R, N, Keep>>(x, {axes, int(N), Keep::keeps});
}

/// Π x; 1 for nothing.
template <class T, int R, class D, AxesStay Keep = DropDim>
requires(R >= 1) Variable<T, detail::left<R, 1, Keep>, D> prod(const Variable<T, R, D>& x, int axis, Keep = {}) {
  return detail::product_over<detail::left<R, 1, Keep>>(x, {&axis, 1, Keep::keeps});
}
template <class T, int R, class D, std::size_t N, AxesStay Keep = DropDim>
requires(std::size_t(R) >= N) Variable<T, detail::left<R, N, Keep>, D> prod(const Variable<T, R, D>& x,
                                                                            const int (&axes)[N], Keep = {}) {
  return detail::product_over<detail::left<R, N, Keep>>(x, {axes, int(N), Keep::keeps});
}
template <class T, int R, class D>
Variable<T, 0, D> prod(const Variable<T, R, D>& x) {
  return detail::product_over<0>(x, {nullptr, 0, false});
}

/// The largest number; numbers that tie share the gradient in equal parts. Throws ShapeError for nothing.
template <class T, int R, class D, AxesStay Keep = DropDim>
requires(R >= 1) Variable<T, detail::left<R, 1, Keep>, D> max(const Variable<T, R, D>& x, int axis, Keep = {}) {
  return detail::extreme_over<1, false, detail::left<R, 1, Keep>>("max", x, {&axis, 1, Keep::keeps});
}
template <class T, int R, class D, std::size_t N, AxesStay Keep = DropDim>
requires(std::size_t(R) >= N) Variable<T, detail::left<R, N, Keep>, D> max(const Variable<T, R, D>& x,
                                                                           const int (&axes)[N], Keep = {}) {
  return detail::extreme_over<1, false, detail::left<R, N, Keep>>("max", x, {axes, int(N), Keep::keeps});
}
template <class T, int R, class D>
Variable<T, 0, D> max(const Variable<T, R, D>& x) {
  return detail::extreme_over<1, false, 0>("max", x, {nullptr, 0, false});
}

/// The smallest number, in the same way.
template <class T, int R, class D, AxesStay Keep = DropDim>
requires(R >= 1) Variable<T, detail::left<R, 1, Keep>, D> min(const Variable<T, R, D>& x, int axis, Keep = {}) {
  return detail::extreme_over<-1, false, detail::left<R, 1, Keep>>("min", x, {&axis, 1, Keep::keeps});
}
template <class T, int R, class D, std::size_t N, AxesStay Keep = DropDim>
requires(std::size_t(R) >= N) Variable<T, detail::left<R, N, Keep>, D> min(const Variable<T, R, D>& x,
                                                                           const int (&axes)[N], Keep = {}) {
  return detail::extreme_over<-1, false, detail::left<R, N, Keep>>("min", x, {axes, int(N), Keep::keeps});
}
template <class T, int R, class D>
Variable<T, 0, D> min(const Variable<T, R, D>& x) {
  return detail::extreme_over<-1, false, 0>("min", x, {nullptr, 0, false});
}

/// log Σ eˣ, without overflow; −∞ for nothing and where all are −∞, which get gradient 0.
template <class T, int R, class D, AxesStay Keep = DropDim>
requires(R >= 1) Variable<T, detail::left<R, 1, Keep>, D> logsumexp(const Variable<T, R, D>& x, int axis, Keep = {}) {
  return detail::log_sum_exp_over<detail::left<R, 1, Keep>>(x, {&axis, 1, Keep::keeps});
}
template <class T, int R, class D, std::size_t N, AxesStay Keep = DropDim>
requires(std::size_t(R) >= N) Variable<T, detail::left<R, N, Keep>, D> logsumexp(const Variable<T, R, D>& x,
                                                                                 const int (&axes)[N], Keep = {}) {
  return detail::log_sum_exp_over<detail::left<R, N, Keep>>(x, {axes, int(N), Keep::keeps});
}
template <class T, int R, class D>
Variable<T, 0, D> logsumexp(const Variable<T, R, D>& x) {
  return detail::log_sum_exp_over<0>(x, {nullptr, 0, false});
}

/// norm(x, p, axes): (Σ |x|ᵖ)^(1/p), p = 1, 2, infinity or any p > 0. For p = 1, 2, ∞ the slope at 0 is 0; for ∞,
/// numbers that tie share the gradient. Throws OptionError for other p, ShapeError for p = ∞ of nothing.
template <class T, int R, class D, AxesStay Keep = DropDim>
requires(R >= 1) Variable<T, detail::left<R, 1, Keep>, D> norm(const Variable<T, R, D>& x, double p, int axis,
                                                               Keep = {}) {
  return detail::norm_over<detail::left<R, 1, Keep>>(x, p, {&axis, 1, Keep::keeps});
}
template <class T, int R, class D, std::size_t N, AxesStay Keep = DropDim>
requires(std::size_t(R) >= N) Variable<T, detail::left<R, N, Keep>, D> norm(const Variable<T, R, D>& x, double p,
                                                                            const int (&axes)[N], Keep = {}) {
  return detail::norm_over<detail::left<R, N, Keep>>(x, p, {axes, int(N), Keep::keeps});
}
template <class T, int R, class D>
Variable<T, 0, D> norm(const Variable<T, R, D>& x, double p = 2) {
  return detail::norm_over<0>(x, p, {nullptr, 0, false});
}

/// The place of the largest number along the axes, counted in row-major order; the first one where several tie.
/// Throws ShapeError for nothing.
template <class T, int R, class D, AxesStay Keep = DropDim>
requires(R >= 1) Tensor<index_t, detail::left<R, 1, Keep>, D> argmax(const Variable<T, R, D>& x, int axis, Keep = {}) {
  return detail::place_over<detail::left<R, 1, Keep>>("argmax", 1, x, {&axis, 1, Keep::keeps});
}
template <class T, int R, class D, std::size_t N, AxesStay Keep = DropDim>
requires(std::size_t(R) >= N) Tensor<index_t, detail::left<R, N, Keep>, D> argmax(const Variable<T, R, D>& x,
                                                                                  const int (&axes)[N], Keep = {}) {
  return detail::place_over<detail::left<R, N, Keep>>("argmax", 1, x, {axes, int(N), Keep::keeps});
}
template <class T, int R, class D>
Tensor<index_t, 0, D> argmax(const Variable<T, R, D>& x) {
  return detail::place_over<0>("argmax", 1, x, {nullptr, 0, false});
}

/// The place of the smallest, in the same way.
template <class T, int R, class D, AxesStay Keep = DropDim>
requires(R >= 1) Tensor<index_t, detail::left<R, 1, Keep>, D> argmin(const Variable<T, R, D>& x, int axis, Keep = {}) {
  return detail::place_over<detail::left<R, 1, Keep>>("argmin", -1, x, {&axis, 1, Keep::keeps});
}
template <class T, int R, class D, std::size_t N, AxesStay Keep = DropDim>
requires(std::size_t(R) >= N) Tensor<index_t, detail::left<R, N, Keep>, D> argmin(const Variable<T, R, D>& x,
                                                                                  const int (&axes)[N], Keep = {}) {
  return detail::place_over<detail::left<R, N, Keep>>("argmin", -1, x, {axes, int(N), Keep::keeps});
}
template <class T, int R, class D>
Tensor<index_t, 0, D> argmin(const Variable<T, R, D>& x) {
  return detail::place_over<0>("argmin", -1, x, {nullptr, 0, false});
}

/// Of variances: what is divided by is n − correction. 1 for an estimate from a sample, 0 for the numbers themselves.
struct Correction {
  double correction = 1;
};

/// var(x, Correction{0}, axes): Σ (x − mean)² / (n − correction). Throws ShapeError unless n > correction.
template <class T, int R, class D, AxesStay Keep = DropDim>
requires(R >= 1) Variable<T, detail::left<R, 1, Keep>, D> var(const Variable<T, R, D>& x, Correction options, int axis,
                                                              Keep = {}) {
  return detail::variance_over<detail::left<R, 1, Keep>>("var", x, {&axis, 1, Keep::keeps}, options.correction);
}
template <class T, int R, class D, std::size_t N, AxesStay Keep = DropDim>
requires(std::size_t(R) >= N) Variable<T, detail::left<R, N, Keep>, D> var(const Variable<T, R, D>& x,
                                                                           Correction options, const int (&axes)[N],
                                                                           Keep = {}) {
  return detail::variance_over<detail::left<R, N, Keep>>("var", x, {axes, int(N), Keep::keeps}, options.correction);
}
template <class T, int R, class D>
Variable<T, 0, D> var(const Variable<T, R, D>& x, Correction options = {}) {
  return detail::variance_over<0>("var", x, {nullptr, 0, false}, options.correction);
}
template <class T, int R, class D, AxesStay Keep = DropDim>
requires(R >= 1) Variable<T, detail::left<R, 1, Keep>, D> var(const Variable<T, R, D>& x, int axis, Keep keep = {}) {
  return var(x, Correction{}, axis, keep);
}
template <class T, int R, class D, std::size_t N, AxesStay Keep = DropDim>
requires(std::size_t(R) >= N) Variable<T, detail::left<R, N, Keep>, D> var(const Variable<T, R, D>& x,
                                                                           const int (&axes)[N], Keep keep = {}) {
  return var(x, Correction{}, axes, keep);
}

/// The standard deviation, √ var, with slope 0 where it is 0. (`std` is a namespace.)
template <class T, int R, class D, AxesStay Keep = DropDim>
requires(R >= 1) Variable<T, detail::left<R, 1, Keep>, D> stddev(const Variable<T, R, D>& x, Correction options,
                                                                 int axis, Keep = {}) {
  return detail::map(functors::Root{}, detail::variance_over<detail::left<R, 1, Keep>>(
                                           "stddev", x, {&axis, 1, Keep::keeps}, options.correction));
}
template <class T, int R, class D, std::size_t N, AxesStay Keep = DropDim>
requires(std::size_t(R) >= N) Variable<T, detail::left<R, N, Keep>, D> stddev(const Variable<T, R, D>& x,
                                                                              Correction options, const int (&axes)[N],
                                                                              Keep = {}) {
  return detail::map(functors::Root{}, detail::variance_over<detail::left<R, N, Keep>>(
                                           "stddev", x, {axes, int(N), Keep::keeps}, options.correction));
}
template <class T, int R, class D>
Variable<T, 0, D> stddev(const Variable<T, R, D>& x, Correction options = {}) {
  return detail::map(functors::Root{}, detail::variance_over<0>("stddev", x, {nullptr, 0, false}, options.correction));
}
template <class T, int R, class D, AxesStay Keep = DropDim>
requires(R >= 1) Variable<T, detail::left<R, 1, Keep>, D> stddev(const Variable<T, R, D>& x, int axis, Keep keep = {}) {
  return stddev(x, Correction{}, axis, keep);
}
template <class T, int R, class D, std::size_t N, AxesStay Keep = DropDim>
requires(std::size_t(R) >= N) Variable<T, detail::left<R, N, Keep>, D> stddev(const Variable<T, R, D>& x,
                                                                              const int (&axes)[N], Keep keep = {}) {
  return stddev(x, Correction{}, axes, keep);
}

/// y_i = Σ_{j ≤ i} x_j along `axis`.
template <class T, int R, class D>
requires(R >= 1) Variable<T, R, D> cumsum(const Variable<T, R, D>& x, int axis) {
  const detail::AxisView view("cumsum", x.shape(), axis);
  Tensor<T, R, D> y(x.extents());
  Kernels<D>::Axes::cumsum_axis(view.outer, view.n, view.inner, x.data(), false, GradientSlot<T>{y.data(), true});
  return record(
      "cumsum", y,
      [=](const Tensor<T, R, D>& dy) {
        if (const auto slot = x.gradient_slot())
          Kernels<D>::Axes::cumsum_axis(view.outer, view.n, view.inner, dy.data(), true, slot);
      },
      x);
}

}  // namespace lacuna
