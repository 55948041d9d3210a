/// A residual group whose blocks weigh their channels.  (RCAN: Zhang et al., ECCV 2018; over time in DiCMoR and IMDer)
///
///   block  c = K₂ relu(K₁ h),  h ← h + c ∘ σ(W₂ relu(W₁ mean over time of c))         K over three frames
///   y = W_out (h₀ + K (blocks of h₀)),  h₀ = W_in x                                    (B, T, in) → (B, T, out)
///
/// present (B, T) or undefined for all: absent frames are neither read nor counted, and come out as 0.
#pragma once

#include <string>

#include "lacuna/nn/conv1d.hpp"
#include "lacuna/nn/linear.hpp"
#include "lacuna/ops/elementwise.hpp"
#include "lacuna/ops/mask.hpp"
#include "lacuna/ops/pooling.hpp"
#include "lacuna/ops/shape.hpp"

namespace lacuna {

template <class T = float, class D = Cpu>
struct ChannelAttentionBlock {
  Conv1d<T, D> first, second;
  Linear<T, D> squeeze, excite;

  ChannelAttentionBlock() = default;
  ChannelAttentionBlock(index_t width, index_t squeezed, Random& random)
      : first({.in_channels = width, .out_channels = width, .kernel = 3}, random),
        second({.in_channels = width, .out_channels = width, .kernel = 3}, random),
        squeeze({.in_features = width, .out_features = squeezed}, random),
        excite({.in_features = squeezed, .out_features = width}, random) {}

  Variable<T, 3, D> operator()(const Variable<T, 3, D>& h, const Mask<2, D>& present) const {
    const auto kept = [&](const Variable<T, 3, D>& x) { return present.defined() ? apply_mask(x, present) : x; };
    const auto c = kept(second(kept(relu(first(h)))));
    const auto weight = excite(squeeze(mean_pool(c, present), Activation::relu), Activation::sigmoid);
    return h + c * reshape(weight, std::array<index_t, 3>{h.extent(0), 1, h.extent(2)});
  }
  static void reflect(auto& self, auto&& visit) {
    visit("body.0", self.first);
    visit("body.2", self.second);
    visit("body.3.conv_du.0", self.squeeze);
    visit("body.3.conv_du.2", self.excite);
  }
};

template <class T = float, class D = Cpu>
struct ChannelAttentionGroup {
  struct Options {
    index_t in, width, out, blocks = 20;
    index_t reduction = 16;  ///< W₁ has width/reduction outputs, at least one
  };
  Linear<T, D> in, out;
  std::vector<ChannelAttentionBlock<T, D>> blocks;
  Conv1d<T, D> last;

  ChannelAttentionGroup() = default;
  ChannelAttentionGroup(const Options& o, Random& random)
      : in({.in_features = o.in, .out_features = o.width}, random),
        out({.in_features = o.width, .out_features = o.out}, random),
        last({.in_channels = o.width, .out_channels = o.width, .kernel = 3}, random) {
    if (o.blocks < 1 || o.reduction < 1)
      throw OptionError(detail::cat("ChannelAttentionGroup: ", o.blocks, " blocks, reduction ", o.reduction));
    for (index_t i = 0; i < o.blocks; ++i)
      blocks.emplace_back(o.width, std::max<index_t>(1, o.width / o.reduction), random);
  }
  Variable<T, 3, D> operator()(const Variable<T, 3, D>& x, const Mask<2, D>& present = {}) const {
    const auto kept = [&](const Variable<T, 3, D>& y) { return present.defined() ? apply_mask(y, present) : y; };
    const auto start = kept(in(kept(x)));
    auto h = start;
    for (const auto& block : blocks) h = block(h, present);
    return kept(out(start + kept(last(h))));
  }
  static void reflect(auto& self, auto&& visit) {
    visit("0", self.in);
    for (std::size_t i = 0; i < self.blocks.size(); ++i) visit(("1.body." + std::to_string(i)).c_str(), self.blocks[i]);
    visit(("1.body." + std::to_string(self.blocks.size())).c_str(), self.last);
    visit("2", self.out);
  }
};

}  // namespace lacuna
