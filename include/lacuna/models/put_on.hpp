/// A batch of the host on a device: into memory of its own, or into that of a batch before it, which then stays where it
/// is (train/replayed_steps.hpp).
///
///     models::TrainingBatch<float, Cuda> there;
///     models::put_on(there, model.drawn(batch, context));        // the first one finds memory
///     models::put_on(there, model.drawn(another, context), models::Masks::at_once);
///
/// `seen` and the heads of the targets are not made; Model::seen does. On the host everything is shared.
#pragma once

#include "lacuna/models/training_batch.hpp"

namespace lacuna::detail {

template <class T, int R, class D>
void put_on(Tensor<T, R, D>& there, const Tensor<T, R>& host) {
  if (!host.defined()) return;
  if (!there.defined()) there = Tensor<T, R, D>(host.extents());
  there.assign({host.data(), std::size_t(host.size())});
}
template <class D>
void put_on(Present<D>& there, const Present<Cpu>& host, bool at_once) {
  if (at_once)
    there.put(host);
  else
    there = host.defined() ? Present<D>::of(host.host()) : Present<D>();
}
template <class D>
void put_on(List<Present<D>>& there, const List<Present<Cpu>>& host, bool at_once) {
  there.resize(host.size());
  for (std::size_t m = 0; m < host.size(); ++m) put_on(there[m], host[m], at_once);
}

}  // namespace lacuna::detail

namespace lacuna::models {

/// When masks of samples go to the device: when a loss asks for them, or with the batch.
enum class Masks { when_asked, at_once };

/// The layout (below) must be that of the batch that `there` holds, if it holds one.
template <class T, class D>
void put_on(TrainingBatch<T, D>& there, TrainingBatch<T> host, Masks masks = Masks::when_asked) {
  const bool at_once = masks == Masks::at_once;
  there.whole.resize(host.whole.size());
  for (std::size_t m = 0; m < host.whole.size(); ++m) {
    detail::put_on(there.whole[m].frames, host.whole[m].frames);
    detail::put_on(there.whole[m].present, host.whole[m].present);
  }
  there.kept.resize(host.kept.size());
  for (std::size_t m = 0; m < host.kept.size(); ++m) detail::put_on(there.kept[m], host.kept[m]);
  detail::put_on(there.has, host.has, at_once);
  detail::put_on(there.had, host.had, at_once);
  detail::put_on(there.lost, host.lost, at_once);
  Targets<T, D>& targets = there.targets;
  targets.classes = host.targets.classes;
  detail::put_on(targets.present, host.targets.present, at_once);
  if (!host.targets.labels.empty()) targets.labels.put(host.targets.labels);
  targets.heads.resize(host.targets.heads.size());
  if (!host.targets.real.empty()) {
    targets.real.put(host.targets.real);
    targets.values = Tensor<T, 2, D>(targets.real.there().reshaped(host.targets.values.shape()));
  }
  there.conversations = std::move(host.conversations);
  there.samples = std::move(host.samples);
}
template <class T>
void put_on(TrainingBatch<T>& there, TrainingBatch<T> host, Masks = Masks::when_asked) {
  there = std::move(host);
}

/// All of a batch that decides which work is done on a device, apart from what is asked of the host: its shapes.
template <class T>
std::vector<index_t> layout_of(const TrainingBatch<T>& batch) {
  std::vector<index_t> all{batch.size(), index_t(batch.targets.labels.size()), index_t(batch.targets.real.size()),
                           index_t(batch.targets.heads.size())};
  for (const auto& stream : batch.whole)
    for (int axis = 0; axis < 3; ++axis) all.push_back(stream.frames.extent(axis));
  for (const auto& mask : batch.kept) all.push_back(mask.defined());
  return all;
}

}  // namespace lacuna::models
