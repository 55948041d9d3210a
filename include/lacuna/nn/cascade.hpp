/// Cascaded residual autoencoder: each block adds what the ones before it left over. Imagines the representation of a
/// missing modality from the present ones.  (Tran, Liu, Zhou & Jin, CVPR 2017; in MMIN: Zhao, Li & Jin, ACL 2021)
///   Δ_k = φ_k(x + Δ_1 + … + Δ_{k−1}),  y = x + Δ_1 + … + Δ_K,  z = [code_1; …; code_K]
/// x (..., sizes[0]) → y like x, z (..., K · sizes.back()). One block alone is a residual autoencoder, y = x + φ(x).
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
  };
  std::vector<Autoencoder<T, D>> blocks;

  CascadedResidualAutoencoder() = default;
  CascadedResidualAutoencoder(const Options& o, Random& random) {
    if (o.blocks < 1) throw OptionError(detail::cat("CascadedResidualAutoencoder: ", o.blocks, " blocks"));
    for (index_t i = 0; i < o.blocks; ++i) blocks.emplace_back(o.block, random);
  }
  template <int R>
  typename Autoencoder<T, D>::template Result<R> operator()(const Variable<T, R, D>& x) const {
    Variable<T, R, D> sum = x;
    std::vector<Variable<T, R, D>> codes;
    for (const auto& block : blocks) {
      const auto result = block(sum);
      sum = sum + result.y;
      codes.push_back(result.z);
    }
    return {sum, concat(codes, -1)};
  }
  static void reflect(auto& self, auto&& visit) { visit("blocks", self.blocks); }
};

}  // namespace lacuna
