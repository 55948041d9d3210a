/// Mean and maximum over the present frames of (batch, frames, features). Policy: absent frames are not read; parallel
/// over samples; sums in double, in the order of the frames.
#pragma once

#include <vector>

#include "lacuna/core/gradient_slot.hpp"
#include "lacuna/core/threads.hpp"

namespace lacuna::cpu {

struct Pooling {
  /// present (batch, frames), or null for all; nothing present: 0.
  template <class T>
  static void mean_pool(index_t batch, index_t frames, index_t n, const std::uint8_t* present, const T* x, T* y) {
    parallel_for(batch, detail::row_grain(frames * n), [&](index_t begin, index_t end) {
      List<double> total(static_cast<std::size_t>(n));
      for (index_t b = begin; b < end; ++b) {
        for (double& number : total) number = 0;
        index_t count = 0;
        for (index_t t = 0; t < frames; ++t) {
          if (present && !present[b * frames + t]) continue;
          ++count;
          const T* row = x + (b * frames + t) * n;
          for (index_t j = 0; j < n; ++j) total[std::size_t(j)] += double(row[j]);
        }
        const double share = count > 0 ? 1.0 / double(count) : 0.0;
        for (index_t j = 0; j < n; ++j) y[b * n + j] = T(total[std::size_t(j)] * share);
      }
    });
  }
  template <class T>
  static void mean_pool_gradient(index_t batch, index_t frames, index_t n, const std::uint8_t* present, const T* dy,
                                 GradientSlot<T> slot) {
    parallel_for(batch, detail::row_grain(frames * n), [&](index_t begin, index_t end) {
      for (index_t b = begin; b < end; ++b) {
        index_t count = 0;
        for (index_t t = 0; t < frames; ++t) count += !present || present[b * frames + t];
        const T share = count > 0 ? T(1.0 / double(count)) : T(0);
        for (index_t t = 0; t < frames; ++t) {
          const bool here = !present || present[b * frames + t];
          for (index_t j = 0; j < n; ++j) slot.put((b * frames + t) * n + j, here ? share * dy[b * n + j] : T(0));
        }
      }
    });
  }
  /// winner (batch, n): the first frame that holds the maximum, -1 where nothing is present. A NaN is the maximum.
  template <class T>
  static void max_pool(index_t batch, index_t frames, index_t n, const std::uint8_t* present, const T* x, T* y,
                       index_t* winner) {
    parallel_for(batch, detail::row_grain(frames * n), [&](index_t begin, index_t end) {
      for (index_t b = begin; b < end; ++b) {
        T* const best = y + b * n;
        index_t* const at = winner + b * n;
        for (index_t j = 0; j < n; ++j) best[j] = T(0), at[j] = -1;
        for (index_t t = 0; t < frames; ++t) {
          if (present && !present[b * frames + t]) continue;
          const T* row = x + (b * frames + t) * n;
          for (index_t j = 0; j < n; ++j)
            if (at[j] < 0 || row[j] > best[j] || (row[j] != row[j] && best[j] == best[j])) best[j] = row[j], at[j] = t;
        }
      }
    });
  }
  template <class T>
  static void max_pool_gradient(index_t batch, index_t frames, index_t n, const index_t* winner, const T* dy,
                                GradientSlot<T> slot) {
    parallel_for(batch, detail::row_grain(frames * n), [&](index_t begin, index_t end) {
      for (index_t b = begin; b < end; ++b)
        for (index_t t = 0; t < frames; ++t)
          for (index_t j = 0; j < n; ++j)
            slot.put((b * frames + t) * n + j, winner[b * n + j] == t ? dy[b * n + j] : T(0));
    });
  }
};

}  // namespace lacuna::cpu
