/// What a training tells while it runs: batches and epochs of every phase.
#pragma once

#include <string>

#include "lacuna/train/history.hpp"

namespace lacuna::train {

/// After one optimizer step.
struct BatchReport {
  std::string phase = {};             ///< empty in the last one, the training of the whole model
  index_t epoch = 0, epochs = 0;      ///< of the running epoch of this phase, from 1
  index_t samples = 0, of = 0;        ///< done in this epoch, and how many it has
  double loss = 0;                    ///< mean over the samples of this epoch so far
  const EpochRecord* last = nullptr;  ///< the epoch before; null in the first
  index_t numbers = 0;                ///< how many of them this phase trains
};

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void batch(const BatchReport&) {}
  virtual void epoch(const EpochRecord&, index_t /*epochs*/) {}
  /// What the user should know of how it is trained: one line, once.
  virtual void note(const std::string&) {}
  /// Asked before every step of every phase; true ends `fit` there.
  virtual bool stop() { return false; }
  /// Asked likewise; true ends a phase before the last where it is: for rehearsals, which train nothing.
  virtual bool skip() { return false; }
};

}  // namespace lacuna::train
