/// A batch as averages over time, and parts of it: of models that learn differently from two halves.
#pragma once

#include "lacuna/models/baselines/utterance_encoders.hpp"
#include "lacuna/ops/slice.hpp"

namespace lacuna::models {

template <class D>
Mask<1, D> mask_of(const std::vector<std::uint8_t>& flags) {
  return Mask<1, D>::from({index_t(flags.size())}, flags);
}

/// Averages of the present frames of every modality (B, D_m), 0 without one, and which samples have one.
template <class T, class D = Cpu>
struct UtteranceSamples {
  std::vector<Variable<T, 2, D>> x;
  std::vector<Mask<1, D>> has;

  static UtteranceSamples of(const Streams<T, D>& streams) {
    UtteranceSamples s;
    for (const auto& stream : streams) {
      s.x.push_back(utterance_of(stream));
      s.has.push_back(any_present(stream.present));
    }
    return s;
  }
  /// Samples begin .. begin + count - 1.
  UtteranceSamples part(index_t begin, index_t count) const {
    UtteranceSamples some;
    for (std::size_t m = 0; m < x.size(); ++m) {
      some.x.push_back(slice(x[m], 0, begin, count));
      const auto all = has[m].to_vector();
      some.has.push_back(mask_of<D>({all.begin() + begin, all.begin() + begin + count}));
    }
    return some;
  }
  /// 1 for every sample that has all of them.
  std::vector<std::uint8_t> complete() const {
    std::vector<std::uint8_t> all(x.empty() ? 0 : std::size_t(x[0].extent(0)), 1);
    for (const auto& one : has) {
      const auto there = one.to_vector();
      for (std::size_t b = 0; b < all.size(); ++b) all[b] &= there[b];
    }
    return all;
  }
  /// 1 for every sample that lacks something.
  std::vector<std::uint8_t> lacking() const { return inverse(mask_of<D>(complete())); }
  static std::vector<std::uint8_t> inverse(const Mask<1, D>& mask) {
    auto flags = mask.to_vector();
    for (auto& one : flags) one = !one;
    return flags;
  }
};

/// What losses are told of samples begin .. begin + count - 1 of a batch, without their features.
template <class T, class D>
TrainingBatch<T, D> labels_of(const TrainingBatch<T, D>& batch, index_t begin, index_t count) {
  TrainingBatch<T, D> part{.task = batch.task, .own_loss = batch.own_loss};
  const Targets<T, D>& all = batch.targets;
  part.targets.classes.assign(all.classes.begin() + begin, all.classes.begin() + begin + count);
  if (all.values.size() > 0) part.targets.values = slice(Variable<T, 2, D>(all.values), 0, begin, count).value();
  if (all.present.defined()) {
    const auto there = all.present.host().to_vector();
    part.targets.present = Present<D>::of(mask_of<Cpu>({there.begin() + begin, there.begin() + begin + count}));
  }
  part.targets.settle(index_t(all.heads.size()));
  return part;
}

}  // namespace lacuna::models
