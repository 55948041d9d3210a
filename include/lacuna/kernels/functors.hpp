/// Scalar formulas, written once and used by the CPU loops and the CUDA kernels.
/// An activation has value(x) and slope(x, y): dy/dx from its argument and its value.
#pragma once

#include <cmath>

#include "lacuna/core/random_stream.hpp"

namespace lacuna {

/// Activations that a layer can be told to apply; formulas in lacuna/ops/activation.hpp.
enum class Activation { none, relu, tanh, sigmoid, leaky_relu, elu, gelu, gelu_tanh, silu, softplus, mish };

/// True where the slope follows from the value alone: a fused layer then need not keep the argument.
constexpr bool slope_from_value(Activation kind) { return kind <= Activation::elu; }

/// The number of an activation when none is given: the slope of leaky_relu, the alpha of elu.
constexpr double default_parameter(Activation kind) { return kind == Activation::leaky_relu ? 0.01 : 1.0; }

namespace functors {

/// The same number for every index: what fills an array on any device.
template <class T>
struct Constant {
  T number;
  LACUNA_HD T operator()(index_t) const { return number; }
};

struct Identity {
  template <class T>
  LACUNA_HD T value(T x) const {
    return x;
  }
  template <class T>
  LACUNA_HD T slope(T, T) const {
    return T(1);
  }
};

/// max(x, 0); slope 0 at 0. What is not a number stays so.
struct Relu {
  template <class T>
  LACUNA_HD T value(T x) const {
    return T(0) > x ? T(0) : x;
  }
  template <class T>
  LACUNA_HD T slope(T, T y) const {
    return y <= T(0) ? T(0) : T(1);
  }
};

struct Tanh {
  template <class T>
  LACUNA_HD T value(T x) const {
    return std::tanh(x);
  }
  template <class T>
  LACUNA_HD T slope(T, T y) const {
    return T(1) - y * y;
  }
};

struct Sigmoid {
  template <class T>
  LACUNA_HD T value(T x) const {
    return T(1) / (T(1) + std::exp(-x));
  }
  template <class T>
  LACUNA_HD T slope(T, T y) const {
    return y * (T(1) - y);
  }
};

/// x or negative · x; slope `negative` at 0.
struct LeakyRelu {
  double negative;
  template <class T>
  LACUNA_HD T value(T x) const {
    return x > T(0) ? x : T(negative) * x;
  }
  template <class T>
  LACUNA_HD T slope(T x, T) const {
    return x > T(0) ? T(1) : T(negative);
  }
};

/// x or alpha · (eˣ − 1); slope alpha at 0.
struct Elu {
  double alpha;
  template <class T>
  LACUNA_HD T value(T x) const {
    return x > T(0) ? x : T(alpha) * std::expm1(x);
  }
  template <class T>
  LACUNA_HD T slope(T, T y) const {
    return y > T(0) ? T(1) : y + T(alpha);
  }
};

/// x Φ(x); by erfc, which keeps its digits in the left tail.
struct Gelu {
  template <class T>
  LACUNA_HD T value(T x) const {
    return T(0.5) * x * std::erfc(x * T(-0.70710678118654752440));
  }
  template <class T>
  LACUNA_HD T slope(T x, T) const {
    return T(0.5) * std::erfc(x * T(-0.70710678118654752440)) +
           x * T(0.39894228040143267794) * std::exp(T(-0.5) * x * x);
  }
};

/// ½ x (1 + tanh u), u = √(2/π) (x + 0.044715 x³), written as x σ(2u).
struct GeluTanh {
  template <class T>
  LACUNA_HD T value(T x) const {
    return x * Sigmoid{}.value(T(1.59576912160573071176) * x * (T(1) + T(0.044715) * x * x));
  }
  template <class T>
  LACUNA_HD T slope(T x, T) const {
    const T s = Sigmoid{}.value(T(1.59576912160573071176) * x * (T(1) + T(0.044715) * x * x));
    return s + x * s * (T(1) - s) * T(1.59576912160573071176) * (T(1) + T(0.134145) * x * x);
  }
};

struct Silu {
  template <class T>
  LACUNA_HD T value(T x) const {
    return x * Sigmoid{}.value(x);
  }
  template <class T>
  LACUNA_HD T slope(T x, T y) const {
    const T s = Sigmoid{}.value(x);
    return s + y * (T(1) - s);
  }
};

/// log(1 + eˣ) without overflow.
struct Softplus {
  template <class T>
  LACUNA_HD T value(T x) const {
    const T e = std::log1p(std::exp(x > T(0) ? -x : x));
    return x > T(0) ? x + e : e;
  }
  template <class T>
  LACUNA_HD T slope(T x, T) const {
    return Sigmoid{}.value(x);
  }
};

/// x w, w = tanh(log(1 + eˣ)) = n / (n + 2) with n = eˣ (eˣ + 2).
struct Mish {
  template <class T>
  LACUNA_HD T inner(T x) const {
    if (x > T(20)) return T(1);
    const T e = std::exp(x), n = e * (e + T(2));
    return n / (n + T(2));
  }
  template <class T>
  LACUNA_HD T value(T x) const {
    return x * inner(x);
  }
  template <class T>
  LACUNA_HD T slope(T x, T) const {
    const T w = inner(x);
    return w + x * Sigmoid{}.value(x) * (T(1) - w) * (T(1) + w);
  }
};

#ifdef __clang__
// A loop of f that clang cannot vectorise as asked is reported here, in every program that includes us: it is for us to know.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpass-failed"
#endif
/// Calls f with the functor of an activation: the switch stands outside the loops.
template <class F>
void with_activation(Activation kind, double parameter, F&& f) {
  switch (kind) {
    case Activation::none:
      return f(Identity{});
    case Activation::relu:
      return f(Relu{});
    case Activation::tanh:
      return f(Tanh{});
    case Activation::sigmoid:
      return f(Sigmoid{});
    case Activation::leaky_relu:
      return f(LeakyRelu{parameter});
    case Activation::elu:
      return f(Elu{parameter});
    case Activation::gelu:
      return f(Gelu{});
    case Activation::gelu_tanh:
      return f(GeluTanh{});
    case Activation::silu:
      return f(Silu{});
    case Activation::softplus:
      return f(Softplus{});
    case Activation::mish:
      return f(Mish{});
  }
}
#ifdef __clang__
#pragma clang diagnostic pop
#endif

/// Keeps element i of a stream with probability 1 - p and scales it by 1 / (1 - p); p in [0, 1).
/// Element i belongs to word (i % 64) / 16 of block 16 (i / 64) + i % 16 and is kept when that word is at least p 2^32:
/// 64 elements are 16 blocks side by side, which suits vector registers and warps alike.
struct Keep {
  RandomStream stream;
  std::uint32_t threshold = 0;
  double scale = 1;

  static Keep with(RandomStream stream, double probability) {
    return {stream, std::uint32_t(probability * 4294967296.0), 1.0 / (1.0 - probability)};
  }
  /// Whether element i stays, by itself: what a thread of its own computes.
  LACUNA_HD bool keeps(index_t i) const {
    const std::uint64_t element = std::uint64_t(i);
    return stream.block(element / 64 * 16 + element % 16).word[element % 64 / 16] >= threshold;
  }
};

}  // namespace functors
}  // namespace lacuna
