/// Cascaded residual autoencoder: each block adds what the ones before it left over. Imagines the representation of a
/// missing modality from the present ones.  (Tran, Liu, Zhou & Jin, CVPR 2017; in MMIN: Zhao, Li & Jin, ACL 2021)
///   Δ_k = φ_k(x + Δ_1 + … + Δ_{k−1}),  y = x + Δ_1 + … + Δ_K,  z = [code_1; …; code_K]
/// x (..., sizes[0]) → y like x, z (..., K · sizes.back()). One block alone is a residual autoencoder, y = x + φ(x). With
/// `transition` y ← W₂ relu(W₁ y + b₁) + b₂ at the end, as in MMIN's code.
/// Inputs are representations: an absent modality comes in as zeros (`apply_mask`), and comes out imagined.
#pragma once

#include "lacuna/nn/autoencoder.hpp"
#include "lacuna/ops/shape.hpp"

namespace lacuna {

template <class T = float, class D = Cpu>
struct CascadedResidualAutoencoder {
  struct Options {
    AutoencoderOptions block;
    index_t blocks = 5;
    bool transition = false;
  };
  std::vector<Autoencoder<T, D>> blocks;
  std::vector<Linear<T, D>> transition;  ///< two, or none

  CascadedResidualAutoencoder() = default;
  CascadedResidualAutoencoder(const Options& o, Random& random) {
    if (o.blocks < 1) throw OptionError(detail::cat("CascadedResidualAutoencoder: ", o.blocks, " blocks"));
    for (index_t i = 0; i < o.blocks; ++i) blocks.emplace_back(o.block, random);
    const index_t width = o.block.sizes[0];
    for (int i = 0; i < 2 && o.transition; ++i)
      transition.emplace_back(typename Linear<T, D>::Options{.in_features = width, .out_features = width}, random);
  }
  template <int R>
  typename Autoencoder<T, D>::template Result<R> operator()(const Variable<T, R, D>& x) const {
    detail::expect_made("CascadedResidualAutoencoder", blocks);
    Variable<T, R, D> sum = x;
    std::vector<Variable<T, R, D>> codes;
    for (const auto& block : blocks) {
      const auto result = block(sum);
      sum = sum + result.y;
      codes.push_back(result.z);
    }
    if (!transition.empty()) sum = transition[1](transition[0](sum, Activation::relu));
    return {sum, concat(codes, -1)};
  }
  static void reflect(auto& self, auto&& visit) {
    visit("blocks", self.blocks);
    visit("transition", self.transition);
  }
};

}  // namespace lacuna
