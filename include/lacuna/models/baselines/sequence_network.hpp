/// What a published network is to its shell, models::Model, given its forward pass:
///
/// ```
/// template <class T, class D> struct TfnNetwork : SequenceNetwork<TfnNetwork<T, D>, T, D> {
///   using Options = TfnOptions;                                             // with `text`: which stream is the text
///   struct Forward { Variable<T, 2, D> hidden, score; };                    // what the last layer reads, and its result
///   Options options;
///   Forward forward(const Sequences<T, D>& x, const Context& context) const;   // text first
/// };
/// ```
///
/// The objective is the task's loss of `score` unless the network has `losses(forward, batch)` of its own. The embedding
/// is `hidden`, or `joined` where there is no such member.
#pragma once

#include "lacuna/models/baselines/sequences.hpp"

namespace lacuna::models {

template <class Network, class T, class D>
struct SequenceNetwork {
  using scalar = T;
  using device = D;

  LossTerms<T, D> losses(const auto& r, const TrainingBatch<T, D>& batch) const {
    return Objective<T, D>().add("task", 1, batch.task_loss(r.score)).result();
  }
  LossTerms<T, D> objective(const TrainingBatch<T, D>& batch, const Context& context) const {
    return own().losses(pass(batch.seen, context), batch);
  }
  /// What the last layer reads.
  Variable<T, 2, D> embed(const Streams<T, D>& x, const Context& context) const {
    const auto r = pass(x, context);
    if constexpr (requires { r.hidden; })
      return r.hidden;
    else
      return r.joined;
  }
  /// (B, outputs).
  Variable<T, 2, D> operator()(const Streams<T, D>& x, const Context& context) const { return pass(x, context).score; }

 protected:
  auto pass(const Streams<T, D>& x, const Context& context) const {
    return own().forward(sequences(x, own().options.text), context);
  }

 private:
  const Network& own() const { return static_cast<const Network&>(*this); }
};

}  // namespace lacuna::models
