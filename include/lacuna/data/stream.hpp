/// One modality of a batch: its frames and which of them are present.
#pragma once

#include <string>
#include <vector>

#include "lacuna/core/list.hpp"
#include "lacuna/core/transfer.hpp"

namespace lacuna::data {

/// frames (B, T, D), present (B, T), 1 = present. A vector per sample is a sequence with T = 1.
/// A sample without any present frame lacks this modality; its frames are then never read.
template <class T = float, class D = Cpu>
struct Stream {
  Tensor<T, 3, D> frames;
  Mask<2, D> present;
};

/// One per modality, in the order of the data set. Memory comes from the pool, as that of all that lives for a step.
template <class T = float, class D = Cpu>
using Streams = List<Stream<T, D>>;

/// Of a batch of utterances, (B) each, or empty: samples of one number are one conversation, in this order; who speaks.
/// Without them every sample stands alone.
struct Conversations {
  List<index_t> conversation = {}, speaker = {};
};

/// What one training step sees.
template <class T = float, class D = Cpu>
struct Batch {
  Streams<T, D> streams;
  Tensor<T, 1, D> labels;        ///< (B) real labels; empty for a classification set
  std::vector<index_t> classes;  ///< (B) class ids; empty for a regression set
  List<index_t> samples;         ///< (B) position of every sample in its split
  Conversations conversations = {};

  index_t size() const { return index_t(samples.size()); }
};

/// The same stream, streams or batch on another device; on the same one they are shared. Class ids stay on the host.
template <class To, class T, class From>
Stream<T, To> to_device(const Stream<T, From>& stream) {
  return {lacuna::to_device<To>(stream.frames), lacuna::to_device<To>(stream.present)};
}
template <class To, class T, class From>
Streams<T, To> to_device(const Streams<T, From>& streams) {
  if constexpr (std::is_same_v<To, From>) return streams;
  Streams<T, To> moved;
  moved.reserve(streams.size());
  for (const auto& stream : streams) moved.push_back(data::to_device<To>(stream));
  return moved;
}
template <class To, class T, class From>
Batch<T, To> to_device(const Batch<T, From>& batch) {
  return {data::to_device<To>(batch.streams), lacuna::to_device<To>(batch.labels), batch.classes, batch.samples,
          batch.conversations};
}

}  // namespace lacuna::data
