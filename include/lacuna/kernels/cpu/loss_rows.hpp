/// What the losses over rows share: sums over rows in a fixed order, log-softmax, rows of unit length, moves of rows.
/// Policy: formulas in double; a row's gradient is written by one thread.
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "lacuna/core/gradient_slot.hpp"
#include "lacuna/core/tensor.hpp"
#include "lacuna/core/threads.hpp"
#include "lacuna/kernels/cpu/elementwise.hpp"
#include "lacuna/kernels/cpu/reduce.hpp"
#include "lacuna/kernels/cpu/shape.hpp"
#include "lacuna/kernels/loss_formulas.hpp"

namespace lacuna::cpu {

/// Σ_i f(i, scratch) over rows, each worth about `cost` elementary operations, with `scratch` doubles per thread.
template <class F>
double sum_rows(index_t rows, index_t cost, index_t scratch, F&& f) {
  return parallel_sum(rows, detail::row_grain(cost), [&](index_t begin, index_t end) {
    List<double> room(static_cast<std::size_t>(scratch));
    double sum = 0;
    for (index_t i = begin; i < end; ++i) sum += f(i, room.data());
    return sum;
  });
}

/// out_k = z_k s − log Σ_j exp(z_j s), s the inverse temperature. Returns the log of the sum. n > 0.
template <class T>
double log_softmax(index_t n, const T* z, double s, double* out) {
  double largest = double(z[0]) * s, sum = 0;
  for (index_t k = 0; k < n; ++k) {
    out[k] = double(z[k]) * s;
    largest = std::max(largest, out[k]);
  }
  for (index_t k = 0; k < n; ++k) sum += std::exp(out[k] - largest);
  const double log_sum = largest + std::log(sum);
  for (index_t k = 0; k < n; ++k) out[k] -= log_sum;
  return log_sum;
}

/// Σ a_f b_f in double.
template <class A, class B>
double inner(index_t n, const A* a, const B* b) {
  double sum = 0;
  for (index_t f = 0; f < n; ++f) sum += double(a[f]) * double(b[f]);
  return sum;
}

/// Rows x_i / max(‖x_i‖, floor), and the way back. A row shorter than the floor is only scaled.
template <class T>
struct UnitRows {
  index_t rows, width;
  double floor;
  Array<T> unit;
  List<double> length;

  UnitRows(index_t n, index_t d, const T* x, double least)
      : rows(n), width(d), floor(least), unit(Shape{n, d}), length(static_cast<std::size_t>(n)) {
    parallel_for(n, detail::row_grain(2 * d), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) {
        const double norm = std::sqrt(inner(d, x + i * d, x + i * d)), scale = 1 / std::max(norm, floor);
        length[std::size_t(i)] = norm;
        for (index_t f = 0; f < d; ++f) unit.data()[i * d + f] = T(double(x[i * d + f]) * scale);
      }
    });
  }
  const T* data() const { return unit.data(); }
  /// gradient += what the gradient `du` of the unit rows means for x.
  void back(const T* du, T* gradient) const {
    parallel_for(rows, detail::row_grain(4 * width), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) {
        const T *u = unit.data() + i * width, *g = du + i * width;
        const double norm = length[std::size_t(i)], along = norm > floor ? inner(width, u, g) : 0.0;
        const double scale = 1 / std::max(norm, floor);
        for (index_t f = 0; f < width; ++f) gradient[i * width + f] += T(scale * (double(g[f]) - along * double(u[f])));
      }
    });
  }
};

struct LossRows {
  /// The losses of the host add to the room for a gradient, so it must hold zeros.
  static constexpr bool adds_gradients = true;

  /// UnitRows of this device.
  template <class T>
  using Unit = UnitRows<T>;

  /// to_i = from_row(i)
  template <class T>
  static void gather_rows(index_t count, index_t width, const T* from, const index_t* row, T* to) {
    parallel_for(count, detail::row_grain(width), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) std::copy_n(from + row[i] * width, width, to + i * width);
    });
  }
  /// slot row r (+)= factor · from row place(r), or 0 where place(r) < 0; without places each row stays where it is,
  /// without a factor it is 1.
  template <class T>
  static void contribute_rows(index_t batch, index_t width, const index_t* place, const T* factor, const T* from,
                              GradientSlot<T> slot) {
    const T scale = factor ? *factor : T(1);
    if (!place) return Elementwise::contribute_scaled(batch * width, scale, from, slot);
    Array<T> whole(Shape{batch, width});
    parallel_for(batch, detail::row_grain(width), [&](index_t begin, index_t end) {
      for (index_t r = begin; r < end; ++r) {
        T* const to = whole.data() + r * width;
        if (place[r] < 0)
          std::fill(to, to + width, T(0));
        else
          std::copy_n(from + place[r] * width, width, to);
      }
    });
    Elementwise::contribute_scaled(batch * width, scale, std::as_const(whole).data(), slot);
  }
  /// present (batch, frames) → any (batch, width): 1 all over the row of a sample that has anything present; `joined`:
  /// or where 1 was.
  static void any_present(index_t batch, index_t frames, const std::uint8_t* present, index_t width, bool joined,
                          std::uint8_t* any) {
    for (index_t b = 0; b < batch; ++b) {
      const bool some =
          std::any_of(present + b * frames, present + (b + 1) * frames, [](std::uint8_t one) { return one != 0; });
      if (some || !joined) std::fill_n(any + b * width, width, std::uint8_t(some));
    }
  }
  /// to_i at i · step = 1 where present_i, else 0.
  template <class T>
  static void flags(index_t n, const std::uint8_t* present, index_t step, T* to) {
    for (index_t i = 0; i < n; ++i) to[i * step] = T(present[i]);
  }
  /// share_i = 1 / Σ_j flag_ij over the flags (n, width), 0 where the sum is 0.
  template <class T>
  static void shares(index_t n, index_t width, const T* flag, T* share) {
    for (index_t i = 0; i < n; ++i) {
      T sum = T(0);
      for (index_t j = 0; j < width; ++j) sum += flag[i * width + j];
      share[i] = sum > 0 ? 1 / sum : T(0);
    }
  }
  /// to_i = 1 where label_i is k, else 0.
  template <class N>
  static void equal_to(index_t n, const N* label, N k, N* to) {
    for (index_t i = 0; i < n; ++i) to[i] = N(label[i] == k);
  }
  /// The first of n numbers that is not in low..high, −1 when there is none.
  template <class T>
  static index_t first_outside(index_t n, const T* x, T low, T high) {
    for (index_t i = 0; i < n; ++i)
      if (!(x[i] >= low && x[i] <= high)) return i;
    return -1;
  }

  /// y (n, n, a + b) = [q_i; u_j] for q (n, a) and u (n, b).
  template <class T>
  static void all_pairs(index_t n, index_t a, index_t b, const T* q, const T* u, T* y) {
    const index_t width = a + b;
    for (index_t i = 0; i < n; ++i) {
      ShapeMoves::copy_runs(n, a, q + i * a, 0, y + i * n * width, width);
      ShapeMoves::copy_runs(n, b, u, b, y + i * n * width + a, width);
    }
  }
  template <class T>
  static void all_pairs_gradient(index_t n, index_t a, index_t b, const T* dy, GradientSlot<T> dq, GradientSlot<T> du) {
    const index_t width = a + b;
    if (dq) {
      Array<T> sums(Shape{n, width});
      for (index_t i = 0; i < n; ++i)
        Reduce::column_sums(n, width, dy + i * n * width, GradientSlot<T>{sums.data() + i * width, true});
      ShapeMoves::contribute_runs(n, a, std::as_const(sums).data(), width, dq, a);
    }
    if (du) {  // the pairs of row j are n · width apart
      Array<T> sums(Shape{n * width});
      Reduce::column_sums(n, n * width, dy, GradientSlot<T>{sums.data(), true});
      ShapeMoves::contribute_runs(n, b, std::as_const(sums).data() + a, width, du, b);
    }
  }
};

}  // namespace lacuna::cpu
