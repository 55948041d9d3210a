/// Seeing a tensor as an Eigen object, without a copy.
///
///     tensor.eigen()    (a, ..., z) -> Eigen::TensorMap<Eigen::Tensor<T, R, Eigen::RowMajor>> of the same shape
///     tensor.matrix()   (a, ..., z) -> row-major Eigen::Map<Matrix> of a * ... * y rows and z columns; a single number
///     is 1 x 1
///
/// Of a const tensor both are maps of const. A map does not own: the tensor, or another that shares its storage, must
/// outlive it. Host memory only. Maps claim no alignment, since a window of a tensor may begin anywhere.
#pragma once

#include <Eigen/Core>
#include <type_traits>
#include <unsupported/Eigen/CXX11/Tensor>

#include "lacuna/core/tensor.hpp"

namespace lacuna {

template <class T>
using RowMajorMatrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

namespace detail {

template <class T, int R, bool Const>
struct EigenView {
  template <class Plain>
  using Maybe = std::conditional_t<Const, const Plain, Plain>;
  using Dense = Eigen::Tensor<T, R, Eigen::RowMajor, index_t>;
  using Argument = Maybe<Tensor<T, R, Cpu>>;

  static auto tensor(Argument& source) {
    typename Dense::Dimensions lengths;
    for (int axis = 0; axis < R; ++axis) lengths[std::size_t(axis)] = source.extent(axis);
    return Eigen::TensorMap<Maybe<Dense>>(source.data(), lengths);
  }
  static auto matrix(Argument& source) {
    return Eigen::Map<Maybe<RowMajorMatrix<T>>>(source.data(), Eigen::Index(source.shape().rows()),
                                                Eigen::Index(source.shape().columns()));
  }
};

}  // namespace detail
}  // namespace lacuna
