/// Modality Imagination Autoencoder: makes the representation of a missing modality from all of them.
/// (MIA of SDUMC, Weng et al., arXiv 2410.15029; formulas as in the authors' code)
#pragma once

#include "lacuna/nn/linear.hpp"
#include "lacuna/ops/elementwise.hpp"
#include "lacuna/ops/shape.hpp"

namespace lacuna {

/// What the autoencoder's output is added to: the transition's output e, or the stand-in of the missing modality
/// itself.
enum class ImaginationResidual { transition, input };

/// e = Lin₂(relu(Lin₁([x_1; …; x_M]))),  o = Decoder(Encoder(e)),  result = o + e  or  o + x_missing.
/// Every x_m (..., d); Lin₁ M·d → d, Lin₂ d → d, Encoder d → bottleneck, Decoder bottleneck → d; no dropout.
template <class T = float, class D = Cpu>
struct ImaginationAutoencoder {
  struct Options {
    index_t modalities, width, bottleneck;
    ImaginationResidual residual = ImaginationResidual::transition;
  };
  ImaginationResidual residual = ImaginationResidual::transition;
  Linear<T, D> transition_in, transition_out, encoder, decoder;

  ImaginationAutoencoder() = default;
  ImaginationAutoencoder(Options o, Random& random)
      : residual(o.residual),
        transition_in({.in_features = o.modalities * o.width, .out_features = o.width}, random),
        transition_out({.in_features = o.width, .out_features = o.width}, random),
        encoder({.in_features = o.width, .out_features = o.bottleneck}, random),
        decoder({.in_features = o.bottleneck, .out_features = o.width}, random) {}

  template <int R, class A>
  Variable<T, R, D> operator()(const std::vector<Variable<T, R, D>, A>& inputs, std::size_t missing) const {
    if (missing >= inputs.size())
      throw ShapeError(detail::cat("ImaginationAutoencoder: input ", missing, " of ", inputs.size()));
    const auto joined = transition_out(transition_in(concat(inputs, -1), Activation::relu));
    const auto decoded = decoder(encoder(joined));
    return decoded + (residual == ImaginationResidual::transition ? joined : inputs[missing]);
  }
  static void reflect(auto& self, auto&& visit) {
    visit("transition_in", self.transition_in);
    visit("transition_out", self.transition_out);
    visit("encoder", self.encoder);
    visit("decoder", self.decoder);
  }
};

}  // namespace lacuna
