/// The recurrent half of GRU and LSTM over a whole sequence, and its gradient. Policy: per frame one matrix product of
/// all samples and one kernel with a thread per number of the state; an absent frame is not read, leaves the state as
/// it is and puts out 0.
#pragma once

#include "lacuna/kernels/cpu/recurrent.hpp"
#include "lacuna/kernels/cuda/activation.cuh"

namespace lacuna::cuda {

/// Unit j of one frame of a GRU. x, h: both halves of its gates, G apart by n; keep: see cpu::Recurrent.
template <class T>
LACUNA_HD void gru_unit(index_t n, index_t j, const T* x, const T* h, const T* bias, T& state, T* keep) {
  const T r = functors::Sigmoid{}.value(x[j] + (h[j] + bias[j]));
  const T z = functors::Sigmoid{}.value(x[n + j] + (h[n + j] + bias[n + j]));
  const T q = h[2 * n + j] + bias[2 * n + j], before = state;
  const T m = functors::Tanh{}.value(x[2 * n + j] + r * q);
  keep[j] = r;
  keep[n + j] = z;
  keep[2 * n + j] = m;
  keep[3 * n + j] = q;
  keep[4 * n + j] = before;
  state = (T(1) - z) * m + z * before;
}
/// The way back; dh becomes what reaches the state before other than through the gates.
template <class T>
LACUNA_HD void gru_unit_gradient(index_t n, index_t j, const T* keep, T& dh, T* to_x, T* to_h) {
  const T r = keep[j], z = keep[n + j], m = keep[2 * n + j], q = keep[3 * n + j], before = keep[4 * n + j];
  const T dm = dh * (T(1) - z) * (T(1) - m * m);
  to_x[j] = to_h[j] = dm * q * r * (T(1) - r);
  to_x[n + j] = to_h[n + j] = dh * (before - m) * z * (T(1) - z);
  to_x[2 * n + j] = dm;
  to_h[2 * n + j] = dm * r;
  dh *= z;
}
template <class T>
LACUNA_HD void lstm_unit(index_t n, index_t j, const T* x, const T* h, const T* bias, T& state, T& cell, T* keep) {
  const T in = functors::Sigmoid{}.value(x[j] + (h[j] + bias[j]));
  const T forget = functors::Sigmoid{}.value(x[n + j] + (h[n + j] + bias[n + j]));
  const T g = functors::Tanh{}.value(x[2 * n + j] + (h[2 * n + j] + bias[2 * n + j]));
  const T out = functors::Sigmoid{}.value(x[3 * n + j] + (h[3 * n + j] + bias[3 * n + j]));
  keep[j] = in;
  keep[n + j] = forget;
  keep[2 * n + j] = g;
  keep[3 * n + j] = out;
  keep[5 * n + j] = cell;
  keep[6 * n + j] = state;
  cell = forget * cell + in * g;
  const T squashed = functors::Tanh{}.value(cell);
  keep[4 * n + j] = squashed;
  state = out * squashed;
}
template <class T>
LACUNA_HD void lstm_unit_gradient(index_t n, index_t j, const T* keep, T& dh, T& dc, T* to_x, T* to_h) {
  const T in = keep[j], forget = keep[n + j], g = keep[2 * n + j], out = keep[3 * n + j];
  const T squashed = keep[4 * n + j], before = keep[5 * n + j];
  const T cell = dc + dh * out * (T(1) - squashed * squashed);
  to_x[j] = to_h[j] = cell * g * in * (T(1) - in);
  to_x[n + j] = to_h[n + j] = cell * before * forget * (T(1) - forget);
  to_x[2 * n + j] = to_h[2 * n + j] = cell * in * (T(1) - g * g);
  to_x[3 * n + j] = to_h[3 * n + j] = dh * squashed * out * (T(1) - out);
  dc = cell * forget;
  dh = T(0);  // all of it went through the gates
}

template <class Run>
struct Recurrent {
  /// c0 and c are those of the LSTM. saved (B, T, s.saved()).
  template <class T>
  static void recurrent(const RecurrentSizes& sizes, const T* gates_x, const T* weight, const T* bias, const T* h0,
                        const T* c0, T* y, T* h, T* c, T* saved) {
    const RecurrentSizes s = sizes;
    const index_t n = s.hidden, width = s.gates() * n, kept = s.saved();
    const bool lstm = s.kind == Recurrence::lstm;
    const Buffer<T, Run> from_state(s.batch * width);
    T* const gates_h = from_state.data();
    Run::each("recurrent", s.batch * n, [=] LACUNA_DEVICE(index_t at) {
      h[at] = h0[at];
      if (lstm) c[at] = c0[at];
    });
    for (index_t step = 0; step < s.frames; ++step) {
      const index_t t = s.reverse ? s.frames - 1 - step : step;
      Linear<Run>::template gemm<T>(s.batch, width, n, {h, n}, {weight, n, true}, T(0), gates_h, width);
      Run::each("recurrent", s.batch * n, [=] LACUNA_DEVICE(index_t at) {
        const index_t b = at / n, j = at % n, frame = b * s.frames + t;
        T* const keep = saved + frame * kept;
        if (s.present && !s.present[frame]) {
          y[frame * n + j] = T(0);
          for (index_t k = j; k < kept; k += n) keep[k] = T(0);
          return;
        }
        if (lstm)
          lstm_unit(n, j, gates_x + frame * width, gates_h + b * width, bias, h[at], c[at], keep);
        else
          gru_unit(n, j, gates_x + frame * width, gates_h + b * width, bias, h[at], keep);
        y[frame * n + j] = h[at];
      });
    }
  }

  /// dgates_x and dgates_h (B, T, G·H), previous (B, T, H): see cpu::Recurrent.
  template <class T>
  static void recurrent_gradient(const RecurrentSizes& sizes, const T* weight, const T* saved, const T* dy,
                                 const T* dh_last, const T* dc_last, T* dgates_x, T* dgates_h, T* previous,
                                 GradientSlot<T> dh0, GradientSlot<T> dc0) {
    const RecurrentSizes s = sizes;
    const index_t n = s.hidden, width = s.gates() * n, kept = s.saved();
    const bool lstm = s.kind == Recurrence::lstm;
    const Buffer<T, Run> states(s.batch * n), cells(s.batch * n), frame_gates(s.batch * width);
    T *const dh = states.data(), *const dc = cells.data(), *const gates = frame_gates.data();
    Run::each("recurrent_gradient", s.batch * n, [=] LACUNA_DEVICE(index_t at) {
      dh[at] = dh_last[at];
      dc[at] = lstm ? dc_last[at] : T(0);
    });
    for (index_t step = s.frames; step-- > 0;) {
      const index_t t = s.reverse ? s.frames - 1 - step : step;
      Run::each("recurrent_gradient", s.batch * n, [=] LACUNA_DEVICE(index_t at) {
        const index_t b = at / n, j = at % n, frame = b * s.frames + t;
        const T* const keep = saved + frame * kept;
        T *const g = gates + b * width, *const to_x = dgates_x + frame * width, *const to_h = dgates_h + frame * width;
        previous[frame * n + j] = keep[kept - n + j];
        if (s.present && !s.present[frame]) {
          for (index_t k = j; k < width; k += n) to_x[k] = to_h[k] = g[k] = T(0);
          return;
        }
        dh[at] += dy[frame * n + j];
        if (lstm)
          lstm_unit_gradient(n, j, keep, dh[at], dc[at], to_x, g);
        else
          gru_unit_gradient(n, j, keep, dh[at], to_x, g);
        for (index_t k = j; k < width; k += n) to_h[k] = g[k];
      });
      Linear<Run>::template gemm<T>(s.batch, n, width, {gates, width}, {weight, n}, T(1), dh, n);
    }
    Run::each("recurrent_gradient", s.batch * n, [=] LACUNA_DEVICE(index_t at) {
      if (dh0) dh0.put(at, dh[at]);
      if (dc0) dc0.put(at, dc[at]);
    });
  }
};

}  // namespace lacuna::cuda
