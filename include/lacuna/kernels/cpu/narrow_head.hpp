/// What both directions of attention over few features share: the head, and vectors of its numbers.
#pragma once

#include <array>
#include <cmath>
#include <limits>
#include <type_traits>

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

/// The vocabulary of both directions: vectors of T, and planes (features, count), one feature of all rows after the other.
struct NarrowParts {
  static constexpr index_t widest = 16;  ///< features; above, matrix products are faster

  template <class T>
  static index_t padded(index_t count) {
    return (count + lanes<T> - 1) / lanes<T> * lanes<T>;
  }

 protected:
  template <class T>
  using Packet = Transpose::Packet<T>;
  template <class T>
  static constexpr index_t lanes = Transpose::lanes<T>;
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
};

}  // namespace lacuna::cpu

#pragma GCC diagnostic pop
