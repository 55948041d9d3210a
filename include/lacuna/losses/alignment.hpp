/// Losses that bring the distributions of two feature spaces together, or keep them apart.
///
/// Each set has its own presence mask, (N) or undefined for all: absent samples take no part and get gradient 0. With a
/// side that has nothing present there is nothing to compare: 0. Gradient flows to both sets.
///
/// ```cpp
/// const auto gap = mmd_loss(first, second, {.bandwidths = {0.5, 1, 2}});   // two sets of one width
/// const auto moments = cmd_loss(first, second, {}, kept);                  // without what is absent in the first
/// const auto private_part = orthogonality_loss(first, second, {.normalize = true});
/// ```
#pragma once

#include "lacuna/kernels/cpu/alignment_losses.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/losses/batch.hpp"
#include "lacuna/ops/elementwise.hpp"
#include "lacuna/ops/matmul.hpp"
#include "lacuna/ops/reduction.hpp"

namespace lacuna {
namespace detail {

/// The present rows of two sets; `enough` says whether there is something to compare.
template <class T, class D>
struct TwoSets {
  Kept<D> kept_x, kept_y;
  index_t n, m;
  bool enough;

  TwoSets(const char* operation, const Variable<T, 2, D>& x, const Variable<T, 2, D>& y, const Present<D>& x_present,
          const Present<D>& y_present, index_t least)
      : kept_x(operation, x.extent(0), x_present),
        kept_y(operation, y.extent(0), y_present),
        n(kept_x.count()),
        m(kept_y.count()),
        enough(n >= least && m >= least && x.extent(1) > 0) {
    expect_axis(operation, "y", y.shape(), 1, x.extent(1));
  }
};

/// x minus its mean over the first axis.
template <class T, class D>
Variable<T, 2, D> centred(const Variable<T, 2, D>& x) {
  return x - mean(x, 0, keepdim);
}

}  // namespace detail

struct CmdOptions {
  int moments = 5;  ///< how many orders are compared
  double span = 1;  ///< b − a, the range of the features
};

/// Central moment discrepancy, ‖E x − E y‖/span + Σ_{k=2..moments} ‖E(x−Ex)^k − E(y−Ey)^k‖/span^k, powers per feature.
/// x (N, d), y (M, d). A norm of 0 has slope 0.  (Zellinger et al., ICLR 2017)
template <class T, class D>
Variable<T, 0, D> cmd_loss(const Variable<T, 2, D>& x, const Variable<T, 2, D>& y, CmdOptions options = {},
                           const Given<Present<D>>& x_present = {}, const Given<Present<D>>& y_present = {}) {
  detail::expect_positive("cmd_loss", "span", options.span);
  if (options.moments < 1)
    throw OptionError(detail::cat("cmd_loss: ", options.moments, " moments, expected at least 1"));
  const detail::TwoSets sets("cmd_loss", x, y, x_present, y_present, 1);
  if (!sets.enough)
    return detail::record_loss("cmd_loss", 0.0, detail::LossInput(x, sets.kept_x), detail::LossInput(y, sets.kept_y));
  const auto a = detail::kept_rows(x, sets.kept_x), b = detail::kept_rows(y, sets.kept_y);
  const auto a_apart = detail::centred(a), b_apart = detail::centred(b);
  auto total = norm(mean(a, 0) - mean(b, 0)) / options.span;
  auto a_power = a_apart, b_power = b_apart;
  double unit = options.span;
  for (int k = 2; k <= options.moments; ++k) {
    a_power = a_power * a_apart, b_power = b_power * b_apart, unit *= options.span;
    total = total + norm(mean(a_power, 0) - mean(b_power, 0)) / unit;
  }
  return total;
}

/// Correlation alignment, ‖C_x − C_y‖_F²/(4d²), C the covariance with 1/(N−1). x (N, d), y (M, d); 0 with fewer than
/// two samples on a side.  (Deep CORAL, Sun & Saenko, ECCV 2016)
template <class T, class D>
Variable<T, 0, D> coral_loss(const Variable<T, 2, D>& x, const Variable<T, 2, D>& y,
                             const Given<Present<D>>& x_present = {}, const Given<Present<D>>& y_present = {}) {
  const detail::TwoSets sets("coral_loss", x, y, x_present, y_present, 2);
  if (!sets.enough)
    return detail::record_loss("coral_loss", 0.0, detail::LossInput(x, sets.kept_x), detail::LossInput(y, sets.kept_y));
  const auto covariance = [](const Variable<T, 2, D>& rows) {
    const auto apart = detail::centred(rows);
    return matmul(apart, apart, {.transpose_a = true}) * (1 / double(rows.extent(0) - 1));
  };
  const double d = double(x.extent(1));
  const auto gap = covariance(detail::kept_rows(x, sets.kept_x)) - covariance(detail::kept_rows(y, sets.kept_y));
  return sum(square(gap)) * (1 / (4 * d * d));
}

struct MmdOptions {
  std::vector<double> bandwidths = {1.0};  ///< σ of every Gaussian kernel
  bool unbiased = false;                   ///< without the pairs of a sample and itself; may be negative
};

/// Maximum mean discrepancy, mean k_xx + mean k_yy − 2 mean k_xy with k(a, b) = Σ_σ exp(−‖a−b‖²/(2σ²)).
/// x (N, d), y (M, d); unbiased: 0 with fewer than two samples on a side.  (Gretton et al., JMLR 2012)
template <class T, class D>
Variable<T, 0, D> mmd_loss(const Variable<T, 2, D>& x, const Variable<T, 2, D>& y, const MmdOptions& options = {},
                           const Given<Present<D>>& x_present = {}, const Given<Present<D>>& y_present = {}) {
  if (options.bandwidths.empty()) throw OptionError("mmd_loss: needs at least one bandwidth");
  for (const double width : options.bandwidths) detail::expect_positive("mmd_loss", "a bandwidth", width);
  const detail::TwoSets sets("mmd_loss", x, y, x_present, y_present, options.unbiased ? 2 : 1);
  if (!sets.enough)
    return detail::record_loss("mmd_loss", 0.0, detail::LossInput(x, sets.kept_x), detail::LossInput(y, sets.kept_y));
  detail::LossInput a(x, sets.kept_x), b(y, sets.kept_y);
  const auto value =
      Kernels<D>::AlignmentLosses::kernel_means(sets.n, sets.m, x.extent(1), a.data(), b.data(), options.bandwidths,
                                                options.unbiased, a.gradient(), b.gradient());
  return detail::record_loss("mmd_loss", value, a, b);
}

struct OrthogonalityOptions {
  bool normalize = false;  ///< features centred over the batch, then rows of unit length; mean instead of sum
};

/// ‖AᵀB‖_F²: pushes two representations of the same samples into orthogonal subspaces. a (N, da), b (N, db), present (N)
/// of both. normalize: mean of (AᵀB)² after centring and scaling.  (Bousmalis et al., NeurIPS 2016; normalised: MISA,
/// Hazarika et al., ACM MM 2020)
template <class T, class D>
Variable<T, 0, D> orthogonality_loss(const Variable<T, 2, D>& a, const Variable<T, 2, D>& b,
                                     OrthogonalityOptions options = {}, const Given<Present<D>>& present = {}) {
  detail::expect_axis("orthogonality_loss", "b", b.shape(), 0, a.extent(0));
  const detail::Kept<D> kept("orthogonality_loss", a.extent(0), present);
  const index_t da = a.extent(1), db = b.extent(1);
  if (kept.count() == 0 || da == 0 || db == 0) return detail::nothing_to_compare("orthogonality_loss", kept, a, b);
  const auto side = [&](const Variable<T, 2, D>& x) {
    const auto rows = detail::kept_rows(x, kept);
    if (!options.normalize) return rows;
    const auto apart = detail::centred(rows);
    return apart / maximum(norm(apart, 2, 1, keepdim), 1e-12);
  };
  const auto squares = square(matmul(side(a), side(b), {.transpose_a = true}));
  return options.normalize ? mean(squares) : sum(squares);
}

}  // namespace lacuna
