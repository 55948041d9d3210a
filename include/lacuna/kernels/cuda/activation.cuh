/// Activations, their gradients, the gated linear unit, and the fused end of a linear layer. Policy: the switch over
/// the kinds stands on the host, one kernel per formula; formulas from functors.hpp.
#pragma once

#include "lacuna/kernels/cpu/gemm.hpp"
#include "lacuna/kernels/cuda/elementwise.cuh"

namespace lacuna::cuda {

template <class Run>
struct Activations {
  template <class T>
  static void activation(Activation kind, double parameter, index_t n, const T* x, T* y) {
    functors::with_activation(kind, parameter, [&](auto f) { values(f, n, x, y); });
  }
  /// slot += dy · slope(x, y)
  template <class T>
  static void activation_gradient(Activation kind, double parameter, index_t n, const T* x, const T* y, const T* dy,
                                  GradientSlot<T> slot) {
    functors::with_activation(kind, parameter, [&](auto f) { slopes(f, n, x, y, dy, slot); });
  }
  /// The same from the value alone, for kinds with `slope_from_value` and their default parameter.
  template <class T>
  static void activation_gradient(Activation kind, index_t n, const T* y, const T* dy, GradientSlot<T> slot) {
    activation_gradient(kind, default_parameter(kind), n, y, y, dy, slot);
  }
  /// y (rows, half) = a ∘ σ(b) of x (rows, 2 half) = [a b]
  template <class T>
  static void glu(index_t rows, index_t half, const T* x, T* y) {
    const Divider by_half(half, rows * half);
    Run::each("glu", rows * half, [=] LACUNA_DEVICE(index_t at) {
      const index_t a = at + by_half.quotient(at) * half;
      y[at] = x[a] * functors::Sigmoid{}.value(x[a + half]);
    });
  }
  template <class T>
  static void glu_gradient(index_t rows, index_t half, const T* x, const T* dy, GradientSlot<T> slot) {
    const Divider by_half(half, rows * half);
    Run::each("glu_gradient", rows * half, [=] LACUNA_DEVICE(index_t at) {
      const index_t a = at + by_half.quotient(at) * half, b = a + half;
      const T s = functors::Sigmoid{}.value(x[b]), g = dy[at];
      slot.put(a, g * s);
      slot.put(b, g * x[a] * s * (T(1) - s));
    });
  }

  /// y_i = f(x_i); x and y may be the same.
  template <class F, class T>
  static void values(F f, index_t n, const T* x, T* y) {
    Run::each("activation", n, [=] LACUNA_DEVICE(index_t i) { y[i] = f.value(x[i]); });
  }
  template <class F, class T>
  static void slopes(F f, index_t n, const T* x, const T* y, const T* dy, GradientSlot<T> slot) {
    Run::each("activation_gradient", n, [=] LACUNA_DEVICE(index_t i) { slot.put(i, dy[i] * f.slope(x[i], y[i])); });
  }
};

/// Bias and max(x, 0) behind a product are cuBLASLt's where it has them (it does for float), every other activation is
/// a kernel; so is all that stands behind a hidden layer with dropout.
template <class Run>
struct Linear {
  static constexpr index_t few = 8;          ///< rows for which a product is not worth the name
  static constexpr index_t joined_rows = 0;  ///< of the host: rows that should meet a weight together

  /// C = beta C + op(A) op(B), all row-major; `finish` of the host's version has no counterpart.
  template <class T>
  static void gemm(index_t m, index_t n, index_t k, cpu::Operand<T> a, cpu::Operand<T> b, T beta, T* c, index_t ldc) {
    if (m == 0 || n == 0) return;
    if (k == 0) {  // there may be no memory to point to
      const Divider by_n(n, m * n);
      Run::each("gemm", m * n, [=] LACUNA_DEVICE(index_t at) {
        const index_t i = by_n.quotient(at);
        T& to = c[i * ldc + at - i * n];
        to = beta == T(0) ? T(0) : beta * to;
      });
      return;
    }
    Run::gemm(m, n, k, a, b, beta, c, ldc);
  }
  /// y (rows, out) = activation(x (rows, in) W' + b); weight (out, in); bias may be null. No layout of the host's.
  template <class T>
  static void linear(index_t rows, index_t in, index_t out, const T* x, const T* weight, const T* bias,
                     Activation activation, T* y, const T* /*packed*/ = nullptr) {
    linear_of<T>(rows, in, out, {x, in}, weight, bias, activation, y);
  }
  /// The same for rows of x at any distance.
  template <class T>
  static void linear_of(index_t rows, index_t in, index_t out, cpu::Operand<T> x, const T* weight, const T* bias,
                        Activation activation, T* y) {
    if (rows > 0 && rows <= few && in > 0 && !x.transposed) {
      functors::with_activation(activation, default_parameter(activation), [&](auto f) {
        if (rows == 1)
          few_rows<1>(rows, in, out, x, weight, bias, f, y);
        else
          few_rows<few>(rows, in, out, x, weight, bias, f, y);
      });
      return;
    }
    const bool simple = activation == Activation::none || activation == Activation::relu;
    if (bias != nullptr && simple && rows > 0 && in > 0 && out > 0 &&
        Run::template gemm_finished<T>(rows, out, in, x, {weight, in, true}, bias,
                                       activation == Activation::relu ? MatmulFinish::bias_relu : MatmulFinish::bias,
                                       y))
      return;
    gemm<T>(rows, out, in, x, {weight, in, true}, T(0), y, out);
    if (bias == nullptr && activation == Activation::none) return;
    functors::with_activation(activation, default_parameter(activation),
                              [&](auto f) { finish(f, rows * out, out, Groups<const T*>::one(bias), y); });
  }
  /// y = dropout(max(x W' + b, 0)), the dropout of an array (rows, out): the product and one kernel behind it.
  template <class T>
  static void linear_relu_dropped(index_t rows, index_t in, index_t out, const T* x, const T* weight, const T* bias,
                                  functors::Keep keep, T* y) {
    gemm<T>(rows, out, in, {x, in}, {weight, in, true}, T(0), y, out);
    finish_dropped(keep, rows * out, out, Groups<const T*>::one(bias), y);
  }
  /// through (rows, out) = dy · slope of max(x, 0), with dropout of scale `factor` behind it or 1, or of tanh, from the
  /// value y, and the sums of its columns: the way back to the product and to the bias, in one launch. `through` may be
  /// dy.
  template <class T>
  static void activation_gradient_sums(Activation kind, index_t rows, index_t out, T factor, const T* y, const T* dy,
                                       T* through, GradientSlot<T> bias) {
    const auto biases = Groups<GradientSlot<T>>::one(bias);
    if (kind == Activation::tanh)
      gradient_sums("tanh_gradient_sums", functors::Tanh{}, rows, out, y, dy, through, biases);
    else
      relu_gradient_sums_grouped(rows, out, factor, y, dy, through, biases);
  }
  /// The same for each group of `rows` rows, of max(x, 0).
  template <class T>
  static void relu_gradient_sums_grouped(index_t rows, index_t out, T factor, const T* y, const T* dy, T* through,
                                         Groups<GradientSlot<T>> biases) {
    gradient_sums("relu_gradient_sums", DroppedRelu<T>{factor}, rows, out, y, dy, through, biases);
  }
  /// max(x, 0), and the scale of what dropout behind it keeps, from the value, which is 0 where either is.
  template <class T>
  struct DroppedRelu {
    T factor;
    LACUNA_HD T gradient(T y, T dy) const { return y <= T(0) ? T(0) : factor * dy; }
  };
  template <class F, class T>
  LACUNA_HD static T through_slope(const F& f, T y, T dy) {
    if constexpr (requires { f.gradient(y, dy); })
      return f.gradient(y, dy);
    else
      return dy * f.slope(y, y);
  }
  template <class F, class T>
  static void gradient_sums(const char* name, F f, index_t rows, index_t out, const T* y, const T* dy, T* through,
                            Groups<GradientSlot<T>> biases) {
    const Divider by_out(out, biases.count * out);
    fold_into<Run>(
        name, rows, biases.count * out,
        [=] LACUNA_DEVICE(index_t i, index_t j) {
          const index_t at = (by_out.quotient(j) * (rows - 1) + i) * out + j;
          return double(through_slope(f, y[at], dy[at]));
        },
        [=] LACUNA_DEVICE(index_t j, double sum) {
          const index_t group = by_out.quotient(j);
          if (biases.of[group]) biases.of[group].put(j - group * out, T(sum));
        },
        [=] LACUNA_DEVICE(index_t i, index_t j, double g) {
          through[(by_out.quotient(j) * (rows - 1) + i) * out + j] = T(g);
        });
  }
  /// A layer of `rows` <= N rows, in one launch: one team takes a column of the result, reads its weights once, and adds
  /// every row's share in an order that depends on `in` alone. A single sample asks for many of these, for which a
  /// product of cuBLASLt takes three times as long.
  template <int N, class F, class T>
  static void few_rows(index_t rows, index_t in, index_t out, cpu::Operand<T> x, const T* weight, const T* bias, F f,
                       T* y) {
    Run::rows("linear_few_rows", out, [=] LACUNA_DEVICE(index_t o, typename Run::Team team) {
      constexpr int at_once = 4;  // loads that do not wait for each other
      const T* const from = weight + o * in;
      T sums[N] = {};
      for (index_t k = team.lane(); k < in; k += at_once * team.lanes()) {
        T w[at_once];
        index_t place[at_once];
        for (int u = 0; u < at_once; ++u) {
          const index_t next = k + u * team.lanes();
          place[u] = next < in ? next : k;
          w[u] = next < in ? from[next] : T(0);
        }
        for (int r = 0; r < N; ++r) {
          const T* const row = x.data + (r < rows ? r : rows - 1) * x.stride;
          T share = w[0] * row[place[0]];
          for (int u = 1; u < at_once; ++u)
            if (k + u * team.lanes() < in) share += w[u] * row[place[u]];
          sums[r] += share;
        }
      }
      for (int r = 0; r < N; ++r) {
        const T sum = T(team.sum(double(sums[r])));
        if (r < rows && team.lane() == r % team.lanes()) y[r * out + o] = f.value(bias ? sum + bias[o] : sum);
      }
    });
  }
  template <class F, class T>
  static void finish(F f, index_t n, index_t out, Groups<const T*> biases, T* y) {
    const Divider by_out(out, n), by_group(n / biases.count, n);
    Run::each("linear", n, [=] LACUNA_DEVICE(index_t i) {
      const T* const bias = biases.of[by_group.quotient(i)];
      y[i] = f.value(bias ? y[i] + bias[by_out.remainder(i)] : y[i]);
    });
  }
  template <class T>
  static void finish_dropped(const GroupedKeep& own, index_t n, index_t out, Groups<const T*> biases, T* y) {
    const Divider by_out(out, n);
    const T scale = T(own.keep.scale);
    each_drawn<Run>("linear_relu_dropped", own, n, [=] LACUNA_DEVICE(index_t i, bool kept, index_t group) {
      const T* const bias = biases.of[group];
      const T z = bias ? y[i] + bias[by_out.remainder(i)] : y[i];
      y[i] = kept && !(z <= T(0)) ? z * scale : T(0);
    });
  }
};

}  // namespace lacuna::cuda
