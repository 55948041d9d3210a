/// Reductions over any axes, running sums, order and numbers of entries along an axis. Policy: one result is the work
/// of one thread, in an order that depends on the sizes alone.
#pragma once

#include <algorithm>

#include "lacuna/core/gradient_slot.hpp"
#include "lacuna/kernels/cpu/gemm.hpp"
#include "lacuna/kernels/cpu/strided.hpp"

namespace lacuna::cpu {

struct Axes {
  /// y_o = what `reducer` makes of the numbers of result o (kernels/strided.hpp, kernels/reducers.hpp).
  template <class R, class T>
  static void reduce_axes(const char*, const detail::Reduced& cut, R reducer, const T* x, typename R::Result* y) {
    const Walk &kept = cut.kept, &gone = cut.gone;
    if (kept.size == 0) return;
    if (kept.run() > 1 && kept.step(Walk::a) == 1) return reduce_columns(kept, gone, reducer, x, y);
    constexpr index_t lanes = 8;
    const index_t step = gone.step(Walk::a), number = gone.step(Walk::to);
    in_chunks(kept.size, detail::row_grain(gone.size), [&](index_t begin, index_t end) {
      for (index_t o = begin; o < end; ++o) {
        index_t start[Walk::operands];
        kept.offsets(o, start);
        typename R::State part[lanes];
        for (auto& state : part) state = reducer.start();
        for (Runs run(gone, 0, gone.size); run.next();) {
          const T* const from = x + start[1] + run.at[1];
          const index_t r = run.at[0], n = run.count;
          index_t i = 0;
          for (; i + lanes <= n; i += lanes)
            for (index_t l = 0; l < lanes; ++l) reducer.add(part[l], from[(i + l) * step], r + (i + l) * number);
          for (index_t l = 0; i < n; ++i, ++l) reducer.add(part[l], from[i * step], r + i * number);
        }
        for (index_t l = 1; l < lanes; ++l) reducer.join(part[0], part[l]);
        y[start[0]] = reducer.value(part[0]);
      }
    });
  }

  /// slot (+)= running sums along the middle axis of (outer, n, inner), from the end when `backward`.
  template <class T>
  static void cumsum_axis(index_t outer, index_t n, index_t inner, const T* x, bool backward, GradientSlot<T> slot) {
    parallel_for(outer * inner, detail::row_grain(n), [=](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) {
        double total = 0;
        for (index_t j = 0; j < n; ++j) {
          const index_t at = i / inner * n * inner + i % inner + (backward ? n - 1 - j : j) * inner;
          total += double(x[at]);
          slot.put(at, T(total));
        }
      }
    });
  }

  /// order: the places along the middle axis of (outer, n, inner) in the order of their numbers; equal ones keep
  /// theirs, NaN counts as the largest.
  template <class T>
  static void order_axis(index_t outer, index_t n, index_t inner, const T* x, bool descending, index_t* order) {
    parallel_for(outer * inner, detail::row_grain(16 * n), [=](index_t begin, index_t end) {
      List<index_t> places(static_cast<std::size_t>(n));
      for (index_t i = begin; i < end; ++i) {
        const index_t from = i / inner * n * inner + i % inner;
        for (index_t j = 0; j < n; ++j) places[std::size_t(j)] = j;
        std::stable_sort(places.begin(), places.end(), [=](index_t p, index_t q) {
          const T a = x[from + p * inner], b = x[from + q * inner];
          return descending ? a > b || (a != a && b == b) : a < b || (a == a && b != b);
        });
        for (index_t j = 0; j < n; ++j) order[from + j * inner] = places[std::size_t(j)];
      }
    });
  }

  /// The first of `count` indices outside 0..n-1, or -1.
  static index_t index_outside(index_t count, const index_t* index, index_t n) {
    for (index_t i = 0; i < count; ++i)
      if (index[i] < 0 || index[i] >= n) return i;
    return -1;
  }
  /// y (outer, count, inner) = x (outer, n, inner) at the indices, which have strides of their own for the three axes.
  template <class T>
  static void gather_axis(index_t outer, index_t count, index_t n, index_t inner, const index_t* index,
                          std::array<index_t, 3> stride, const T* x, GradientSlot<T> y) {
    parallel_for(outer * count, detail::row_grain(inner), [=](index_t begin, index_t end) {
      for (index_t row = begin; row < end; ++row) {
        const index_t o = row / count, j = row % count;
        const index_t* const own = index + o * stride[0] + j * stride[1];
        for (index_t k = 0; k < inner; ++k) y.put(row * inner + k, x[(o * n + own[k * stride[2]]) * inner + k]);
      }
    });
  }
  /// y (outer, n, inner) += x (outer, count, inner) at the indices, in their order.
  template <class T>
  static void scatter_axis(index_t outer, index_t count, index_t n, index_t inner, const index_t* index,
                           std::array<index_t, 3> stride, const T* x, T* y) {
    parallel_for(outer * inner, detail::row_grain(count), [=](index_t begin, index_t end) {
      for (index_t line = begin; line < end; ++line) {
        const index_t o = line / inner, k = line % inner;
        for (index_t j = 0; j < count; ++j)
          y[(o * n + index[o * stride[0] + j * stride[1] + k * stride[2]]) * inner + k] +=
              x[(o * count + j) * inner + k];
      }
    });
  }

  /// C_i = beta C_i + op(A_i) op(B_i) for every i < batch, whose matrices lie a, b and c apart.
  template <class T>
  static void gemm_batch(index_t batch, index_t m, index_t n, index_t k, Operand<T> a, index_t a_apart, Operand<T> b,
                         index_t b_apart, T beta, T* c) {
    const auto one = [&](index_t i) {
      Gemm::gemm<T>(m, n, k, {a.data + i * a_apart, a.stride, a.transposed},
                    {b.data + i * b_apart, b.stride, b.transposed}, beta, c + i * m * n, n);
    };
    // few large products share their work, many small ones are shared out
    if (batch < 8)
      return parallel_for(batch, batch, [&](index_t begin, index_t end) {
        for (index_t i = begin; i < end; ++i) one(i);
      });
    parallel_for(batch, detail::row_grain(m * n * k / 8), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) one(i);
    });
  }

 private:
  /// Results side by side in memory: a block of them reads whole lines.
  template <class R, class T>
  static void reduce_columns(const Walk& kept, const Walk& gone, R reducer, const T* x, typename R::Result* y) {
    constexpr index_t width = 64;
    const index_t columns = kept.run(), blocks = (columns + width - 1) / width, rows = kept.size / columns;
    in_chunks(rows * blocks, detail::row_grain(gone.size * (columns < width ? columns : width)),
              [&](index_t begin, index_t end) {
                for (index_t unit = begin; unit < end; ++unit) {
                  const index_t first = unit % blocks * width;
                  const index_t count = columns - first < width ? columns - first : width;
                  index_t start[Walk::operands];
                  kept.offsets(unit / blocks * columns + first, start);
                  typename R::State total[width];
                  for (index_t j = 0; j < count; ++j) total[j] = reducer.start();
                  for (Runs run(gone, 0, gone.size); run.next();)
                    for (index_t i = 0; i < run.count; ++i) {
                      const T* const line = x + start[1] + run.at[1] + i * gone.step(Walk::a);
                      const index_t r = run.at[0] + i * gone.step(Walk::to);
                      for (index_t j = 0; j < count; ++j) reducer.add(total[j], line[j], r);
                    }
                  for (index_t j = 0; j < count; ++j) y[start[0] + j] = reducer.value(total[j]);
                }
              });
  }
};

}  // namespace lacuna::cpu
