/// One row in whole vectors and, at its end, a part of one. Policy: the same code for every vector; what stands behind
/// the row is neither read nor written.
#pragma once

#include <cstring>

#include "lacuna/core/shape.hpp"
#include "lacuna/kernels/cpu/packet.hpp"

#ifdef EIGEN_VECTORIZE_AVX512
#include <immintrin.h>
#endif

// g++ warns that a template argument which is a vector register drops its alignment.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"

namespace lacuna::cpu {

/// each(f) calls f(at) once per vector, in order. In f: at.load(x) and at.store(y, v) are the vector's place in a row
/// that starts at x or y; at.only(v) is v with zeros behind the end of the row; loads give zeros there.
template <class T>
class RowVectors {
 public:
  using Packet = simd::Packet<T>;
  static constexpr index_t lanes = simd::lanes<T>;

  explicit RowVectors(index_t n) : whole_(n / lanes * lanes), rest_(n - whole_) {
    T ones[std::size_t(lanes)];
    for (index_t l = 0; l < lanes; ++l) ones[l] = l < rest_ ? T(1) : T(0);
    here_ = simd::pcmp_eq(simd::ploadu<Packet>(ones), simd::pset1<Packet>(T(1)));
  }

  template <class F>
  void each(F&& f) const {
    for (index_t v = 0; v < whole_; v += lanes) f(Whole{v});
    if (rest_ > 0) f(Part{whole_, rest_, here_});
  }
  /// Σ over the row of the vectors that f gives.
  template <class F>
  T sum(F&& f) const {
    Packet total = simd::pset1<Packet>(T(0));
    each([&](auto at) { total = simd::padd(total, at.only(f(at))); });
    return simd::predux(total);
  }

 private:
  struct Whole {
    index_t v;
    Packet load(const T* x) const { return simd::ploadu<Packet>(x + v); }
    void store(T* y, const Packet& numbers) const { simd::pstoreu(y + v, numbers); }
    Packet only(const Packet& numbers) const { return numbers; }
  };
  struct Part {
    index_t v, rest;
    Packet here;
    Packet load(const T* x) const {
#ifdef EIGEN_VECTORIZE_AVX512
      if constexpr (std::is_same_v<T, float>)
        return _mm512_maskz_loadu_ps(__mmask16((1u << rest) - 1u), x + v);
      else if constexpr (std::is_same_v<T, double>)
        return _mm512_maskz_loadu_pd(__mmask8((1u << rest) - 1u), x + v);
#endif
      T row[std::size_t(lanes)] = {};
      std::memcpy(row, x + v, std::size_t(rest) * sizeof(T));
      return simd::ploadu<Packet>(row);
    }
    void store(T* y, const Packet& numbers) const {
#ifdef EIGEN_VECTORIZE_AVX512
      if constexpr (std::is_same_v<T, float>)
        return _mm512_mask_storeu_ps(y + v, __mmask16((1u << rest) - 1u), numbers);
      else if constexpr (std::is_same_v<T, double>)
        return _mm512_mask_storeu_pd(y + v, __mmask8((1u << rest) - 1u), numbers);
#endif
      T row[std::size_t(lanes)];
      simd::pstoreu(row, numbers);
      std::memcpy(y + v, row, std::size_t(rest) * sizeof(T));
    }
    Packet only(const Packet& numbers) const { return simd::pselect(here, numbers, simd::pset1<Packet>(T(0))); }
  };

  index_t whole_, rest_;
  Packet here_;
};

}  // namespace lacuna::cpu

#pragma GCC diagnostic pop
