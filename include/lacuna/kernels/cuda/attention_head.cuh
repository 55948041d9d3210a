/// What the kernels of attention share: where the numbers of one head of one sample stand, and its dropout.
#pragma once

#include "lacuna/kernels/attention_call.hpp"
#include "lacuna/kernels/cuda/run.cuh"

namespace lacuna::cuda {

/// Places of one head of one sample in the arrays of a call; `keys` and `queries` are rows of the sample.
struct HeadView {
  index_t b, h, row;  ///< row: of the first query in (B, heads, Q)

  LACUNA_HD static HeadView of(const AttentionSizes& s, index_t head) {
    return {head / s.heads, head % s.heads, head * s.queries};
  }
  LACUNA_HD index_t query(const AttentionSizes& s, index_t i) const {
    return ((s.shared_query ? 0 : b * s.queries) + i) * s.query_stride + h * s.key_size;
  }
  /// As if no query were shared: where the share of this sample goes.
  LACUNA_HD index_t query_share(const AttentionSizes& s, index_t i) const {
    return (b * s.queries + i) * s.query_stride + h * s.key_size;
  }
  LACUNA_HD index_t key(const AttentionSizes& s, index_t j) const {
    return (b * s.keys + j) * s.key_stride + h * s.key_size;
  }
  LACUNA_HD index_t value(const AttentionSizes& s, index_t j) const {
    return (b * s.keys + j) * s.value_stride + h * s.value_size;
  }
  LACUNA_HD index_t output(const AttentionSizes& s, index_t i) const {
    return ((b * s.queries + i) * s.heads + h) * s.value_size;
  }
  LACUNA_HD index_t weight(const AttentionSizes& s, index_t i, index_t j) const { return (row + i) * s.keys + j; }
  LACUNA_HD bool present(const AttentionSizes& s, index_t j) const { return !s.present || s.present[b * s.keys + j]; }
  LACUNA_HD bool sees(const AttentionSizes& s, index_t i, index_t j) const {
    return (!s.causal || j <= i) && present(s, j);
  }
};

/// The dropout that weight number `at` belongs to; `at` becomes its number there.
template <class T>
LACUNA_HD functors::Keep weight_keep(const AttentionExtras<T>& extras, index_t& at) {
  functors::Keep keep = extras.keep;
  if (extras.group > 0) {
    const index_t group = at / extras.group;
    keep.stream.id += std::uint64_t(group) * extras.group_step;
    at -= group * extras.group;
  }
  return keep;
}
/// The dropout factor of weight number `at`.
template <class T>
LACUNA_HD T weight_factor(const AttentionExtras<T>& extras, index_t at) {
  if (extras.factors) return extras.factors[at];
  if (!extras.drop) return T(1);
  return weight_keep(extras, at).keeps(at) ? T(extras.keep.scale) : T(0);
}

/// A score before its bias, which alone may forbid a key by −∞: an infinite one is no number.
template <class T>
LACUNA_HD T finite_or_nan(T score) {
  return score + (score - score);
}

/// What a kernel of attention reads.
template <class T>
struct AttentionInput {
  AttentionSizes sizes;
  AttentionExtras<T> extras;
  const T *query, *key, *value;

  /// Whether numbers of 32 bits count everything within a sample, and the heads.
  bool fits_32_bits(index_t blocks) const {
    const AttentionSizes& s = sizes;
    const double most = 2147483647.0, rows = double(s.queries) + double(s.keys) + 64;
    const double widest = double(s.query_stride) + double(s.key_stride) + double(s.value_stride) +
                          double(s.heads) * double(s.value_size + s.key_size) + 64;
    return rows * widest < most && rows * rows < most && double(blocks) < most;
  }
};

/// One head of one sample as a block sees it: rows from its first, counted in 32 bits.
template <class T>
struct BlockHead {
  int queries, keys, key_size, value_size, query_stride, key_stride, value_stride, output_stride;
  bool causal;
  T scale;
  const T *query, *key, *value;
  const std::uint8_t* present;  ///< of the first key, or null
  const T* bias;                ///< of the first score, or null
  int bias_row, bias_column;
  const T* factors;                               ///< (queries, keys), or null
  index_t weight;                                 ///< number of the first weight
  index_t query_at, key_at, value_at, output_at;  ///< of its first numbers in the gradients; no query is shared there

  LACUNA_HD static BlockHead of(const AttentionInput<T>& in, int head) {
    const AttentionSizes& s = in.sizes;
    const AttentionExtras<T>& extras = in.extras;
    const int heads = int(s.heads);
    const index_t b = head / heads, h = head % heads;
    BlockHead own;
    own.queries = int(s.queries), own.keys = int(s.keys);
    own.key_size = int(s.key_size), own.value_size = int(s.value_size);
    own.query_stride = int(s.query_stride), own.key_stride = int(s.key_stride);
    own.value_stride = int(s.value_stride), own.output_stride = heads * own.value_size;
    own.causal = s.causal;
    own.scale = T(s.scale);
    own.query_at = b * s.queries * s.query_stride + h * s.key_size;
    own.key_at = b * s.keys * s.key_stride + h * s.key_size;
    own.value_at = b * s.keys * s.value_stride + h * s.value_size;
    own.output_at = (b * s.queries * heads + h) * s.value_size;
    own.query = in.query + (s.shared_query ? h * s.key_size : own.query_at);
    own.key = in.key + own.key_at;
    own.value = in.value + own.value_at;
    own.present = s.present ? s.present + b * s.keys : nullptr;
    own.bias = extras.bias ? extras.bias + b * extras.bias_stride[0] + h * extras.bias_stride[1] : nullptr;
    own.bias_row = int(extras.bias_stride[2]), own.bias_column = int(extras.bias_stride[3]);
    own.weight = index_t(head) * s.queries * s.keys;
    own.factors = extras.factors ? extras.factors + own.weight : nullptr;
    return own;
  }
  LACUNA_HD bool here(int j) const { return j < keys && (!present || present[j]); }
  LACUNA_HD bool sees(int i, int j) const { return (!causal || j <= i) && here(j); }
  LACUNA_HD T bias_of(int i, int j) const { return bias ? bias[i * bias_row + j * bias_column] : T(0); }
};

/// Bytes of memory of a block, handed out from the front.
struct SharedRoom {
  int bytes = 0;
  template <class T>
  int take(index_t count) {
    const int at = (bytes + 15) / 16 * 16;
    bytes = int(std::min<index_t>(at + count * index_t(sizeof(T)), 1 << 30));
    return at;
  }
};

/// N numbers side by side, which the memory of a block hands out 16 bytes at a time.
template <class T, int N>
struct alignas(16) SharedRow {
  T at[N];
};

}  // namespace lacuna::cuda
