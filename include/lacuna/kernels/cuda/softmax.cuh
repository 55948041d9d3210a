/// Softmax and log-softmax over the middle axis of (outer, n, inner). Policy: one team per run along the axis; a run of
/// any length, read from memory again in every pass, since runs are short and caches hold them.
#pragma once

#include "lacuna/kernels/cuda/run.cuh"

namespace lacuna::cuda {

template <class Run>
struct Softmax {
  /// present like x, 1 = takes part, or null; absent entries become 0, and so does a run without any present one.
  template <class T>
  static void softmax_axis(index_t outer, index_t n, index_t inner, const T* x, const std::uint8_t* present, T* y) {
    if (n == 0) return;
    Run::rows("softmax", outer * inner, [=] LACUNA_DEVICE(index_t run, typename Run::Team team) {
      const index_t from = run_start(run, n, inner);
      T largest = T(-INFINITY);
      int alive = 0;  // entries above −∞, NaN among them
      for (index_t j = team.lane(); j < n; j += team.lanes()) {
        const index_t at = from + j * inner;
        if (present && !present[at]) continue;
        largest = x[at] > largest ? x[at] : largest;
        alive += x[at] != T(-INFINITY);
      }
      largest = team.largest(largest);
      alive = team.sum(alive);
      T total = T(0);
      for (index_t j = team.lane(); j < n; j += team.lanes()) {
        const index_t at = from + j * inner;
        const bool here = alive > 0 && (!present || present[at]);
        y[at] = here ? std::exp(x[at] - largest) : T(0);
        total += y[at];
      }
      total = team.sum(total);
      const T factor = alive > 0 ? T(1) / total : T(0);
      for (index_t j = team.lane(); j < n; j += team.lanes()) y[from + j * inner] *= factor;
    });
  }
  /// slot += y (dy − Σ y dy)
  template <class T>
  static void softmax_axis_gradient(index_t outer, index_t n, index_t inner, const T* y, const T* dy,
                                    GradientSlot<T> slot) {
    Run::rows("softmax_gradient", outer * inner, [=] LACUNA_DEVICE(index_t run, typename Run::Team team) {
      const index_t from = run_start(run, n, inner);
      double mean = 0;
      for (index_t j = team.lane(); j < n; j += team.lanes())
        mean += double(y[from + j * inner]) * double(dy[from + j * inner]);
      mean = team.sum(mean);
      for (index_t j = team.lane(); j < n; j += team.lanes()) {
        const index_t at = from + j * inner;
        slot.put(at, y[at] * (dy[at] - T(mean)));
      }
    });
  }
  template <class T>
  static void log_softmax_axis(index_t outer, index_t n, index_t inner, const T* x, T* y) {
    if (n == 0) return;
    Run::rows("log_softmax", outer * inner, [=] LACUNA_DEVICE(index_t run, typename Run::Team team) {
      const index_t from = run_start(run, n, inner);
      T largest = T(-INFINITY);
      for (index_t j = team.lane(); j < n; j += team.lanes())
        largest = x[from + j * inner] > largest ? x[from + j * inner] : largest;
      largest = team.largest(largest);
      double total = 0;
      for (index_t j = team.lane(); j < n; j += team.lanes()) total += double(std::exp(x[from + j * inner] - largest));
      const T log_total = T(std::log(team.sum(total)));
      for (index_t j = team.lane(); j < n; j += team.lanes())
        y[from + j * inner] = (x[from + j * inner] - largest) - log_total;
    });
  }
  /// slot += dy − eʸ Σ dy
  template <class T>
  static void log_softmax_axis_gradient(index_t outer, index_t n, index_t inner, const T* y, const T* dy,
                                        GradientSlot<T> slot) {
    Run::rows("log_softmax_gradient", outer * inner, [=] LACUNA_DEVICE(index_t run, typename Run::Team team) {
      const index_t from = run_start(run, n, inner);
      double sum = 0;
      for (index_t j = team.lane(); j < n; j += team.lanes()) sum += double(dy[from + j * inner]);
      const T total = T(team.sum(sum));
      for (index_t j = team.lane(); j < n; j += team.lanes()) {
        const index_t at = from + j * inner;
        slot.put(at, dy[at] - std::exp(y[at]) * total);
      }
    });
  }
};

}  // namespace lacuna::cuda
