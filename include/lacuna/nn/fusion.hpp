/// Fusion of one vector per modality: gates, tensor products, low-rank tensor products.
///
/// Inputs are x_m (B, D_m), one per modality, and present (B, M), 1 = present, or undefined for all. An absent x_m is
/// taken as 0 whatever it holds, and gets gradient 0.
#pragma once

#include "lacuna/nn/linear.hpp"
#include "lacuna/ops/elementwise.hpp"
#include "lacuna/ops/fusion.hpp"
#include "lacuna/ops/mask.hpp"
#include "lacuna/ops/shape.hpp"

namespace lacuna {
namespace detail {

/// The inputs with absent ones set to 0. Throws ShapeError when count or mask do not fit.
template <class T, class D>
std::vector<Variable<T, 2, D>> present_modalities(const char* name, std::vector<Variable<T, 2, D>> x,
                                                  const Mask<2, D>& present, std::size_t expected) {
  if (expected == 0) throw ShapeError(cat(name, ": it has no inputs; was it never given its sizes?"));
  if (x.size() != expected) throw ShapeError(cat(name, ": ", x.size(), " inputs for ", expected, " modalities"));
  if (!present.defined()) return x;
  const index_t batch = x[0].extent(0), count = index_t(expected);
  expect_shape(name, "present", present.shape(), Shape{batch, count});
  const std::vector<std::uint8_t> all = present.to_vector();
  for (std::size_t m = 0; m < expected; ++m) {
    std::vector<std::uint8_t> column(static_cast<std::size_t>(batch));
    for (std::size_t b = 0; b < column.size(); ++b) column[b] = all[b * expected + m];
    x[m] = apply_mask(x[m], Mask<1, D>::from({batch}, column));
  }
  return x;
}

}  // namespace detail

/// Gated multimodal unit: h_m = tanh(W_m x_m), z_m = σ(U_m [x_1; …; x_M]), y = Σ_m z_m ∘ h_m, without biases, so that
/// an absent modality adds 0 and a sample without any gives 0.  (Arevalo, Solorio, Montes-y-Gómez & González 2017)
template <class T = float, class D = Cpu>
struct GatedFusion {
  struct Options {
    std::vector<index_t> inputs;  ///< D_m
    index_t width;                ///< of y
  };
  std::vector<Linear<T, D>> content, gate;

  GatedFusion() = default;
  GatedFusion(const Options& o, Random& random) {
    index_t total = 0;
    for (const index_t in : o.inputs) total += in;
    if (o.inputs.empty()) throw OptionError("GatedFusion: needs at least one modality");
    for (const index_t in : o.inputs) {
      content.emplace_back(typename Linear<T, D>::Options{in, o.width, false}, random);
      gate.emplace_back(typename Linear<T, D>::Options{total, o.width, false}, random);
    }
  }
  Variable<T, 2, D> operator()(const std::vector<Variable<T, 2, D>>& inputs, const Mask<2, D>& present = {}) const {
    const auto x = detail::present_modalities("GatedFusion", inputs, present, content.size());
    const auto joined = concat(x, -1);
    Variable<T, 2, D> y;
    for (std::size_t m = 0; m < x.size(); ++m) {
      const auto part = gate[m](joined, Activation::sigmoid) * content[m](x[m], Activation::tanh);
      y = m == 0 ? part : y + part;
    }
    return y;
  }
  static void reflect(auto& self, auto&& visit) {
    visit("content", self.content);
    visit("gate", self.gate);
  }
};

/// Tensor fusion: a linear layer over the outer product of all [1; x_m].  (Zadeh et al., EMNLP 2017)
/// Size of the weight: width · Π (D_m + 1). Without any modality the product is 1 at its first entry and 0 elsewhere.
template <class T = float, class D = Cpu>
struct TensorFusion {
  struct Options {
    std::vector<index_t> inputs;
    index_t width;
  };
  std::size_t modalities = 0;
  Linear<T, D> linear;

  TensorFusion() = default;
  TensorFusion(const Options& o, Random& random) : modalities(o.inputs.size()) {
    index_t product = 1;
    for (const index_t in : o.inputs) product *= in + 1;
    linear = Linear<T, D>({.in_features = product, .out_features = o.width}, random);
  }
  Variable<T, 2, D> operator()(const std::vector<Variable<T, 2, D>>& inputs, const Mask<2, D>& present = {}) const {
    return linear(tensor_fusion(detail::present_modalities("TensorFusion", inputs, present, modalities)));
  }
  static void reflect(auto& self, auto&& visit) { visit("linear", self.linear); }
};

/// Low-rank fusion: y = Σ_r w_r Π_m ([1; x_m] F_m[r]) + bias, tensor fusion with a weight of rank R.  (Liu et al., ACL
/// 2018) factors[m] (R, D_m + 1, width), rank_weight (R), bias (width). Start: Xavier normal, bias 0.
template <class T = float, class D = Cpu>
struct LowRankFusion {
  struct Options {
    std::vector<index_t> inputs;
    index_t width, rank = 4;
  };
  std::vector<Parameter<T, 3, D>> factors;
  Parameter<T, 1, D> rank_weight, bias;

  LowRankFusion() = default;
  LowRankFusion(const Options& o, Random& random) {
    if (o.inputs.empty() || o.rank < 1 || o.width < 1) throw OptionError("LowRankFusion: sizes must be positive");
    for (const index_t in : o.inputs)
      factors.emplace_back(
          init::normal<T, 3, D>({o.rank, in + 1, o.width}, std::sqrt(2.0 / double(in + 1 + o.width)), random));
    rank_weight = Parameter<T, 1, D>(init::normal<T, 1, D>({o.rank}, std::sqrt(2.0 / double(1 + o.rank)), random));
    bias = Parameter<T, 1, D>(Tensor<T, 1, D>::zeros({o.width}));
  }
  Variable<T, 2, D> operator()(const std::vector<Variable<T, 2, D>>& inputs, const Mask<2, D>& present = {}) const {
    const auto x = detail::present_modalities("LowRankFusion", inputs, present, factors.size());
    Variable<T, 3, D> product;  // (R, B, width)
    for (std::size_t m = 0; m < x.size(); ++m) {
      const auto part = rank_products<T, D>(prepend_one(x[m]), factors[m]);
      product = m == 0 ? part : product * part;
    }
    const index_t ranks = rank_weight.size(), batch = x[0].extent(0), width = bias.size();
    const auto weights = reshape<T, 1, D>(rank_weight, std::array<index_t, 2>{1, ranks});
    const auto total = weighted_sum(weights, reshape(product, std::array<index_t, 3>{1, ranks, batch * width}));
    return reshape(total, std::array<index_t, 2>{batch, width}) + bias;
  }
  static void reflect(auto& self, auto&& visit) {
    visit("factors", self.factors);
    visit("rank_weight", self.rank_weight);
    visit("bias", self.bias);
  }
};

}  // namespace lacuna
