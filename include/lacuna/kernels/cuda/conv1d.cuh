/// One-dimensional convolution over (batch, frames, channels).
///
/// Policy: one group is matrix products over windows. The window of an output frame is what it reads, a row of
/// in · kernel numbers in the order of the weights (channel, tap), zeros where it reads padding:
///   y = windows W' + bias,   dW = dy' windows,   dx: the windows' gradient dy W, gathered by one thread per number of
///   x.
/// Windows are copied together for the call, `kernel` times the size of x: rows that overlap in memory would need no
/// copy, but cuBLASLt wants rows that do not. A kernel of one tap that reads every frame once has x for its windows.
/// Several groups are done directly: one thread per number of the result or of the input's gradient, neighbouring
/// threads on neighbouring channels; a weight's gradient is summed by one team over samples and frames.
#pragma once

#include "lacuna/kernels/cpu/conv1d.hpp"
#include "lacuna/kernels/cuda/activation.cuh"

namespace lacuna::cuda {

/// The frame of the input that tap j of output frame t reads; outside 0..frames-1 it is padding.
LACUNA_HD inline index_t frame_read(const Conv1dSizes& s, index_t t, index_t j) {
  return t * s.stride + j * s.dilation - s.pad_left;
}
/// The output frame that reads input frame f through tap j, or -1.
LACUNA_HD inline index_t step_reading(const Conv1dSizes& s, index_t f, index_t j) {
  const index_t from = f + s.pad_left - j * s.dilation;
  if (s.stride == 1) return from >= 0 && from < s.steps ? from : -1;  // a division is much for a GPU
  return from >= 0 && from % s.stride == 0 && from / s.stride < s.steps ? from / s.stride : -1;
}

template <class Run>
struct Conv1d {
  template <class T>
  static void conv1d(const Conv1dSizes& sizes, const T* x, const T* weight, const T* bias, T* y, const T* = nullptr) {
    const Conv1dSizes s = sizes;
    if (s.groups == 1) {
      const Buffer<T, Run> room(windows_are_input(s) ? 0 : s.batch * s.steps * window_stride(s));
      Linear<Run>::template linear_of<T>(s.batch * s.steps, s.in * s.kernel, s.out, windows(s, x, room.data()), weight,
                                         bias, Activation::none, y);
      return;
    }
    const index_t in = s.in / s.groups, out = s.out / s.groups, n = s.batch * s.steps * s.out;
    const Divider by_channels(s.out, n), by_steps(s.steps, n), by_group(out, s.out);
    Run::each("conv1d", n, [=] LACUNA_DEVICE(index_t at) {
      const index_t row = by_channels.quotient(at), o = at - row * s.out, b = by_steps.quotient(row);
      const index_t t = row - b * s.steps, first = by_group.quotient(o) * in;
      T sum = bias ? bias[o] : T(0);
      for (index_t j = 0; j < s.kernel; ++j) {
        const index_t frame = frame_read(s, t, j);
        if (frame < 0 || frame >= s.frames) continue;
        const T* const from = x + (b * s.frames + frame) * s.in + first;
        for (index_t c = 0; c < in; ++c) sum += from[c] * weight[(o * in + c) * s.kernel + j];
      }
      y[at] = sum;
    });
  }

  template <class T>
  static void conv1d_input_gradient(const Conv1dSizes& sizes, const T* weight, const T* dy, GradientSlot<T> slot) {
    const Conv1dSizes s = sizes;
    if (s.groups == 1) return gather_windows(s, weight, dy, slot);
    const index_t in = s.in / s.groups, out = s.out / s.groups, n = s.batch * s.frames * s.in;
    const Divider by_channels(s.in, n), by_frames(s.frames, n), by_group(in, s.in);
    Run::each("conv1d_input_gradient", n, [=] LACUNA_DEVICE(index_t at) {
      const index_t row = by_channels.quotient(at), channel = at - row * s.in, b = by_frames.quotient(row);
      const index_t frame = row - b * s.frames, group = by_group.quotient(channel), c = channel - group * in;
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
    if (s.groups == 1) {
      const index_t rows = s.batch * s.steps, length = s.in * s.kernel;
      const Buffer<T, Run> room(windows_are_input(s) ? 0 : rows * window_stride(s));
      Linear<Run>::template gemm<T>(s.out, length, rows, {dy, s.out, true}, windows(s, x, room.data()), slot.beta(),
                                    slot.data, length);
      return;
    }
    const index_t in = s.in / s.groups, out = s.out / s.groups, n = s.out * in * s.kernel;
    const Divider by_kernel(s.kernel, n), by_in(in, n), by_group(out, s.out), by_steps(s.steps, s.batch * s.steps);
    Run::rows("conv1d_weight_gradient", n, [=] LACUNA_DEVICE(index_t at, typename Run::Team team) {
      const index_t row = by_kernel.quotient(at), j = at - row * s.kernel, o = by_in.quotient(row), c = row - o * in;
      const index_t channel = by_group.quotient(o) * in + c;
      double sum = 0;
      for (index_t place = team.lane(); place < s.batch * s.steps; place += team.lanes()) {
        const index_t b = by_steps.quotient(place), frame = frame_read(s, place - b * s.steps, j);
        if (frame < 0 || frame >= s.frames) continue;
        sum += double(dy[place * s.out + o]) * double(x[(b * s.frames + frame) * s.in + channel]);
      }
      sum = team.sum(sum);
      if (team.lane() == 0) slot.put(at, T(sum));
    });
  }

  static bool windows_are_input(const Conv1dSizes& s) {
    return s.kernel == 1 && s.stride == 1 && s.pad_left == 0 && s.steps == s.frames;
  }
  /// Numbers from one window to the next: a product reads rows faster that start at multiples of 16 bytes.
  static index_t window_stride(const Conv1dSizes& s) { return (s.in * s.kernel + 3) / 4 * 4; }

  /// The windows of x as the operand of a product, (batch · steps, in · kernel); `room` for (batch · steps, stride).
  template <class T>
  static cpu::Operand<T> windows(const Conv1dSizes& sizes, const T* x, T* room) {
    const Conv1dSizes s = sizes;
    if (windows_are_input(s)) return {x, s.in};
    const index_t rows = s.batch * s.steps, length = s.in * s.kernel, stride = window_stride(s);
    const Divider by_stride(stride, rows * stride), by_kernel(s.kernel, length), by_steps(s.steps, rows);
    Run::each("conv1d_windows", rows * stride, [=] LACUNA_DEVICE(index_t at) {
      const index_t row = by_stride.quotient(at), place = at - row * stride;
      T number = T(0);
      if (place < length) {
        const index_t c = by_kernel.quotient(place), b = by_steps.quotient(row);
        const index_t frame = frame_read(s, row - b * s.steps, place - c * s.kernel);
        if (frame >= 0 && frame < s.frames) number = x[(b * s.frames + frame) * s.in + c];
      }
      room[at] = number;
    });
    return {room, stride};
  }

  /// The gradient of x for one group.
  template <class T>
  static void gather_windows(const Conv1dSizes& sizes, const T* weight, const T* dy, GradientSlot<T> slot) {
    const Conv1dSizes s = sizes;
    const index_t rows = s.batch * s.steps, length = s.in * s.kernel, stride = window_stride(s);
    if (windows_are_input(s)) {
      Linear<Run>::template gemm<T>(rows, length, s.out, {dy, s.out}, {weight, length}, slot.beta(), slot.data, length);
      return;
    }
    const Buffer<T, Run> room(rows * stride);
    const T* const from = room.data();
    Linear<Run>::template gemm<T>(rows, length, s.out, {dy, s.out}, {weight, length}, T(0), room.data(), stride);
    const index_t n = s.batch * s.frames * s.in;
    const Divider by_channels(s.in, n), by_frames(s.frames, n);
    Run::each("conv1d_input_gradient", n, [=] LACUNA_DEVICE(index_t at) {
      const index_t row = by_channels.quotient(at), c = at - row * s.in, b = by_frames.quotient(row);
      T sum = T(0);
      for (index_t j = 0; j < s.kernel; ++j) {
        const index_t t = step_reading(s, row - b * s.frames, j);
        if (t >= 0) sum += from[(b * s.steps + t) * stride + c * s.kernel + j];
      }
      slot.put(at, sum);
    });
  }
};

}  // namespace lacuna::cuda
