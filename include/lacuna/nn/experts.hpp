/// Mixture of modality experts: one expert per modality, a gate that weighs those that are present.
///   e_m = W₂ᵐ relu(W₁ᵐ x_m),  a = softmax over the present m of (G [x_1; …; x_M])_m,  y = Σ_m a_m e_m
/// (mixture of experts: Jacobs et al. 1991; experts by modality: Bao et al., VLMo, 2022)
/// x_m (B, D_m), present (B, M) or undefined → output (B, width), weights (B, M). An absent x_m is taken as 0 in the
/// gate, its expert has weight 0 and gradient 0; a sample without any modality gives 0.
#pragma once

#include "lacuna/nn/fusion.hpp"
#include "lacuna/ops/softmax.hpp"

namespace lacuna {

template <class T = float, class D = Cpu>
struct ModalityExperts {
  struct Options {
    std::vector<index_t> inputs;  ///< D_m
    index_t hidden, width;
    double dropout = 0;  ///< of the hidden layer
  };
  struct Result {
    Variable<T, 2, D> output;   ///< (B, width)
    Variable<T, 2, D> weights;  ///< (B, M)
  };
  double dropout = 0;
  std::vector<Linear<T, D>> in, out;
  Linear<T, D> gate;

  ModalityExperts() = default;
  ModalityExperts(const Options& o, Random& random) : dropout(o.dropout) {
    index_t total = 0;
    for (const index_t size : o.inputs) {
      in.emplace_back(typename Linear<T, D>::Options{size, o.hidden}, random);
      out.emplace_back(typename Linear<T, D>::Options{o.hidden, o.width}, random);
      total += size;
    }
    gate = Linear<T, D>({.in_features = total, .out_features = index_t(o.inputs.size())}, random);
  }
  Result operator()(const std::vector<Variable<T, 2, D>>& inputs, const Mask<2, D>& present = {},
                    const Context& context = {}) const {
    const auto x = detail::present_modalities("ModalityExperts", inputs, present, in.size());
    std::vector<Variable<T, 2, D>> outputs;
    for (std::size_t m = 0; m < x.size(); ++m)
      outputs.push_back(out[m](lacuna::dropout(in[m](x[m], Activation::relu), dropout, context)));
    const auto weights = softmax(gate(concat(x, -1)), -1, present);
    return {weighted_sum(weights, stack(outputs, 1)), weights};
  }
  static void reflect(auto& self, auto&& visit) {
    visit("in", self.in);
    visit("out", self.out);
    visit("gate", self.gate);
  }
};

}  // namespace lacuna
