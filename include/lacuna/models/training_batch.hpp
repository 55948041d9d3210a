/// What an objective is given: a batch on the device of the network, with labels, masks, and what was there before
/// something was taken away.
#pragma once

#include <algorithm>
#include <span>

#include "lacuna/core/function.hpp"
#include "lacuna/core/recorded.hpp"
#include "lacuna/losses/objective.hpp"
#include "lacuna/models/streams.hpp"
#include "lacuna/models/task.hpp"
#include "lacuna/ops/mask.hpp"

namespace lacuna::detail {

/// Whether two masks are equal, where that can be told without a wait: on the host.
inline bool seen_to_be_equal(const Mask<2>& a, const Mask<2>& b) {
  return a.size() == b.size() && std::equal(a.data(), a.data() + a.size(), b.data());
}
template <class D>
bool seen_to_be_equal(const Mask<2, D>&, const Mask<2, D>&) {
  return false;
}

}  // namespace lacuna::detail

namespace lacuna::models {

/// A loss of the user's own in the place of the task's: scores (B, outputs) and targets → a number to minimise.
template <class T, class D = Cpu>
using OwnLoss = Function<Variable<T, 0, D>(const Variable<T, 2, D>&, const Targets<T, D>&)>;

template <class T, class D = Cpu>
struct TrainingBatch {
  Streams<T, D> seen = {};   ///< what is left: a stream per modality, then the stand-in where a model has one
  Streams<T, D> whole = {};  ///< before anything was taken away; shares what is equal
  Targets<T, D> targets = {};
  List<Present<D>> has = {};   ///< (B) of every modality: the sample has something of it in `seen`; known to the host
  List<Present<D>> had = {};   ///< the same of `whole`
  List<Present<D>> lost = {};  ///< samples of which every modality was taken away; undefined: all
  List<Mask<2, D>> kept = {};  ///< (B, T_m) what is left of every stream of `whole`; none or undefined: everything
  const Task* task = nullptr;
  const OwnLoss<T, D>* own_loss = nullptr;
  data::Conversations conversations = {};
  OnHost<List<index_t>> samples = {};  ///< (B) places in the split: of models that remember something of every sample

  index_t size() const { return index_t(targets.classes.size()); }
  /// The loss of scores (B, outputs) that the user asked for: that of the task, or one of their own.
  Variable<T, 0, D> task_loss(const Variable<T, 2, D>& scores) const {
    return own_loss != nullptr && *own_loss ? (*own_loss)(scores, targets) : task->loss(scores, targets);
  }
  /// Makes `seen` of `whole` and `kept`; shares what is equal, where that can be told without a wait.
  void see() {
    seen = whole;
    for (std::size_t s = 0; s < kept.size(); ++s) {
      if (!kept[s].defined()) continue;
      if (detail::seen_to_be_equal(kept[s], whole[s].present)) continue;
      seen[s] = masked_stream(whole[s].frames, kept[s]);
    }
  }
  /// Streams that are shorter than this get absent frames at their end.
  void lengthen(std::span<const index_t> frames) {
    for (std::size_t m = 0; m < std::min(frames.size(), whole.size()); ++m) {
      auto& [x, present] = whole[m];
      if (frames[m] <= present.extent(1)) continue;
      x = longer(x, frames[m]);
      present = longer(present, frames[m]);
      if (m < kept.size() && kept[m].defined()) kept[m] = longer(kept[m], frames[m]);
    }
  }
  /// (B, M): 1 where modality m was there and has been taken away; where it is there.
  Mask<2, D> taken() const {
    return flags([&](std::size_t m, index_t b) { return there(had[m], b) && !there(has[m], b); });
  }
  Mask<2, D> here() const {
    return flags([&](std::size_t m, index_t b) { return there(has[m], b); });
  }

 private:
  template <class X, int R>
  static Tensor<X, R, D> longer(const Tensor<X, R, D>& x, index_t frames) {
    auto extents = x.extents();
    extents[1] = frames;
    auto result = Tensor<X, R, D>::zeros(extents);
    const index_t batch = extents[0], now = batch > 0 ? x.size() / batch : 0,
                  then = batch > 0 ? result.size() / batch : 0;
    Kernels<D>::ShapeMoves::copy_runs(batch, now, x.data(), now, result.data(), then);
    return result;
  }
  static bool there(const Present<D>& present, index_t b) { return !present.defined() || present.host()(b); }
  template <class F>
  Mask<2, D> flags(F&& flag) const {
    const auto modalities = has.size();
    std::vector<std::uint8_t> all(std::size_t(size()) * modalities);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = flag(i % modalities, index_t(i / modalities));
    return Mask<2, D>::from({size(), index_t(modalities)}, all);
  }
};

}  // namespace lacuna::models
