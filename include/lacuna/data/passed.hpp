/// Reading the features of a modality from the first to the last without filling memory with those that lie in a file.
#pragma once

#include "lacuna/data/dataset.hpp"
#include "lacuna/io/resident.hpp"

namespace lacuna::detail {

/// Says that samples first..first + count - 1 have been read. Nothing for features in memory.
inline void passed(const data::Modality& modality, index_t first, index_t count = 1) {
  const index_t width = modality.frames.extent(1) * modality.frames.extent(2);
  io::Resident::release(modality.frames.data() + first * width, std::size_t(count * width) * sizeof(float));
}

/// Calls f(first, end) for samples one after the other, in groups of about 4 MiB.
template <class F>
void each_group(const data::Modality& modality, F&& f) {
  const index_t samples = modality.frames.extent(0), width = modality.frames.extent(1) * modality.frames.extent(2);
  const index_t most = std::max<index_t>(1, (index_t(1) << 20) / std::max<index_t>(1, width));
  for (index_t first = 0; first < samples; first += most) {
    const index_t end = std::min(samples, first + most);
    f(first, end);
    passed(modality, first, end - first);
  }
}
/// The same for frames: f(row of present (N, T), its features).
template <class F>
void each_frame(const data::Modality& modality, F&& f) {
  const index_t frames = modality.frames.extent(1), features = modality.features();
  each_group(modality, [&](index_t first, index_t end) {
    for (index_t r = first * frames; r < end * frames; ++r)
      if (modality.present.data()[r]) f(r, modality.frames.data() + r * features);
  });
}

}  // namespace lacuna::detail
