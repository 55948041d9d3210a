/// Divergence of a Gaussian code from the standard normal: the regulariser of variational autoencoders.
#pragma once

#include "lacuna/kernels/cpu/information_losses.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/losses/batch.hpp"

namespace lacuna {

/// batch_mean: sum over the code, mean over the present samples; mean: over all their numbers.
enum class CodeReduction { batch_mean, sum, mean };

struct VaeKlOptions {
  CodeReduction reduction = CodeReduction::batch_mean;
};

/// KL(N(μ, eᵛ) ‖ N(0, 1)) = −½(1 + v − μ² − eᵛ) per number. mu and log_variance (N, ...) of equal shape; gradient to
/// both. present (N) or undefined for all: absent samples take no part and get gradient 0; none present: 0. (Kingma &
/// Welling, ICLR 2014)
template <class T, int R, class D>
Variable<T, 0, D> vae_kl_loss(const Variable<T, R, D>& mu, const Variable<T, R, D>& log_variance,
                              VaeKlOptions options = {}, const Given<Present<D>>& present = {}) {
  detail::expect_shape("vae_kl_loss", "log_variance", log_variance.shape(), mu.shape());
  const detail::Kept<D> kept("vae_kl_loss", mu.extent(0), present);
  detail::LossInput m(mu, kept, detail::GradientRoom::unwritten),
      v(log_variance, kept, detail::GradientRoom::unwritten);
  const index_t numbers = kept.count() * m.width();
  const double divisor = options.reduction == CodeReduction::sum          ? 1
                         : options.reduction == CodeReduction::batch_mean ? double(kept.count())
                                                                          : double(numbers);
  const auto value = Kernels<D>::InformationLosses::gaussian_divergence(
      numbers, m.data(), v.data(), divisor > 0 ? 1 / divisor : 0, m.gradient(), v.gradient());
  return detail::record_loss("vae_kl_loss", value, m, v);
}

}  // namespace lacuna
