/// The one place where what is absent becomes 0.
///
///     data::Stream<float> clean = models::masked_stream(frames, present);
///     data::Stream<float> less = models::masked_stream(clean.frames, fewer);
///
/// Every stream that a network is given comes from here or from the standardiser, which writes the same zeros in its
/// own pass: frames (B, T, D) are 0 wherever present (B, T) is 0, whatever stood there, NaN included. A network
/// therefore needs no mask to be safe from what is absent, only to know that it is.
#pragma once

#include "lacuna/data/stream.hpp"
#include "lacuna/kernels/cpu/shape.hpp"
#include "lacuna/kernels/kernels.hpp"

namespace lacuna::models {

using data::Streams;

/// Shares `frames` when everything is present and the device can tell without a wait; else copies them once.
/// Throws ShapeError when the two do not fit.
template <class T, class D>
data::Stream<T, D> masked_stream(const Tensor<T, 3, D>& frames, const Mask<2, D>& present) {
  detail::expect_shape("stream", "present", present.shape(), {frames.extent(0), frames.extent(1)});
  if constexpr (requires { Kernels<D>::ShapeMoves::keeps_all(present.size(), present.data()); })
    if (Kernels<D>::ShapeMoves::keeps_all(present.size(), present.data())) return {frames, present};
  Tensor<T, 3, D> clean(frames.extents());
  Kernels<D>::ShapeMoves::keep_rows(present.size(), frames.extent(2), present.data(), frames.data(), clean.data());
  return {clean, present};
}

}  // namespace lacuna::models
