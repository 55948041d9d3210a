/// Dropout of whole frames and whole modalities, which makes them absent: the result says so in its mask.
/// Dropout of single elements is `dropout` (lacuna/ops/dropout.hpp).
#pragma once

#include "lacuna/core/context.hpp"
#include "lacuna/ops/mask.hpp"

namespace lacuna {

template <class T, class D = Cpu>
struct MaskedFrames {
  Variable<T, 3, D> frames;  ///< 0 where absent
  Mask<2, D> present;        ///< (B, T)
};

namespace detail {
inline RandomStream dropout_stream(const char* operation, double p, const Context& context) {
  if (!(p >= 0 && p < 1)) throw OptionError(cat(operation, ": probability ", p, " is outside [0, 1)"));
  if (!context.training() || p == 0) return {};
  if (context.random == nullptr)
    throw OptionError(
        cat(operation, ": training needs a random source; build the context with Context::train(random)"));
  return context.random->stream();
}
}  // namespace detail

/// In training every present frame becomes absent with probability p: its features 0, its mask 0. Nothing is scaled,
/// since what follows sees the mask. x (B, T, F), present (B, T) or undefined for all. In inference only the mask is
/// applied. Throws OptionError for p outside [0, 1) and for training without a random source.
template <class T, class D>
MaskedFrames<T, D> frame_dropout(const Variable<T, 3, D>& x, const Mask<2, D>& present, double p,
                                 const Context& context) {
  const RandomStream stream = detail::dropout_stream("frame_dropout", p, context);
  const index_t batch = x.extent(0), frames = x.extent(1);
  List<std::uint8_t> kept = present.defined() ? present.to_list() : List<std::uint8_t>(std::size_t(batch * frames), 1);
  if (context.training() && p > 0)
    for (std::size_t i = 0; i < kept.size(); ++i)
      if (stream.uniform(i) < p) kept[i] = 0;
  const auto mask = Mask<2, D>::from({batch, frames}, kept);
  return {apply_mask(x, mask), mask};
}

/// Which modalities a training step may see: (B, M), 1 = present. In training every present modality is dropped with
/// probability p; a sample that had something keeps one of it, drawn uniformly.  (ModDrop: Neverova et al. 2016)
/// In inference `present` itself. Apply it with `apply_mask(x_m, column m)` and in the masks of the frames.
inline Mask<2> modality_dropout(const Mask<2>& present, double p, const Context& context) {
  const RandomStream stream = detail::dropout_stream("modality_dropout", p, context);
  Mask<2> kept = present.clone();
  if (!context.training() || p == 0) return kept;
  const index_t modalities = present.extent(1);
  for (index_t b = 0; b < present.extent(0); ++b) {
    index_t had = 0, left = 0;
    for (index_t m = 0; m < modalities; ++m) {
      if (!present(b, m)) continue;
      ++had;
      kept(b, m) = stream.uniform(std::uint64_t(b * (modalities + 1) + m)) >= p;
      left += kept(b, m);
    }
    if (had == 0 || left > 0) continue;
    index_t chosen = index_t(stream.uniform(std::uint64_t(b * (modalities + 1) + modalities)) * double(had));
    for (index_t m = 0; m < modalities; ++m)
      if (present(b, m) && chosen-- == 0) kept(b, m) = 1;
  }
  return kept;
}

/// Column m of (B, M): whether each sample has modality m.
inline Mask<1> modality_column(const Mask<2>& present, index_t m) {
  Mask<1> column({present.extent(0)});
  for (index_t b = 0; b < present.extent(0); ++b) column(b) = present(b, m);
  return column;
}

}  // namespace lacuna
