/// What the losses over rows share, as cpu/loss_rows.hpp: moves of the rows that take part, pairs of rows side by side,
/// rows of unit length. Policy: one thread per number moved, one team per row that is summed; gradients are written by
/// one thread each.
#pragma once

#include "lacuna/kernels/cuda/totals.cuh"

namespace lacuna::cuda {

/// Rows x_i / max(‖x_i‖, floor), and the way back. A row shorter than the floor is only scaled.
template <class T, class Run>
class UnitRows {
 public:
  UnitRows(index_t n, index_t d, const T* x, double least)
      : rows_(n), width_(d), floor_(least), unit_(Shape{n, d}), length_(Shape{n}) {
    scale(n, d, x, least, unit_.data(), length_.data());
  }
  const T* data() const { return unit_.data(); }
  /// gradient += what the gradient `du` of the unit rows means for x.
  void back(const T* du, T* gradient) const { back(rows_, width_, floor_, unit_.data(), length_.data(), du, gradient); }

  static void scale(index_t n, index_t d, const T* x, double floor, T* unit, double* length) {
    Run::rows("unit_rows", n, [=] LACUNA_DEVICE(index_t i, typename Run::Team team) {
      const double norm = std::sqrt(inner(team, d, x + i * d, x + i * d));
      const double factor = 1 / (norm < floor ? floor : norm);
      if (team.lane() == 0) length[i] = norm;
      for (index_t f = team.lane(); f < d; f += team.lanes()) unit[i * d + f] = T(double(x[i * d + f]) * factor);
    });
  }
  static void back(index_t n, index_t d, double floor, const T* unit, const double* length, const T* du, T* gradient) {
    Run::rows("unit_rows_gradient", n, [=] LACUNA_DEVICE(index_t i, typename Run::Team team) {
      const T *const u = unit + i * d, *const g = du + i * d;
      const double norm = length[i], dot = inner(team, d, u, g), along = norm > floor ? dot : 0.0;
      const double factor = 1 / (norm < floor ? floor : norm);
      for (index_t f = team.lane(); f < d; f += team.lanes())
        gradient[i * d + f] += T(factor * (double(g[f]) - along * double(u[f])));
    });
  }

 private:
  index_t rows_, width_;
  double floor_;
  Array<T, typename Run::device> unit_;
  Array<double, typename Run::device> length_;
};

template <class Run>
struct LossRows {
  /// The losses of these devices write every number of the room for a gradient where they say so.
  static constexpr bool adds_gradients = false;

  /// UnitRows of this device.
  template <class T>
  using Unit = UnitRows<T, Run>;

  /// to_i = from_row(i)
  template <class T>
  static void gather_rows(index_t count, index_t width, const T* from, const index_t* row, T* to) {
    Run::each("gather_rows", count * width,
              [=] LACUNA_DEVICE(index_t at) { to[at] = from[row[at / width] * width + at % width]; });
  }
  /// slot row r (+)= factor · from row place(r), or 0 where place(r) < 0; without places each row stays where it is,
  /// without a factor it is 1.
  template <class T>
  static void contribute_rows(index_t batch, index_t width, const index_t* place, const T* factor, const T* from,
                              GradientSlot<T> slot) {
    Run::each("contribute_rows", batch * width, [=] LACUNA_DEVICE(index_t at) {
      const index_t r = at / width, i = place ? place[r] : r;
      slot.put(at, i < 0 ? T(0) : (factor ? *factor : T(1)) * from[i * width + at % width]);
    });
  }
  /// present (batch, frames) → any (batch, width): 1 all over the row of a sample that has anything present; `joined`:
  /// or where 1 was.
  static void any_present(index_t batch, index_t frames, const std::uint8_t* present, index_t width, bool joined,
                          std::uint8_t* any) {
    Run::rows("any_present", batch, [=] LACUNA_DEVICE(index_t b, typename Run::Team team) {
      int some = 0;
      for (index_t t = team.lane(); t < frames; t += team.lanes()) some |= present[b * frames + t] != 0;
      some = team.largest(some);
      for (index_t t = team.lane(); t < width; t += team.lanes())
        if (some || !joined) any[b * width + t] = std::uint8_t(some);
    });
  }
  /// to_i at i · step = 1 where present_i, else 0.
  template <class T>
  static void flags(index_t n, const std::uint8_t* present, index_t step, T* to) {
    Run::each("flags", n, [=] LACUNA_DEVICE(index_t i) { to[i * step] = T(present[i]); });
  }
  /// share_i = 1 / Σ_j flag_ij over the flags (n, width), 0 where the sum is 0.
  template <class T>
  static void shares(index_t n, index_t width, const T* flag, T* share) {
    Run::each("shares", n, [=] LACUNA_DEVICE(index_t i) {
      T sum = T(0);
      for (index_t j = 0; j < width; ++j) sum += flag[i * width + j];
      share[i] = sum > 0 ? 1 / sum : T(0);
    });
  }
  /// to_i = 1 where label_i is k, else 0.
  template <class N>
  static void equal_to(index_t n, const N* label, N k, N* to) {
    Run::each("equal_to", n, [=] LACUNA_DEVICE(index_t i) { to[i] = N(label[i] == k); });
  }
  /// y = Σ_k weight_k · term_k
  template <class T>
  static void weighted_terms(functors::WeightedTerms<T> terms, T* y) {
    Run::each("weighted_total", 1, [=] LACUNA_DEVICE(index_t) { *y = terms.sum(); });
  }
  template <class T>
  static void weighted_terms_gradient(functors::WeightedTerms<T> terms, const T* dy,
                                      functors::TermGradients<T> gradients) {
    Run::each("weighted_total_gradient", terms.count, [=] LACUNA_DEVICE(index_t k) {
      if (gradients.slot[k]) gradients.slot[k].put(0, terms.weight[k] * *dy);
    });
  }
  /// to_k = term_k
  template <class T>
  static void collect(functors::WeightedTerms<T> terms, T* to) {
    Run::each("collect", terms.count, [=] LACUNA_DEVICE(index_t k) { to[k] = *terms.term[k]; });
  }
  /// The first of n numbers that is not in low..high, −1 when there is none. Waits for the answer.
  template <class T>
  static index_t first_outside(index_t n, const T* x, T low, T high) {
    if (n <= 0) return -1;
    const Buffer<index_t, Run> found(1);
    index_t* const to = found.data();
    Run::rows("first_outside", 1, [=] LACUNA_DEVICE(index_t, typename Run::Team team) {
      index_t first = n;
      for (index_t i = team.lane(); i < n && first == n; i += team.lanes())
        if (!(x[i] >= low && x[i] <= high)) first = i;
      first = -team.largest(-first);
      if (team.lane() == 0) to[0] = first < n ? first : -1;
    });
    return found.to_host()[0];
  }

  /// y (n, n, a + b) = [q_i; u_j] for q (n, a) and u (n, b).
  template <class T>
  static void all_pairs(index_t n, index_t a, index_t b, const T* q, const T* u, T* y) {
    const index_t width = a + b;
    Run::each("all_pairs", n * n * width, [=] LACUNA_DEVICE(index_t at) {
      const index_t pair = at / width, f = at % width;
      y[at] = f < a ? q[pair / n * a + f] : u[pair % n * b + (f - a)];
    });
  }
  template <class T>
  static void all_pairs_gradient(index_t n, index_t a, index_t b, const T* dy, GradientSlot<T> dq, GradientSlot<T> du) {
    const index_t width = a + b;
    if (dq)
      Run::each("all_pairs_gradient", n * a, [=] LACUNA_DEVICE(index_t at) {
        const index_t i = at / a, f = at % a;
        double sum = 0;
        for (index_t j = 0; j < n; ++j) sum += double(dy[(i * n + j) * width + f]);
        dq.put(at, T(sum));
      });
    if (du)
      Run::each("all_pairs_gradient", n * b, [=] LACUNA_DEVICE(index_t at) {
        const index_t j = at / b, f = at % b + a;
        double sum = 0;
        for (index_t i = 0; i < n; ++i) sum += double(dy[(i * n + j) * width + f]);
        du.put(at, T(sum));
      });
  }
};

}  // namespace lacuna::cuda
