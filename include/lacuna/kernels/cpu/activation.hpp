/// Activations and their gradients over contiguous runs. Policy: the switch stands outside the loops; exp and tanh go
/// through Eigen's packet code where it has some, so that one instantiation serves every formula made of them. Their
/// error, in units of the last place: exp at most 2 in ±1 and 5 anywhere, tanh at most 5 in ±1 and 7 anywhere (float;
/// in double less), as tests/ops/packet_functions_test.cpp measures with AVX-512, AVX2, SSE2 and without vectors.
#pragma once

#include "lacuna/core/gradient_slot.hpp"
#include "lacuna/core/threads.hpp"
#include "lacuna/kernels/cpu/packet.hpp"
#include "lacuna/kernels/functors.hpp"

namespace lacuna::cpu {

/// y ← f(packet of y), the last packet filled up with zeros: an element's bits depend neither on its place nor on its
/// address, as they would if the rest of a packet were computed by other code.
template <class T, class F>
void packet_run(T* y, index_t n, F f) {
  using Packet = simd::Packet<T>;
  constexpr index_t width = simd::lanes<T>;
  index_t i = 0;
  for (; i + width <= n; i += width) simd::pstoreu(y + i, f(simd::ploadu<Packet>(y + i)));
  if (i == n) return;
  T rest[std::size_t(width)] = {};
  for (index_t j = i; j < n; ++j) rest[j - i] = y[j];
  simd::pstoreu(rest, f(simd::ploadu<Packet>(rest)));
  for (index_t j = i; j < n; ++j) y[j] = rest[j - i];
}

/// Below it eˣ is no normal number.
template <class T>
inline constexpr T lowest_exponent = sizeof(T) == 4 ? T(-87.3365) : T(-708.396);

/// eˣ of a vector of T; exactly 0 below the smallest normal number and at −∞, where Eigen stops at a tiny one.
template <class T, class Packet>
Packet exp_packet(const Packet& x) {
  using namespace simd;
  return pselect(pcmp_lt(x, pset1<Packet>(lowest_exponent<T>)), pset1<Packet>(T(0)), pexp(x));
}
/// The same where no element is above 88, such as scores less the largest: the power of two is then one product, where
/// Eigen's ldexp, which must not overflow on the way, takes four. Its polynomial (Moshier's expf, Cephes), hence with
/// Eigen 3.4 its bits. NaN stays NaN.
template <class T, class Packet>
Packet exp_packet_of_small(const Packet& x) {
  using namespace simd;
  if constexpr (!has_power_of_two<Packet>) {
    return exp_packet<T>(x);
  } else {
    const auto all = [](float number) { return pset1<Packet>(number); };
    const Packet m = pfloor(pmadd(x, all(1.44269504088896341f), all(0.5f)));
    const Packet r = pmadd(m, all(2.12194440e-4f), pmadd(m, all(-0.693359375f), x));  // x − m ln 2, in two parts
    const Packet square = pmul(r, r);
    Packet high = pmadd(all(1.9875691500e-4f), r, all(1.3981999507e-3f));
    high = pmadd(high, r, all(8.3334519073e-3f));
    Packet low = pmadd(all(4.1665795894e-2f), r, all(1.6666665459e-1f));
    low = pmadd(low, r, all(5.0000001201e-1f));
    const Packet y = pmadd(pmadd(high, pmul(square, r), low), square, padd(r, all(1)));
    return pselect(pcmp_lt(x, all(-87.3365f)), all(0), pmul(y, power_of_two(m)));
  }
}
/// y ← eʸ
template <class T>
void exp_run(T* y, index_t n) {
  if constexpr (simd::has_exp<T>) {
    packet_run(y, n, [](const auto& packet) { return exp_packet<T>(packet); });
  } else {
    for (index_t i = 0; i < n; ++i) y[i] = y[i] < lowest_exponent<T> ? T(0) : std::exp(y[i]);
  }
}
/// y ← tanh y
template <class T>
void tanh_run(T* y, index_t n) {
  if constexpr (simd::has_tanh<T>) {
    packet_run(y, n, [](const auto& packet) { return simd::ptanh(packet); });
  } else {
    for (index_t i = 0; i < n; ++i) y[i] = std::tanh(y[i]);
  }
}
/// y = σ(x); x and y may be the same.
template <class T>
void sigmoid_run(const T* x, T* y, index_t n) {
  for (index_t i = 0; i < n; ++i) y[i] = -x[i];
  exp_run(y, n);
  for (index_t i = 0; i < n; ++i) y[i] = T(1) / (T(1) + y[i]);
}

/// x Φ(x) of a vector of float. With a = |x| and t = 1 / (1 + a/4):  Φ(−a) = e^{−a²/2} g(t), g a polynomial of degree 9
/// fitted to ½ erfcx(a/√2) over 0 ≤ a ≤ 14 by its relative error, which is below 2e-8; Φ(a) = 1 − Φ(−a). The left tail
/// keeps its digits.
template <class Packet>
Packet gelu_packet(const Packet& x) {
  using namespace simd;
  static constexpr float g[] = {.03394730029145562f, -.1961802760067342f,     .3950079504171527f,  -.3334773849622147f,
                                .3044931944619151f,  -.020387216635289956f,   .12156895751425448f, .0948200476179962f,
                                .10022902130959149f, -2.1601199892675012e-05f};
  const auto all = [](float number) { return pset1<Packet>(number); };
  const Packet a = pmax(x, psub(all(0), x)), t = pdiv(all(1), pmadd(a, all(.25f), all(1)));
  Packet sum = all(g[0]);
#pragma GCC unroll 9
  for (int i = 1; i < 10; ++i) sum = pmadd(sum, t, all(g[i]));
  const Packet tail = pmul(exp_packet<float>(pmul(all(-.5f), pmul(a, a))), sum);
  return pmul(x, pselect(pcmp_lt(all(0), x), psub(all(1), tail), tail));
}

/// y = activation(x); x and y may be the same.
template <class T>
void activate(Activation kind, double parameter, const T* x, T* y, index_t n) {
  if (kind == Activation::sigmoid) return sigmoid_run(x, y, n);
  const bool by_packets = kind == Activation::tanh || (kind == Activation::gelu && sizeof(T) == 4 && simd::has_exp<T>);
  if (by_packets && x != y)
    for (index_t i = 0; i < n; ++i) y[i] = x[i];
  if (kind == Activation::tanh) return tanh_run(y, n);
  if constexpr (sizeof(T) == 4 && simd::has_exp<T>)
    if (kind == Activation::gelu) return packet_run(y, n, [](const auto& packet) { return gelu_packet(packet); });
  functors::with_activation(kind, parameter, [=](auto f) {
#ifdef _OPENMP
#pragma omp simd
#endif
    for (index_t i = 0; i < n; ++i) y[i] = f.value(x[i]);
  });
}
template <class T>
void activate(Activation kind, T* y, index_t n) {
  if (kind != Activation::none) activate(kind, default_parameter(kind), y, y, n);
}

struct Activations {
  template <class T>
  static void activation(Activation kind, double parameter, index_t n, const T* x, T* y) {
    parallel_for(n, detail::element_grain / 4,
                 [&](index_t begin, index_t end) { activate(kind, parameter, x + begin, y + begin, end - begin); });
  }
  /// slot += dy · slope(x, y)
  template <class T>
  static void activation_gradient(Activation kind, double parameter, index_t n, const T* x, const T* y, const T* dy,
                                  GradientSlot<T> slot) {
    parallel_for(n, detail::element_grain / 4, [&](index_t begin, index_t end) {
      functors::with_activation(kind, parameter, [=](auto f) {
#ifdef _OPENMP
#pragma omp simd
#endif
        for (index_t i = begin; i < end; ++i) slot.put(i, dy[i] * f.slope(x[i], y[i]));
      });
    });
  }
  /// The same from the value alone, for kinds with `slope_from_value` and their default parameter.
  template <class T>
  static void activation_gradient(Activation kind, index_t n, const T* y, const T* dy, GradientSlot<T> slot) {
    activation_gradient(kind, default_parameter(kind), n, y, y, dy, slot);
  }
  /// y (rows, half) = a ∘ σ(b) of x (rows, 2 half) = [a b]
  template <class T>
  static void glu(index_t rows, index_t half, const T* x, T* y) {
    parallel_for(rows, detail::row_grain(4 * half), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) {
        sigmoid_run(x + (2 * i + 1) * half, y + i * half, half);
        for (index_t j = 0; j < half; ++j) y[i * half + j] *= x[2 * i * half + j];
      }
    });
  }
  template <class T>
  static void glu_gradient(index_t rows, index_t half, const T* x, const T* dy, GradientSlot<T> slot) {
    parallel_for(rows, detail::row_grain(4 * half), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i)
        for (index_t j = 0; j < half; ++j) {
          const index_t a = 2 * i * half + j, b = a + half;
          const T s = functors::Sigmoid{}.value(x[b]), g = dy[i * half + j];
          slot.put(a, g * s);
          slot.put(b, g * x[a] * s * (T(1) - s));
        }
    });
  }
};

}  // namespace lacuna::cpu
