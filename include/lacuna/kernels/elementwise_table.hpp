/// The table of elementwise functions: one line each with its name, its value and its slopes, from which the loops of
/// all devices, the operations (ops/elementwise.hpp) and the operators with scalars are made.
///
/// A function of one number has value(x) and slope(x, y): dy/dx from its argument and its value. One of two has
/// value(a, b), slope_a(a, b, y) and slope_b(a, b, y). At kinks the slopes are those of PyTorch. NaN goes through.
#pragma once

#include <cmath>
#include <type_traits>

#include "lacuna/core/gradient_slot.hpp"
#include "lacuna/core/shape.hpp"

namespace lacuna::functors {

#define LACUNA_UNARY(Name, text, y_of_x, dy_dx)                           \
  struct Name {                                                           \
    static constexpr const char* name = text;                             \
    template <class T>                                                    \
    LACUNA_HD T value(T x) const {                                        \
      return y_of_x;                                                      \
    }                                                                     \
    template <class T>                                                    \
    LACUNA_HD T slope([[maybe_unused]] T x, [[maybe_unused]] T y) const { \
      return dy_dx;                                                       \
    }                                                                     \
  };
#define LACUNA_BINARY(Name, text, y_of_a_b, dy_da, dy_db)                                         \
  struct Name {                                                                                   \
    static constexpr const char* name = text;                                                     \
    template <class T>                                                                            \
    LACUNA_HD T value(T a, T b) const {                                                           \
      return y_of_a_b;                                                                            \
    }                                                                                             \
    template <class T>                                                                            \
    LACUNA_HD T slope_a([[maybe_unused]] T a, [[maybe_unused]] T b, [[maybe_unused]] T y) const { \
      return dy_da;                                                                               \
    }                                                                                             \
    template <class T>                                                                            \
    LACUNA_HD T slope_b([[maybe_unused]] T a, [[maybe_unused]] T b, [[maybe_unused]] T y) const { \
      return dy_db;                                                                               \
    }                                                                                             \
  };
#define LACUNA_LINEAR(Name, text, y_of_a_b, of_a, of_b)                          \
  struct Name {                                                                  \
    static constexpr const char* name = text;                                    \
    static constexpr int fixed_a = of_a, fixed_b = of_b; /* slopes everywhere */ \
    template <class T>                                                           \
    LACUNA_HD T value(T a, T b) const {                                          \
      return y_of_a_b;                                                           \
    }                                                                            \
    template <class T>                                                           \
    LACUNA_HD T slope_a(T, T, T) const {                                         \
      return T(of_a);                                                            \
    }                                                                            \
    template <class T>                                                           \
    LACUNA_HD T slope_b(T, T, T) const {                                         \
      return T(of_b);                                                            \
    }                                                                            \
  };
#define LACUNA_COMPARISON(Name, text, holds)  \
  struct Name {                               \
    static constexpr const char* name = text; \
    template <class T>                        \
    LACUNA_HD bool value(T a, T b) const {    \
      return holds;                           \
    }                                         \
  };

// clang-format off
//           functor     name          y                                     dy/dx
LACUNA_UNARY(Exp,        "exp",        std::exp(x),                          y)
LACUNA_UNARY(Expm1,      "expm1",      std::expm1(x),                        y + T(1))
LACUNA_UNARY(Log,        "log",        std::log(x),                          T(1) / x)
LACUNA_UNARY(Log1p,      "log1p",      std::log1p(x),                        T(1) / (T(1) + x))
LACUNA_UNARY(Sqrt,       "sqrt",       std::sqrt(x),                         T(0.5) / y)
/// The square root with slope 0 at 0: of sums of squares, which have a minimum there.
LACUNA_UNARY(Root,       "root",       std::sqrt(x),                         y == T(0) ? T(0) : T(0.5) / y)
LACUNA_UNARY(Rsqrt,      "rsqrt",      T(1) / std::sqrt(x),                  T(-0.5) * y / x)
LACUNA_UNARY(Square,     "square",     x * x,                                x + x)
LACUNA_UNARY(Abs,        "abs",        std::abs(x),                          x > T(0) ? T(1) : x < T(0) ? T(-1) : x * T(0))
LACUNA_UNARY(Sign,       "sign",       x > T(0) ? T(1) : x < T(0) ? T(-1) : x, T(0))
LACUNA_UNARY(Reciprocal, "reciprocal", T(1) / x,                             -y * y)
LACUNA_UNARY(Negative,   "negative",   -x,                                   T(-1))
LACUNA_UNARY(Sin,        "sin",        std::sin(x),                          std::cos(x))
LACUNA_UNARY(Cos,        "cos",        std::cos(x),                          -std::sin(x))
LACUNA_UNARY(Cosh,       "cosh",       std::cosh(x),                         std::sinh(x))
LACUNA_UNARY(Sinh,       "sinh",       std::sinh(x),                         std::cosh(x))

//            functor   name        y                                 dy/da                         dy/db
LACUNA_LINEAR(Add,      "add",      a + b,                            1,                            1)
LACUNA_LINEAR(Subtract, "subtract", a - b,                            1,                            -1)
LACUNA_BINARY(Multiply, "multiply", a * b,                            b,                            a)
LACUNA_BINARY(Divide,   "divide",   a / b,                            T(1) / b,                     -y / b)
LACUNA_BINARY(Power,    "pow",      std::pow(a, b),                   b == T(0) ? T(0) : b * std::pow(a, b - T(1)),
                                    a == T(0) && b >= T(0) ? T(0) : y * std::log(a))
LACUNA_BINARY(Minimum,  "minimum",  a < b || a != a ? a : b,          a < b ? T(1) : a == b ? T(0.5) : T(0),
                                                                      b < a ? T(1) : a == b ? T(0.5) : T(0))
LACUNA_BINARY(Maximum,  "maximum",  a > b || a != a ? a : b,          a > b ? T(1) : a == b ? T(0.5) : T(0),
                                                                      b > a ? T(1) : a == b ? T(0.5) : T(0))

//                functor       name             holds when
LACUNA_COMPARISON(Equal,        "equal",         a == b)
LACUNA_COMPARISON(NotEqual,     "not_equal",     a != b)
LACUNA_COMPARISON(Less,         "less",          a < b)
LACUNA_COMPARISON(LessEqual,    "less_equal",    a <= b)
LACUNA_COMPARISON(Greater,      "greater",       a > b)
LACUNA_COMPARISON(GreaterEqual, "greater_equal", a >= b)
LACUNA_COMPARISON(LogicalAnd,   "logical_and",   a != T(0) && b != T(0))
LACUNA_COMPARISON(LogicalOr,    "logical_or",    a != T(0) || b != T(0))
LACUNA_COMPARISON(LogicalXor,   "logical_xor",   (a != T(0)) != (b != T(0)))
// clang-format on

#undef LACUNA_UNARY
#undef LACUNA_BINARY
#undef LACUNA_LINEAR
#undef LACUNA_COMPARISON

/// low ≤ y ≤ high; slope 1 inside and on the borders, 0 outside.
struct Clamp {
  static constexpr const char* name = "clamp";
  double low, high;
  template <class T>
  LACUNA_HD T value(T x) const {
    return x < T(low) ? T(low) : x > T(high) ? T(high) : x;
  }
  template <class T>
  LACUNA_HD T slope(T x, T) const {
    return x >= T(low) && x <= T(high) ? T(1) : T(0);
  }
};

/// f(x, number) and f(number, x): what a function of two becomes with a scalar on one side.
template <class F>
struct WithRight {
  static constexpr const char* name = F::name;
  double number;
  template <class T>
  LACUNA_HD auto value(T x) const {
    return F{}.value(x, T(number));
  }
  template <class T>
  LACUNA_HD T slope(T x, T y) const {
    return F{}.slope_a(x, T(number), y);
  }
};
template <class F>
struct WithLeft {
  static constexpr const char* name = F::name;
  double number;
  template <class T>
  LACUNA_HD auto value(T x) const {
    return F{}.value(T(number), x);
  }
  template <class T>
  LACUNA_HD T slope(T x, T y) const {
    return F{}.slope_b(T(number), x, y);
  }
};

// ---- bodies of loops: f(i) over elements, f(to, a, b) over the places of a walk.

/// y_i = f(x_i)
template <class F, class T, class Y>
struct MapValue {
  F f;
  const T* x;
  Y* y;
  LACUNA_HD void operator()(index_t i) const { y[i] = Y(f.value(x[i])); }
};
/// slot_i (+)= dy_i · slope(x_i, y_i)
template <class F, class T>
struct MapSlope {
  F f;
  const T *x, *y, *dy;
  GradientSlot<T> slot;
  LACUNA_HD void operator()(index_t i) const { slot.put(i, dy[i] * f.slope(x[i], y[i])); }
};
/// y_to = f(a, b)
template <class F, class T, class Y>
struct ZipValue {
  F f;
  const T *x, *other;
  Y* y;
  LACUNA_HD void operator()(index_t to, index_t a, index_t b) const { y[to] = Y(f.value(x[a], other[b])); }
};
/// slot_to (+)= dy · slope of the first or the second argument
template <class F, class T, bool First>
struct ZipSlope {
  F f;
  const T *x, *other, *y, *dy;
  GradientSlot<T> slot;
  LACUNA_HD void operator()(index_t to, index_t a, index_t b) const {
    const T slope = First ? f.slope_a(x[a], other[b], y[to]) : f.slope_b(x[a], other[b], y[to]);
    slot.put(to, dy[to] * slope);
  }
};
/// slot_to (+)= x_a
template <class T>
struct Move {
  const T* x;
  GradientSlot<T> slot;
  LACUNA_HD void operator()(index_t to, index_t a, index_t) const { slot.put(to, x[a]); }
};
/// y = mask ? a : b
template <class T>
struct Choose {
  const std::uint8_t* mask;
  const T *yes, *no;
  T* y;
  LACUNA_HD void operator()(index_t i) const { y[i] = mask[i] ? yes[i] : no[i]; }
};
/// slot (+)= dy where the mask is `kept`, 0 elsewhere, whatever stands there
template <class T>
struct ChooseSlope {
  const std::uint8_t* mask;
  const T* dy;
  bool kept;
  GradientSlot<T> slot;
  LACUNA_HD void operator()(index_t i) const { slot.put(i, (mask[i] != 0) == kept ? dy[i] : T(0)); }
};
/// slot_to (+)= f(to, a): what every number of an array gets from the result it went into
template <class F, class T>
struct Spread {
  F f;
  GradientSlot<T> slot;
  LACUNA_HD void operator()(index_t to, index_t a, index_t) const { slot.put(to, f(to, a)); }
};

}  // namespace lacuna::functors
