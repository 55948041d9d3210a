/// Between tensors and Eigen: matrices and vectors (eigen_dense.hpp), and the tensors of Eigen's Tensor module.
///
///     Eigen::Tensor<float, 3> e(batch, frames, features);          // column-major by default
///     Tensor<float, 3> x = e * 2.0f;                               // any expression of three axes
///     x.eigen().chip(0, 0).setZero();                              // no copy: Eigen::TensorMap, row-major
///     Tensor<float, 3> view = borrow(row_major_tensor);            // no copy
///
/// Element (i, j, k) is the same on both sides, whatever the order in memory. The same rules for owners and number
/// types as in eigen_dense.hpp; docs/tensors.md tells them from the start.
#pragma once

#include <unsupported/Eigen/CXX11/Tensor>

#include "lacuna/interop/eigen_dense.hpp"

namespace lacuna {
namespace detail {

template <class T, int R, bool Const>
struct EigenTensorView {
  using Plain = Eigen::Tensor<T, R, Eigen::RowMajor, Eigen::Index>;

  template <class Source>
  static auto tensor(Source& source) {
    typename Plain::Dimensions lengths;
    for (int axis = 0; axis < R; ++axis) lengths[std::size_t(axis)] = Eigen::Index(source.extent(axis));
    return Eigen::TensorMap<std::conditional_t<Const, const Plain, Plain>>(source.data(), lengths);
  }
  template <class View>
  static Plain owning(const View& view) {
    return view;
  }
};

template <EigenTensor E>
struct EigenSource<E> {
  template <class T, int R>
  static Tensor<T, R> copied(const E& expression) {
    using Evaluator = Eigen::TensorEvaluator<const E, Eigen::DefaultDevice>;
    const Eigen::DefaultDevice device;
    typename Tensor<T, R>::Extents extents{};
    if constexpr (R > 0) {
      const auto lengths = Evaluator(expression, device).dimensions();
      for (std::size_t axis = 0; axis < std::size_t(R); ++axis) extents[axis] = index_t(lengths[axis]);
    }
    Tensor<T, R> result(extents);
    auto to = EigenTensorView<T, R, false>::tensor(result);
    if (result.size() == 0) return result;
    if constexpr (int(Evaluator::Layout) == int(Eigen::RowMajor)) {
      to = expression.template cast<T>();
    } else if constexpr (R < 2) {
      to = expression.template cast<T>().swap_layout();
    } else {  // seen as row-major the axes come in the opposite order
      Eigen::array<int, std::size_t(R)> reversed;
      for (int axis = 0; axis < R; ++axis) reversed[std::size_t(axis)] = R - 1 - axis;
      to = expression.template cast<T>().swap_layout().shuffle(reversed);
    }
    return result;
  }
};

}  // namespace detail

/// A tensor in the memory of a row-major Eigen::Tensor, or TensorMap, of R axes; see Tensor::borrow for how long that
/// must live. A tensor given as `std::move(e)` moves into ours, which then owns it. Of const memory the result is
/// const.
template <class E>
requires(detail::EigenTensor<std::remove_cvref_t<E>>) decltype(auto) borrow(E&& source) {
  using Bare = std::remove_cvref_t<E>;
  using T = std::remove_const_t<typename Bare::Scalar>;
  constexpr int R = Bare::NumDimensions;
  static_assert(
      requires { source.data(); }, "only what has memory can be borrowed: Tensor<T, R> x = expression; copies");
  static_assert(R < 2 || int(Bare::Layout) == int(Eigen::RowMajor),
                "a column-major tensor cannot be borrowed, ours are row-major: Tensor<T, R> x = e; copies");
  typename Tensor<T, R>::Extents extents{};
  for (int axis = 0; axis < R; ++axis) extents[std::size_t(axis)] = index_t(source.dimension(axis));
  if constexpr (std::is_lvalue_reference_v<E>) {
    return Tensor<T, R>::borrow(extents, source.data());
  } else {
    const auto owner = std::make_shared<Bare>(std::forward<E>(source));
    return Tensor<T, R>::borrow(extents, owner->data(), owner);
  }
}

}  // namespace lacuna
