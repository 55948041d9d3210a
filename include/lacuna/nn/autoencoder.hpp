/// Autoencoders: plain, denoising, variational. Inputs of any rank, coded over their last axis; frames are independent,
/// so an absent one reaches no other (leave it out of the loss by its mask).
///
/// ```cpp
/// Autoencoder<float> autoencoder({.sizes = {8, 4, 2}}, random);
/// const auto [restored, code] = autoencoder(frames);                 // (B, T, 8) and (B, T, 2)
/// mse_loss(restored, frames.detach(), present).backward();           // over the frames that are there
/// ```
#pragma once

#include "lacuna/nn/linear.hpp"
#include "lacuna/ops/elementwise.hpp"
#include "lacuna/ops/gaussian.hpp"

namespace lacuna {

struct AutoencoderOptions {
  std::vector<index_t> sizes;  ///< input, hidden layers, code; the decoder is the mirror image
  double slope = 0.01;         ///< of the leaky ReLU between the layers
  double decoder_slope = -1;   ///< between those of the decoder: 0 is a ReLU; below 0: as `slope`
};

/// z = enc_n(… leaky(enc_1 x)), y = dec_n(… leaky(dec_1 z)): no activation on code and result.  (Hinton & Salakhutdinov
/// 2006) x (..., sizes[0]) → y like x, z (..., sizes.back()).
template <class T = float, class D = Cpu>
struct Autoencoder {
  using Options = AutoencoderOptions;
  template <int R>
  struct Result {
    Variable<T, R, D> y, z;
  };
  double slope = 0.01, decoder_slope = 0.01;
  std::vector<Linear<T, D>> encoder, decoder;

  Autoencoder() = default;
  Autoencoder(const Options& o, Random& random)
      : slope(o.slope), decoder_slope(o.decoder_slope < 0 ? o.slope : o.decoder_slope) {
    if (o.sizes.size() < 2) throw OptionError("Autoencoder: needs the sizes of input and code");
    const auto layer = [&](std::size_t from, std::size_t to) {
      return Linear<T, D>({.in_features = o.sizes[from], .out_features = o.sizes[to]}, random);
    };
    for (std::size_t i = 0; i + 1 < o.sizes.size(); ++i) encoder.push_back(layer(i, i + 1));
    for (std::size_t i = o.sizes.size() - 1; i > 0; --i) decoder.push_back(layer(i, i - 1));
  }
  template <int R>
  Variable<T, R, D> encode(const Variable<T, R, D>& x) const {
    return run(encoder, x, slope);
  }
  template <int R>
  Variable<T, R, D> decode(const Variable<T, R, D>& z) const {
    return run(decoder, z, decoder_slope);
  }
  template <int R>
  Result<R> operator()(const Variable<T, R, D>& x) const {
    const auto z = encode(x);
    return {decode(z), z};
  }
  static void reflect(auto& self, auto&& visit) {
    visit("encoder", self.encoder);
    visit("decoder", self.decoder);
  }

 private:
  template <int R>
  static Variable<T, R, D> run(const std::vector<Linear<T, D>>& layers, Variable<T, R, D> x, double leak) {
    detail::expect_made("Autoencoder", layers);
    for (std::size_t i = 0; i < layers.size(); ++i) x = i == 0 ? layers[i](x) : layers[i](leaky_relu(x, leak));
    return x;
  }
};

/// An autoencoder that sees its input damaged in training and is asked for the whole: compare y with the clean x.
/// Damage: every number 0 with probability `masking` (not rescaled), then Gaussian noise.  (Vincent et al., JMLR 2010)
/// Whole frames and modalities are dropped by lacuna/missing/sampler.hpp. Throws OptionError in training without a random
/// source.
template <class T = float, class D = Cpu>
struct DenoisingAutoencoder {
  struct Options {
    AutoencoderOptions autoencoder;
    double masking = 0, deviation = 0;
  };
  double masking = 0, deviation = 0;
  Autoencoder<T, D> autoencoder;

  DenoisingAutoencoder() = default;
  DenoisingAutoencoder(const Options& o, Random& random)
      : masking(o.masking), deviation(o.deviation), autoencoder(o.autoencoder, random) {}

  template <int R>
  Variable<T, R, D> damage(const Variable<T, R, D>& x, const Context& context) const {
    if (!context.training()) return x;
    auto damaged = masking > 0 ? scale(dropout(x, masking, context), 1.0 - masking) : x;
    if (deviation <= 0) return damaged;
    if (context.random == nullptr) throw OptionError("DenoisingAutoencoder: training needs a random source");
    return damaged + Variable<T, R, D>(init::normal<T, R, D>(x.value().extents(), deviation, *context.random));
  }
  template <int R>
  typename Autoencoder<T, D>::template Result<R> operator()(const Variable<T, R, D>& x,
                                                            const Context& context = {}) const {
    return autoencoder(damage(x, context));
  }
  static void reflect(auto& self, auto&& visit) { visit("autoencoder", self.autoencoder); }
};

/// h = leaky(enc x), mu and logvar linear in h, z = mu + exp(logvar/2) noise, y = dec₂ leaky(dec₁ z),
/// kl = mean over the first axis of Σ −½ (1 + logvar − mu² − exp logvar).  (Kingma & Welling 2014)
/// In inference z = mu. x (..., in) → y like x, mu, logvar and z (..., code).
template <class T = float, class D = Cpu>
struct VariationalAutoencoder {
  struct Options {
    index_t in, hidden, code;
    double slope = 0.01;
  };
  template <int R>
  struct Result {
    Variable<T, R, D> y, mu, logvar, z;
    Variable<T, 0, D> kl;
  };
  double slope = 0.01;
  Linear<T, D> encoder, mu, logvar, decoder_in, decoder_out;

  VariationalAutoencoder() = default;
  VariationalAutoencoder(const Options& o, Random& random)
      : slope(o.slope),
        encoder({.in_features = o.in, .out_features = o.hidden}, random),
        mu({.in_features = o.hidden, .out_features = o.code}, random),
        logvar({.in_features = o.hidden, .out_features = o.code}, random),
        decoder_in({.in_features = o.code, .out_features = o.hidden}, random),
        decoder_out({.in_features = o.hidden, .out_features = o.in}, random) {}

  template <int R>
  Variable<T, R, D> decode(const Variable<T, R, D>& z) const {
    return decoder_out(leaky_relu(decoder_in(z), slope));
  }
  /// Noise from the context; throws OptionError in training without a random source.
  template <int R>
  Result<R> operator()(const Variable<T, R, D>& x, const Context& context = {}) const {
    auto extents = x.value().extents();
    extents[R - 1] = mu.weight.extent(0);
    if (!context.training()) return (*this)(x, Tensor<T, R, D>::zeros(extents));
    if (context.random == nullptr) throw OptionError("VariationalAutoencoder: training needs a random source");
    return (*this)(x, init::normal<T, R, D>(extents, 1.0, *context.random));
  }
  template <int R>
  Result<R> operator()(const Variable<T, R, D>& x, const Tensor<T, R, D>& noise) const {
    const auto h = leaky_relu(encoder(x), slope);
    const auto m = mu(h), v = logvar(h), z = reparameterize(m, v, noise);
    return {decode(z), m, v, z, standard_normal_divergence(m, v)};
  }
  static void reflect(auto& self, auto&& visit) {
    visit("encoder", self.encoder);
    visit("mu", self.mu);
    visit("logvar", self.logvar);
    visit("decoder_in", self.decoder_in);
    visit("decoder_out", self.decoder_out);
  }
};

}  // namespace lacuna
