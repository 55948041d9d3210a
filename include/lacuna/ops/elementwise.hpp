/// Elementwise functions, arithmetic that broadcasts, comparisons. Every operator takes arrays and numbers on both
/// sides:
///
///     const auto e = prediction - target;                            // (B, F) and (B, F), or (F), or (B, 1)
///     const auto loss = mean(abs(e) + softplus(-2.0 * abs(e)) - std::log(2.0));   // log cosh e
///
/// Two arrays broadcast by NumPy's rules: axes are matched from the last one on, a missing axis counts as one of length
/// 1, and an axis of length 1 repeats. The result has the larger rank. Gradients sum over what was repeated. Note that
/// (B, 1) and (B) make (B, B): a mean over it is not what a loss wants; `unsqueeze` or `squeeze` one of them.
/// Throws ShapeError where shapes do not broadcast. NaN and infinities go through; gradients at kinks are stated.
#pragma once

#include <cmath>
#include <limits>

#include "lacuna/kernels/cpu/axes.hpp"
#include "lacuna/kernels/cpu/elementwise.hpp"
#include "lacuna/kernels/cpu/strided.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/kernels/reducers.hpp"
#include "lacuna/ops/arithmetic.hpp"

namespace lacuna {
namespace detail {

/// y = f(x), one line of kernels/elementwise_table.hpp.
template <class F, class T, int R, class D>
Variable<T, R, D> map(const F& f, const Variable<T, R, D>& x) {
  Tensor<T, R, D> y(x.extents());
  if constexpr (std::is_same_v<F, functors::Exp>)
    Kernels<D>::Strided::exponential(y.size(), x.data(), y.data());
  else
    Kernels<D>::Strided::for_elements(F::name, y.size(), functors::MapValue<F, T, T>{f, x.data(), y.data()});
  if (!recorded(x)) return Variable<T, R, D>(y);
  return record(
      F::name, y,
      [x, y, f](const Tensor<T, R, D>& dy) {
        if (const auto slot = x.gradient_slot())
          Kernels<D>::Strided::for_elements(F::name, dy.size(),
                                            functors::MapSlope<F, T>{f, x.data(), y.data(), dy.data(), slot});
      },
      x);
}

template <int R>
std::array<index_t, std::size_t(R)> extents_of(const Shape& shape) {
  std::array<index_t, std::size_t(R)> extents{};
  for (int axis = 0; axis < R; ++axis) extents[std::size_t(axis)] = shape[axis];
  return extents;
}

/// slot (+)= factor · x summed over all that was repeated to make it of an array of `shape`.
template <class T, class D>
void contribute_sum(const Array<T, D>& x, const Shape& shape, GradientSlot<T> slot, T factor = T(1)) {
  if (shape == x.shape()) return Kernels<D>::Elementwise::contribute_scaled(x.size(), factor, x.data(), slot);
  int axes[Shape::max_rank], count = 0;
  const int ahead = x.shape().rank() - shape.rank();
  for (int axis = 0; axis < x.shape().rank(); ++axis)
    if (axis < ahead || (shape[axis - ahead] == 1 && x.shape()[axis] != 1)) axes[count++] = axis;
  Array<T, D> total(shape);
  Kernels<D>::Axes::reduce_axes("contribute_sum", Reduced("contribute_sum", x.shape(), axes, count), reducers::Sum<T>{},
                                x.data(), total.data());
  Kernels<D>::Elementwise::contribute_scaled(shape.size(), factor, std::as_const(total).data(), slot);
}

/// The gradient of one of two arguments of f.
template <bool First, class F, class T, class D>
void zip_gradient(const F& f, const Walk& walk, const Array<T, D>& a, const Array<T, D>& b, const Array<T, D>& y,
                  const Array<T, D>& dy, const Shape& shape, GradientSlot<T> slot) {
  if (!slot) return;
  const auto at = [&](GradientSlot<T> to) {
    Kernels<D>::Strided::walk(F::name, walk,
                              functors::ZipSlope<F, T, First>{f, a.data(), b.data(), y.data(), dy.data(), to});
  };
  if (shape == dy.shape()) return at(slot);
  Array<T, D> each(dy.shape());
  at({each.data(), true});
  contribute_sum(each, shape, slot);
}

/// y = f(a, b).
template <class F, class T, int A, int B, class D>
Variable<T, (A > B ? A : B), D> zip(const F& f, const Variable<T, A, D>& a, const Variable<T, B, D>& b) {
  constexpr int R = A > B ? A : B;
  const Shape shape = broadcast_shape(F::name, a.shape(), b.shape());
  const Walk walk = walk_over(shape, broadcast_strides(a.shape(), shape), broadcast_strides(b.shape(), shape));
  Tensor<T, R, D> y(extents_of<R>(shape));
  Kernels<D>::Strided::walk(F::name, walk, functors::ZipValue<F, T, T>{f, a.data(), b.data(), y.data()});
  if (!recorded(a, b)) return Variable<T, R, D>(y);
  if constexpr (requires { F::fixed_a; })  // a sum: the way back reads neither
    return record(
        F::name, y,
        [a = a.node(), b = b.node()](const Tensor<T, R, D>& dy) {
          if (const auto slot = a->slot()) contribute_sum(dy, a->shape(), slot, T(F::fixed_a));
          if (const auto slot = b->slot()) contribute_sum(dy, b->shape(), slot, T(F::fixed_b));
        },
        a, b);
  else
    return record(
        F::name, y,
        [a, b, y, f, walk](const Tensor<T, R, D>& dy) {
          zip_gradient<true, F, T, D>(f, walk, a.node()->value, b.node()->value, y, dy, a.shape(), a.gradient_slot());
          zip_gradient<false, F, T, D>(f, walk, a.node()->value, b.node()->value, y, dy, b.shape(), b.gradient_slot());
        },
        a, b);
}

/// 1 where f(a, b) holds.
template <class F, class T, int A, int B, class D>
Mask<(A > B ? A : B), D> compare(const F& f, const Tensor<T, A, D>& a, const Tensor<T, B, D>& b) {
  const Shape shape = broadcast_shape(F::name, a.shape(), b.shape());
  const Walk walk = walk_over(shape, broadcast_strides(a.shape(), shape), broadcast_strides(b.shape(), shape));
  Mask<(A > B ? A : B), D> mask(extents_of<(A > B ? A : B)>(shape));
  Kernels<D>::Strided::walk(F::name, walk, functors::ZipValue<F, T, std::uint8_t>{f, a.data(), b.data(), mask.data()});
  return mask;
}
template <class F, class T, int R, class D>
Mask<R, D> compare(const Variable<T, R, D>& x, double number) {
  Mask<R, D> mask(x.extents());
  Kernels<D>::Strided::for_elements(
      F::name, mask.size(),
      functors::MapValue<functors::WithRight<F>, T, std::uint8_t>{{number}, x.data(), mask.data()});
  return mask;
}

/// y = f(x, number) and f(number, x).
template <class F, class T, int R, class D>
Variable<T, R, D> map_right(const Variable<T, R, D>& x, double number) {
  return map(functors::WithRight<F>{number}, x);
}
template <class F, class T, int R, class D>
Variable<T, R, D> map_left(double number, const Variable<T, R, D>& x) {
  return map(functors::WithLeft<F>{number}, x);
}

}  // namespace detail

// ---- functions of one array: lines of kernels/elementwise_table.hpp

/// y = eˣ.
template <class T, int R, class D>
Variable<T, R, D> exp(const Variable<T, R, D>& x) {
  return detail::map(functors::Exp{}, x);
}
/// y = eˣ − 1, exact near 0.
template <class T, int R, class D>
Variable<T, R, D> expm1(const Variable<T, R, D>& x) {
  return detail::map(functors::Expm1{}, x);
}
/// y = ln x.
template <class T, int R, class D>
Variable<T, R, D> log(const Variable<T, R, D>& x) {
  return detail::map(functors::Log{}, x);
}
/// y = ln(1 + x), exact near 0.
template <class T, int R, class D>
Variable<T, R, D> log1p(const Variable<T, R, D>& x) {
  return detail::map(functors::Log1p{}, x);
}
/// y = √x; the slope at 0 is infinite.
template <class T, int R, class D>
Variable<T, R, D> sqrt(const Variable<T, R, D>& x) {
  return detail::map(functors::Sqrt{}, x);
}
/// y = 1 / √x.
template <class T, int R, class D>
Variable<T, R, D> rsqrt(const Variable<T, R, D>& x) {
  return detail::map(functors::Rsqrt{}, x);
}
/// y = x².
template <class T, int R, class D>
Variable<T, R, D> square(const Variable<T, R, D>& x) {
  return detail::map(functors::Square{}, x);
}
/// y = |x|; slope 0 at 0.
template <class T, int R, class D>
Variable<T, R, D> abs(const Variable<T, R, D>& x) {
  return detail::map(functors::Abs{}, x);
}
/// −1, 0 or 1; slope 0 everywhere.
template <class T, int R, class D>
Variable<T, R, D> sign(const Variable<T, R, D>& x) {
  return detail::map(functors::Sign{}, x);
}
/// y = 1 / x.
template <class T, int R, class D>
Variable<T, R, D> reciprocal(const Variable<T, R, D>& x) {
  return detail::map(functors::Reciprocal{}, x);
}
template <class T, int R, class D>
Variable<T, R, D> sin(const Variable<T, R, D>& x) {
  return detail::map(functors::Sin{}, x);
}
template <class T, int R, class D>
Variable<T, R, D> cos(const Variable<T, R, D>& x) {
  return detail::map(functors::Cos{}, x);
}
template <class T, int R, class D>
Variable<T, R, D> sinh(const Variable<T, R, D>& x) {
  return detail::map(functors::Sinh{}, x);
}
template <class T, int R, class D>
Variable<T, R, D> cosh(const Variable<T, R, D>& x) {
  return detail::map(functors::Cosh{}, x);
}
/// x cut to low..high; slope 1 inside and on the borders, 0 outside. Throws OptionError when low > high.
template <class T, int R, class D>
Variable<T, R, D> clamp(const Variable<T, R, D>& x, double low, double high = std::numeric_limits<double>::infinity()) {
  if (!(low <= high)) throw OptionError(detail::cat("clamp: low ", low, " is not below high ", high));
  return detail::map(functors::Clamp{low, high}, x);
}
/// y = xᵖ.
template <class T, int R, class D>
Variable<T, R, D> pow(const Variable<T, R, D>& x, double p) {
  return p == 2 ? square(x) : detail::map_right<functors::Power>(x, p);
}
/// y = baseˣ.
template <class T, int R, class D>
Variable<T, R, D> pow(double base, const Variable<T, R, D>& x) {
  return detail::map_left<functors::Power>(base, x);
}

// ---- functions of two arrays

/// y = aᵇ. The slope to b is 0 where a = 0 and b ≥ 0.
template <class T, int A, int B, class D>
Variable<T, (A > B ? A : B), D> pow(const Variable<T, A, D>& a, const Variable<T, B, D>& b) {
  return detail::zip(functors::Power{}, a, b);
}
/// The smaller of both; where they are equal each gets half of the gradient.
template <class T, int A, int B, class D>
Variable<T, (A > B ? A : B), D> minimum(const Variable<T, A, D>& a, const Variable<T, B, D>& b) {
  return detail::zip(functors::Minimum{}, a, b);
}
template <class T, int R, class D>
Variable<T, R, D> minimum(const Variable<T, R, D>& a, double number) {
  return detail::map_right<functors::Minimum>(a, number);
}
/// The larger of both; where they are equal each gets half of the gradient.
template <class T, int A, int B, class D>
Variable<T, (A > B ? A : B), D> maximum(const Variable<T, A, D>& a, const Variable<T, B, D>& b) {
  return detail::zip(functors::Maximum{}, a, b);
}
template <class T, int R, class D>
Variable<T, R, D> maximum(const Variable<T, R, D>& a, double number) {
  return detail::map_right<functors::Maximum>(a, number);
}

// ---- operators. Equal shapes, and one block for a whole batch, go the shorter way
// of ops/arithmetic.hpp.

template <class T, int R, class D>
Variable<T, R, D> operator+(const Variable<T, R, D>& a, const Variable<T, R, D>& b) {
  return a.shape() == b.shape() ? add(a, b) : detail::zip(functors::Add{}, a, b);
}
template <class T, int A, int B, class D>
requires(A != B) Variable<T, (A > B ? A : B), D>
operator+(const Variable<T, A, D>& a, const Variable<T, B, D>& b) {
  if constexpr (A == B + 1) {
    if (Shape(a.shape().begin() + 1, B) == b.shape()) return detail::add_block(a, b);
  }
  return detail::zip(functors::Add{}, a, b);
}
template <class T, int R, class D>
Variable<T, R, D> operator-(const Variable<T, R, D>& a, const Variable<T, R, D>& b) {
  return a.shape() == b.shape() ? subtract(a, b) : detail::zip(functors::Subtract{}, a, b);
}
template <class T, int A, int B, class D>
requires(A != B) Variable<T, (A > B ? A : B), D>
operator-(const Variable<T, A, D>& a, const Variable<T, B, D>& b) { return detail::zip(functors::Subtract{}, a, b); }
template <class T, int R, class D>
Variable<T, R, D> operator*(const Variable<T, R, D>& a, const Variable<T, R, D>& b) {
  return a.shape() == b.shape() ? multiply(a, b) : detail::zip(functors::Multiply{}, a, b);
}
template <class T, int A, int B, class D>
requires(A != B) Variable<T, (A > B ? A : B), D>
operator*(const Variable<T, A, D>& a, const Variable<T, B, D>& b) { return detail::zip(functors::Multiply{}, a, b); }
template <class T, int A, int B, class D>
Variable<T, (A > B ? A : B), D> operator/(const Variable<T, A, D>& a, const Variable<T, B, D>& b) {
  return detail::zip(functors::Divide{}, a, b);
}
template <class T, int R, class D>
Variable<T, R, D> operator-(const Variable<T, R, D>& x) {
  return detail::map(functors::Negative{}, x);
}

template <class T, int R, class D>
Variable<T, R, D> operator+(const Variable<T, R, D>& x, double number) {
  return detail::map_right<functors::Add>(x, number);
}
template <class T, int R, class D>
Variable<T, R, D> operator+(double number, const Variable<T, R, D>& x) {
  return detail::map_left<functors::Add>(number, x);
}
template <class T, int R, class D>
Variable<T, R, D> operator-(const Variable<T, R, D>& x, double number) {
  return detail::map_right<functors::Subtract>(x, number);
}
template <class T, int R, class D>
Variable<T, R, D> operator-(double number, const Variable<T, R, D>& x) {
  return detail::map_left<functors::Subtract>(number, x);
}
template <class T, int R, class D>
Variable<T, R, D> operator*(const Variable<T, R, D>& x, double number) {
  return scale(x, number);
}
template <class T, int R, class D>
Variable<T, R, D> operator*(double number, const Variable<T, R, D>& x) {
  return scale(x, number);
}
template <class T, int R, class D>
Variable<T, R, D> operator/(const Variable<T, R, D>& x, double number) {
  return detail::map_right<functors::Divide>(x, number);
}
template <class T, int R, class D>
Variable<T, R, D> operator/(double number, const Variable<T, R, D>& x) {
  return detail::map_left<functors::Divide>(number, x);
}

// ---- comparisons: masks, 1 where it holds; they broadcast, and no gradient flows through them. NaN is unequal to all.

template <class T, int A, int B, class D>
auto equal(const Variable<T, A, D>& a, const Variable<T, B, D>& b) {
  return detail::compare(functors::Equal{}, a.value(), b.value());
}
template <class T, int R, class D>
Mask<R, D> equal(const Variable<T, R, D>& x, double number) {
  return detail::compare<functors::Equal>(x, number);
}
template <class T, int A, int B, class D>
auto not_equal(const Variable<T, A, D>& a, const Variable<T, B, D>& b) {
  return detail::compare(functors::NotEqual{}, a.value(), b.value());
}
template <class T, int R, class D>
Mask<R, D> not_equal(const Variable<T, R, D>& x, double number) {
  return detail::compare<functors::NotEqual>(x, number);
}
template <class T, int A, int B, class D>
auto less(const Variable<T, A, D>& a, const Variable<T, B, D>& b) {
  return detail::compare(functors::Less{}, a.value(), b.value());
}
template <class T, int R, class D>
Mask<R, D> less(const Variable<T, R, D>& x, double number) {
  return detail::compare<functors::Less>(x, number);
}
template <class T, int A, int B, class D>
auto less_equal(const Variable<T, A, D>& a, const Variable<T, B, D>& b) {
  return detail::compare(functors::LessEqual{}, a.value(), b.value());
}
template <class T, int R, class D>
Mask<R, D> less_equal(const Variable<T, R, D>& x, double number) {
  return detail::compare<functors::LessEqual>(x, number);
}
template <class T, int A, int B, class D>
auto greater(const Variable<T, A, D>& a, const Variable<T, B, D>& b) {
  return detail::compare(functors::Greater{}, a.value(), b.value());
}
template <class T, int R, class D>
Mask<R, D> greater(const Variable<T, R, D>& x, double number) {
  return detail::compare<functors::Greater>(x, number);
}
template <class T, int A, int B, class D>
auto greater_equal(const Variable<T, A, D>& a, const Variable<T, B, D>& b) {
  return detail::compare(functors::GreaterEqual{}, a.value(), b.value());
}
template <class T, int R, class D>
Mask<R, D> greater_equal(const Variable<T, R, D>& x, double number) {
  return detail::compare<functors::GreaterEqual>(x, number);
}

/// Masks joined, with broadcasting.
template <int A, int B, class D>
Mask<(A > B ? A : B), D> logical_and(const Tensor<std::uint8_t, A, D>& a, const Tensor<std::uint8_t, B, D>& b) {
  return detail::compare(functors::LogicalAnd{}, a, b);
}
template <int A, int B, class D>
Mask<(A > B ? A : B), D> logical_or(const Tensor<std::uint8_t, A, D>& a, const Tensor<std::uint8_t, B, D>& b) {
  return detail::compare(functors::LogicalOr{}, a, b);
}
template <int A, int B, class D>
Mask<(A > B ? A : B), D> logical_xor(const Tensor<std::uint8_t, A, D>& a, const Tensor<std::uint8_t, B, D>& b) {
  return detail::compare(functors::LogicalXor{}, a, b);
}
template <int R, class D>
Mask<R, D> logical_not(const Tensor<std::uint8_t, R, D>& a) {
  return detail::compare(functors::Equal{}, a, Mask<0, D>::full({}, 0));
}

}  // namespace lacuna
