/// A stream that a sample lacks, put together from the others: what DiCMoR and IMDer share.
///
///   s   = the candidate of the one other modality that is there, or W [candidate; candidate] of two       (B, T, d)
///   x̂_m = a group with channel attention of s  (nn/channel_attention.hpp),  x_m ← x_m where it is there, else x̂_m
///
/// Every sample is treated by what it has itself. With nothing there x̂_m is 0 and no key of anything.
#pragma once

#include "lacuna/models/baselines/crossmodal_predictor.hpp"
#include "lacuna/models/pretrain.hpp"
#include "lacuna/nn/channel_attention.hpp"
#include "lacuna/ops/elementwise.hpp"

namespace lacuna::models {

/// The other two modalities in the order in which they are joined: text, vision, audio.
inline constexpr std::size_t other_modalities[3][2] = {{2, 1}, {0, 2}, {0, 1}};

/// Which samples have each modality.
template <class T, class D>
std::array<Mask<1, D>, 3> has_modality(const Sequences<T, D>& x) {
  return {any_present(x[0].present), any_present(x[1].present), any_present(x[2].present)};
}
template <class D>
bool has_all(const Mask<1, D>& has) {
  const auto all = has.to_vector();
  return std::count(all.begin(), all.end(), 0) == 0;
}

/// x where `has`, else y; both as long as the longer. Masks are kept where both have one.
template <class T, class D>
Sequence<T, D> either(const Mask<1, D>& has, const Sequence<T, D>& x, const Sequence<T, D>& y) {
  const index_t batch = x.frames.extent(0), frames = std::max(x.frames.extent(1), y.frames.extent(1));
  const auto a = lengthened(x, frames, "recovery"), b = lengthened(y, frames, "recovery");
  const auto take = has.to_vector();
  Sequence<T, D> one{where(Mask<3, D>::from({batch, 1, 1}, take), a.frames, b.frames), {}};
  if (!a.present.defined() || !b.present.defined()) return one;
  auto there = a.present.to_vector();
  const auto other = b.present.to_vector();
  for (std::size_t i = 0; i < there.size(); ++i)
    if (!take[i / std::size_t(frames)]) there[i] = other[i];
  one.present = Mask<2, D>::from({batch, frames}, there);
  return one;
}

template <class T = float, class D = Cpu>
struct Recovery {
  Linear<T, D> join;                   ///< W (2d → d)
  ChannelAttentionGroup<T, D> refine;  ///< d → 2d → d

  Recovery() = default;
  Recovery(index_t width, index_t blocks, index_t reduction, Random& random)
      : join({.in_features = 2 * width, .out_features = width}, random),
        refine({.in = width, .width = 2 * width, .out = width, .blocks = blocks, .reduction = reduction}, random) {}

  /// s, of two candidates and who has them.
  Sequence<T, D> source(const Sequence<T, D>& a, const Mask<1, D>& has_a, const Sequence<T, D>& b,
                        const Mask<1, D>& has_b) const {
    const auto one = either(has_a, a, b);
    const Mask<1, D> two = both(has_a, has_b);
    const auto all = two.to_vector();
    if (std::count(all.begin(), all.end(), 1) == 0) return one;
    const index_t frames = one.frames.extent(1);
    const auto x = lengthened(a, frames, "recovery"), y = lengthened(b, frames, "recovery");
    Sequence<T, D> joined{join(concat({x.frames, y.frames}, -1)), {}};
    if (x.present.defined() && y.present.defined()) {
      auto there = x.present.to_vector();
      const auto other = y.present.to_vector();
      for (std::size_t i = 0; i < there.size(); ++i) there[i] |= other[i];
      joined.present = Mask<2, D>::from(x.present.extents(), there);
    }
    return either(two, joined, one);
  }
  /// x̂
  Sequence<T, D> operator()(const Sequence<T, D>& s) const { return {refine(s.frames, s.present), s.present}; }
  static void reflect(auto& self, auto&& visit) {
    visit("join", self.join);
    visit("refine", self.refine);
  }
};

/// The phase before the rest, in which convolutions and trunk of a network learn the task on complete data.
struct CompletePhase {
  bool done = false;
  PhaseRecord record = {};  ///< of that phase; not stored

  /// Of a network that has `projections` and `predictor`.
  template <class T, class D, class Network, class Feed>
  std::optional<Phase<T, D>> next(Network& network, const typename Network::Options& o, const Feed& feed) {
    if (done) return std::nullopt;
    const auto plain = std::make_shared<Plain<T, D>>(Plain<T, D>{network.projections, network.predictor});
    return pretraining<T, D>(
        "complete", o.pretraining, feed,
        [plain, text = o.text, p = o.head_dropout](const TrainingBatch<T, D>& batch, const Context& context) {
          return batch.task_loss(plain->predictor(plain->projections(sequences(batch.whole, text)), p, context).score);
        },
        [plain] { return pack<T, D>(*plain); },
        [this, &network, plain](const PhaseRecord& of) {
          network.projections = plain->projections, network.predictor = plain->predictor;
          freeze(network.projections);
          record = of, done = true;
        });
  }
  static void reflect(auto& self, auto&& visit) { visit("complete_ready", self.done); }

 private:
  template <class T, class D>
  struct Plain {
    StreamProjections<T, D> projections;
    CrossmodalPredictor<T, D> predictor;
    static void reflect(auto& self, auto&& visit) {
      visit("projections", self.projections);
      visit("predictor", self.predictor);
    }
  };
};

/// Mean square of x̂ − x over the samples that lack the modality, and over the frames that both have.
template <class T, class D>
Variable<T, 0, D> recovery_loss(const Sequence<T, D>& recovered, const Sequence<T, D>& truth, const Mask<1, D>& has) {
  const index_t batch = truth.frames.extent(0), frames = std::max(truth.frames.extent(1), recovered.frames.extent(1));
  const auto a = lengthened(recovered, frames, "recovery"), b = lengthened(truth, frames, "recovery");
  std::vector<std::uint8_t> counted;
  const auto lacks = has.to_vector();
  for (index_t i = 0; i < batch * frames; ++i) counted.push_back(!lacks[std::size_t(i / frames)]);
  for (const auto* x : {&a, &b}) {
    if (!x->present.defined()) continue;
    const auto there = x->present.to_vector();
    for (std::size_t i = 0; i < counted.size(); ++i) counted[i] &= there[i];
  }
  return mse_loss(a.frames, b.frames, Mask<2, D>::from({batch, frames}, counted));
}

}  // namespace lacuna::models
