/// One-dimensional convolution over (batch, frames, channels). Policy: no unfolded copy of the input. Every tap of the
/// kernel is a product of two strided matrices, the frames it touches and its slice of the weights, in the order of the
/// taps; parallel over samples, weight gradients in fixed pieces combined in order.
#pragma once

#include <vector>

#include "lacuna/core/gradient_slot.hpp"
#include "lacuna/core/precompile.hpp"
#include "lacuna/kernels/cpu/gemm_packed.hpp"
#include "lacuna/kernels/cpu/reduce.hpp"

namespace lacuna {

/// x (batch, frames, in), weight (out, in / groups, kernel), y (batch, steps, out).
struct Conv1dSizes {
  index_t batch, frames, in, out, kernel, stride, dilation, groups, pad_left, steps;
};

namespace cpu {

struct Conv1d {
  /// packed: the weight as `pack` lays it out, or null.
  template <class T>
  static void conv1d(const Conv1dSizes& s, const T* x, const T* weight, const T* bias, T* y, const T* packed = nullptr);

  /// The taps one behind the other, each as a product reads it (gemm_packed.hpp). One group only.
  template <class T>
  static index_t packed_size(index_t out, index_t in, index_t kernel) {
    return kernel * PackedGemm::size<T>(out, in);
  }
  template <class T>
  static void pack(index_t out, index_t in, index_t kernel, const T* weight, T* to) {
    List<T> tap(static_cast<std::size_t>(out * in));
    for (index_t j = 0; j < kernel; ++j) {
      for (index_t i = 0; i < out * in; ++i) tap[std::size_t(i)] = weight[i * kernel + j];
      PackedGemm::pack(out, in, tap.data(), to + packed_size<T>(out, in, j));
    }
  }

  template <class T>
  static void conv1d_input_gradient(const Conv1dSizes& s, const T* weight, const T* dy, GradientSlot<T> slot);

  template <class T>
  static void conv1d_weight_gradient(const Conv1dSizes& s, const T* x, const T* dy, GradientSlot<T> slot);

 private:
  /// One tap of one group: `count` output frames from offset y on, read from offset x on, with `out` by `in` weights.
  struct Tap {
    index_t number, count, in, out, x, y, weight;
  };

  template <class F>
  static void for_taps(const Conv1dSizes& s, F&& f) {
    const index_t in = s.in / s.groups, out = s.out / s.groups;
    for (index_t j = 0; j < s.kernel; ++j) {
      const index_t shift = j * s.dilation - s.pad_left;  // output frame t reads frame t · stride + shift
      const index_t first = shift < 0 ? (-shift + s.stride - 1) / s.stride : 0;
      const index_t last = s.frames - shift > 0 ? (s.frames - shift - 1) / s.stride + 1 : 0;
      const index_t count = (last < s.steps ? last : s.steps) - first;
      if (count <= 0) continue;
      for (index_t g = 0; g < s.groups; ++g)
        f(Tap{j, count, in, out, (first * s.stride + shift) * s.in + g * in, first * s.out + g * out,
              (j * s.out + g * out) * in});
    }
  }

  /// (out, in / groups, kernel) → (kernel, out, in / groups)
  template <class T>
  static List<T> tap_major(const Conv1dSizes& s, const T* weight) {
    const index_t rows = s.out * (s.in / s.groups);
    List<T> taps(static_cast<std::size_t>(rows * s.kernel));
    for (index_t i = 0; i < rows; ++i)
      for (index_t j = 0; j < s.kernel; ++j) taps[std::size_t(j * rows + i)] = weight[i * s.kernel + j];
    return taps;
  }

  template <class F>
  static void for_samples(const Conv1dSizes& s, F&& f) {
    const double work = double(s.steps) * double(s.out) * double(s.in / s.groups) * double(s.kernel);
    const index_t grain = work >= 65536 ? 1 : 1 + index_t(65536 / (work + 1));
    parallel_for(s.batch, grain, [&](index_t begin, index_t end) {
      for (index_t b = begin; b < end; ++b) f(b);
    });
  }
};

template <class T>
void Conv1d::conv1d(const Conv1dSizes& s, const T* x, const T* weight, const T* bias, T* y, const T* packed) {
  const List<T> taps = packed ? List<T>() : tap_major(s, weight);
  for_samples(s, [&](index_t b) {
    T* const to = y + b * s.steps * s.out;
    for (index_t t = 0; t < s.steps; ++t)
      for (index_t o = 0; o < s.out; ++o) to[t * s.out + o] = bias ? bias[o] : T(0);
    for_taps(s, [&](const Tap& tap) {
      const T* const from = x + b * s.frames * s.in + tap.x;
      if (packed)
        PackedGemm::add_serial(tap.count, tap.out, tap.in, from, s.stride * s.in,
                               packed + packed_size<T>(tap.out, tap.in, tap.number), to + tap.y);
      else
        Gemm::gemm_serial<T>(tap.count, tap.out, tap.in, {from, s.stride * s.in},
                             {taps.data() + tap.weight, tap.in, true}, T(1), to + tap.y, s.out);
    });
  });
}

template <class T>
void Conv1d::conv1d_input_gradient(const Conv1dSizes& s, const T* weight, const T* dy, GradientSlot<T> slot) {
  const List<T> taps = tap_major(s, weight);
  for_samples(s, [&](index_t b) {
    T* const to = slot.data + b * s.frames * s.in;
    if (slot.fresh)
      for (index_t i = 0; i < s.frames * s.in; ++i) to[i] = T(0);
    for_taps(s, [&](const Tap& tap) {
      Gemm::gemm_serial<T>(tap.count, tap.in, tap.out, {dy + b * s.steps * s.out + tap.y, s.out},
                           {taps.data() + tap.weight, tap.in}, T(1), to + tap.x, s.stride * s.in);
    });
  });
}

template <class T>
void Conv1d::conv1d_weight_gradient(const Conv1dSizes& s, const T* x, const T* dy, GradientSlot<T> slot) {
  const index_t width = s.in / s.groups, size = s.out * width * s.kernel;
  const index_t share = (s.batch + 7) / 8, pieces = s.batch > 0 ? (s.batch + share - 1) / share : 1;
  List<T> partial(static_cast<std::size_t>(pieces * size), T(0));
  parallel_for(s.batch, share, [&](index_t begin, index_t end) {
    T* const piece = partial.data() + begin / share * size;
    for (index_t b = begin; b < end; ++b)
      for_taps(s, [&](const Tap& tap) {
        Gemm::gemm_serial<T>(tap.out, tap.in, tap.count, {dy + b * s.steps * s.out + tap.y, s.out, true},
                             {x + b * s.frames * s.in + tap.x, s.stride * s.in}, T(1), piece + tap.weight, tap.in);
      });
  });
  for (index_t j = 0; j < s.kernel; ++j)
    for (index_t i = 0; i < s.out * width; ++i) {
      double total = 0;
      for (index_t p = 0; p < pieces; ++p) total += double(partial[std::size_t(p * size + j * s.out * width + i)]);
      slot.put(i * s.kernel + j, T(total));
    }
}

#define LACUNA_DETAIL_CONV1D(T)                                                                                   \
  LACUNA_PRECOMPILE(template void Conv1d::conv1d(const Conv1dSizes&, const T*, const T*, const T*, T*, const T*)) \
  LACUNA_PRECOMPILE(                                                                                              \
      template void Conv1d::conv1d_input_gradient(const Conv1dSizes&, const T*, const T*, GradientSlot<T>))       \
  LACUNA_PRECOMPILE(                                                                                              \
      template void Conv1d::conv1d_weight_gradient(const Conv1dSizes&, const T*, const T*, GradientSlot<T>))
LACUNA_DETAIL_CONV1D(float)
LACUNA_DETAIL_CONV1D(double)
#undef LACUNA_DETAIL_CONV1D

}  // namespace cpu
}  // namespace lacuna
