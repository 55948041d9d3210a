/// One attention head of few features, forward and backward, without a matrix product: Eigen's blocked kernel packs
/// more than it multiplies there. Policy: keys and values are turned into planes (features × keys), so that every loop
/// runs along the keys in full vectors; one query is done from its scores to its output while its row is in the first
/// cache; orders of summation depend on the sizes alone; one thread; scratch comes from the memory pool.
#pragma once

#include <array>
#include <limits>

#include "lacuna/core/tensor.hpp"
#include "lacuna/kernels/cpu/activation.hpp"

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
    return (h.key_size + h.value_size + 2) * padded<T>(h.count);
  }
  template <class T>
  static index_t backward_room(const NarrowHead<T>& h) {
    return forward_room(h) + 2 * h.queries * padded<T>(h.count);
  }

  /// weights (queries, keys) and y, element (i, c) at i · y_stride + c. `room`: forward_room numbers.
  template <class T>
  static void forward(const NarrowHead<T>& h, T* weights, T* y, index_t y_stride, T* room) {
    h.key_size == 4 && h.value_size == 4 ? forward_sized<4>(h, weights, y, y_stride, room)
                                         : forward_sized<0>(h, weights, y, y_stride, room);
  }
  /// Gradients of one head from dy (queries, value_size) and the weights. dquery, element (i, c) at i · query_stride +
  /// c, is added to or overwritten; dkey and dvalue (features, padded) are overwritten with planes; dscore (queries,
  /// keys) gets the gradient of the scores at present keys; any may be null. `room`: backward_room numbers.
  template <class T>
  static void backward(const NarrowHead<T>& h, const T* weights, const T* dy, index_t dy_stride, T* dquery,
                       bool fresh_query, T* dkey, T* dvalue, T* dscore, T* room) {
    h.key_size == 4 && h.value_size == 4
        ? backward_sized<4>(h, weights, dy, dy_stride, dquery, fresh_query, dkey, dvalue, dscore, room)
        : backward_sized<0>(h, weights, dy, dy_stride, dquery, fresh_query, dkey, dvalue, dscore, room);
  }

 private:
  template <class T>
  using Packet = typename Eigen::internal::packet_traits<T>::type;
  template <class T>
  static constexpr index_t lanes = Eigen::internal::packet_traits<T>::size;

  template <class T>
  static Packet<T> load(const T* x) {
    return Eigen::internal::ploadu<Packet<T>>(x);
  }
  template <class T>
  static Packet<T> all(T x) {
    return Eigen::internal::pset1<Packet<T>>(x);
  }

  /// True in the first `count` places of a vector.
  template <class T>
  static Packet<T> present_mask(index_t count) {
    static constexpr auto ones = [] {
      std::array<T, std::size_t(2 * lanes<T>)> table{};
      for (std::size_t i = 0; i < std::size_t(lanes<T>); ++i) table[i] = T(1);
      return table;
    }();
    return Eigen::internal::pcmp_eq(load(ones.data() + lanes<T> - count), all(T(1)));
  }
  /// to (features, padded): planes of the present rows, zeros behind them.
  template <class T>
  static void planes(const NarrowHead<T>& h, index_t features, const T* from, index_t stride, T* to) {
    const index_t width = padded<T>(h.count);
    for (index_t j = 0; j < h.count; ++j) {
      const T* const row = from + h.at(j) * stride;
      for (index_t c = 0; c < features; ++c) to[c * width + j] = row[c];
    }
    for (index_t c = 0; c < features; ++c)
      for (index_t j = h.count; j < width; ++j) to[c * width + j] = T(0);
  }
  /// row_j = Σ_c x_c plane_cj over a whole padded row; C features when known.
  template <int C, class T>
  static void mix(index_t features, index_t width, const T* x, const T* plane, index_t stride, T* row) {
    const index_t n = C > 0 ? C : features;
    for (index_t v = 0; v < width; v += lanes<T>) {
      Packet<T> sum = Eigen::internal::pmul(all(x[0]), load(plane + v));
#pragma GCC unroll 4
      for (index_t c = 1; c < n; ++c) sum = Eigen::internal::pmadd(all(x[c]), load(plane + c * stride + v), sum);
      Eigen::internal::pstoreu(row + v, sum);
    }
  }
  /// out_c = Σ_j row_j plane_cj
  template <int C, class T, class Put>
  static void gather(index_t features, index_t width, const T* row, const T* plane, Put&& put) {
    if constexpr (C > 0) {
      Packet<T> sum[C];
#pragma GCC unroll 4
      for (int c = 0; c < C; ++c) sum[c] = all(T(0));
      for (index_t v = 0; v < width; v += lanes<T>) {
        const Packet<T> x = load(row + v);
#pragma GCC unroll 4
        for (int c = 0; c < C; ++c) sum[c] = Eigen::internal::pmadd(x, load(plane + c * width + v), sum[c]);
      }
#pragma GCC unroll 4
      for (int c = 0; c < C; ++c) put(c, Eigen::internal::predux(sum[c]));
    } else {
      for (index_t c = 0; c < features; ++c) {
        Packet<T> sum = all(T(0));
        for (index_t v = 0; v < width; v += lanes<T>)
          sum = Eigen::internal::pmadd(load(row + v), load(plane + c * width + v), sum);
        put(c, Eigen::internal::predux(sum));
      }
    }
  }
  /// The factors of one query over the present keys, in the order of the planes.
  template <class T>
  static const T* factors(const NarrowHead<T>& h, index_t i, T* room) {
    const T* const row = h.factor + i * h.keys;
    if (!h.index) return row;
    for (index_t j = 0; j < h.count; ++j) room[j] = row[h.index[j]];
    for (index_t j = h.count; j < padded<T>(h.count); ++j) room[j] = T(0);
    return room;
  }

  template <int C, class T>
  static void forward_sized(const NarrowHead<T>& h, T* weights, T* y, index_t y_stride, T* room) {
    const index_t width = padded<T>(h.count);
    T *const key = room, *const value = key + h.key_size * width, *const row = value + h.value_size * width,
             *const spare = row + width;
    planes(h, h.key_size, h.key, h.key_stride, key);
    planes(h, h.value_size, h.value, h.value_stride, value);
    index_t seen = h.causal ? 0 : h.count;
    for (index_t i = 0; i < h.queries; ++i) {
      while (h.causal && seen < h.count && h.at(seen) <= i) ++seen;
      const index_t active = padded<T>(seen);
      T q[widest];
      for (index_t c = 0; c < h.key_size; ++c) q[c] = h.query[i * h.query_stride + c] * h.scale;
      mix<C>(h.key_size, active, q, key, width, row);
      if (h.bias)
        for (index_t j = 0; j < seen; ++j) row[j] += h.bias[i * h.bias_row + h.at(j) * h.bias_column];
      softmax_row(row, seen, active);
      for (index_t v = active; v < width; ++v) row[v] = T(0);
      store(h, i, row, width, weights);
      if (h.factor) {
        const T* const factor = factors(h, i, spare);
        for (index_t v = 0; v < active; v += lanes<T>)
          Eigen::internal::pstoreu(row + v, Eigen::internal::pmul(load(row + v), load(factor + v)));
      }
      gather<C>(h.value_size, width, row, value, [&](index_t c, T sum) { y[i * y_stride + c] = sum; });
    }
  }
  /// Softmax of the first `seen` numbers; zeros behind them.
  template <class T>
  static void softmax_row(T* row, index_t seen, index_t active) {
    if (seen == 0) return;
    const index_t last = active - lanes<T>;
    const Packet<T> here = present_mask<T>(seen - last);
    // whole vectors only: a vector load behind scalar stores to the same place would wait for them
    Packet<T> most = Eigen::internal::pselect(here, load(row + last), all(-std::numeric_limits<T>::infinity()));
    Eigen::internal::pstoreu(row + last, most);
    for (index_t v = 0; v < last; v += lanes<T>) most = Eigen::internal::pmax(most, load(row + v));
    const T largest = Eigen::internal::predux_max(most);
    if (largest == -std::numeric_limits<T>::infinity()) {
      for (index_t j = 0; j < active; ++j) row[j] = T(0);
      return;
    }
    for (index_t v = 0; v < active; v += lanes<T>) {
      if constexpr (Eigen::internal::packet_traits<T>::HasExp) {
        Eigen::internal::pstoreu(row + v, Eigen::internal::pexp(Eigen::internal::psub(load(row + v), all(largest))));
      } else {
        for (index_t j = v; j < v + lanes<T>; ++j) row[j] = std::exp(row[j] - largest);
      }
    }
    Packet<T> sum = Eigen::internal::pselect(here, load(row + last), all(T(0)));
    Eigen::internal::pstoreu(row + last, sum);
    for (index_t v = 0; v < last; v += lanes<T>) sum = Eigen::internal::padd(sum, load(row + v));
    const Packet<T> factor = all(T(1) / Eigen::internal::predux(sum));
    for (index_t v = 0; v < active; v += lanes<T>)
      Eigen::internal::pstoreu(row + v, Eigen::internal::pmul(load(row + v), factor));
  }
  /// The weights of query i: whole vectors where what they touch behind the row is written later, by this head.
  template <class T>
  static void store(const NarrowHead<T>& h, index_t i, const T* row, index_t width, T* weights) {
    T* const to = weights + i * h.keys;
    if (h.index) {
      for (index_t j = 0; j < h.keys; ++j) to[j] = T(0);
      for (index_t j = 0; j < h.count; ++j) to[h.index[j]] = row[j];
      return;
    }
    if (i * h.keys + width <= h.queries * h.keys) {
      for (index_t v = 0; v < width; v += lanes<T>) Eigen::internal::pstoreu(to + v, load(row + v));
    } else {
      for (index_t j = 0; j < h.count; ++j) to[j] = row[j];
    }
    for (index_t j = h.count; j < h.keys; ++j) to[j] = T(0);
  }
  /// The weights of query i, zeros behind the present ones.
  template <class T>
  static const T* fetch(const NarrowHead<T>& h, index_t i, const T* weights, index_t width, T* room) {
    const T* const from = weights + i * h.keys;
    if (!h.index && width == h.count) return from;
    if (h.index || i * h.keys + width > h.queries * h.keys) {
      for (index_t j = 0; j < h.count; ++j) room[j] = from[h.at(j)];
      for (index_t j = h.count; j < width; ++j) room[j] = T(0);
      return room;
    }
    const index_t last = width - lanes<T>;
    for (index_t v = 0; v < last; v += lanes<T>) Eigen::internal::pstoreu(room + v, load(from + v));
    const Packet<T> rest = Eigen::internal::pselect(present_mask<T>(h.count - last), load(from + last), all(T(0)));
    Eigen::internal::pstoreu(room + last, rest);
    return room;
  }

  template <int C, class T>
  static void backward_sized(const NarrowHead<T>& h, const T* weights, const T* dy, index_t dy_stride, T* dquery,
                             bool fresh_query, T* dkey, T* dvalue, T* dscore, T* room) {
    using namespace Eigen::internal;
    const index_t width = padded<T>(h.count), rows = h.queries * width;
    T *const key = room, *const value = key + h.key_size * width, *const kept = value + h.value_size * width,
             *const slope = kept + rows, *const spare = slope + rows;
    planes(h, h.key_size, h.key, h.key_stride, key);
    planes(h, h.value_size, h.value, h.value_stride, value);
    for (index_t i = 0; i < h.queries; ++i) {
      const T* const p = fetch(h, i, weights, width, spare);
      const T* const factor = h.factor ? factors(h, i, spare + width) : nullptr;
      T *const w = kept + i * width, *const ds = slope + i * width;
      mix<C>(h.value_size, width, dy + i * dy_stride, value, width, ds);
      Packet<T> along = all(T(0));
      for (index_t v = 0; v < width; v += lanes<T>) {
        const Packet<T> weight = load(p + v), times = factor ? load(factor + v) : all(T(1));
        const Packet<T> g = pmul(load(ds + v), times);
        pstoreu(w + v, pmul(weight, times));
        pstoreu(ds + v, g);
        along = pmadd(weight, g, along);
      }
      const Packet<T> inner = all(predux(along));
      for (index_t v = 0; v < width; v += lanes<T>) pstoreu(ds + v, pmul(load(p + v), psub(load(ds + v), inner)));
      if (dscore)
        for (index_t j = 0; j < h.count; ++j) dscore[i * h.keys + h.at(j)] = ds[j];
      if (dquery) {
        T* const to = dquery + i * h.query_stride;
        gather<C>(h.key_size, width, ds, key,
                  [&](index_t c, T sum) { to[c] = (fresh_query ? T(0) : to[c]) + h.scale * sum; });
      }
    }
    if (dvalue) columns<C>(h.queries, h.value_size, width, kept, T(1), dy, dy_stride, dvalue);
    if (!dkey) return;  // queries that see nothing are not read
    const index_t blind = !h.causal ? 0 : h.count > 0 ? h.at(0) : h.queries;
    columns<C>(h.queries - blind, h.key_size, width, slope + blind * width, h.scale, h.query + blind * h.query_stride,
               h.query_stride, dkey);
  }
  /// plane_cj = factor Σ_i w_ij x_ic
  template <int C, class T>
  static void columns(index_t rows, index_t features, index_t width, const T* w, T factor, const T* x, index_t stride,
                      T* plane) {
    using namespace Eigen::internal;
    constexpr int step = C > 0 ? C : 4;
    for (index_t v = 0; v < width; v += lanes<T>)
      for (index_t first = 0; first < features; first += step) {
        const int count = int(features - first < step ? features - first : step);
        Packet<T> sum[step];
        for (int c = 0; c < step; ++c) sum[c] = all(T(0));
        if (count == step) {
          for (index_t i = 0; i < rows; ++i) {
            const Packet<T> row = load(w + i * width + v);
#pragma GCC unroll 4
            for (int c = 0; c < step; ++c) sum[c] = pmadd(row, all(x[i * stride + first + c]), sum[c]);
          }
        } else {
          for (index_t i = 0; i < rows; ++i)
            for (int c = 0; c < count; ++c)
              sum[c] = pmadd(load(w + i * width + v), all(x[i * stride + first + c]), sum[c]);
        }
        for (int c = 0; c < count; ++c) pstoreu(plane + (first + c) * width + v, pmul(sum[c], all(factor)));
      }
  }
};

}  // namespace lacuna::cpu
