/// Attention with heads of few features: one block per head of a sample.
///
/// Policy: keys, values and a tile of queries stand in the memory of the block, C numbers to a row, zeros behind the
/// features. A thread has one query and every `parts`-th four of the keys; what the parts found is added in order. Of
/// the weights only the largest score and one over the sum are kept for the backward pass, which is one kernel: threads
/// that have a query find the gradients of its scores, then threads that have a key add them up over the queries. A
/// block of Philox numbers serves four weights, so dropout is drawn for a tile at once and kept in bits. How the work
/// is cut depends on the sizes and on how much memory a block can have.
#pragma once

#include "lacuna/kernels/cuda/attention_head.cuh"

namespace lacuna::cuda {

/// How the work of a block is cut, and where things stand in its memory.
template <class T, int C>
struct SmallAttention {
  using Row = SharedRow<T, C>;
  static constexpr int threads = 128, widest_tile = 64;

  int tile;                  ///< queries at a time
  int groups;                ///< of four keys
  int lanes, parts;          ///< w = part · lanes + query of the tile; lanes is a power of two
  int key_lanes, key_parts;  ///< the same for keys, in the backward pass
  int stride;                ///< of a row of weights: odd, so that queries side by side meet different banks
  int key, value, query, sums, largest, total, found, here, bits, bytes;  ///< forward and backward
  int slope, used, cotangent, inner, to_key, to_value;                    ///< backward

  static SmallAttention of(const AttentionSizes& s, bool dropped, bool backward, index_t tile) {
    SmallAttention a{};
    a.tile = int(tile);
    a.groups = int((s.keys + 3) / 4);
    a.lanes = power_above(tile);
    a.parts = parts_of(a.lanes, a.groups);
    a.key_lanes = power_above(s.keys < threads ? s.keys : index_t(threads));
    a.key_parts = parts_of(a.key_lanes, a.tile);
    a.stride = 4 * a.groups + 1;
    SharedRoom room;
    a.key = room.take<Row>(4 * a.groups);
    a.value = room.take<Row>(4 * a.groups);
    a.query = room.take<Row>(tile);
    a.sums = room.take<Row>(index_t(a.parts) * tile);
    a.largest = room.take<T>(index_t(a.parts) * tile);
    a.total = room.take<T>(index_t(a.parts) * tile);
    a.found = room.take<T>(2 * tile);
    a.here = room.take<std::uint8_t>(a.groups);
    a.bits = room.take<std::uint8_t>(dropped ? bit_bytes(tile * s.keys) : 0);
    if (backward) {
      a.slope = room.take<T>(tile * a.stride);
      a.used = room.take<T>(tile * a.stride);
      a.cotangent = room.take<Row>(tile);
      a.inner = room.take<T>(tile);
      a.to_key = room.take<Row>(a.key_parts * s.keys);
      a.to_value = room.take<Row>(a.key_parts * s.keys);
    }
    a.bytes = room.bytes;
    return a;
  }
  /// With the widest tile that leaves room for four blocks, or the narrowest; not `bytes` in all: that does not fit.
  static SmallAttention fitting(const AttentionSizes& s, bool dropped, bool backward, std::size_t most) {
    index_t tile = s.queries < widest_tile ? s.queries : index_t(widest_tile);
    for (;; tile = (tile + 1) / 2) {
      const SmallAttention a = of(s, dropped, backward, tile);
      if (tile <= 8 || std::size_t(a.bytes) <= most / 4) return a;
    }
  }
  static int power_above(index_t n) {
    int power = 1;
    while (power < n) power *= 2;
    return power;
  }
  static int parts_of(int lanes, int pieces) {
    const int most = lanes < threads ? threads / lanes : 1;
    return std::max(1, std::min({most, pieces, 8}));
  }
  static index_t bit_bytes(index_t elements) { return (elements + 126) / 64 * 8 + 1; }
};

/// What forward and backward do alike.
template <class T, int C>
struct SmallParts {
  using Row = SharedRow<T, C>;

  LACUNA_HD static T dot(const Row& a, const Row& b) {
    T sum = a.at[0] * b.at[0];
    for (int c = 1; c < C; ++c) sum += a.at[c] * b.at[c];
    return sum;
  }
  /// rows_j = scale · x_j for j < count, zeros behind the features and up to `all`; where `present`, of present keys.
  template <class Block>
  LACUNA_DEVICE static void load(Block block, const T* x, int stride, int width, int count, int all,
                                 const std::uint8_t* present, T scale, Row* rows) {
    for (int e = block.thread(); e < all * C; e += block.threads()) {
      const int j = e / C, c = e % C;
      const bool read = j < count && c < width && (!present || present[j]);
      rows[j].at[c] = read ? x[j * stride + c] * scale : T(0);
    }
  }
  /// Bits of the present keys, four to a byte.
  template <class Block>
  LACUNA_DEVICE static void find(Block block, const BlockHead<T>& head, int groups, std::uint8_t* here) {
    for (int g = block.thread(); g < groups; g += block.threads()) {
      int bits = 0;
      for (int u = 0; u < 4; ++u) bits |= int(head.here(4 * g + u)) << u;
      here[g] = std::uint8_t(bits);
    }
  }
  /// Of which of the keys 4g .. 4g + 3 query i sees.
  LACUNA_HD static unsigned seen(const BlockHead<T>& head, const std::uint8_t* here, int i, int g) {
    const unsigned bits = here[g];
    if (!head.causal || 4 * g + 3 <= i) return bits;
    return 4 * g > i ? 0u : bits & ((2u << (i - 4 * g)) - 1u);
  }
  /// Bits of `count` elements from number `first` on: whether they stay. A thread takes half of 64 elements: eight
  /// blocks, each with one word for every sixteenth element.
  template <class Block>
  LACUNA_DEVICE static void draw(Block block, const functors::Keep& keep, index_t first, int count,
                                 std::uint8_t* bits) {
    const std::uint64_t start = std::uint64_t(first) / 64;
    const int groups = (int(first % 64) + count + 63) / 64;
    for (int n = block.thread(); n < 2 * groups; n += block.threads()) {
      unsigned byte[4] = {};
      for (unsigned k = 0; k < 8; ++k) {
        const PhiloxBlock drawn = keep.stream.block((start + std::uint64_t(n / 2)) * 16 + std::uint64_t(n % 2) * 8 + k);
        for (int w = 0; w < 4; ++w) byte[w] |= unsigned(drawn.word[w] >= keep.threshold) << k;
      }
      for (int w = 0; w < 4; ++w) bits[n / 2 * 8 + 2 * w + n % 2] = std::uint8_t(byte[w]);
    }
    if (block.thread() == 0) bits[groups * 8] = 0;
  }
  /// The factors of weights (i, 4g ..) for the seen keys.
  struct Factors {
    const T* given;            ///< of the first query of the tile, or null
    const std::uint8_t* bits;  ///< or null: all stay
    int skipped, keys;         ///< bits before those of the tile
    T scale;

    LACUNA_HD void of(int item, int g, unsigned seen, T (&factor)[4]) const {
      if (bits) {
        const int e = skipped + item * keys + 4 * g;
        const unsigned four = unsigned(bits[e >> 3] | bits[(e >> 3) + 1] << 8) >> (e & 7);
        for (int u = 0; u < 4; ++u) factor[u] = four >> u & 1u ? scale : T(0);
      } else {
        for (int u = 0; u < 4; ++u) factor[u] = given && seen >> u & 1u ? given[item * keys + 4 * g + u] : T(1);
      }
    }
  };
  /// The factors of queries first .. first + count - 1, drawn where they are not given.
  template <class Block>
  LACUNA_DEVICE static Factors factors(Block block, const BlockHead<T>& head, const AttentionExtras<T>& extras,
                                       int first, int count, std::uint8_t* bits) {
    index_t start = head.weight + index_t(first) * head.keys;
    if (extras.factors) return {head.factors + first * head.keys, nullptr, 0, head.keys, T(1)};
    if (!extras.drop) return {nullptr, nullptr, 0, head.keys, T(1)};
    const functors::Keep keep = weight_keep(extras, start);
    draw(block, keep, start, count * head.keys, bits);
    return {nullptr, bits, int(start % 64), head.keys, T(extras.keep.scale)};
  }
  /// Scores of query i at keys 4g ..; minus infinity where it does not see them.
  LACUNA_HD static void scores(const BlockHead<T>& head, const Row& q, const Row* keys, int i, int g, unsigned seen,
                               T (&score)[4]) {
    for (int u = 0; u < 4; ++u) {
      const T s = finite_or_nan(dot(q, keys[4 * g + u]));
      score[u] = seen >> u & 1u ? s : T(-INFINITY);
    }
    if (head.bias)
      for (int u = 0; u < 4; ++u)
        if (seen >> u & 1u) score[u] += head.bias_of(i, 4 * g + u);
  }
};

template <class T, int C>
struct SmallForward {
  using Parts = SmallParts<T, C>;
  using Row = SharedRow<T, C>;
  AttentionInput<T> in;
  SmallAttention<T, C> cut;
  T *weights, *statistics, *y;  // y (B, Q, heads · value_size); the others as AttentionKept, or null

  template <class Block>
  LACUNA_DEVICE void operator()(index_t number, Block block) const {
    const BlockHead<T> head = BlockHead<T>::of(in, int(number));
    Row* const keys = block.template memory<Row>(std::size_t(cut.key));
    Row* const values = block.template memory<Row>(std::size_t(cut.value));
    Row* const queries = block.template memory<Row>(std::size_t(cut.query));
    Row* const sums = block.template memory<Row>(std::size_t(cut.sums));
    T* const largest = block.template memory<T>(std::size_t(cut.largest));
    T* const total = block.template memory<T>(std::size_t(cut.total));
    T* const found = block.template memory<T>(std::size_t(cut.found));
    std::uint8_t* const here = block.template memory<std::uint8_t>(std::size_t(cut.here));
    std::uint8_t* const bits = block.template memory<std::uint8_t>(std::size_t(cut.bits));
    const int tile = cut.tile, rows = 4 * cut.groups;
    Parts::load(block, head.key, head.key_stride, head.key_size, head.keys, rows, head.present, T(1), keys);
    Parts::load(block, head.value, head.value_stride, head.value_size, head.keys, rows, head.present, T(1), values);
    Parts::find(block, head, cut.groups, here);
    for (int first = 0; first < head.queries; first += tile) {
      const int count = tile < head.queries - first ? tile : head.queries - first;
      if (first > 0) block.sync();
      Parts::load(block, head.query + first * head.query_stride, head.query_stride, head.key_size, count, tile, nullptr,
                  head.scale, queries);
      const typename Parts::Factors factors = Parts::factors(block, head, in.extras, first, count, bits);
      block.sync();
      for (int w = block.thread(); w < cut.lanes * cut.parts; w += block.threads()) {
        const int item = w & (cut.lanes - 1), part = w / cut.lanes;
        if (item >= count) continue;
        const Row q = queries[item];
        T most = T(-INFINITY);
        for (int g = part; g < cut.groups; g += cut.parts) {
          const unsigned seen = Parts::seen(head, here, first + item, g);
          if (!seen) continue;
          T score[4];
          Parts::scores(head, q, keys, first + item, g, seen, score);
          for (int u = 0; u < 4; ++u) most = score[u] > most ? score[u] : most;
        }
        const T base = most == T(-INFINITY) ? T(0) : most;
        T all = T(0);
        Row sum = {};
        for (int g = part; g < cut.groups; g += cut.parts) {
          const unsigned seen = Parts::seen(head, here, first + item, g);
          if (!seen) continue;
          T score[4], factor[4];
          Parts::scores(head, q, keys, first + item, g, seen, score);
          factors.of(item, g, seen, factor);
          for (int u = 0; u < 4; ++u) {
            const T e = std::exp(score[u] - base), times = e * factor[u];
            const Row value = values[4 * g + u];  // 16 bytes at a time, which the condition below would prevent
            if (!(seen >> u & 1u)) continue;
            all += e;
            for (int c = 0; c < C; ++c) sum.at[c] += times * value.at[c];
          }
        }
        sums[part * tile + item] = sum;
        largest[part * tile + item] = most;
        total[part * tile + item] = all;
      }
      block.sync();
      for (int e = block.thread(); e < count * C; e += block.threads()) {
        const int item = e / C, c = e % C;
        T most = T(-INFINITY);
        for (int p = 0; p < cut.parts; ++p) most = largest[p * tile + item] > most ? largest[p * tile + item] : most;
        if (most == T(-INFINITY)) most = T(0);
        T all = T(0), sum = T(0);
        for (int p = 0; p < cut.parts; ++p) {
          const T change = std::exp(largest[p * tile + item] - most);
          all += total[p * tile + item] * change;
          sum += sums[p * tile + item].at[c] * change;
        }
        const T share = all == T(0) ? T(0) : T(1) / all;
        if (c < head.value_size) y[head.output_at + (first + item) * head.output_stride + c] = sum * share;
        if (c > 0) continue;
        found[item] = most;
        found[tile + item] = share;
        if (!statistics) continue;
        T* const to = statistics + number * 2 * head.queries + first + item;
        to[0] = most;
        to[head.queries] = share;
      }
      if (!weights) continue;
      block.sync();
      for (int e = block.thread(); e < count * head.keys; e += block.threads()) {
        const int item = e / head.keys, j = e % head.keys;
        T weight = T(0);
        if (Parts::seen(head, here, first + item, j / 4) >> (j % 4) & 1u)
          weight = std::exp(Parts::dot(queries[item], keys[j]) + head.bias_of(first + item, j) - found[item]) *
                   found[tile + item];
        weights[head.weight + index_t(first) * head.keys + e] = weight;
      }
    }
  }
};

template <class T, int C>
struct SmallBackward {
  using Parts = SmallParts<T, C>;
  using Row = SharedRow<T, C>;
  AttentionInput<T> in;
  SmallAttention<T, C> cut;
  const T *statistics, *y, *dy;
  GradientSlot<T> dquery, dkey, dvalue;  // no query is shared here
  T* dscore;                             // (B, heads, Q, K) or null

  template <class Block>
  LACUNA_DEVICE void operator()(index_t number, Block block) const {
    const BlockHead<T> head = BlockHead<T>::of(in, int(number));
    Row* const keys = block.template memory<Row>(std::size_t(cut.key));
    Row* const values = block.template memory<Row>(std::size_t(cut.value));
    Row* const queries = block.template memory<Row>(std::size_t(cut.query));
    Row* const cotangents = block.template memory<Row>(std::size_t(cut.cotangent));
    Row* const sums = block.template memory<Row>(std::size_t(cut.sums));
    Row* const to_key = block.template memory<Row>(std::size_t(cut.to_key));
    Row* const to_value = block.template memory<Row>(std::size_t(cut.to_value));
    T* const slope = block.template memory<T>(std::size_t(cut.slope));
    T* const used = block.template memory<T>(std::size_t(cut.used));
    T* const found = block.template memory<T>(std::size_t(cut.found));
    T* const inner = block.template memory<T>(std::size_t(cut.inner));
    std::uint8_t* const here = block.template memory<std::uint8_t>(std::size_t(cut.here));
    std::uint8_t* const bits = block.template memory<std::uint8_t>(std::size_t(cut.bits));
    const int tile = cut.tile, rows = 4 * cut.groups;
    Parts::load(block, head.key, head.key_stride, head.key_size, head.keys, rows, head.present, T(1), keys);
    Parts::load(block, head.value, head.value_stride, head.value_size, head.keys, rows, head.present, T(1), values);
    Parts::find(block, head, cut.groups, here);
    for (int first = 0; first < head.queries; first += tile) {
      const int count = tile < head.queries - first ? tile : head.queries - first;
      const index_t output = head.output_at + index_t(first) * head.output_stride;
      if (first > 0) block.sync();
      Parts::load(block, head.query + first * head.query_stride, head.query_stride, head.key_size, count, tile, nullptr,
                  head.scale, queries);
      Parts::load(block, dy + output, head.output_stride, head.value_size, count, tile, nullptr, T(1), cotangents);
      for (int item = block.thread(); item < count; item += block.threads()) {
        const index_t at = output + item * head.output_stride;
        T sum = T(0);
        for (int c = 0; c < head.value_size; ++c) sum += y[at + c] * dy[at + c];
        inner[item] = sum;
        const T* const from = statistics + number * 2 * head.queries + first + item;
        found[item] = from[0];
        found[tile + item] = from[head.queries];
      }
      const typename Parts::Factors factors = Parts::factors(block, head, in.extras, first, count, bits);
      block.sync();
      for (int w = block.thread(); w < cut.lanes * cut.parts; w += block.threads()) {
        const int item = w & (cut.lanes - 1), part = w / cut.lanes;
        if (item >= count) continue;
        const Row q = queries[item], cotangent = cotangents[item];
        const T most = found[item], share = found[tile + item], dot = inner[item];
        Row sum = {};
        for (int g = part; g < cut.groups; g += cut.parts) {
          const unsigned seen = Parts::seen(head, here, first + item, g);
          if (!seen) continue;
          T score[4], factor[4];
          Parts::scores(head, q, keys, first + item, g, seen, score);
          factors.of(item, g, seen, factor);
          for (int u = 0; u < 4; ++u) {
            if (!(seen >> u & 1u)) continue;
            const int j = 4 * g + u;
            const T weight = std::exp(score[u] - most) * share;
            const T change = weight * (Parts::dot(cotangent, values[j]) * factor[u] - dot);
            used[item * cut.stride + j] = weight * factor[u];
            slope[item * cut.stride + j] = change;
            for (int c = 0; c < C; ++c) sum.at[c] += change * keys[j].at[c];
            if (dscore) dscore[head.weight + index_t(first + item) * head.keys + j] = change;
          }
        }
        sums[part * tile + item] = sum;
      }
      block.sync();
      if (dquery)
        for (int e = block.thread(); e < count * C; e += block.threads()) {
          const int item = e / C, c = e % C;
          if (c >= head.key_size) continue;
          T sum = T(0);
          for (int p = 0; p < cut.parts; ++p) sum += sums[p * tile + item].at[c];
          dquery.put(head.query_at + (first + item) * head.query_stride + c, sum * head.scale);
        }
      add_up(block, head, first, count, slope, used, here, queries, cotangents, to_key, to_value);
    }
    block.sync();
    for (int e = block.thread(); e < head.keys * C; e += block.threads()) {
      const int j = e / C, c = e % C;
      T key_sum = T(0), value_sum = T(0);
      for (int p = 0; p < cut.key_parts; ++p) {
        key_sum += to_key[p * head.keys + j].at[c];
        value_sum += to_value[p * head.keys + j].at[c];
      }
      if (dkey && c < head.key_size) dkey.put(head.key_at + j * head.key_stride + c, key_sum);
      if (dvalue && c < head.value_size) dvalue.put(head.value_at + j * head.value_stride + c, value_sum);
    }
  }

  /// What the queries of a tile add to keys and values. A key stays with its thread from tile to tile.
  template <class Block>
  LACUNA_DEVICE void add_up(Block block, const BlockHead<T>& head, int first, int count, const T* slope, const T* used,
                            const std::uint8_t* here, const Row* queries, const Row* cotangents, Row* to_key,
                            Row* to_value) const {
    for (int w = block.thread(); w < cut.key_lanes * cut.key_parts; w += block.threads()) {
      const int part = w / cut.key_lanes;
      for (int j = w & (cut.key_lanes - 1); j < head.keys; j += cut.key_lanes) {
        Row key_sum = {}, value_sum = {};
        if (first > 0) key_sum = to_key[part * head.keys + j], value_sum = to_value[part * head.keys + j];
        if (here[j / 4] >> (j % 4) & 1)
          for (int item = part; item < count; item += cut.key_parts) {
            if (head.causal && j > first + item) continue;
            const T weight = used[item * cut.stride + j], change = slope[item * cut.stride + j];
            const Row cotangent = cotangents[item], query = queries[item];
            for (int c = 0; c < C; ++c) value_sum.at[c] += weight * cotangent.at[c];
            for (int c = 0; c < C; ++c) key_sum.at[c] += change * query.at[c];
          }
        to_key[part * head.keys + j] = key_sum;
        to_value[part * head.keys + j] = value_sum;
      }
    }
  }
};

}  // namespace lacuna::cuda
