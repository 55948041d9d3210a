/// Losses that bring the distributions of two feature spaces together, or keep them apart.
///
/// Each set has its own presence mask, (N) or undefined for all: absent samples take no part and get gradient 0. With a
/// side that has nothing present there is nothing to compare: 0. Gradient flows to both sets.
#pragma once

#include "lacuna/kernels/cpu/alignment_losses.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/losses/batch.hpp"

namespace lacuna {
namespace detail {

/// f(n, m, x, y, gradients) on the present rows of two sets of one width; 0 when a set has fewer than `least`.
template <class T, class D, class F>
Variable<T, 0, D> set_loss(const char* operation, const Variable<T, 2, D>& x, const Variable<T, 2, D>& y,
                           const Present<D>& x_present, const Present<D>& y_present, index_t least, F&& f) {
  expect_axis(operation, "y", y.shape(), 1, x.extent(1));
  const Kept<D> kept_x(operation, x.extent(0), x_present), kept_y(operation, y.extent(0), y_present);
  LossInput a(x, kept_x), b(y, kept_y);
  const bool enough = kept_x.count() >= least && kept_y.count() >= least && x.extent(1) > 0;
  if (!enough) return record_loss(operation, 0.0, a, b);
  return record_loss(operation, f(kept_x.count(), kept_y.count(), a.data(), b.data(), a.gradient(), b.gradient()), a,
                     b);
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
  return detail::set_loss("cmd_loss", x, y, x_present, y_present, 1,
                          [&](index_t n, index_t m, const T* a, const T* b, T* grad_a, T* grad_b) {
                            return Kernels<D>::AlignmentLosses::central_moments(
                                n, m, x.extent(1), a, b, options.moments, options.span, grad_a, grad_b);
                          });
}

/// Correlation alignment, ‖C_x − C_y‖_F²/(4d²), C the covariance with 1/(N−1). x (N, d), y (M, d); 0 with fewer than
/// two samples on a side.  (Deep CORAL, Sun & Saenko, ECCV 2016)
template <class T, class D>
Variable<T, 0, D> coral_loss(const Variable<T, 2, D>& x, const Variable<T, 2, D>& y,
                             const Given<Present<D>>& x_present = {}, const Given<Present<D>>& y_present = {}) {
  return detail::set_loss("coral_loss", x, y, x_present, y_present, 2,
                          [&](index_t n, index_t m, const T* a, const T* b, T* grad_a, T* grad_b) {
                            return Kernels<D>::AlignmentLosses::covariances(n, m, x.extent(1), a, b, grad_a, grad_b);
                          });
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
  return detail::set_loss("mmd_loss", x, y, x_present, y_present, options.unbiased ? 2 : 1,
                          [&](index_t n, index_t m, const T* a, const T* b, T* grad_a, T* grad_b) {
                            return Kernels<D>::AlignmentLosses::kernel_means(
                                n, m, x.extent(1), a, b, options.bandwidths, options.unbiased, grad_a, grad_b);
                          });
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
  const index_t n = kept.count(), da = a.extent(1), db = b.extent(1);
  detail::LossInput x(a, kept), y(b, kept);
  if (n == 0 || da == 0 || db == 0) return detail::record_loss("orthogonality_loss", 0.0, x, y);
  if (!options.normalize)
    return detail::record_loss(
        "orthogonality_loss",
        Kernels<D>::AlignmentLosses::shared_directions(n, da, db, x.data(), y.data(), 1.0, x.gradient(), y.gradient()),
        x, y);
  using Unit = typename Kernels<D>::LossRows::template Unit<T>;
  const Array<T, D> centred_x = Kernels<D>::AlignmentLosses::centred(n, da, x.data()),
                    centred_y = Kernels<D>::AlignmentLosses::centred(n, db, y.data());
  const Unit unit_x(n, da, centred_x.data(), 1e-12), unit_y(n, db, centred_y.data(), 1e-12);
  auto to_x = detail::zeros_on<T, D>({n, da}), to_y = detail::zeros_on<T, D>({n, db});
  const auto value = Kernels<D>::AlignmentLosses::shared_directions(
      n, da, db, unit_x.data(), unit_y.data(), 1 / (double(da) * double(db)), to_x.data(), to_y.data());
  const auto back = [&](const Unit& unit, const Array<T, D>& slope, index_t width, T* gradient) {
    if (!gradient) return;
    auto centred = detail::zeros_on<T, D>({n, width});
    unit.back(slope.data(), centred.data());
    const Array<T, D> share =
        Kernels<D>::AlignmentLosses::centred(n, width, std::as_const(centred).data());  // centring is its own transpose
    D::copy(gradient, share.data(), std::size_t(share.size()) * sizeof(T));
  };
  back(unit_x, to_x, da, x.gradient());
  back(unit_y, to_y, db, y.gradient());
  return detail::record_loss("orthogonality_loss", value, x, y);
}

}  // namespace lacuna
