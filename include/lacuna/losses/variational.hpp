/// Divergence of a Gaussian code from the standard normal: the regulariser of variational autoencoders.
///
/// ```cpp
/// const auto kl = vae_kl_loss(first, second, {}, kept);   // mean and log-variance of a code, (B, 8) each
/// (0.1 * kl).backward();
/// ```
#pragma once

#include "lacuna/losses/batch.hpp"
#include "lacuna/ops/elementwise.hpp"

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
  const index_t numbers = mu.extent(0) > 0 ? kept.count() * (mu.size() / mu.extent(0)) : 0;
  if (numbers == 0) return detail::nothing_to_compare("vae_kl_loss", kept, mu, log_variance);
  const double divisor = options.reduction == CodeReduction::sum          ? 1
                         : options.reduction == CodeReduction::batch_mean ? double(kept.count())
                                                                          : double(numbers);
  const auto m = detail::kept_rows(mu, kept), v = detail::kept_rows(log_variance, kept);
  return (0.5 / divisor) * sum(square(m) + (expm1(v) - v));
}

}  // namespace lacuna
