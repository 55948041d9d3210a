/// Between tensors and Eigen's matrices, arrays and vectors; docs/tensors.md tells it from the start.
///
///     Tensor<float, 2> x = a * b.transpose();          // any expression, computed into the tensor's own memory
///     Variable<float, 2> v(matrix, true);              // the same for a Variable or a Parameter
///     Tensor<float, 2> view = borrow(row_major);       // no copy: sees the matrix, which must outlive it
///     Tensor<float, 2> mine = borrow(std::move(m));    // no copy: the matrix moves in
///     x.matrix().row(0).setZero();                     // no copy: Eigen's view of the tensor
///     Eigen::MatrixXf g = eigen(v.grad());             // of a temporary: a matrix that owns its numbers
///
/// Tensors are row-major, Eigen's matrices by default column-major: those are copied, never borrowed. Number types are
/// not converted by themselves: `Tensor<float, 2> x = doubles.cast<float>()`. Host memory only; of Eigen this needs
/// Eigen/Core. Eigen's tensors (three axes and more) come with lacuna/interop/eigen.hpp.
#pragma once

#include <Eigen/Core>
#include <memory>
#include <type_traits>

#include "lacuna/autograd/variable.hpp"

namespace lacuna {

template <class T>
using RowMajorMatrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

namespace detail {

template <class T, int R, bool Const>
struct EigenTensorView;  // defined in lacuna/interop/eigen.hpp, which is what a view of three axes needs

template <class T, int R, bool Const>
struct EigenView {
  template <class Plain>
  using Map = Eigen::Map<std::conditional_t<Const, const Plain, Plain>>;
  using Argument = std::conditional_t<Const, const Tensor<T, R, Cpu>, Tensor<T, R, Cpu>>;

  static void expect_numbers(Argument& source) {
    if (!source.defined())
      throw ShapeError("Eigen's view: the tensor holds no numbers; was it never given its size, or moved from?");
  }
  static auto eigen(Argument& source) {
    expect_numbers(source);
    if constexpr (R == 1)
      return Map<Eigen::Matrix<T, Eigen::Dynamic, 1>>(source.data(), Eigen::Index(source.size()));
    else if constexpr (R == 2)
      return matrix(source);
    else
      return tensor(source);
  }
  static auto matrix(Argument& source) {
    expect_numbers(source);
    return Map<RowMajorMatrix<T>>(source.data(), Eigen::Index(source.shape().rows()),
                                  Eigen::Index(source.shape().columns()));
  }
  static auto matrix(Argument& source, index_t sample) {
    static_assert(R == 3, "matrix(sample) is for tensors of three axes");
    const index_t rows = source.extent(1), columns = source.extent(2);
    if (sample < 0 || sample >= source.extent(0))
      throw ShapeError(cat("matrix: sample ", sample, ", expected 0..", source.extent(0) - 1));
    return Map<RowMajorMatrix<T>>(source.data() + sample * rows * columns, Eigen::Index(rows), Eigen::Index(columns));
  }
  static auto tensor(Argument& source) {
    expect_numbers(source);
    return EigenTensorView<T, R, Const>::tensor(source);
  }
};

template <EigenDense E>
struct EigenSource<E> {
  template <class T, int R>
  static Tensor<T, R> copied(const E& expression) {
    Tensor<T, R> result;
    if constexpr (R == 1)
      result = Tensor<T, R>({index_t(expression.size())});
    else
      result = Tensor<T, R>({index_t(expression.rows()), index_t(expression.cols())});
    constexpr bool column = R == 1 && E::ColsAtCompileTime == 1;
    using Matrix = std::conditional_t<column, Eigen::Matrix<T, Eigen::Dynamic, 1>, RowMajorMatrix<T>>;
    Eigen::Map<Matrix> to(result.data(), expression.rows(), expression.cols());
    // straight into the new memory: nothing that the expression reads can lie there
    if constexpr (std::is_same_v<typename E::Scalar, T> && std::is_base_of_v<Eigen::MatrixBase<E>, E>)
      to.noalias() = expression.derived();
    else if constexpr (std::is_base_of_v<Eigen::MatrixBase<E>, E>)
      to = expression.derived().template cast<T>();
    else
      to.array() = expression.derived().template cast<T>();
    return result;
  }
};

template <class M>
inline constexpr bool is_eigen_map = false;
template <class Plain, int Options, class Stride>
inline constexpr bool is_eigen_map<Eigen::Map<Plain, Options, Stride>> = true;

}  // namespace detail

/// A tensor in the memory of a row-major matrix or of a vector, which may also be a Map, Ref or Block whose numbers are
/// side by side: (rows, columns), of a vector (size). See Tensor::borrow for how long the memory must live. A matrix
/// given as `std::move(m)` moves into the tensor, which then owns it. Of const memory the result is const. Throws
/// ShapeError for a block with gaps between its rows.
template <class M>
requires(detail::EigenDense<std::remove_cvref_t<M>>) decltype(auto) borrow(M&& matrix) {
  using Bare = std::remove_cvref_t<M>;
  using T = typename Bare::Scalar;
  constexpr int R = Bare::IsVectorAtCompileTime ? 1 : 2;
  static_assert(
      requires { matrix.data(); }, "only what has memory can be borrowed: Tensor<T, R> x = expression; copies");
  static_assert(R == 1 || Bare::IsRowMajor,
                "a column-major matrix cannot be borrowed, a tensor is row-major: Tensor<T, 2> x = matrix; copies");
  typename Tensor<T, R>::Extents extents;
  if constexpr (R == 1)
    extents = {index_t(matrix.size())};
  else
    extents = {index_t(matrix.rows()), index_t(matrix.cols())};
  constexpr bool owns = std::is_base_of_v<Eigen::PlainObjectBase<Bare>, Bare>;
  if constexpr (owns && !std::is_lvalue_reference_v<M>) {
    static_assert(!std::is_const_v<std::remove_reference_t<M>>, "what is const cannot move into a tensor");
    const auto owner = std::make_shared<Bare>(std::forward<M>(matrix));
    return Tensor<T, R>::borrow(extents, owner->data(), owner);
  } else {
    static_assert(std::is_lvalue_reference_v<M> || detail::is_eigen_map<Bare>,
                  "the memory of this temporary may end with it: give it a name");
    const bool beside = matrix.innerStride() == 1 && (R == 1 || matrix.outerStride() == matrix.cols());
    if (!beside && matrix.size() > 1)
      throw ShapeError(detail::cat("borrow: the strides are ", matrix.outerStride(), " and ", matrix.innerStride(),
                                   ", expected ", matrix.cols(), " and 1: copy it, Tensor x = matrix"));
    return Tensor<T, R>::borrow(extents, matrix.data());
  }
}

/// Eigen's view of a tensor or of the value of a Variable: Map of a vector (one axis) or of a row-major matrix (two
/// axes), TensorMap of others. It sees the tensor's memory and must not outlive it. Of a temporary there is no view but
/// an object of the same kind that owns its numbers, so that `auto g = eigen(x.grad())` is safe.
template <class T, int R>
auto eigen(Tensor<T, R>& tensor) {
  return tensor.eigen();
}
template <class T, int R>
auto eigen(const Tensor<T, R>& tensor) {
  return tensor.eigen();
}
template <class T, int R>
auto eigen(const Tensor<T, R>&& tensor) {
  const Tensor<T, R>& named = tensor;
  const auto view = named.eigen();
  if constexpr (R == 1)
    return Eigen::Matrix<T, Eigen::Dynamic, 1>(view);
  else if constexpr (R == 2)
    return RowMajorMatrix<T>(view);
  else
    return detail::EigenTensorView<T, R, true>::owning(view);
}
template <class T, int R>
auto eigen(const Variable<T, R>& variable) {
  const Tensor<T, R> value = variable.value();  // shares the storage that the variable keeps
  return value.eigen();
}
template <class T, int R>
auto eigen(const Variable<T, R>&& variable) {
  return lacuna::eigen(variable.value());
}

}  // namespace lacuna
