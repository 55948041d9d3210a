/// Diagonal normal distributions in the graph, N(mu, exp(logvar)): the parts of a variational autoencoder.
#pragma once

#include "lacuna/autograd/accumulate.hpp"
#include "lacuna/autograd/record.hpp"
#include "lacuna/kernels/cpu/gaussian.hpp"
#include "lacuna/kernels/kernels.hpp"

namespace lacuna {

/// y = mu + exp(logvar / 2) · noise, noise a constant drawn from N(0, 1); gradients flow to mu and logvar.
/// All of one shape, or ShapeError.  (Kingma & Welling 2014)
template <class T, int R, class D>
Variable<T, R, D> reparameterize(const Variable<T, R, D>& mu, const Variable<T, R, D>& logvar,
                                 const Tensor<T, R, D>& noise) {
  detail::expect_shape("reparameterize", "logvar", logvar.shape(), mu.shape());
  detail::expect_shape("reparameterize", "noise", noise.shape(), mu.shape());
  Tensor<T, R, D> y(mu.extents());
  Kernels<D>::Gaussian::reparameterize(y.size(), mu.data(), logvar.data(), noise.data(), y.data());
  return record(
      "reparameterize", y,
      [=](const Tensor<T, R, D>& dy) {
        accumulate(mu, dy);
        if (const auto slot = logvar.gradient_slot())
          Kernels<D>::Gaussian::reparameterize_gradient(dy.size(), logvar.data(), noise.data(), dy.data(), slot);
      },
      mu, logvar);
}

/// KL(N(mu, exp logvar) ‖ N(0, 1)) = −½ Σ (1 + logvar − mu² − exp logvar), summed over all but the first axis, the mean
/// over that one; 0 for an empty batch.
template <class T, int R, class D>
requires(R >= 1) Variable<T, 0, D> standard_normal_divergence(const Variable<T, R, D>& mu,
                                                              const Variable<T, R, D>& logvar) {
  detail::expect_shape("standard_normal_divergence", "logvar", logvar.shape(), mu.shape());
  const double share = mu.extent(0) > 0 ? 1.0 / double(mu.extent(0)) : 0.0;
  const auto y = Tensor<T, 0, D>::full(
      {}, T(share * Kernels<D>::Gaussian::standard_normal_divergence(mu.size(), mu.data(), logvar.data())));
  return record(
      "standard_normal_divergence", y,
      [=](const Tensor<T, 0, D>& dy) {
        const T factor = T(share) * dy.to_vector()[0];
        Kernels<D>::Gaussian::standard_normal_divergence_gradient(mu.size(), factor, mu.data(), logvar.data(),
                                                                  mu.gradient_slot(), logvar.gradient_slot());
      },
      mu, logvar);
}

}  // namespace lacuna
