/// Adam with bias correction; decay coupled to the gradient (Adam) or apart from it (AdamW).
/// (Kingma & Ba, ICLR 2015; Loshchilov & Hutter, ICLR 2019)
#pragma once

#include "lacuna/kernels/kernels.hpp"
#include "lacuna/nn/pack.hpp"

namespace lacuna {

struct AdamOptions {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0;   ///< coupled: g ← g + decay · p, before the moments
  double decoupled_decay = 0;  ///< AdamW: p ← p − rate · decay · p
};

/// m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²,  p ← p − rate · m̂ / (√v̂ + ε),  m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ).
/// t counts, per parameter, the steps in which it had a gradient. A parameter without a gradient is left untouched: no
/// decay either. Throws OptionError for constants out of range.
template <class T = float, class D = Cpu>
class Adam {
 public:
  /// Shares the buffers of the packed model.
  explicit Adam(const Packed<T, D>& packed, AdamOptions options = {})
      : packed_(packed), options_(options), steps_(packed.segments.size(), 0) {
    if (!(options.beta1 >= 0 && options.beta1 < 1 && options.beta2 >= 0 && options.beta2 < 1 && options.epsilon >= 0 &&
          options.weight_decay >= 0 && options.decoupled_decay >= 0))
      throw OptionError("Adam: betas must be in [0, 1), epsilon and decays not negative");
    first_ = Array<T, D>(Shape{packed.size()});
    second_ = Array<T, D>(Shape{packed.size()});
    const std::vector<T> zeros(static_cast<std::size_t>(packed.size()), T(0));
    first_.assign(zeros);
    second_.assign(zeros);
  }

  /// One step with the accumulated gradients, each multiplied by `gradient_factor` (of clipping). Gradients stay.
  void step(double rate, double gradient_factor = 1) {
    const auto& segments = packed_.segments;
    std::size_t i = 0;
    while (i < segments.size()) {
      if (!segments[i].node->has_gradient) {
        ++i;
        continue;
      }
      // neighbours of the same age go in one pass
      const std::uint64_t t = ++steps_[i];
      std::size_t next = i + 1;
      index_t count = segments[i].size;
      while (next < segments.size() && segments[next].node->has_gradient && steps_[next] + 1 == t) {
        ++steps_[next];
        count += segments[next++].size;
      }
      const AdamStep constants{rate,
                               options_.beta1,
                               options_.beta2,
                               options_.epsilon,
                               options_.weight_decay,
                               options_.decoupled_decay,
                               1 - std::pow(options_.beta1, double(t)),
                               1 - std::pow(options_.beta2, double(t)),
                               gradient_factor};
      const index_t offset = segments[i].offset;
      Kernels<D>::template adam<T>(constants, count, packed_.values.data() + offset,
                                   std::as_const(packed_.gradients).data() + offset, first_.data() + offset,
                                   second_.data() + offset);
      i = next;
    }
  }

  const AdamOptions& options() const { return options_; }
  /// The whole state, for checkpoints: both moments, flat, and the steps of every segment.
  Array<T, D>& first_moment() { return first_; }
  Array<T, D>& second_moment() { return second_; }
  std::vector<std::uint64_t>& steps() { return steps_; }

 private:
  Packed<T, D> packed_;
  AdamOptions options_;
  Array<T, D> first_, second_;
  std::vector<std::uint64_t> steps_;
};

}  // namespace lacuna
