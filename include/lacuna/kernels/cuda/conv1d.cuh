/// One-dimensional convolution over (batch, frames, channels). Policy: direct, one thread per number of the result or
/// of the input's gradient, neighbouring threads on neighbouring channels; a weight's gradient is summed by one team
/// over samples and frames. No unfolded copy, no scratch.
#pragma once

#include "lacuna/kernels/cpu/conv1d.hpp"
#include "lacuna/kernels/cuda/run.cuh"

namespace lacuna::cuda {

/// The frame of the input that tap j of output frame t reads; outside 0..frames-1 it is padding.
LACUNA_HD inline index_t frame_read(const Conv1dSizes& s, index_t t, index_t j) {
  return t * s.stride + j * s.dilation - s.pad_left;
}
/// The output frame that reads input frame f through tap j, or -1.
LACUNA_HD inline index_t step_reading(const Conv1dSizes& s, index_t f, index_t j) {
  const index_t from = f + s.pad_left - j * s.dilation;
  return from >= 0 && from % s.stride == 0 && from / s.stride < s.steps ? from / s.stride : -1;
}

template <class Run>
struct Conv1d {
  template <class T>
  static void conv1d(const Conv1dSizes& sizes, const T* x, const T* weight, const T* bias, T* y) {
    const Conv1dSizes s = sizes;
    const index_t in = s.in / s.groups, out = s.out / s.groups;
    Run::each("conv1d", s.batch * s.steps * s.out, [=] LACUNA_DEVICE(index_t at) {
      const index_t o = at % s.out, t = at / s.out % s.steps, b = at / s.out / s.steps;
      T sum = bias ? bias[o] : T(0);
      for (index_t j = 0; j < s.kernel; ++j) {
        const index_t frame = frame_read(s, t, j);
        if (frame < 0 || frame >= s.frames) continue;
        const T* const from = x + (b * s.frames + frame) * s.in + o / out * in;
        for (index_t c = 0; c < in; ++c) sum += from[c] * weight[(o * in + c) * s.kernel + j];
      }
      y[at] = sum;
    });
  }
  template <class T>
  static void conv1d_input_gradient(const Conv1dSizes& sizes, const T* weight, const T* dy, GradientSlot<T> slot) {
    const Conv1dSizes s = sizes;
    const index_t in = s.in / s.groups, out = s.out / s.groups;
    Run::each("conv1d_input_gradient", s.batch * s.frames * s.in, [=] LACUNA_DEVICE(index_t at) {
      const index_t channel = at % s.in, frame = at / s.in % s.frames, b = at / s.in / s.frames;
      const index_t group = channel / in, c = channel % in;
      T sum = T(0);
      for (index_t j = 0; j < s.kernel; ++j) {
        const index_t t = step_reading(s, frame, j);
        if (t < 0) continue;
        const T* const from = dy + (b * s.steps + t) * s.out;
        for (index_t o = group * out; o < (group + 1) * out; ++o) sum += from[o] * weight[(o * in + c) * s.kernel + j];
      }
      slot.put(at, sum);
    });
  }
  template <class T>
  static void conv1d_weight_gradient(const Conv1dSizes& sizes, const T* x, const T* dy, GradientSlot<T> slot) {
    const Conv1dSizes s = sizes;
    const index_t in = s.in / s.groups, out = s.out / s.groups;
    Run::rows("conv1d_weight_gradient", s.out * in * s.kernel, [=] LACUNA_DEVICE(index_t at, typename Run::Team team) {
      const index_t j = at % s.kernel, c = at / s.kernel % in, o = at / s.kernel / in;
      double sum = 0;
      for (index_t place = team.lane(); place < s.batch * s.steps; place += team.lanes()) {
        const index_t b = place / s.steps, frame = frame_read(s, place % s.steps, j);
        if (frame < 0 || frame >= s.frames) continue;
        sum += double(dy[place * s.out + o]) * double(x[(b * s.frames + frame) * s.in + o / out * in + c]);
      }
      sum = team.sum(sum);
      if (team.lane() == 0) slot.put(at, T(sum));
    });
  }
};

}  // namespace lacuna::cuda
