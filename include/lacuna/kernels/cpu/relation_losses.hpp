/// Losses that compare the relations within two sets of rows, one of the student and one of the teacher, of any widths:
/// distances and angles. Policy: gradients are added to and may be null; sums
/// over anchors run over fixed chunks, each with a gradient of its own, combined in order.
#pragma once

#include "lacuna/kernels/cpu/pair_distances.hpp"

namespace lacuna::cpu {

struct RelationLosses {
  /// Mean over all pairs of the smooth absolute difference of D_ij, each divided by the mean of its positive entries.
  template <class T>
  static double distance_relations(index_t n, index_t ds, const T* student, index_t dt, const T* teacher, T* grad_s,
                                   T* grad_t) {
    const Relative<T> a(n, ds, student), b(n, dt, teacher);
    const double each = n > 0 ? 1 / (double(n) * double(n)) : 0;
    const double value = sum_rows(n, 8 * n, 0, [&](index_t i, double*) {
      double sum = 0;
      for (index_t j = 0; j < n; ++j) sum += functors::smooth_absolute(a.at(i, j) - b.at(i, j));
      return each * sum;
    });
    const auto back = [&](const Relative<T>& own, double sign, T* gradient) {
      if (gradient)
        own.back([&](index_t i, index_t j) { return sign * each * functors::smooth_sign(a.at(i, j) - b.at(i, j)); },
                 gradient);
    };
    back(a, 1, grad_s);
    back(b, -1, grad_t);
    return value;
  }

  /// Mean over all triples of the smooth absolute difference of ⟨e_ij, e_ik⟩, e_ij the unit vector from row i to row j.
  template <class T>
  static double angle_relations(index_t n, index_t ds, const T* student, index_t dt, const T* teacher, T* grad_s,
                                T* grad_t) {
    const double each = n > 0 ? 1 / (double(n) * double(n) * double(n)) : 0;
    const index_t grain = std::max<index_t>((n + 15) / 16, 1), chunks = (n + grain - 1) / grain;
    List<List<double>> part_s(static_cast<std::size_t>(chunks)), part_t(part_s);
    const double value = parallel_sum(n, grain, [&](index_t begin, index_t end) {
      Star<T> a(n, ds, student), b(n, dt, teacher);
      auto &to_s = part_s[std::size_t(begin / grain)], &to_t = part_t[std::size_t(begin / grain)];
      if (grad_s) to_s.assign(std::size_t(n * ds), 0.0);
      if (grad_t) to_t.assign(std::size_t(n * dt), 0.0);
      List<T> slope(static_cast<std::size_t>(n * n));
      double sum = 0;
      for (index_t i = begin; i < end; ++i) {
        a.centre(i);
        b.centre(i);
        sum += each * compare(n * n, a.cosine.data(), b.cosine.data(), T(2 * each), slope.data());
        if (grad_s) a.back(i, slope.data(), 1, to_s.data());
        if (grad_t) b.back(i, slope.data(), -1, to_t.data());
      }
      return sum;
    });
    const auto combine = [&](index_t size, const List<List<double>>& parts, T* gradient) {
      if (!gradient) return;
      parallel_for(size, detail::element_grain, [&](index_t begin, index_t end) {
        for (index_t f = begin; f < end; ++f) {
          double sum = 0;
          for (const auto& part : parts) sum += part[std::size_t(f)];
          gradient[f] += T(sum);
        }
      });
    };
    combine(n * ds, part_s, grad_s);
    combine(n * dt, part_t, grad_t);
    return value;
  }

 private:
  /// Σ of the smooth absolute differences; slope_p = factor times that of the p-th. Branch-free: it runs n³ times.
  template <class T>
  static double compare(index_t count, const T* a, const T* b, T factor, T* slope) {
    double sum = 0;
    for (index_t first = 0; first < count; first += 256) {
      const index_t last = std::min(first + 256, count);
      T part[256];
      for (index_t p = first; p < last; ++p) {
        const T apart = a[p] - b[p], far = std::abs(apart), near = std::min(far, T(1));
        part[p - first] = near * (far - T(0.5) * near);
        slope[p] = factor * std::min(std::max(apart, T(-1)), T(1));
      }
      for (index_t p = first; p < last; ++p) sum += double(part[p - first]);
    }
    return sum;
  }
  /// Distances within one set, relative to the mean of the positive ones.
  template <class T>
  struct Relative {
    index_t n;
    PairDistances<T> pairs;
    Array<T> distance;
    double mean = 1, inverse = 1, positive = 0;
    const T* rows;

    Relative(index_t count, index_t d, const T* x)
        : n(count), pairs(count, count, d, x, x), distance(Shape{count, count}), rows(x) {
      const double total = sum_rows(n, n, 0, [&](index_t i, double*) {
        double sum = 0;
        for (index_t p = i * n; p < (i + 1) * n; ++p) {
          distance.data()[p] = std::sqrt(pairs.squared()[p]);
          sum += double(distance.data()[p]);
        }
        return sum;
      });
      positive = sum_rows(n, n, 0, [&](index_t i, double*) {
        double count_here = 0;
        for (index_t p = i * n; p < (i + 1) * n; ++p) count_here += distance.data()[p] > 0;
        return count_here;
      });
      if (positive > 0) {
        mean = total / positive;
        inverse = 1 / mean;
      }
    }
    double at(index_t i, index_t j) const { return double(distance.data()[i * n + j]) * inverse; }
    /// gradient += what the slopes e(i, j) of the relative distances mean for the rows.
    template <class Slope>
    void back(Slope&& e, T* gradient) const {
      const double through_mean = sum_rows(n, 8 * n, 0, [&](index_t i, double*) {
        double sum = 0;
        for (index_t j = 0; j < n; ++j) sum += e(i, j) * at(i, j);
        return sum;
      });
      const double shift = positive > 0 ? through_mean / positive : 0;
      Array<T> weight(Shape{n, n});
      parallel_for(n, detail::row_grain(8 * n), [&](index_t begin, index_t end) {
        for (index_t i = begin; i < end; ++i)
          for (index_t j = 0; j < n; ++j) {
            const double apart = double(distance.data()[i * n + j]);
            weight.data()[i * n + j] = apart > 0 ? T((e(i, j) - shift) / (2 * mean * apart)) : T(0);
          }
      });
      pairs.gradient(weight.data(), gradient, gradient);
    }
  };

  /// Unit vectors from one row to all, and their cosines.
  template <class T>
  struct Star {
    index_t n, d;
    const T* x;
    List<T> unit, slope, cosine;
    List<double> length;

    Star(index_t count, index_t width, const T* rows)
        : n(count),
          d(width),
          x(rows),
          unit(std::size_t(count * width)),
          slope(unit),
          cosine(std::size_t(count * count)),
          length(std::size_t(count)) {}

    void centre(index_t i) {
      for (index_t j = 0; j < n; ++j) {
        double sum = 0;
        for (index_t f = 0; f < d; ++f) {
          const double apart = double(x[j * d + f]) - double(x[i * d + f]);
          sum += apart * apart;
        }
        const double norm = length[std::size_t(j)] = std::sqrt(sum);
        for (index_t f = 0; f < d; ++f)
          unit[std::size_t(j * d + f)] = norm == 0 ? T(0) : T((double(x[j * d + f]) - double(x[i * d + f])) / norm);
      }
      Gemm::gemm_serial<T>(n, n, d, {unit.data(), d}, {unit.data(), d, true}, T(0), cosine.data(), n);
    }
    /// gradient += sign times what the (symmetric) slopes of the cosines mean for the rows.
    void back(index_t i, const T* w, double sign, double* gradient) {
      Gemm::gemm_serial<T>(n, d, n, {w, n}, {unit.data(), d}, T(0), slope.data(), d);
      for (index_t j = 0; j < n; ++j) {
        if (j == i) continue;
        const T *u = unit.data() + j * d, *g = slope.data() + j * d;
        const double along = inner(d, u, g), scale = sign / (length[std::size_t(j)] > 0 ? length[std::size_t(j)] : 1);
        for (index_t f = 0; f < d; ++f) {
          const double share = scale * (double(g[f]) - along * double(u[f]));
          gradient[j * d + f] += share;
          gradient[i * d + f] -= share;
        }
      }
    }
  };
};

}  // namespace lacuna::cpu
