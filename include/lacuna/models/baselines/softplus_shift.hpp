/// What SMIL adds to the features of incomplete samples, learned and random.  (Ma et al., AAAI 2021)
///
///   δ = softplus(r + ν ∘ softplus(p)),  r = W_r x + b_r,  p = W_p x + b_p          (B, in) → (B, out), ν normal noise
///
/// published: ν as it is; p is there and never used.
#pragma once

#include "lacuna/nn/linear.hpp"
#include "lacuna/ops/activation.hpp"
#include "lacuna/ops/mask.hpp"

namespace lacuna::models {

template <class T = float, class D = Cpu>
struct SoftplusShift {
  bool published = false;
  Linear<T, D> mean, spread;

  SoftplusShift() = default;
  SoftplusShift(index_t in, index_t out, bool as_published, Random& random)
      : published(as_published),
        mean({.in_features = in, .out_features = out}, random),
        spread({.in_features = in, .out_features = out}, random) {}

  /// noise undefined: ν = 0. 0 for samples that are not in `where`.
  Variable<T, 2, D> operator()(const Variable<T, 2, D>& x, const Variable<T, 2, D>& noise,
                               const Mask<1, D>& where) const {
    Variable<T, 2, D> r = mean(x);
    if (noise.defined()) r = r + (published ? noise : multiply(noise, softplus(spread(x))));
    return apply_mask(softplus(r), where);
  }
  static void reflect(auto& self, auto&& visit) {
    visit("mean", self.mean);
    visit("spread", self.spread);
  }
};

}  // namespace lacuna::models
