/// The next batch, gathered by a thread while the step on this one runs: for features that lie in a file.
///
///     data::BatchAhead<float, data::Role::train> batches(set.train);
///     batches.announce(next);                        // what will be asked for after the next take
///     const Batch<float> batch = batches.take(now);  // then `next` is begun
///
/// A batch has the same bits as that of `gather`, whatever was announced. Where no features lie in a file (io/resident.hpp)
/// `take` is `gather`: a thread would cost more than copies out of memory. The split must outlive this object. Errors
/// are those of `gather`, thrown by `take`.
#pragma once

#include "lacuna/core/words_aside.hpp"
// macros of others stand aside from here on

#include <algorithm>
#include <future>

#include "lacuna/data/batch.hpp"
#include "lacuna/io/resident.hpp"

namespace lacuna::data {

template <class T, Role role>
class BatchAhead {
 public:
  explicit BatchAhead(const Split<role>& split)
      : split_(split), active_(std::any_of(split.modalities.begin(), split.modalities.end(), [](const Modality& one) {
          return io::Resident::holds(one.frames.data());
        })) {}

  bool active() const { return active_; }
  void announce(std::span<const index_t> samples) { next_.assign(samples.begin(), samples.end()); }

  Batch<T> take(std::span<const index_t> samples) {
    Batch<T> batch;
    const bool known = coming_.valid() && std::equal(samples.begin(), samples.end(), asked_.begin(), asked_.end());
    if (coming_.valid()) batch = coming_.get();
    if (!known) batch = gather<T>(split_, samples);
    if (!active_ || next_.empty()) return batch;
    asked_ = std::move(next_);
    next_.clear();
    coming_ = std::async(std::launch::async, [this] {
      lacuna::detail::serial_thread = true;  // the others are busy with the step
      return gather<T>(split_, asked_);
    });
    return batch;
  }

 private:
  const Split<role>& split_;
  bool active_;
  std::vector<index_t> next_, asked_;
  std::future<Batch<T>> coming_;  // last: it waits for its thread
};

}  // namespace lacuna::data

#include "lacuna/core/words_back.hpp"
