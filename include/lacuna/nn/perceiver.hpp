/// Perceiver-style fusion: a few learned latent vectors look at the frames of all modalities at once, whatever their
/// lengths.
///   frames = [W_1 x_1 + b_1; …; W_M x_M + b_M] along time,  z ← cross-attention layer(latents, frames),  z ←
///   encoder(z)
/// (Jaegle et al., ICML 2021)
/// x_m (B, T_m, D_m), present_m (B, T_m) → (B, latents, embed_dim). Absent frames are not attended to; a sample without any
/// present frame gives 0 and passes no gradient. The biases b_m tell the modalities apart; add positions yourself.
#pragma once

#include "lacuna/nn/cross_attention.hpp"
#include "lacuna/ops/manipulation.hpp"
#include "lacuna/ops/mask.hpp"
#include "lacuna/ops/shape.hpp"

namespace lacuna {

template <class T = float, class D = Cpu>
struct Perceiver {
  struct Options {
    std::vector<index_t> inputs;  ///< D_m
    index_t latents;
    TransformerOptions transformer;  ///< `layers`: of the encoder over the latents
  };
  std::vector<Linear<T, D>> projection;
  Parameter<T, 2, D> latents;  ///< (latents, embed_dim)
  CrossAttentionLayer<T, D> cross;
  TransformerEncoder<T, D> encoder;

  Perceiver() = default;
  Perceiver(const Options& o, Random& random) {
    if (o.inputs.empty() || o.latents < 1) throw OptionError("Perceiver: needs at least one modality and one latent");
    const index_t width = o.transformer.embed_dim;
    TransformerOptions look = o.transformer;
    look.memory_dim = width;
    for (const index_t in : o.inputs) projection.emplace_back(typename Linear<T, D>::Options{in, width}, random);
    latents = Parameter<T, 2, D>(init::normal<T, 2, D>({o.latents, width}, 0.02, random));
    cross = CrossAttentionLayer<T, D>(look, random);
    encoder = TransformerEncoder<T, D>(o.transformer, random);
  }

  /// Throws ShapeError when the numbers of streams and masks are not that of the modalities.
  Variable<T, 3, D> operator()(const std::vector<Variable<T, 3, D>>& x, const std::vector<Mask<2, D>>& present,
                               const Context& context = {}) const {
    detail::expect_made("Perceiver", projection);
    if (x.size() != projection.size() || present.size() != x.size())
      throw ShapeError(detail::cat("Perceiver: ", x.size(), " streams and ", present.size(), " masks for ",
                                   projection.size(), " modalities"));
    const index_t batch = x[0].extent(0), width = latents.extent(1);
    index_t frames = 0;
    std::vector<Variable<T, 2, D>> parts;
    for (std::size_t m = 0; m < x.size(); ++m) {
      detail::expect_shape("Perceiver", "present", present[m].shape(), Shape{batch, x[m].extent(1)});
      const auto projected = projection[m](apply_mask(x[m], present[m]));
      parts.push_back(reshape(projected, std::array<index_t, 2>{batch, x[m].extent(1) * width}));
      frames += x[m].extent(1);
    }
    const auto memory = reshape(concat(parts, -1), std::array<index_t, 3>{batch, frames, width});
    const Mask<2, D> seen = join(present, batch, frames);
    const auto z = cross(expand<T, 2, D>(latents, {batch, latents.extent(0), width}), memory, seen, context);
    return apply_mask(encoder(z, Mask<2, D>(), context), any_present(seen));
  }
  static void reflect(auto& self, auto&& visit) {
    visit("projection", self.projection);
    visit("latents", self.latents);
    visit("cross", self.cross);
    visit("encoder", self.encoder);
  }

 private:
  static Mask<2, D> join(const std::vector<Mask<2, D>>& masks, index_t batch, index_t frames) {
    std::vector<std::uint8_t> all(static_cast<std::size_t>(batch * frames));
    index_t from = 0;
    for (const auto& mask : masks) {
      const std::vector<std::uint8_t> one = mask.to_vector();
      const index_t length = mask.extent(1);
      for (index_t b = 0; b < batch; ++b)
        for (index_t t = 0; t < length; ++t) all[std::size_t(b * frames + from + t)] = one[std::size_t(b * length + t)];
      from += length;
    }
    return Mask<2, D>::from({batch, frames}, all);
  }
};

}  // namespace lacuna
