/// Calling what is written over Variables with Eigen's matrices: the value, and the gradients if they are wanted.
///
///     const auto ccc = [&](const auto& p) { return ccc_loss(p, target); };         // any function of Variables
///     Eigen::MatrixXf gradient;
///     const double value = value_and_gradient(ccc, predictions, &gradient);
///
/// Rows are samples; a column vector is a matrix of one column. A row-major matrix without gaps is read where it lies,
/// others are copied once. The value has the bits of the same call on Variables. Nothing is kept between two calls and
/// nothing shared: any number of threads may call. With no gradient wanted nothing is recorded.
#pragma once

#include <concepts>
#include <utility>

#include "lacuna/interop/eigen_dense.hpp"

namespace lacuna {

/// A matrix that a function fills, or none: `&gradient`, of any matrix, map or block of that number type. A matrix that
/// can is given the right size; another size of anything else throws ShapeError.
template <class T>
class Into {
 public:
  Into() = default;
  Into(std::nullptr_t) {}
  template <detail::EigenDense M>
  requires(std::same_as<typename M::Scalar, T> && !std::is_const_v<M>) Into(M* matrix) : to_(matrix), fill_(fill<M>) {}

  explicit operator bool() const { return to_ != nullptr; }
  /// Fills it, if there is one.
  template <class Source>
  void put(const Source& numbers) const {
    if (to_ != nullptr) fill_(to_, numbers);
  }

 private:
  using View = Eigen::Map<const RowMajorMatrix<T>>;

  template <class M>
  static void fill(void* to, const View& numbers) {
    M& matrix = *static_cast<M*>(to);
    if (matrix.rows() != numbers.rows() || matrix.cols() != numbers.cols()) {
      const auto fits = [](int fixed, Eigen::Index found) { return fixed == Eigen::Dynamic || fixed == found; };
      constexpr bool owns = std::is_base_of_v<Eigen::PlainObjectBase<M>, M>;
      if (!owns || !fits(M::RowsAtCompileTime, numbers.rows()) || !fits(M::ColsAtCompileTime, numbers.cols()))
        throw ShapeError(detail::cat("a matrix to be filled has shape ", Shape{matrix.rows(), matrix.cols()},
                                     ", expected ", Shape{numbers.rows(), numbers.cols()}));
      if constexpr (owns) matrix.resize(numbers.rows(), numbers.cols());
    }
    if constexpr (std::is_base_of_v<Eigen::MatrixBase<M>, M>)
      matrix = numbers;
    else
      matrix = numbers.array();
  }

  void* to_ = nullptr;
  void (*fill_)(void*, const View&) = nullptr;
};

namespace detail {

template <class M>
concept EigenReal = EigenDense<M> && std::floating_point<typename M::Scalar>;
/// A matrix of the number type of M.
template <class O, class M>
concept EigenLike = EigenDense<O> && std::same_as<typename O::Scalar, typename M::Scalar>;
template <class M>
using IntoLike = Into<typename M::Scalar>;

/// (rows, columns), where it lies when it lies row by row, else copied.
template <class M>
Tensor<typename M::Scalar, 2> rows_of(const M& matrix) {
  using T = typename M::Scalar;
  if constexpr (requires { matrix.data(); } && (bool(M::IsRowMajor) || int(M::ColsAtCompileTime) == 1)) {
    const bool beside =
        M::IsRowMajor ? matrix.innerStride() == 1 && matrix.outerStride() == matrix.cols() : matrix.innerStride() == 1;
    if (beside) return Tensor<T, 2>::borrow({index_t(matrix.rows()), index_t(matrix.cols())}, matrix.data());
  }
  return matrix;
}

/// RecordingIf on or off for the call, whatever it is outside.
class RecordingIf {
 public:
  explicit RecordingIf(bool on) : previous_(std::exchange(recording(), on)) {}
  ~RecordingIf() { recording() = previous_; }
  RecordingIf(const RecordingIf&) = delete;
  RecordingIf& operator=(const RecordingIf&) = delete;

 private:
  bool previous_;
};

/// One argument of a function, and where its gradient goes.
template <class T>
struct EigenArgument {
  template <class M>
  EigenArgument(const M& matrix, const Into<T>& into) : variable(rows_of(matrix), bool(into)), gradient(into) {}
  void fill() const {
    if (!gradient) return;
    const Tensor<T, 2> share = variable.grad();
    gradient.put(share.matrix());
  }

  Variable<T, 2> variable;
  Into<T> gradient;
};

/// f(variables...) as a number, with the gradients that are wanted.
template <class F, class T, class... More>
double call_with_matrices(F&& f, const EigenArgument<T>& first, const More&... more) {
  const bool wanted = bool(first.gradient) || (bool(more.gradient) || ...);
  const RecordingIf on(wanted);
  const Variable<T, 0> value = f(first.variable, more.variable...);
  if (wanted && value.requires_grad()) value.backward();
  first.fill();
  (more.fill(), ...);
  return double(value.item());
}

}  // namespace detail

/// loss(x) for a function of one Variable (rows, columns), with its gradient.
template <class F, detail::EigenReal X>
double value_and_gradient(F&& loss, const X& x, detail::IntoLike<X> to_x) {
  return detail::call_with_matrices(loss, detail::EigenArgument(x, to_x));
}
/// The same of two.
template <class F, detail::EigenReal X, detail::EigenLike<X> Y>
double value_and_gradient(F&& loss, const X& x, const Y& y, detail::IntoLike<X> to_x, detail::IntoLike<X> to_y = {}) {
  return detail::call_with_matrices(loss, detail::EigenArgument(x, to_x), detail::EigenArgument(y, to_y));
}

}  // namespace lacuna
