/// Sums of a formula of a − b over the present rows, and their gradients. Policy: one pass, the formula in double; rows
/// with present[i] = 0 are not read and get gradient 0. Values and the dy they are scaled by stay on the device.
#pragma once

#include "lacuna/kernels/cuda/totals.cuh"
#include "lacuna/kernels/difference_formulas.hpp"

namespace lacuna::cuda {

/// How many numbers are present: known, or counted on the device, where it stays.
template <class Run>
struct PresentCount {
  double known;
  Array<double, typename Run::device> counted;

  /// What a kernel sees of it.
  struct View {
    double known;
    const double* counted;
    LACUNA_HD double operator()() const { return counted ? *counted : known; }
  };
  View view() const { return {known, counted.data()}; }
};

template <class Run>
struct DifferenceLosses {
  /// The numbers of the present ones of rows (rows, width); present (rows) or null for all.
  static PresentCount<Run> count_present(index_t rows, index_t width, const std::uint8_t* present) {
    if (!present || rows == 0) return {double(rows * width), {}};
    PresentCount<Run> count{0, Array<double, typename Run::device>(Shape{})};
    double* const to = count.counted.data();
    fold_into<Run>(
        "count_present", rows, 1, [=] LACUNA_DEVICE(index_t i, index_t) { return present[i] ? 1.0 : 0.0; },
        [=] LACUNA_DEVICE(index_t, double sum) { to[0] = sum * double(width); });
    return count;
  }
  /// Σ formula(a − b) over those rows, or the mean over `count`, what count_present gave.
  template <class T, class Formula>
  static Total<T, Run> difference_loss(Formula formula, index_t rows, index_t width, const std::uint8_t* present,
                                       bool mean, const PresentCount<Run>& count, const T* a, const T* b) {
    Total<T, Run> value{Shape{}};
    T* const to = value.data();
    const auto numbers = count.view();
    fold_differences("difference_loss", formula, rows, width, present, a, b, [=] LACUNA_DEVICE(index_t, double sum) {
      to[0] = T(functors::difference_scale(mean, numbers()) * sum);
    });
    return value;
  }
  /// da (+)= dy · slope of that, db (+)= the opposite.
  template <class T, class Formula>
  static void difference_loss_gradient(Formula formula, index_t rows, index_t width, const std::uint8_t* present,
                                       bool mean, const PresentCount<Run>& count, const T* dy, const T* a, const T* b,
                                       GradientSlot<T> da, GradientSlot<T> db) {
    const auto numbers = count.view();
    Run::each("difference_loss_gradient", rows * width, [=] LACUNA_DEVICE(index_t i) {
      T slope = T(0);
      if (!present || present[i / width])
        slope =
            T(functors::difference_scale(mean, numbers()) * double(*dy) * formula.slope(double(a[i]) - double(b[i])));
      if (da) da.put(i, slope);
      if (db) db.put(i, -slope);
    });
  }

  /// √(Σ (a − b)² / count), 0 for a count of 0.
  template <class T>
  static Total<T, Run> root_mean_square(index_t rows, index_t width, const std::uint8_t* present,
                                        const PresentCount<Run>& count, const T* a, const T* b) {
    Total<T, Run> root{Shape{}};
    T* const to = root.data();
    const auto numbers = count.view();
    fold_differences("root_mean_square", functors::SquaredDifference{}, rows, width, present, a, b,
                     [=] LACUNA_DEVICE(index_t, double sum) {
                       to[0] = T(std::sqrt(functors::difference_scale(true, numbers()) * sum));
                     });
    return root;
  }
  /// With the root that was found; nothing flows through a root of 0.
  template <class T>
  static void root_mean_square_gradient(index_t rows, index_t width, const std::uint8_t* present,
                                        const PresentCount<Run>& count, const Total<T, Run>& root, const T* dy,
                                        const T* a, const T* b, GradientSlot<T> da, GradientSlot<T> db) {
    const T* const at = root.data();
    const auto numbers = count.view();
    Run::each("root_mean_square_gradient", rows * width, [=] LACUNA_DEVICE(index_t i) {
      T slope = T(0);
      if (!present || present[i / width])
        slope = T(functors::root_factor(numbers(), double(*at), double(*dy)) * 2 * (double(a[i]) - double(b[i])));
      if (da) da.put(i, slope);
      if (db) db.put(i, -slope);
    });
  }

  /// finish(0, Σ formula(a − b) over the present rows): one launch for a few numbers, two for many.
  template <class T, class Formula, class Finish>
  static void fold_differences(const char* name, Formula formula, index_t rows, index_t width,
                               const std::uint8_t* present, const T* a, const T* b, Finish finish) {
    const auto term = [=] LACUNA_DEVICE(index_t i) {
      if (present && !present[i / width]) return 0.0;
      return formula.value(double(a[i]) - double(b[i]));
    };
    const index_t n = rows * width;
    if (n <= 4096) {
      fold_into<Run>(
          name, n, 1, [=] LACUNA_DEVICE(index_t i, index_t) { return term(i); }, finish);
      return;
    }
    const Pieces cut = pieces_of(n, 2048, 1024);
    const Buffer<double, Run> parts(cut.pieces);
    const double* const to = parts.data();
    partial_sums<Run>(name, cut, term, parts.data());
    fold_into<Run>(
        name, cut.pieces, 1, [=] LACUNA_DEVICE(index_t p, index_t) { return to[p]; }, finish);
  }
};

}  // namespace lacuna::cuda
