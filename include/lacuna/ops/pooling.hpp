/// A sequence in one vector: mean and maximum over its present frames. Pooling by attention:
/// lacuna/nn/attention_pooling.hpp.
#pragma once

#include "lacuna/autograd/record.hpp"
#include "lacuna/kernels/cpu/pooling.hpp"
#include "lacuna/kernels/kernels.hpp"

namespace lacuna {
namespace detail {
template <class T, class D>
const std::uint8_t* pool_mask(const char* name, const Variable<T, 3, D>& x, const Mask<2, D>& present) {
  if (!present.defined()) return nullptr;
  expect_shape(name, "present", present.shape(), Shape{x.extent(0), x.extent(1)});
  return present.data();
}
}  // namespace detail

/// x (B, T, F), present (B, T), 1 = present, or undefined for all → (B, F): the mean over the present frames, 0 where
/// there are none. Absent frames are not read (NaN included) and get gradient 0. Throws ShapeError when the mask does
/// not fit.
template <class T, class D>
Variable<T, 2, D> mean_pool(const Variable<T, 3, D>& x, const Mask<2, D>& present = {}) {
  const index_t batch = x.extent(0), frames = x.extent(1), n = x.extent(2);
  Tensor<T, 2, D> y({batch, n});
  Kernels<D>::Pooling::mean_pool(batch, frames, n, detail::pool_mask("mean_pool", x, present), x.data(), y.data());
  return record(
      "mean_pool", y,
      [=, x = x.node()](const Tensor<T, 2, D>& dy) {
        if (const auto slot = x->slot())
          Kernels<D>::Pooling::mean_pool_gradient(batch, frames, n, present.data(), dy.data(), slot);
      },
      x);
}

/// The same with the maximum; its gradient goes to the first frame that holds it.
template <class T, class D>
Variable<T, 2, D> max_pool(const Variable<T, 3, D>& x, const Mask<2, D>& present = {}) {
  const index_t batch = x.extent(0), frames = x.extent(1), n = x.extent(2);
  Tensor<T, 2, D> y({batch, n});
  Tensor<index_t, 2, D> winner({batch, n});
  Kernels<D>::Pooling::max_pool(batch, frames, n, detail::pool_mask("max_pool", x, present), x.data(), y.data(),
                                winner.data());
  return record(
      "max_pool", y,
      [=, x = x.node()](const Tensor<T, 2, D>& dy) {
        if (const auto slot = x->slot())
          Kernels<D>::Pooling::max_pool_gradient(batch, frames, n, winner.data(), dy.data(), slot);
      },
      x);
}

}  // namespace lacuna
