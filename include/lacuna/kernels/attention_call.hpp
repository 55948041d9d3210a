/// What one call of attention is told, on every device: its sizes, what may change the weights, what is kept of it.
#pragma once

#include <cstdint>

#include "lacuna/core/shape.hpp"
#include "lacuna/kernels/functors.hpp"

namespace lacuna {

/// Sizes of one attention call. query (B or 1, Q, heads · key_size), key (B, K, heads · key_size),
/// value (B, K, heads · value_size), weights (B, heads, Q, K), output (B, Q, heads · value_size).
struct AttentionSizes {
  index_t batch, queries, keys, heads, key_size, value_size;
  double scale;
  bool shared_query;                               ///< one query block for the whole batch
  const std::uint8_t* present;                     ///< (B, K), 1 = present; null = all present
  bool causal;                                     ///< query i sees keys 0..i
  index_t query_stride, key_stride, value_stride;  ///< numbers from frame to frame: more than a frame when packed
};

/// What may change the weights. bias: added to the scaled scores, element (b, h, i, j) at Σ index · stride (0 =
/// broadcast). factors: (B, heads, Q, K), multiplied onto the weights; or, when `drop`, drawn from `keep`.
template <class T>
struct AttentionExtras {
  const T* bias = nullptr;
  index_t bias_stride[4] = {};
  const T* factors = nullptr;
  bool drop = false;
  functors::Keep keep = {};
  /// Of a device that takes groups (kernels/groups.hpp): weights of one group, 0 for no groups, and from stream to
  /// stream.
  index_t group = 0;
  std::uint64_t group_step = 0;
};

/// What a call leaves for its backward, or for whoever asked for it.
template <class T>
struct AttentionKept {
  T* weights = nullptr;     ///< (B, heads, Q, K); null: computed again, on devices that can
  T* statistics = nullptr;  ///< (B, heads, 2, Q): largest score, and one over the sum; null: there is no backward

  AttentionKept of_head(const AttentionSizes& s, index_t b, index_t h) const {
    const index_t head = b * s.heads + h;
    return {weights ? weights + head * s.queries * s.keys : nullptr,
            statistics ? statistics + head * 2 * s.queries : nullptr};
  }
};

}  // namespace lacuna
