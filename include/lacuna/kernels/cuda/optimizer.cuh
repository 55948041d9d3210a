/// Optimizer steps, gradient norms and averages over the flat buffers of a packed model. Policy: one kernel per step
/// (Lamb: three, and two waits for its norms); the formulas are the host's, from optimizer_rules.hpp.
#pragma once

#include "lacuna/core/list.hpp"
#include "lacuna/kernels/cuda/run.cuh"
#include "lacuna/kernels/optimizer_rules.hpp"

namespace lacuna::cuda {

template <class Run>
struct Optimizer {
  /// One step of n parameters with gradient `factor`·g + `decay`·p.
  template <class T, class Rule>
  static void optimizer_step(const Rule& rule, index_t n, const rules::Factor& factor, double decay, T* value,
                             const T* gradient, const rules::Slots<T>& state) {
    const T coupled = T(decay);
    const rules::Factor times = factor;
    const Rule own = rule;
    const rules::Slots<T> slots = state;
    Run::each("optimizer_step", n, [=] LACUNA_DEVICE(index_t i) {
      own(value[i], gradient[i] * T(times.value()) + coupled * value[i], i, slots);
    });
  }
  /// factor = min(1, most / (norm + 1e-6)), norm = √(Σ g²) over all the runs, which stand in one array from `gradient`
  /// on; a list on the host of their places and lengths. Nothing is waited for.
  template <class T>
  static void clip_factor(const List<std::pair<index_t, index_t>>& runs, double most, const T* gradient,
                          double* factor) {
    index_t pieces = 0;
    for (const auto& run : runs) pieces += pieces_of(run.second, 2048, 1024).pieces;
    const Buffer<double, Run> parts(pieces);
    double* to = parts.data();
    for (const auto& run : runs) {
      const Pieces cut = pieces_of(run.second, 2048, 1024);
      const T* const g = gradient + run.first;
      partial_sums<Run>(
          "gradient_norm", cut, [=] LACUNA_DEVICE(index_t i) { return double(g[i]) * double(g[i]); }, to);
      to += cut.pieces;
    }
    const double* const all = parts.data();
    Run::rows("gradient_norm", 1, [=] LACUNA_DEVICE(index_t, typename Run::Team team) {
      double squares = 0;
      for (index_t p = team.lane(); p < pieces; p += team.lanes()) squares += all[p];
      squares = team.sum(squares);
      const double bounded = most / (std::sqrt(squares) + 1e-6);
      if (team.lane() == 0) factor[0] = bounded < 1 ? bounded : 1;
    });
  }
  /// p ← p − rate · (‖p‖/‖r‖) · r over one tensor, ratio 1 where a norm is 0.
  template <class T>
  static void lamb_step(const rules::Lamb<T>& rule, index_t n, double rate, const rules::Factor& factor, T* value,
                        const T* gradient, const rules::Slots<T>& state) {
    const rules::Factor times = factor;
    const rules::Lamb<T> lamb = rule;
    const rules::Slots<T> slots = state;
    Run::each("lamb_step", n, [=] LACUNA_DEVICE(index_t i) { lamb.moments(gradient[i] * T(times.value()), i, slots); });
    const double own = sum_of_squares(n, static_cast<const T*>(value));
    const double along = cuda::sum<Run>("lamb_step", n, [=] LACUNA_DEVICE(index_t i) {
      const double r = double(lamb.direction(value[i], i, slots));
      return r * r;
    });
    const T step = T(rate * (own > 0 && along > 0 ? std::sqrt(own / along) : 1.0));
    Run::each("lamb_step", n, [=] LACUNA_DEVICE(index_t i) { value[i] -= step * lamb.direction(value[i], i, slots); });
  }

  /// Σ |g|, Σ g², or max |g| (NaN when a g is).
  template <class T>
  static double sum_of_magnitudes(index_t n, const T* g) {
    return cuda::sum<Run>("sum_of_magnitudes", n, [=] LACUNA_DEVICE(index_t i) {
      const double number = double(g[i]);
      return number < 0 ? -number : number;
    });
  }
  template <class T>
  static double sum_of_squares(index_t n, const T* g) {
    return cuda::sum<Run>("sum_of_squares", n, [=] LACUNA_DEVICE(index_t i) { return double(g[i]) * double(g[i]); });
  }
  template <class T>
  static double largest_magnitude(index_t n, const T* g) {
    if (n == 0) return 0;
    const Pieces cut = pieces_of(n, 2048, 1024);
    const Buffer<double, Run> parts(cut.pieces);
    double* const to = parts.data();
    Run::rows("largest_magnitude", cut.pieces, [=] LACUNA_DEVICE(index_t p, typename Run::Team team) {
      double largest = 0;
      int broken = 0;
      for (index_t i = cut.begin(p) + team.lane(); i < cut.end(p); i += team.lanes()) {
        const double magnitude = g[i] < T(0) ? -double(g[i]) : double(g[i]);
        broken += magnitude != magnitude;
        largest = magnitude > largest ? magnitude : largest;
      }
      largest = team.largest(largest);
      broken = team.sum(broken);
      if (team.lane() == 0) to[p] = broken > 0 ? double(NAN) : largest;
    });
    double largest = 0;
    for (const double part : parts.to_host()) {
      if (std::isnan(part)) return part;
      largest = part > largest ? part : largest;
    }
    return largest;
  }
  /// g ← factor · g
  template <class T>
  static void rescale(index_t n, double factor, T* g) {
    const T times = T(factor);
    Run::each("rescale", n, [=] LACUNA_DEVICE(index_t i) { g[i] *= times; });
  }
  /// g ← g limited to ±limit; NaN stays.
  template <class T>
  static void limit(index_t n, double bound, T* g) {
    const T most = T(bound);
    Run::each("limit", n, [=] LACUNA_DEVICE(index_t i) { g[i] = g[i] > most ? most : g[i] < -most ? -most : g[i]; });
  }
  /// average ← keep · average + fresh · value
  template <class T>
  static void blend(index_t n, double keep, double fresh, const T* value, T* average) {
    const T old_share = T(keep), new_share = T(fresh);
    Run::each("blend", n, [=] LACUNA_DEVICE(index_t i) { average[i] = old_share * average[i] + new_share * value[i]; });
  }
};

}  // namespace lacuna::cuda
