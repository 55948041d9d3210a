/// `Replay<D>`: a step that is done again and again over the same memory.
///
///     Replay<D> replay;
///     for (...) {
///       fill(batch);                                  // new numbers in the same arrays
///       replay(random, [&] { packed.zero_grad(); losses = objective(network(batch, context)); losses.total.backward();
///       });
///       optimizer.step_scaled(clip_factor(packed, 0.8));
///     }
///
/// On the host the body runs every time. On a GPU (core/cuda_graph.cuh) it runs twice, the second time recorded into a
/// CUDA graph, and from then on the graph is launched in its place: one launch for hundreds. The numbers are the same,
/// bit by bit, dropout included.
///
/// What the body must keep to, there: everything that it reads from memory stays where it is between calls; nothing in
/// it depends on numbers of the host that change (labels and masks are on the device, shapes and counts as they were);
/// dropout comes from `random` alone. What of that can be seen is refused with NotReplayable, and the source of random
/// numbers is then as before the call: copies from or to the host, random numbers drawn on the host, and whatever asks
/// recorded.hpp before it is read (Labels, Present, OnHost). What the body leaves in variables outside (losses) is
/// there after every call. `reset` forgets the recording: call it when a shape changes.
#pragma once

#include <utility>

#include "lacuna/core/random.hpp"

namespace lacuna {

template <class D>
class Replay {
 public:
  /// Whether this device records at all.
  static constexpr bool records = false;

  /// Whether a recording was launched; else the body ran.
  template <class F>
  bool operator()(Random&, F&& body) {
    std::forward<F>(body)();
    return false;
  }
  void reset() {}
  /// Whether the next call launches a recording.
  bool recorded() const { return false; }
};

}  // namespace lacuna
