/// The recurrent half of GRU and LSTM over a whole sequence, and its gradient. Policy: a few samples run through all
/// frames on one thread, so that frames need no barrier; an absent frame is not read, leaves the state as it is and
/// puts out 0.
#pragma once

#include <vector>

#include "lacuna/core/gradient_slot.hpp"
#include "lacuna/core/precompile.hpp"
#include "lacuna/kernels/cpu/activation.hpp"
#include "lacuna/kernels/cpu/gemm.hpp"

namespace lacuna {

enum class Recurrence { gru, lstm };

/// gates_x (B, T, G·H) = x W_xᵀ + b_x with G = 3 (r, z, n) or 4 (i, f, g, o); states (B, H).
struct RecurrentSizes {
  Recurrence kind;
  index_t batch, frames, hidden;
  bool reverse;
  const std::uint8_t* present;  ///< (B, T), 1 = present; null = all

  index_t gates() const { return kind == Recurrence::gru ? 3 : 4; }
  /// Numbers per frame that the backward pass needs: gates and state before (GRU also W_n h + b_n; LSTM tanh c and c
  /// before).
  index_t saved() const { return (kind == Recurrence::gru ? 5 : 7) * hidden; }
};

namespace cpu {

struct Recurrent {
  /// c0 and c are those of the LSTM. saved (B, T, s.saved()).
  template <class T>
  static void recurrent(const RecurrentSizes& s, const T* gates_x, const T* weight, const T* bias, const T* h0,
                        const T* c0, T* y, T* h, T* c, T* saved);

  /// dgates_x and dgates_h (B, T, G·H): gradients of both halves of the gates, from which those of inputs and weights
  /// are products; for the LSTM they are one array. previous (B, T, H): the state before every frame.
  template <class T>
  static void recurrent_gradient(const RecurrentSizes& s, const T* weight, const T* saved, const T* dy,
                                 const T* dh_last, const T* dc_last, T* dgates_x, T* dgates_h, T* previous,
                                 GradientSlot<T> dh0, GradientSlot<T> dc0);

 private:
  template <class F>
  static void for_chunks(const RecurrentSizes& s, F&& f) {
    parallel_for(s.batch, 8, [&](index_t begin, index_t end) { f(begin, end - begin); });
  }
  static bool any(const RecurrentSizes& s, index_t first, index_t count, index_t t) {
    if (!s.present) return true;
    for (index_t i = first; i < first + count; ++i)
      if (s.present[i * s.frames + t]) return true;
    return false;
  }

  /// keep: r, z, n, q = W_n h + b_n, h before
  template <class T>
  static void gru_step(index_t n, const T* x, const T* h, T* state, T* keep) {
    T *const r = keep, *const z = keep + n, *const m = keep + 2 * n, *const q = keep + 3 * n,
             *const before = keep + 4 * n;
    for (index_t j = 0; j < 2 * n; ++j) r[j] = x[j] + h[j];
    sigmoid_run(r, r, 2 * n);
    for (index_t j = 0; j < n; ++j) {
      q[j] = h[2 * n + j];
      m[j] = x[2 * n + j] + r[j] * q[j];
      before[j] = state[j];
    }
    tanh_run(m, n);
    for (index_t j = 0; j < n; ++j) state[j] = (T(1) - z[j]) * m[j] + z[j] * before[j];
  }
  template <class T>
  static void gru_gradient(index_t n, const T* keep, T* dh, T* to_x, T* to_h) {
    const T *r = keep, *z = keep + n, *m = keep + 2 * n, *q = keep + 3 * n, *before = keep + 4 * n;
    for (index_t j = 0; j < n; ++j) {
      const T dm = dh[j] * (T(1) - z[j]) * (T(1) - m[j] * m[j]);
      to_x[j] = to_h[j] = dm * q[j] * r[j] * (T(1) - r[j]);
      to_x[n + j] = to_h[n + j] = dh[j] * (before[j] - m[j]) * z[j] * (T(1) - z[j]);
      to_x[2 * n + j] = dm;
      to_h[2 * n + j] = dm * r[j];
      dh[j] *= z[j];
    }
  }
  /// keep: i, f, g, o, tanh c, c before, h before
  template <class T>
  static void lstm_step(index_t n, const T* x, const T* h, T* state, T* cell, T* keep) {
    T *const in = keep, *const forget = keep + n, *const g = keep + 2 * n, *const out = keep + 3 * n;
    T *const squashed = keep + 4 * n, *const c_before = keep + 5 * n, *const h_before = keep + 6 * n;
    for (index_t j = 0; j < 4 * n; ++j) keep[j] = x[j] + h[j];
    sigmoid_run(in, in, 2 * n);
    tanh_run(g, n);
    sigmoid_run(out, out, n);
    for (index_t j = 0; j < n; ++j) {
      c_before[j] = cell[j];
      h_before[j] = state[j];
      squashed[j] = cell[j] = forget[j] * cell[j] + in[j] * g[j];
    }
    tanh_run(squashed, n);
    for (index_t j = 0; j < n; ++j) state[j] = out[j] * squashed[j];
  }
  template <class T>
  static void lstm_gradient(index_t n, const T* keep, T* dh, T* dc, T* to_x, T* to_h) {
    const T *in = keep, *forget = keep + n, *g = keep + 2 * n, *out = keep + 3 * n;
    const T *squashed = keep + 4 * n, *c_before = keep + 5 * n;
    for (index_t j = 0; j < n; ++j) {
      const T cell = dc[j] + dh[j] * out[j] * (T(1) - squashed[j] * squashed[j]);
      to_x[j] = cell * g[j] * in[j] * (T(1) - in[j]);
      to_x[n + j] = cell * c_before[j] * forget[j] * (T(1) - forget[j]);
      to_x[2 * n + j] = cell * in[j] * (T(1) - g[j] * g[j]);
      to_x[3 * n + j] = dh[j] * squashed[j] * out[j] * (T(1) - out[j]);
      dc[j] = cell * forget[j];
      dh[j] = T(0);  // all of it went through the gates
    }
    for (index_t j = 0; j < 4 * n; ++j) to_h[j] = to_x[j];
  }
};

template <class T>
void Recurrent::recurrent(const RecurrentSizes& s, const T* gates_x, const T* weight, const T* bias, const T* h0,
                          const T* c0, T* y, T* h, T* c, T* saved) {
  const index_t n = s.hidden, width = s.gates() * n;
  for_chunks(s, [&](index_t first, index_t count) {
    List<T> from_state(static_cast<std::size_t>(count * width));
    T* const state = h + first * n;
    T* const cell = s.kind == Recurrence::lstm ? c + first * n : nullptr;
    for (index_t i = 0; i < count * n; ++i) state[i] = h0[first * n + i];
    if (cell)
      for (index_t i = 0; i < count * n; ++i) cell[i] = c0[first * n + i];
    for (index_t step = 0; step < s.frames; ++step) {
      const index_t t = s.reverse ? s.frames - 1 - step : step;
      if (any(s, first, count, t))
        Gemm::gemm_serial<T>(count, width, n, {state, n}, {weight, n, true}, T(0), from_state.data(), width);
      for (index_t i = 0; i < count; ++i) {
        const index_t frame = (first + i) * s.frames + t;
        T* const out = y + frame * n;
        T* const keep = saved + frame * s.saved();
        if (s.present && !s.present[frame]) {
          for (index_t j = 0; j < n; ++j) out[j] = T(0);
          for (index_t j = 0; j < s.saved(); ++j) keep[j] = T(0);
          continue;
        }
        T* const g = from_state.data() + i * width;
        for (index_t j = 0; j < width; ++j) g[j] += bias[j];
        if (s.kind == Recurrence::gru)
          gru_step(n, gates_x + frame * width, g, state + i * n, keep);
        else
          lstm_step(n, gates_x + frame * width, g, state + i * n, cell + i * n, keep);
        for (index_t j = 0; j < n; ++j) out[j] = state[i * n + j];
      }
    }
  });
}

template <class T>
void Recurrent::recurrent_gradient(const RecurrentSizes& s, const T* weight, const T* saved, const T* dy,
                                   const T* dh_last, const T* dc_last, T* dgates_x, T* dgates_h, T* previous,
                                   GradientSlot<T> dh0, GradientSlot<T> dc0) {
  const index_t n = s.hidden, width = s.gates() * n;
  for_chunks(s, [&](index_t first, index_t count) {
    List<T> dh(dh_last + first * n, dh_last + (first + count) * n), dc(dh.size(), T(0));
    if (s.kind == Recurrence::lstm) dc.assign(dc_last + first * n, dc_last + (first + count) * n);
    List<T> gates(static_cast<std::size_t>(count * width));
    for (index_t step = s.frames; step-- > 0;) {
      const index_t t = s.reverse ? s.frames - 1 - step : step;
      for (index_t i = 0; i < count; ++i) {
        const index_t frame = (first + i) * s.frames + t;
        const T* const keep = saved + frame * s.saved();
        T* const g = gates.data() + i * width;
        T* const to_x = dgates_x + frame * width;
        T* const to_h = dgates_h + frame * width;
        for (index_t j = 0; j < n; ++j) previous[frame * n + j] = keep[s.saved() - n + j];
        if (s.present && !s.present[frame]) {
          for (index_t j = 0; j < width; ++j) to_x[j] = to_h[j] = g[j] = T(0);
          continue;
        }
        T* const state = dh.data() + i * n;
        for (index_t j = 0; j < n; ++j) state[j] += dy[frame * n + j];
        if (s.kind == Recurrence::gru)
          gru_gradient(n, keep, state, to_x, g);
        else
          lstm_gradient(n, keep, state, dc.data() + i * n, to_x, g);
        for (index_t j = 0; j < width; ++j) to_h[j] = g[j];
      }
      if (any(s, first, count, t))
        Gemm::gemm_serial<T>(count, n, width, {gates.data(), width}, {weight, n}, T(1), dh.data(), n);
    }
    for (index_t i = 0; i < count * n; ++i) {
      if (dh0) dh0.put(first * n + i, dh[std::size_t(i)]);
      if (dc0) dc0.put(first * n + i, dc[std::size_t(i)]);
    }
  });
}

#define LACUNA_DETAIL_RECURRENT(T)                                                                                    \
  LACUNA_PRECOMPILE(template void Recurrent::recurrent(const RecurrentSizes&, const T*, const T*, const T*, const T*, \
                                                       const T*, T*, T*, T*, T*))                                     \
  LACUNA_PRECOMPILE(template void Recurrent::recurrent_gradient(const RecurrentSizes&, const T*, const T*, const T*,  \
                                                                const T*, const T*, T*, T*, T*, GradientSlot<T>,      \
                                                                GradientSlot<T>))
LACUNA_DETAIL_RECURRENT(float)
LACUNA_DETAIL_RECURRENT(double)
#undef LACUNA_DETAIL_RECURRENT

}  // namespace cpu
}  // namespace lacuna
