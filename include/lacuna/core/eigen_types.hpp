/// What is an expression of Eigen, and of how many axes: known without including Eigen, so that tensors can say what
/// they convert from. The conversions themselves are in lacuna/interop/eigen.hpp.
#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>

namespace Eigen {
template <class Derived>
class DenseBase;
template <class Derived, int Access>
class TensorBase;
}  // namespace Eigen

namespace lacuna::detail {

template <class E>
void takes_eigen_dense(const Eigen::DenseBase<E>*);
template <class E, int Access>
void takes_eigen_tensor(const Eigen::TensorBase<E, Access>*);

/// A matrix, array, vector, map, block, product, ... of Eigen/Core.
template <class E>
concept EigenDense = requires {
  typename E::Scalar;
}
&&requires(const E* expression) { takes_eigen_dense(expression); };
template <class E>
concept EigenVector = EigenDense<E> && bool(E::IsVectorAtCompileTime);
/// An expression of Eigen's unsupported Tensor module.
template <class E>
concept EigenTensor = requires {
  typename E::Scalar;
}
&&requires(const E* expression) { takes_eigen_tensor(expression); };

/// Whether numbers of type S are taken as T without being asked: the same type, or a yes and no for a mask.
template <class S, class T>
concept EigenScalar = std::same_as<S, T> ||(std::same_as<S, bool>&& std::same_as<T, std::uint8_t>);

template <class E, int R>
concept EigenDenseOfRank = EigenDense<E> &&(R == 2 || (R == 1 && EigenVector<E>));
template <class E, int R>
concept EigenTensorOfRank = EigenTensor<E> &&(E::NumDimensions == R);

/// What a Tensor<T, R> can be made of.
template <class E, class T, int R>
concept EigenOfRank = requires {
  typename E::Scalar;
}
&&EigenScalar<typename E::Scalar, T> && (EigenDenseOfRank<E, R> || EigenTensorOfRank<E, R>);

}  // namespace lacuna::detail
