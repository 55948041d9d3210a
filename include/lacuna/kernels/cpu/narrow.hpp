/// One attention head of few features, forward and backward, without a matrix product: a blocked kernel packs more than
/// it multiplies there.
///
/// Policy: forward, a vector holds one key's scores of as many queries as it has lanes, so that maxima, sums and
/// outputs need nothing across lanes; the scores stay in the first cache, and of the weights only two numbers per query
/// are kept. Backward, a vector holds one query's scores of as many keys: weights are computed again from the two
/// numbers, with the same bits, and the gradients of the keys stay in registers over a block of queries, whose slopes
/// stay in the second cache. Orders of summation depend on the sizes alone; one thread; scratch comes from the memory
/// pool. (The weights are computed again as in Dao et al. 2022.)
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "lacuna/kernels/cpu/activation.hpp"
#include "lacuna/kernels/cpu/packet.hpp"
#include "lacuna/kernels/cpu/transpose.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"

namespace lacuna::cpu {

/// One head of one sample. Element (i, c) of query stands at i · query_stride + c, and so on.
template <class T>
struct NarrowHead {
  index_t queries, keys, key_size, value_size;
  T scale;
  bool causal;
  index_t count;         ///< present keys: the first ones, or those listed in `index`
  const index_t* index;  ///< null: the first ones
  const T *query, *key, *value;
  index_t query_stride, key_stride, value_stride;
  const T* bias;  ///< added to scores at i · bias_row + j · bias_column, or null
  index_t bias_row, bias_column;
  const T* factor;  ///< (queries, keys), multiplied onto the weights, followed by 64 readable numbers; or null

  index_t at(index_t j) const { return index ? index[j] : j; }
};

struct Narrow {
  static constexpr index_t widest = 16;  ///< features; above, matrix products are faster

  template <class T>
  static index_t padded(index_t count) {
    return (count + lanes<T> - 1) / lanes<T> * lanes<T>;
  }

  template <class T>
  static index_t forward_room(const NarrowHead<T>& h) {
    return (h.key_size + h.value_size + h.count + (h.factor ? h.keys : 0) + (h.bias ? h.keys : 0)) * lanes<T>;
  }
  template <class T>
  static index_t backward_room(const NarrowHead<T>& h) {
    const index_t width = padded<T>(h.count);
    return (h.key_size + h.value_size + 1) * width + h.queries * (h.key_size + h.value_size + 1) +
           block * width * (h.factor && h.index ? 2 : 1);
  }

  /// y, element (i, c) at i · y_stride + c; weights (queries, keys), or null; statistics (2, queries), or null: the
  /// largest score of a query, and one over the sum of the exponentials. `room`: forward_room numbers.
  template <class T>
  static void forward(const NarrowHead<T>& h, T* weights, T* statistics, T* y, index_t y_stride, T* room) {
    by_size(h, [&](auto size) { forward_sized<decltype(size)::value>(h, weights, statistics, y, y_stride, room); });
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
  template <class T>
  using Packet = Transpose::Packet<T>;
  template <class T>
  static constexpr index_t lanes = Transpose::lanes<T>;
  static constexpr index_t block = 32;  ///< queries whose slopes are kept at a time
  template <class T>
  static constexpr T nothing = -std::numeric_limits<T>::infinity();

  /// f(the number of features as a constant, or 0 for a number that is not known when compiling): 4 and 8 of small
  /// models, 5 and 10 of MulT and what was made of it
  template <class T, class F>
  static void by_size(const NarrowHead<T>& h, F&& f) {
    switch (h.key_size == h.value_size ? h.key_size : 0) {
      case 4:
        return f(std::integral_constant<int, 4>());
      case 5:
        return f(std::integral_constant<int, 5>());
      case 8:
        return f(std::integral_constant<int, 8>());
      case 10:
        return f(std::integral_constant<int, 10>());
      default:
        return f(std::integral_constant<int, 0>());
    }
  }

  template <class T>
  static Packet<T> load(const T* x) {
    return simd::ploadu<Packet<T>>(x);
  }
  template <class T>
  static Packet<T> all(T x) {
    return simd::pset1<Packet<T>>(x);
  }
  template <class T>
  static Packet<T> exponential(const Packet<T>& x) {
    if constexpr (simd::has_exp<T>) {
      return exp_packet_of_small<T>(x);
    } else {
      std::array<T, std::size_t(lanes<T>)> row;
      simd::pstoreu(row.data(), x);
      for (T& number : row) number = std::exp(number);
      return load(row.data());
    }
  }
  /// 0, 1, 2, …
  template <class T>
  static Packet<T> places() {
    static constexpr auto table = [] {
      std::array<T, std::size_t(lanes<T>)> numbers{};
      for (std::size_t l = 0; l < numbers.size(); ++l) numbers[l] = T(l);
      return numbers;
    }();
    return load(table.data());
  }

  /// Σ_c row_c plane_c; C features when known.
  template <int C, class T>
  static Packet<T> mix(index_t features, const T* row, const Packet<T>* plane) {
    const index_t n = C > 0 ? C : features;
    Packet<T> sum = simd::pmul(all(row[0]), plane[0]);
#pragma GCC unroll 16
    for (index_t c = 1; c < n; ++c) sum = simd::pmadd(all(row[c]), plane[c], sum);
    return sum;
  }
  /// sum_c += x row_c
  template <int C, class T>
  static void spread(index_t features, const Packet<T>& x, const T* row, Packet<T>* sum) {
    const index_t n = C > 0 ? C : features;
#pragma GCC unroll 16
    for (index_t c = 0; c < n; ++c) sum[c] = simd::pmadd(x, all(row[c]), sum[c]);
  }
  /// to (features, width): planes of `count` rows, zeros behind them.
  template <int C, class T, class From>
  static void planes(index_t features, index_t count, index_t width, From&& from, T* to) {
    if constexpr (C == 4) {
      Transpose::fours_to_planes(count, from, width, to);
    } else {
      for (index_t j = 0; j < count; ++j)
        for (index_t c = 0; c < features; ++c) to[c * width + j] = from(j)[c];
    }
    for (index_t c = 0; c < features; ++c)
      for (index_t j = count; j < width; ++j) to[c * width + j] = T(0);
  }

  template <int C, class T>
  static void forward_sized(const NarrowHead<T>& h, T* weights, T* statistics, T* y, index_t y_stride, T* room) {
    using namespace simd;
    constexpr index_t L = lanes<T>;
    constexpr std::size_t most_features = std::size_t(C > 0 ? C : widest);
    T *const plane = room, *const out = plane + h.key_size * L, *const score = out + h.value_size * L,
             *const factor = score + h.count * L, *const bias = factor + (h.factor ? h.keys * L : 0);
    for (index_t first = 0; first < h.queries; first += L) {
      const index_t rows = h.queries - first < L ? h.queries - first : L;
      planes<C>(
          h.key_size, rows, L, [&](index_t l) { return h.query + (first + l) * h.query_stride; }, plane);
      Packet<T> query[most_features], sum[most_features];
      for (index_t c = 0; c < h.key_size; ++c) query[c] = pmul(load(plane + c * L), all(h.scale));
      for (index_t c = 0; c < h.value_size; ++c) sum[c] = all(T(0));

      index_t seen = h.count;
      while (h.causal && seen > 0 && h.at(seen - 1) >= first + rows) --seen;
      if (h.bias && h.bias_column == 1)
        Transpose::rows_to_planes(rows, h.keys, h.bias + first * h.bias_row, h.bias_row, bias);
      Packet<T> largest = all(nothing<T>);
      for (index_t j = 0; j < seen; ++j) {
        const index_t key = h.at(j);
        Packet<T> s = mix<C>(h.key_size, h.key + key * h.key_stride, query);
        if (h.bias) s = padd(s, h.bias_column == 1 ? load(bias + key * L) : bias_of(h, first, rows, key));
        if (h.causal && key > first) s = pselect(pcmp_le(all(T(key - first)), places<T>()), s, all(nothing<T>));
        pstoreu(score + j * L, s);
        largest = pmax(largest, s);
      }
      if (h.causal || h.bias) largest = base_of(h, first, rows, seen, largest);
      if (h.factor) Transpose::rows_to_planes(rows, h.keys, h.factor + first * h.keys, h.keys, factor);
      Packet<T> total = all(T(0));
      for (index_t j = 0; j < seen; ++j) {
        Packet<T> e = exponential<T>(psub(load(score + j * L), largest));
        total = padd(total, e);
        if (weights) pstoreu(score + j * L, e);
        if (h.factor) e = pmul(e, load(factor + h.at(j) * L));
        spread<C>(h.value_size, e, h.value + h.at(j) * h.value_stride, sum);
      }
      const Packet<T> share = pselect(pcmp_eq(total, all(T(0))), all(T(0)), pdiv(all(T(1)), total));
      for (index_t c = 0; c < h.value_size; ++c) pstoreu(out + c * L, pmul(sum[c], share));
      const auto row = [&](index_t l) { return y + (first + l) * y_stride; };
      if constexpr (C == 4) {
        Transpose::planes_to_fours(rows, std::as_const(out), L, row);
      } else {
        for (index_t l = 0; l < rows; ++l)
          for (index_t c = 0; c < h.value_size; ++c) row(l)[c] = out[c * L + l];
      }
      if (statistics) {
        keep(rows, largest, statistics + first);
        keep(rows, share, statistics + h.queries + first);
      }
      if (!weights) continue;
      for (index_t j = 0; j < seen; ++j) pstoreu(score + j * L, pmul(load(score + j * L), share));
      put_weights(h, rows, seen, score, weights + first * h.keys);
    }
  }
  /// What the scores of a vector of queries are taken from: the largest; 0 where no key is allowed; NaN where keys are
  /// allowed and their scores are −∞ by themselves.
  template <class T>
  static Packet<T> base_of(const NarrowHead<T>& h, index_t first, index_t rows, index_t seen,
                           const Packet<T>& largest) {
    std::array<T, std::size_t(lanes<T>)> row;
    simd::pstoreu(row.data(), largest);
    bool none = false;
    for (index_t l = 0; l < lanes<T>; ++l) none |= row[std::size_t(l)] == nothing<T>;
    if (!none) return largest;
    for (index_t l = 0; l < lanes<T>; ++l) {
      T& number = row[std::size_t(l)];
      if (number != nothing<T>) continue;
      number = T(0);
      for (index_t j = 0; l < rows && j < seen; ++j) {
        const index_t i = first + l, key = h.at(j);
        if (h.causal && key > i) break;
        if (!h.bias || h.bias[i * h.bias_row + key * h.bias_column] != nothing<T>)
          number = std::numeric_limits<T>::quiet_NaN();
      }
    }
    return load(row.data());
  }
  /// The bias of one key for a vector of queries.
  template <class T>
  static Packet<T> bias_of(const NarrowHead<T>& h, index_t first, index_t rows, index_t key) {
    std::array<T, std::size_t(lanes<T>)> row{};
    for (index_t l = 0; l < rows; ++l) row[std::size_t(l)] = h.bias[(first + l) * h.bias_row + key * h.bias_column];
    return load(row.data());
  }
  template <class T>
  static void keep(index_t rows, const Packet<T>& x, T* to) {
    if (rows == lanes<T>) return simd::pstoreu(to, x);
    std::array<T, std::size_t(lanes<T>)> row;
    simd::pstoreu(row.data(), x);
    for (index_t l = 0; l < rows; ++l) to[l] = row[std::size_t(l)];
  }
  /// Weights of a vector of queries to their rows, zeros for keys that are not seen.
  template <class T>
  static void put_weights(const NarrowHead<T>& h, index_t rows, index_t seen, const T* from, T* to) {
    if (h.index || seen < h.keys)
      for (index_t i = 0; i < rows * h.keys; ++i) to[i] = T(0);
    if (!h.index) return Transpose::planes_to_rows(rows, seen, from, h.keys, to);
    for (index_t j = 0; j < seen; ++j)
      for (index_t l = 0; l < rows; ++l) to[l * h.keys + h.index[j]] = from[j * lanes<T> + l];
  }

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
