/// The way back through one attention head of few features (narrow.hpp).
///
/// Policy: a vector holds one query's scores of as many keys as it has lanes: weights are computed again from the two
/// numbers that were kept, with the same bits (as in Dao et al. 2022), and the gradients of the keys stay in registers
/// over a block of queries, whose slopes stay in the second cache. Orders of summation depend on the sizes alone; one
/// thread; scratch comes from the memory pool.
#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <type_traits>

#include "lacuna/kernels/cpu/narrow_head.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"

namespace lacuna::cpu {

struct NarrowGradient : NarrowParts {
  template <class T>
  static index_t backward_room(const NarrowHead<T>& h) {
    const index_t width = padded<T>(h.count);
    return (h.key_size + h.value_size + 1) * width + h.queries * (h.key_size + h.value_size + 1) +
           block * width * (h.factor && h.index ? 2 : 1);
  }

  /// Gradients of one head from y, dy (queries, value_size) and the statistics. dquery, element (i, c) at
  /// i · query_stride + c, is added to or overwritten; dkey and dvalue (features, padded) are overwritten with planes;
  /// dscore (queries, keys) gets the gradient of the scores at present keys; any may be null. `room`: backward_room
  /// numbers.
  template <class T>
  static void backward(const NarrowHead<T>& h, const T* statistics, const T* y, const T* dy, index_t y_stride,
                       T* dquery, bool fresh_query, T* dkey, T* dvalue, T* dscore, T* room) {
    by_size(h, [&](auto size) {
      backward_sized<decltype(size)::value>(h, statistics, y, dy, y_stride, dquery, fresh_query, dkey, dvalue, dscore,
                                            room);
    });
  }

 private:
  static constexpr index_t block = 32;  ///< queries whose slopes are kept at a time

  template <int C, class T>
  static void backward_sized(const NarrowHead<T>& h, const T* statistics, const T* y, const T* dy, index_t y_stride,
                             T* dquery, bool fresh_query, T* dkey, T* dvalue, T* dscore, T* room) {
    using namespace simd;
    constexpr index_t L = lanes<T>;
    constexpr std::size_t most_features = std::size_t(C > 0 ? C : widest);
    const index_t width = padded<T>(h.count), ks = h.key_size, vs = h.value_size;
    T *const key = room, *const value = key + ks * width, *const place = value + vs * width,
             *const query = place + width, *const grad = query + h.queries * ks, *const inner = grad + h.queries * vs,
             *const slope = inner + h.queries;
    planes<C>(
        ks, h.count, width, [&](index_t j) { return h.key + h.at(j) * h.key_stride; }, key);
    planes<C>(
        vs, h.count, width, [&](index_t j) { return h.value + h.at(j) * h.value_stride; }, value);
    for (index_t j = 0; j < width; ++j) place[j] = j < h.count ? T(h.at(j)) : std::numeric_limits<T>::infinity();
    // queries that see nothing are not read
    const index_t blind = !h.causal ? 0 : h.count > 0 ? h.at(0) : h.queries;
    for (index_t i = blind; i < h.queries; ++i) {
      for (index_t c = 0; c < ks; ++c) query[i * ks + c] = h.query[i * h.query_stride + c] * h.scale;
      T dot = T(0);
      for (index_t c = 0; c < vs; ++c) {
        grad[i * vs + c] = dy[i * y_stride + c];
        dot += y[i * y_stride + c] * grad[i * vs + c];
      }
      inner[i] = dot;
    }
    if (dkey) std::fill(dkey, dkey + ks * width, T(0));
    if (dvalue) std::fill(dvalue, dvalue + vs * width, T(0));
    for (index_t i = 0; dquery && fresh_query && i < blind; ++i)
      for (index_t c = 0; c < ks; ++c) dquery[i * h.query_stride + c] = T(0);

    for (index_t first = blind; first < h.queries; first += block) {
      const index_t last = first + block < h.queries ? first + block : h.queries;
      const T* factor = h.factor ? h.factor + first * h.keys : nullptr;
      index_t factor_stride = h.keys;
      if (factor && h.index) factor = gathered(h, first, last, width, slope + block * width), factor_stride = width;
      for (index_t v = 0; v < width && !(h.causal && h.at(v) >= last); v += L) {
        Packet<T> keys[most_features], values[most_features], to_key[most_features], to_value[most_features];
        for (index_t c = 0; c < ks; ++c) {
          keys[c] = load(key + c * width + v);
          to_key[c] = dkey ? load(dkey + c * width + v) : all(T(0));
        }
        for (index_t c = 0; c < vs; ++c) {
          values[c] = load(value + c * width + v);
          to_value[c] = dvalue ? load(dvalue + c * width + v) : all(T(0));
        }
        const Packet<T> at = load(place + v), here = pcmp_lt(at, all(std::numeric_limits<T>::infinity()));
        const bool partial = v + L > h.count;
        for (index_t i = h.causal && h.at(v) > first ? h.at(v) : first; i < last; ++i) {
          const T *const q = query + i * ks, *const g = grad + i * vs;
          Packet<T> s = mix<C>(ks, q, keys);
          if (h.bias) s = padd(s, bias_row(h, i, v));
          Packet<T> w = pmul(exponential<T>(psub(s, all(statistics[i]))), all(statistics[h.queries + i]));
          if (h.causal) w = pselect(pcmp_le(at, all(T(i))), w, all(T(0)));
          if (partial) w = pselect(here, w, all(T(0)));
          Packet<T> ds = mix<C>(vs, g, values), dropped = w;
          if (factor) {
            Packet<T> times = load(factor + (i - first) * factor_stride + v);
            if (partial) times = pselect(here, times, all(T(0)));
            ds = pmul(ds, times), dropped = pmul(w, times);
          }
          ds = pmul(w, psub(ds, all(inner[i])));
          spread<C>(vs, dropped, g, to_value);
          spread<C>(ks, ds, q, to_key);
          pstoreu(slope + (i - first) * width + v, ds);
        }
        for (index_t c = 0; dkey && c < ks; ++c) pstoreu(dkey + c * width + v, to_key[c]);
        for (index_t c = 0; dvalue && c < vs; ++c) pstoreu(dvalue + c * width + v, to_value[c]);
      }
      if (dscore)
        for (index_t i = first; i < last; ++i)
          for (index_t j = 0; j < h.count && !(h.causal && h.at(j) > i); ++j)
            dscore[i * h.keys + h.at(j)] = slope[(i - first) * width + j];
      if (dquery) query_gradient<C>(h, first, last, width, slope, key, dquery, fresh_query);
    }
  }
  /// The bias of one query for a vector of keys.
  template <class T>
  static Packet<T> bias_row(const NarrowHead<T>& h, index_t i, index_t first) {
    if (h.bias_column == 1 && !h.index && first + lanes<T> <= h.keys) return load(h.bias + i * h.bias_row + first);
    std::array<T, std::size_t(lanes<T>)> row{};
    for (index_t l = 0; l < lanes<T> && first + l < h.count; ++l)
      row[std::size_t(l)] = h.bias[i * h.bias_row + h.at(first + l) * h.bias_column];
    return load(row.data());
  }
  /// The factors of queries first .. last - 1 at the present keys, (block, width).
  template <class T>
  static const T* gathered(const NarrowHead<T>& h, index_t first, index_t last, index_t width, T* to) {
    for (index_t i = first; i < last; ++i) {
      T* const row = to + (i - first) * width;
      for (index_t j = 0; j < h.count; ++j) row[j] = h.factor[i * h.keys + h.index[j]];
      for (index_t j = h.count; j < width; ++j) row[j] = T(0);
    }
    return to;
  }
  /// dquery_ic (+)= scale Σ_j slope_ij key_cj, first ≤ i < last, over the vectors of keys that query i sees
  template <int C, class T>
  static void query_gradient(const NarrowHead<T>& h, index_t first, index_t last, index_t width, const T* slope,
                             const T* key, T* dquery, bool fresh) {
    constexpr index_t whole = C / 4 * 4;
    index_t seen = h.causal ? 0 : width;
    for (index_t i = first; i < last; ++i) {
      while (seen < width && h.at(seen) <= i) seen += lanes<T>;
      const T* const row = slope + (i - first) * width;
      T* const to = dquery + i * h.query_stride;
      const auto some = [&](auto count, index_t c) {
        slope_sums<decltype(count)::value>(seen, width, row, key + c * width, h.scale, to + c, fresh);
      };
      index_t c = 0;
      for (; C > 0 ? c < whole : c + 4 <= h.key_size; c += 4) some(std::integral_constant<int, 4>(), c);
      if constexpr (C % 4 > 0) some(std::integral_constant<int, C % 4>(), whole);
      for (; C == 0 && c < h.key_size; ++c) some(std::integral_constant<int, 1>(), c);
    }
  }
  /// to_f (+)= scale Σ_v slope_v key_fv of N planes, v < seen
  template <int N, class T>
  static void slope_sums(index_t seen, index_t width, const T* slope, const T* key, T scale, T* to, bool fresh) {
    using namespace simd;
    Packet<T> sum[4] = {all(T(0)), all(T(0)), all(T(0)), all(T(0))};
    for (index_t v = 0; v < seen; v += lanes<T>) {
      const Packet<T> ds = load(slope + v);
#pragma GCC unroll 4
      for (index_t f = 0; f < N; ++f) sum[f] = pmadd(ds, load(key + f * width + v), sum[f]);
    }
    T sums[4] = {};
    Transpose::sums_of_four<T>(sum, sums);
    for (index_t f = 0; f < N; ++f) to[f] = (fresh ? T(0) : to[f]) + scale * sums[f];
  }
};

}  // namespace lacuna::cpu

#pragma GCC diagnostic pop
