/// The door of a model: which streams of the data it takes, whether they fit, and what its network gets of them.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "lacuna/core/list.hpp"
#include "lacuna/core/threads.hpp"
#include "lacuna/data/batch.hpp"
#include "lacuna/data/dataset.hpp"
#include "lacuna/data/standardize.hpp"
#include "lacuna/models/streams.hpp"

namespace lacuna::models {

/// A stream of the data set that is no modality but stands in for one: by position, and the modality whose sizes and
/// scale it shares.
struct StandIn {
  std::size_t stream, modality;
};

/// "audio, text", or "none".
inline std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

/// How many streams hold all that a model takes.
inline std::size_t stream_count(const List<StandIn>& inputs) {
  std::size_t count = 0;
  for (const StandIn& input : inputs) count = std::max(count, input.stream + 1);
  return count;
}

/// Throws OptionError when data cannot train a model: another number of streams than it takes, other feature sizes than
/// `sizes`, one per modality, other streams in another split, or a stream that no training sample has. What training
/// never shows would be read by weights that were never trained; what the model never reads would be lost unnoticed.
inline void expect_trainable(const char* model, const data::Dataset& data, const List<StandIn>& inputs,
                             const std::vector<index_t>& sizes) {
  const std::vector<std::string> names = data.modality_names();
  if (names.size() != stream_count(inputs))
    throw OptionError(detail::cat(model, ": ", data.name, " has ", names.size(), " streams (", listed(names),
                                  "), the model was made for ", stream_count(inputs),
                                  "; give it one feature size per stream (Dataset::dimensions), or leave streams out "
                                  "of the data (LoadOptions::modalities)"));
  for (const StandIn& input : inputs) {
    const data::Modality& modality = data.train.modalities[input.stream];
    if (modality.features() != sizes[input.modality])
      throw OptionError(detail::cat(model, ": ", data.name,
                                    " has other feature sizes than the model was made for: ", modality.features(),
                                    " of '", modality.name, "', expected ", sizes[input.modality]));
    const auto present = modality.present.to_vector();
    if (std::none_of(present.begin(), present.end(), [](std::uint8_t one) { return one != 0; }))
      throw OptionError(detail::cat(model, ": '", modality.name, "' is absent from all ", data.train.size(),
                                    " training samples of ", data.name, "; leave it out of the modalities"));
  }
  const auto expect_same = [&]<data::Role role>(const data::Split<role>& split) {
    if (const auto found = split.modality_names(); split.size() > 0 && found != names)
      throw OptionError(detail::cat(model, ": ", data.name, ": the streams of its ", data::to_string(role),
                                    " split are ", listed(found), ", those of its train split ", listed(names),
                                    "; expected the same in this order"));
  };
  expect_same(data.validation);
  expect_same(data.test);
}

/// Throws Error for a present feature of a stream that is not finite, with its place. names: of the streams.
template <class T>
void expect_finite(const char* model, const data::Batch<T>& batch, std::size_t position,
                   const std::vector<std::string>& names) {
  const Tensor<T, 3>& frames = batch.streams[position].frames;
  const Mask<2>& present = batch.streams[position].present;
  const index_t rows = present.size(), width = frames.extent(2);
  const auto finite = [width, x = frames.data()](index_t row) {
    bool all = true;
    for (index_t d = 0; d < width; ++d) all &= std::abs(x[row * width + d]) <= std::numeric_limits<T>::max();
    return all;
  };
  std::atomic<bool> good = true;
  parallel_for(rows, detail::row_grain(width), [&](index_t begin, index_t end) {
    for (index_t r = begin; r < end; ++r)
      if (present.data()[r] && !finite(r)) good.store(false, std::memory_order_relaxed);
  });
  if (good) return;
  for (index_t r = 0; r < rows; ++r) {
    if (!present.data()[r] || finite(r)) continue;
    index_t d = 0;
    while (std::isfinite(frames.data()[r * width + d])) ++d;
    const auto b = std::size_t(r / present.extent(1));
    throw Error(detail::cat(model, ": sample ", b < batch.samples.size() ? batch.samples[b] : index_t(b), ", frame ",
                            r % present.extent(1), ", feature ", d, " of ",
                            position < names.size() ? "'" + names[position] + "'" : detail::cat("stream ", position),
                            " is ", frames.data()[r * width + d],
                            ", expected a finite number; repair it or mark the frame as absent"));
  }
}

/// The streams of `batch` that the network is given: sizes and numbers are checked, features scaled, what is absent is
/// 0. Frames that nobody else sees are written over. names: of the streams of the data, for messages; may be fewer.
/// Throws ShapeError, for another number of streams too, and Error for numbers that are not finite.
template <class T>
data::Batch<T> ready_batch(const char* model, data::Batch<T> batch, const List<StandIn>& wanted,
                           const std::vector<index_t>& sizes, const data::Standardizer& standardizer,
                           const std::vector<std::string>& names) {
  if (batch.streams.size() != stream_count(wanted))
    throw ShapeError(detail::cat(model, ": the batch has ", batch.streams.size(), " streams, the model was made for ",
                                 stream_count(wanted), names.empty() ? "" : ": " + listed(names),
                                 "; what is missing is a stream too, with nothing present"));
  Streams<T> streams;
  for (const auto& [position, modality] : wanted) {
    auto& [frames, present] = batch.streams[position];
    detail::expect_shape(model, "frames", frames.shape(), {present.extent(0), present.extent(1), sizes[modality]});
    expect_finite(model, batch, position, names);
    if (standardizer.modalities.empty())
      streams.push_back(masked_stream(frames, present));
    else
      streams.push_back({standardizer.apply(modality, std::move(frames), present), present});
  }
  batch.streams = std::move(streams);
  return batch;
}

}  // namespace lacuna::models
