/// Steps of a training that a device records once and then replays: the forward pass, the backward pass and the factor
/// of gradient clipping as one launch.
///
/// What the host does for a step comes first: it draws what is taken away, checks labels, and copies the batch into
/// memory that stays where it is. Then the rest, which reads the device alone, is replayed. Batches of one layout
/// (their shapes) share a recording: the first of them is run, the second recorded, and those after it replayed. The
/// `most` layouts that came last are kept, those with a recording before the others; each holds the memory of a step.
///
/// A recording has every number of the host baked in. What can be seen to read one that may change (core/recorded.hpp)
/// is not recorded: steps of that layout run as they are, with the same bits, and `reason` says why. So do batches for
/// which the host answers a question of the recording otherwise, as for labels that are no classes.
#pragma once

#include <list>
#include <string>
#include <vector>

#include "lacuna/core/replay.hpp"
#include "lacuna/losses/objective.hpp"
#include "lacuna/models/put_on.hpp"
#include "lacuna/nn/pack.hpp"
#include "lacuna/optim/clip.hpp"

namespace lacuna::train {

/// What a step leaves for the optimizer and the record.
template <class T, class D>
struct StepOutcome {
  LossTerms<T, D> loss;
  GradientFactor<D> factor;
  Array<T, D> numbers = {};  ///< the loss and its terms, of a step that was replayed
};

template <class T, class D>
class ReplayedSteps {
 public:
  static constexpr std::size_t most = 4;

  using Outcome = StepOutcome<T, D>;
  using Batch = models::TrainingBatch<T, D>;

  /// body(batch) → Outcome, with the gradients of the packed parameters behind it.
  template <class Body>
  Outcome operator()(models::TrainingBatch<T> drawn, Random& random, const Packed<T, D>& packed, Body&& body) {
    if (!drawn.conversations.conversation.empty()) {
      reason_ = "batches are whole conversations";
      Batch batch;
      models::put_on(batch, std::move(drawn));
      return body(batch);
    }
    Layout& layout = find(models::layout_of(drawn));
    models::put_on(layout.batch, std::move(drawn), models::Masks::at_once);
    if (layout.refused) return body(layout.batch);
    Outcome now;
    bool ran = false;
    const auto step = [&] {
      ran = true;
      now = body(layout.batch);
      if (lacuna::detail::step_is_recorded()) now.numbers = LossRecord<T, D>::gathered(now.loss.total, now.loss.terms);
    };
    try {
      if (!layout.replay(random, step)) return now;
    } catch (const DeviceError& error) {
      if (layout.replay.recorded() || layout.runs == 0) throw;
      layout.refused = true;
      reason_ = error.what();
      return body(layout.batch);
    }
    if (ran) {
      ++recordings_;
      layout.outcome = now;
      layout.has_gradient.clear();
      for (const auto& segment : packed.segments) layout.has_gradient.push_back(segment.node->has_gradient);
    }
    ++replays_;
    for (std::size_t i = 0; i < packed.segments.size(); ++i)
      packed.segments[i].node->has_gradient = layout.has_gradient[i];
    return layout.outcome;
  }

  /// Why a step was not recorded; empty: there was none.
  const std::string& reason() const { return reason_; }
  /// How many steps were recorded so far, and how many launched.
  index_t recordings() const { return recordings_; }
  index_t replays() const { return replays_; }

 private:
  struct Layout {
    std::vector<index_t> key;
    Batch batch = {};
    Replay<D> replay = {};
    Outcome outcome = {};  ///< of the recording
    std::vector<char> has_gradient = {};
    index_t runs = -1;  ///< before the running one
    bool refused = false;
  };

  Layout& find(std::vector<index_t> key) {
    auto found = layouts_.begin();
    while (found != layouts_.end() && found->key != key) ++found;
    if (found == layouts_.end()) {
      if (layouts_.size() >= most) drop_one();
      layouts_.emplace_front();
      layouts_.front().key = std::move(key);
    } else {
      layouts_.splice(layouts_.begin(), layouts_, found);
    }
    ++layouts_.front().runs;
    return layouts_.front();
  }
  /// The one that was not used for longest, of those without a recording where there are any.
  void drop_one() {
    auto oldest = layouts_.end();
    for (auto one = layouts_.begin(); one != layouts_.end(); ++one)
      if (oldest == layouts_.end() || one->replay.recorded() <= oldest->replay.recorded()) oldest = one;
    layouts_.erase(oldest);
  }

  std::list<Layout> layouts_;  ///< the last one used first
  std::string reason_;
  index_t recordings_ = 0, replays_ = 0;
};

}  // namespace lacuna::train
