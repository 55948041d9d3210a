/// One attention head of few features without a matrix product: a blocked kernel packs more than it multiplies there.
///
/// Policy: a vector holds one key's scores of as many queries as it has lanes, so that maxima, sums and outputs need
/// nothing across lanes; the scores stay in the first cache, and of the weights only two numbers per query are kept.
/// Orders of summation depend on the sizes alone; one thread; scratch comes from the memory pool.
#pragma once

#include <array>
#include <limits>
#include <utility>

#include "lacuna/kernels/cpu/narrow_head.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"

namespace lacuna::cpu {

struct Narrow : NarrowParts {
  template <class T>
  static index_t forward_room(const NarrowHead<T>& h) {
    return (h.key_size + h.value_size + h.count + (h.factor ? h.keys : 0) + (h.bias ? h.keys : 0)) * lanes<T>;
  }
  /// y, element (i, c) at i · y_stride + c; weights (queries, keys), or null; statistics (2, queries), or null: the
  /// largest score of a query, and one over the sum of the exponentials. `room`: forward_room numbers.
  template <class T>
  static void forward(const NarrowHead<T>& h, T* weights, T* statistics, T* y, index_t y_stride, T* room) {
    by_size(h, [&](auto size) { forward_sized<decltype(size)::value>(h, weights, statistics, y, y_stride, room); });
  }

 private:
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
};

}  // namespace lacuna::cpu

#pragma GCC diagnostic pop
