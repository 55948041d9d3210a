/// Pooling over time, products of modalities, Gaussian codes. Policy: one thread per number of the result, which sums
/// in double in the order of the frames; absent frames are not read.
#pragma once

#include "lacuna/kernels/cuda/run.cuh"

namespace lacuna::cuda {

template <class Run>
struct Pooling {
  /// present (batch, frames), or null for all; nothing present: 0.
  template <class T>
  static void mean_pool(index_t batch, index_t frames, index_t n, const std::uint8_t* present, const T* x, T* y) {
    const Divider by_n(n, batch * n);
    Run::each("mean_pool", batch * n, [=] LACUNA_DEVICE(index_t at) {
      const index_t b = by_n.quotient(at), j = at - b * n;
      double total = 0;
      index_t count = 0;
      for (index_t t = 0; t < frames; ++t) {
        if (present && !present[b * frames + t]) continue;
        ++count;
        total += double(x[(b * frames + t) * n + j]);
      }
      y[at] = T(total * (count > 0 ? 1.0 / double(count) : 0.0));
    });
  }
  template <class T>
  static void mean_pool_gradient(index_t batch, index_t frames, index_t n, const std::uint8_t* present, const T* dy,
                                 GradientSlot<T> slot) {
    const Divider by_n(n, batch * n);
    Run::each("mean_pool_gradient", batch * n, [=] LACUNA_DEVICE(index_t at) {
      const index_t b = by_n.quotient(at), j = at - b * n;
      index_t count = 0;
      for (index_t t = 0; t < frames; ++t) count += !present || present[b * frames + t];
      const T share = count > 0 ? T(1.0 / double(count)) : T(0);
      for (index_t t = 0; t < frames; ++t) {
        const bool here = !present || present[b * frames + t];
        slot.put((b * frames + t) * n + j, here ? share * dy[at] : T(0));
      }
    });
  }
  /// winner (batch, n): the first frame that holds the maximum, -1 where nothing is present. A NaN is the maximum.
  template <class T>
  static void max_pool(index_t batch, index_t frames, index_t n, const std::uint8_t* present, const T* x, T* y,
                       index_t* winner) {
    const Divider by_n(n, batch * n);
    Run::each("max_pool", batch * n, [=] LACUNA_DEVICE(index_t place) {
      const index_t b = by_n.quotient(place), j = place - b * n;
      T best = T(0);
      index_t at = -1;
      for (index_t t = 0; t < frames; ++t) {
        if (present && !present[b * frames + t]) continue;
        const T number = x[(b * frames + t) * n + j];
        if (at < 0 || number > best || (number != number && best == best)) best = number, at = t;
      }
      y[place] = best;
      winner[place] = at;
    });
  }
  template <class T>
  static void max_pool_gradient(index_t batch, index_t frames, index_t n, const index_t* winner, const T* dy,
                                GradientSlot<T> slot) {
    const Divider by_n(n, batch * frames * n), by_frames(frames, batch * frames);
    Run::each("max_pool_gradient", batch * frames * n, [=] LACUNA_DEVICE(index_t at) {
      const index_t row = by_n.quotient(at), j = at - row * n, b = by_frames.quotient(row), t = row - b * frames;
      slot.put(at, winner[b * n + j] == t ? dy[b * n + j] : T(0));
    });
  }
};

template <class Run>
struct Fusion {
  /// y (rows, n + 1) = [1; x]
  template <class T>
  static void prepend_one(index_t rows, index_t n, const T* x, T* y) {
    const Divider by_width(n + 1, rows * (n + 1));
    Run::each("prepend_one", rows * (n + 1), [=] LACUNA_DEVICE(index_t at) {
      const index_t i = by_width.quotient(at), j = at - i * (n + 1);
      y[at] = j == 0 ? T(1) : x[i * n + j - 1];
    });
  }
  /// y (rows, m, n) = a (rows, m) times b (rows, n)
  template <class T>
  static void outer(index_t rows, index_t m, index_t n, const T* a, const T* b, T* y) {
    const Divider by_n(n, rows * m * n), by_m(m, rows * m);
    Run::each("outer", rows * m * n, [=] LACUNA_DEVICE(index_t at) {
      const index_t row = by_n.quotient(at);
      y[at] = a[row] * b[by_m.quotient(row) * n + at - row * n];
    });
  }
  template <class T>
  static void outer_gradient(index_t rows, index_t m, index_t n, const T* a, const T* b, const T* dy,
                             GradientSlot<T> da, GradientSlot<T> db) {
    const Divider by_m(m, rows * m), by_n(n, rows * n);
    if (da)
      Run::each("outer_gradient", rows * m, [=] LACUNA_DEVICE(index_t at) {
        const index_t i = by_m.quotient(at);
        T sum = T(0);
        for (index_t k = 0; k < n; ++k) sum += dy[at * n + k] * b[i * n + k];
        da.put(at, sum);
      });
    if (db)
      Run::each("outer_gradient", rows * n, [=] LACUNA_DEVICE(index_t at) {
        const index_t i = by_n.quotient(at), k = at - i * n;
        T sum = T(0);
        for (index_t j = 0; j < m; ++j) sum += dy[(i * m + j) * n + k] * a[i * m + j];
        db.put(at, sum);
      });
  }
};

template <class Run>
struct Gaussian {
  /// y = mu + exp(logvar / 2) noise
  template <class T>
  static void reparameterize(index_t n, const T* mu, const T* logvar, const T* noise, T* y) {
    Run::each("reparameterize", n,
              [=] LACUNA_DEVICE(index_t i) { y[i] = mu[i] + std::exp(T(0.5) * logvar[i]) * noise[i]; });
  }
  template <class T>
  static void reparameterize_gradient(index_t n, const T* logvar, const T* noise, const T* dy, GradientSlot<T> slot) {
    Run::each("reparameterize_gradient", n,
              [=] LACUNA_DEVICE(index_t i) { slot.put(i, T(0.5) * dy[i] * std::exp(T(0.5) * logvar[i]) * noise[i]); });
  }
  /// Σ −½ (1 + logvar − mu² − exp logvar)
  template <class T>
  static double standard_normal_divergence(index_t n, const T* mu, const T* logvar) {
    return cuda::sum<Run>("standard_normal_divergence", n, [=] LACUNA_DEVICE(index_t i) {
      const double m = double(mu[i]), v = double(logvar[i]);
      return 0.5 * (m * m + std::expm1(v) - v);
    });
  }
  template <class T>
  static void standard_normal_divergence_gradient(index_t n, T factor, const T* mu, const T* logvar,
                                                  GradientSlot<T> dmu, GradientSlot<T> dlogvar) {
    Run::each("standard_normal_divergence_gradient", n, [=] LACUNA_DEVICE(index_t i) {
      if (dmu) dmu.put(i, factor * mu[i]);
      if (dlogvar) dlogvar.put(i, factor * T(0.5) * std::expm1(logvar[i]));
    });
  }
};

}  // namespace lacuna::cuda
