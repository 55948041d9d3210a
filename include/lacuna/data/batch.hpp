/// From a split to batches: the order of an epoch, its division into batches, and the tensors of one batch.
///
///     for (const auto& samples : BatchSampler(split.size(), {.size = 32, .seed = 1}).epoch(e))
///       const Batch<float> batch = gather<float>(split, samples);
///
/// The order is a pure function of (seed, epoch), so an interrupted run goes on by knowing these two numbers. Every
/// sample comes once per epoch unless `drop_last` is asked for, and then `dropped` says how many do not.
/// In a batch each modality is as long as its longest present sequence, at least 1. Absent samples cost one frame.
/// Errors: OptionError for sizes, ShapeError for samples that are not there and splits whose parts disagree.
#pragma once

#include "lacuna/core/words_aside.hpp"
// macros of others stand aside from here on

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "lacuna/core/random.hpp"
#include "lacuna/core/threads.hpp"
#include "lacuna/data/dataset.hpp"
#include "lacuna/data/passed.hpp"

namespace lacuna::data {

/// All samples once; shuffled by seed and epoch, or as they stand in the file.
inline std::vector<index_t> epoch_order(index_t samples, std::uint64_t seed, index_t epoch, bool shuffled = true) {
  if (samples < 0 || epoch < 0)
    throw OptionError(detail::cat("epoch_order: ", samples, " samples, epoch ", epoch, "; expected 0 or more"));
  if (shuffled) return Random(seed).split(std::uint64_t(epoch)).permutation(samples);
  std::vector<index_t> order(static_cast<std::size_t>(samples));
  for (index_t i = 0; i < samples; ++i) order[std::size_t(i)] = i;
  return order;
}

class BatchSampler {
 public:
  struct Options {
    index_t size = 32;  ///< samples of a batch; the last one may have fewer
    std::uint64_t seed = 0;
    bool shuffle = true;     ///< false: the order of the file in every epoch
    bool drop_last = false;  ///< leave out a last batch that is not full
  };

  BatchSampler(index_t samples, Options options) : samples_(samples), options_(options) {
    if (samples < 0 || options.size < 1)
      throw OptionError(
          detail::cat("batches: ", samples, " samples in batches of ", options.size, "; expected at least 1"));
    if (options.drop_last && samples > 0 && samples < options.size)
      throw OptionError(
          detail::cat("batches: drop_last would drop all ", samples, " samples, a batch has ", options.size));
  }

  /// Batches of one epoch.
  index_t count() const {
    return options_.drop_last ? samples_ / options_.size : (samples_ + options_.size - 1) / options_.size;
  }
  /// Samples that an epoch leaves out; shuffling leaves out others in every epoch.
  index_t dropped() const { return options_.drop_last ? samples_ % options_.size : 0; }

  std::vector<std::vector<index_t>> epoch(index_t epoch) const {
    const std::vector<index_t> order = epoch_order(samples_, options_.seed, epoch, options_.shuffle);
    std::vector<std::vector<index_t>> batches;
    for (index_t b = 0; b < count(); ++b)
      batches.emplace_back(order.begin() + b * options_.size,
                           order.begin() + std::min(samples_, (b + 1) * options_.size));
    return batches;
  }

 private:
  index_t samples_;
  Options options_;
};

/// Where batches of these samples end, the last one at their number: after `size` samples, or earlier where a conversation
/// would be cut. One that is longer than `size` is a batch of its own. conversations: of the split, may be empty.
inline std::vector<index_t> batch_ends(std::span<const index_t> samples, const std::vector<index_t>& conversations,
                                       index_t size) {
  if (size < 1) throw OptionError(detail::cat("batches of ", size, " samples; expected at least 1"));
  std::vector<index_t> ends;
  const index_t count = index_t(samples.size());
  const auto whole = [&](index_t i) {  // a conversation ends in front of sample i
    return conversations.empty() || i >= count ||
           conversations[std::size_t(samples[std::size_t(i)])] !=
               conversations[std::size_t(samples[std::size_t(i - 1)])];
  };
  for (index_t begin = 0; begin < count; begin = ends.back()) {
    index_t end = std::min(begin + size, count);
    while (end > begin && !whole(end)) --end;
    if (end == begin)
      for (end = std::min(begin + size, count); !whole(end);) ++end;
    ends.push_back(end);
  }
  return ends;
}
/// All samples of a split as they stand, conversations whole.
template <Role role>
std::vector<std::vector<index_t>> consecutive_batches(const Split<role>& split, index_t size) {
  const std::vector<index_t> all = epoch_order(split.size(), 0, 0, false);
  std::vector<std::vector<index_t>> batches;
  index_t begin = 0;
  for (const index_t end : batch_ends(all, split.conversations, size)) {
    batches.emplace_back(all.begin() + begin, all.begin() + end);
    begin = end;
  }
  return batches;
}

struct GatherOptions {
  bool trim = true;  ///< false: keep the length of the split, whatever is present
};

/// The chosen samples of one modality: frames (B, T, D), present (B, T).
template <class T>
Stream<T> gather(const Modality& modality, std::span<const index_t> samples, GatherOptions options = {}) {
  const index_t count = index_t(samples.size()), frames = modality.frames.extent(1), features = modality.features();
  detail::expect_shape("gather", modality.name.c_str(), modality.present.shape(), {modality.frames.extent(0), frames});
  index_t length = options.trim ? 1 : std::max<index_t>(1, frames);
  for (const index_t sample : samples) {
    if (sample < 0 || sample >= modality.frames.extent(0))
      throw ShapeError(detail::cat("gather: sample ", sample, " of ", modality.name, " is outside 0..",
                                   modality.frames.extent(0) - 1));
    const std::uint8_t* present = modality.present.data() + sample * frames;
    index_t last = frames;  // one past the last present frame
    while (last > length && present[last - 1] == 0) --last;
    length = std::max(length, last);
  }
  const index_t kept = std::min(length, frames);  // less than `length` only for a modality without any frame
  Stream<T> stream{Tensor<T, 3>({count, length, features}), Mask<2>({count, length})};
  parallel_for(count, detail::row_grain(length * features), [&](index_t begin, index_t end) {
    for (index_t b = begin; b < end; ++b) {
      const index_t sample = samples[std::size_t(b)];
      const float* from = modality.frames.data() + sample * frames * features;
      T* to = stream.frames.data() + b * length * features;
      std::uint8_t* present = stream.present.data() + b * length;
      if (kept < length)
        std::fill(to, to + length * features, T(0)), std::fill(present, present + length, std::uint8_t(0));
      std::copy(from, from + kept * features, to);
      std::copy(modality.present.data() + sample * frames, modality.present.data() + sample * frames + kept, present);
      detail::passed(modality, sample);
    }
  });
  return stream;
}

/// The chosen samples of a split, in this order; a sample may come more than once. Nothing is shared with the split.
template <class T, Role role>
Batch<T> gather(const Split<role>& split, std::span<const index_t> samples, GatherOptions options = {}) {
  const auto expect = [&](const char* what, index_t found) {
    if (found != split.size())
      throw ShapeError(
          detail::cat("gather: ", to_string(role), " has ", found, " ", what, " and ", split.size(), " ids"));
  };
  if (!split.labels.empty()) expect("labels", index_t(split.labels.size()));
  if (!split.classes.empty()) expect("classes", index_t(split.classes.size()));
  if (!split.conversations.empty()) expect("conversations", index_t(split.conversations.size()));
  if (!split.speakers.empty()) expect("speakers", index_t(split.speakers.size()));
  for (const index_t sample : samples)
    if (sample < 0 || sample >= split.size())
      throw ShapeError(
          detail::cat("gather: sample ", sample, " is outside 0..", split.size() - 1, " of ", to_string(role)));
  Batch<T> batch;
  for (const Modality& modality : split.modalities) {
    expect(("samples of " + modality.name).c_str(), modality.frames.extent(0));
    batch.streams.push_back(gather<T>(modality, samples, options));
  }
  if (!split.labels.empty()) {
    batch.labels = Tensor<T, 1>({index_t(samples.size())});
    for (std::size_t b = 0; b < samples.size(); ++b) batch.labels.data()[b] = T(split.labels[std::size_t(samples[b])]);
  }
  if (!split.classes.empty())
    for (const index_t sample : samples) batch.classes.push_back(split.classes[std::size_t(sample)]);
  batch.samples.assign(samples.begin(), samples.end());
  const auto choose = [&](const std::vector<index_t>& from, List<index_t>& to) {
    if (!from.empty())
      for (const index_t sample : samples) to.push_back(from[std::size_t(sample)]);
  };
  choose(split.conversations, batch.conversations.conversation);
  choose(split.speakers, batch.conversations.speaker);
  return batch;
}

}  // namespace lacuna::data

#include "lacuna/core/words_back.hpp"
